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

export interface Witnesses {
  readonly consumers: readonly Consumer[];
  readonly subscriber: Subscriber;
}

/** What can be said only when everything has happened. */
export async function askWitnesses(
  { stage, world, report }: Scene,
  { consumers, subscriber }: Witnesses,
): Promise<void> {
  await report.check('consumers that re-read their secrets were never refused', async () => {
    await Promise.all(consumers.map((each) => each.stop()));
    expect('refusals', consumers.flatMap(({ refusals }) => refusals).slice(0, 5), []);
    const [telegraf] = consumers;
    expect('tokens that telegraf worked with', telegraf?.tokenIds.size, 2);
    const requests = consumers.reduce((sum, each) => sum + each.requests, 0);
    expect('a hundred requests or more', requests >= 100, true);
  });
  const lines = await report.step('CloudWatch has the logs of the runs', () => readLogs(stage));
  await report.check('no run failed, of those that a person or a schedule started', () => {
    expect('failures', failuresIn(lines).slice(0, 5), []);
    expect('a dozen runs or more', countRuns(lines) >= 12, true);
  });
  await report.check('the bus delivered what was done; no log, no event has a string', async () => {
    const events = await subscriber.receive();
    const types = new Set(events.map(typeOf));
    const missing = EVENT_TYPES.filter((type) => !types.has(type));
    expect('missing events', missing, []);
    const said = [...lines, ...events, stage.miniStack.log()].join('\n');
    expect('strings said', world.strings().filter((text) => said.includes(text)).length, 0);
  });
}

/** The end of the stack, which is not the end of what it kept. */
export const destroy = ({ stage, world, report }: Scene) =>
  report.check('cdk destroy removes the functions and keeps every secret', async () => {
    const before = world.versions();
    await stage.destroy();
    expect('functions', await stage.aws('lambda', 'list-functions'), { Functions: [] });
    expectKept(before, world.versions());
    const current = world.labelled('telegraf', 'AWSCURRENT')?.id ?? '';
    expect('telegraf may write', world.works(current, 'write', 'telemetry'), true);
  });
