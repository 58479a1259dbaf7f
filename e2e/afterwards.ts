import { join } from 'node:path';
import { z } from 'zod';
import type { Consumer } from './consumer.ts';
import { expect } from './expect.ts';
import { expectKept, type Scene } from './scenario.ts';
import type { Stage } from './stage.ts';

const groupsSchema = z.object({ logGroups: z.array(z.object({ logGroupName: z.string() })) });
const eventsSchema = z.object({ events: z.array(z.object({ message: z.string() })) });
const queuesSchema = z.object({ QueueUrls: z.array(z.string()).default([]) });
const attributesSchema = z.object({
  Attributes: z.object({ ApproximateNumberOfMessages: z.string() }),
});

async function readLogs({ aws }: Stage): Promise<string[]> {
  const { logGroups } = groupsSchema.parse(await aws('logs', 'describe-log-groups'));
  const lines: string[] = [];
  for (const { logGroupName } of logGroups) {
    const found = await aws('logs', 'filter-log-events', '--log-group-name', logGroupName);
    lines.push(...eventsSchema.parse(found).events.map(({ message }) => message));
  }
  return lines;
}

async function countFailures({ aws }: Stage): Promise<number> {
  const { QueueUrls } = queuesSchema.parse(await aws('sqs', 'list-queues'));
  let waiting = 0;
  for (const url of QueueUrls) {
    const asked = ['--queue-url', url, '--attribute-names', 'ApproximateNumberOfMessages'];
    const answer = attributesSchema.parse(await aws('sqs', 'get-queue-attributes', ...asked));
    waiting += Number(answer.Attributes.ApproximateNumberOfMessages);
  }
  return waiting;
}

/** What can be said only when everything has happened, and the end of the stack. */
export async function checkAfterwards(
  { stage, world, report }: Scene,
  consumers: readonly Consumer[],
  folder: string,
): Promise<void> {
  await report.check('consumers that re-read their secrets were never refused', async () => {
    await Promise.all(consumers.map((each) => each.stop()));
    expect('refusals', consumers.flatMap(({ refusals }) => refusals).slice(0, 5), []);
    const [telegraf] = consumers;
    expect('tokens that telegraf worked with', telegraf?.tokenIds.size, 2);
    const requests = consumers.reduce((sum, each) => sum + each.requests, 0);
    expect('a hundred requests or more', requests >= 100, true);
  });
  await report.check('no run failed, and no log holds a token string', async () => {
    const lines = await readLogs(stage);
    expect(
      'runs were logged',
      lines.some((line) => line.includes('"planned"')),
      true,
    );
    expect('errors', lines.filter((line) => line.includes('"level":"ERROR"')).slice(0, 3), []);
    const all = [...lines, stage.miniStack.log()].join('\n');
    expect('strings logged', world.strings().filter((text) => all.includes(text)).length, 0);
    expect('messages in the failure queue', await countFailures(stage), 0);
  });

  const before = world.versions();
  await report.check('cdk destroy removes the functions and keeps every secret', async () => {
    await stage.cdk('destroy', '-c', `policy=${join(folder, 'keyturn.yaml')}`, '--force');
    expect('functions', await stage.aws('lambda', 'list-functions'), { Functions: [] });
    expectKept(before, world.versions());
    const current = world.labelled('telegraf', 'AWSCURRENT')?.id ?? '';
    expect('telegraf may write', world.works(current, 'write', 'telemetry'), true);
  });
}
