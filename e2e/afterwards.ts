import { z } from 'zod';
import { type Subscriber, typeOf } from './bus.ts';
import type { Consumer } from './consumer.ts';
import { expect } from './expect.ts';
import { countRuns, failuresIn, readLogs } from './function-logs.ts';
import { STACK } from './policy.ts';
import { expectKept, freezeAndUnfreeze, type Scene } from './scenario.ts';
import type { Stage } from './stage.ts';

const EVENT_TYPES = [
  'Token Rotated',
  'Token Permissions Changed',
  'Token Retired',
  'Token Deleted',
  'Token Revoked',
  'Database Policy Enforced',
];

const stacksSchema = z.object({ Stacks: z.array(z.object({ StackStatus: z.string() })) });
const planSchema = z.array(z.object({ actions: z.array(z.object({ kind: z.string() })) }));

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

export const plannedIn = async ({ keyturn }: Pick<Stage, 'keyturn'>, job: string) =>
  planSchema.parse(await keyturn('plan', '--job', job)).flatMap(({ actions }) => actions);

/** A deployment with the same owner knows its tokens again: nothing is minted in their place. */
export const createAgain = ({ stage, world, report }: Scene, policy: object) =>
  report.check(
    'cdk deploy, again with the same owner, goes on with every secret and token',
    async () => {
      const before = world.versions();
      await stage.deploy(policy);
      expect('actions of rotate', await plannedIn(stage, 'rotate'), []);
      expectKept(before, world.versions());
    },
  );

/** CloudFormation takes an update back half-way: the functions have the former policy and code again. */
export const rollBack = ({ stage, world, report }: Scene, policy: object) =>
  report.check('an update that fails is rolled back, and the former policy works on', async () => {
    const said = await stage.deployBroken(policy);
    expect(`the queue in ${said.slice(-400)}`, said.includes('Broken'), true);
    const [{ StackStatus } = {}] = stacksSchema.parse(
      await stage.aws('cloudformation', 'describe-stacks', '--stack-name', STACK),
    ).Stacks;
    expect('the stack', StackStatus, 'UPDATE_ROLLBACK_COMPLETE');
    const status = JSON.stringify(await stage.keyturn('status'));
    expect('the token of the failed update', status.includes('"never"'), false);
    expect('actions of rotate', await plannedIn(stage, 'rotate'), []);
    await freezeAndUnfreeze({ stage, world });
  });
