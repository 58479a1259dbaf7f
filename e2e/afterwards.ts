import { z } from 'zod';
import { type Subscriber, typeOf } from './bus.ts';
import type { Consumer } from './consumer.ts';
import { expect } from './expect.ts';
import { countRuns, failuresIn, readLogs } from './function-logs.ts';
import { expectKept, type Scene } from './scenario.ts';

const EVENT_TYPES = [
  'Token Rotated',
  'Token Permissions Changed',
  'Token Retired',
  'Token Deleted',
  'Token Revoked',
  'Database Policy Enforced',
];

const planSchema = z.array(z.object({ actions: z.array(z.unknown()) }));

export interface Observers {
  readonly consumers: readonly Consumer[];
  readonly subscriber: Subscriber;
}

/** Checks of the whole run, at its end. */
export async function checkWholeRun(
  { stage, world, report }: Scene,
  { consumers, subscriber }: Observers,
): Promise<void> {
  await report.check('consumers that re-read their secrets were never refused', async () => {
    await Promise.all(consumers.map((each) => each.stop()));
    expect('refusals', consumers.flatMap(({ refusals }) => refusals).slice(0, 5), []);
    const [telegraf] = consumers;
    expect('tokens that telegraf used', telegraf?.tokenIds.size, 2);
    const requests = consumers.reduce((sum, each) => sum + each.requests, 0);
    expect('at least 100 requests', requests >= 100, true);
  });
  const lines = await report.step('CloudWatch has the logs of the runs', () => readLogs(stage));
  await report.check('no run failed', () => {
    expect('failures', failuresIn(lines).slice(0, 5), []);
    expect('at least 12 runs', countRuns(lines) >= 12, true);
  });
  await report.check(
    'the bus delivered an event of every type; no log or event contains a token string',
    async () => {
      const events = await subscriber.receive();
      const types = new Set(events.map(typeOf));
      const missing = EVENT_TYPES.filter((type) => !types.has(type));
      expect('missing events', missing, []);
      const published = [...lines, ...events, stage.miniStack.log()].join('\n');
      const leaked = world.strings().filter((text) => published.includes(text));
      expect('token strings in logs and events', leaked.length, 0);
    },
  );
}

/** Destroys the stack; its secrets stay. */
export const destroy = ({ stage, world, report }: Scene) =>
  report.check('cdk destroy removes the functions and keeps every secret', async () => {
    const before = world.versions();
    await stage.destroy();
    expect('functions', await stage.aws('lambda', 'list-functions'), { Functions: [] });
    expectKept(before, world.versions());
    const current = world.labelled('telegraf', 'AWSCURRENT')?.id ?? '';
    expect('telegraf may write', world.works(current, 'write', 'telemetry'), true);
  });

/** A deployment with the same owner knows its tokens again: nothing is minted in their place. */
export const createAgain = ({ stage, world, report }: Scene, policy: object) =>
  report.check(
    'cdk deploy, again with the same owner, goes on with every secret and token',
    async () => {
      const before = world.versions();
      await stage.deploy(policy);
      const plan = planSchema.parse(await stage.keyturn('plan', '--job', 'rotate'));
      expect(
        'actions of rotate',
        plan.flatMap(({ actions }) => actions),
        [],
      );
      expectKept(before, world.versions());
      await stage.destroy();
    },
  );
