import { observeDatabases } from '../../../functions/enforcement/database-reading.ts';
import { describeAction } from '../../../functions/enforcement/plan/describe-action.ts';
import { planEnforcement } from '../../../functions/enforcement/plan/plan-enforcement.ts';
import { writeDatabases } from '../../../functions/enforcement/write-databases.ts';
import type { KeyturnEvent } from '../../../functions/events/events.ts';
import { readingOwnWrites } from '../../../functions/management-api/reading-own-writes.ts';
import type { Tools } from '../../../functions/run/tools.ts';
import type { Interceptor, Reply } from '../../../sandbox/interception.ts';
import { NOW, policyOf } from '../builders.ts';
import { fakeTiming } from '../fake-timing.ts';
import { connectToCluster } from '../management-api/connect.ts';

interface Told {
  readonly message: string;
  readonly details: object;
}

/** An embedded cluster, and runs of `enforce` on it that wait in no real time. */
export async function startEnforcing(...rules: object[]) {
  const timing = fakeTiming(NOW);
  const { cluster, api } = await connectToCluster(
    { clock: timing },
    { ...timing, deadline: () => NOW + 900_000 },
  );
  const events: KeyturnEvent[] = [];
  const told: Told[] = [];
  const tell = (message: string, details: object) => told.push({ message, details });
  const tools = {
    ...timing,
    api: readingOwnWrites(api),
    policy: policyOf({ databases: rules }),
    publish: (event) => events.push(event),
    log: { info: tell, warn: tell, error: tell },
    deadline: NOW + 900_000,
    apiNow: timing.now,
  } as Partial<Tools> as Tools;

  const observeAndPlan = async (tables: boolean) =>
    planEnforcement(tools.policy, await observeDatabases(tools), { tables });

  return {
    cluster,
    api,
    events,
    told,
    naps: timing.naps,
    plan: observeAndPlan,
    database: (name: string) => cluster.state.databases.find((each) => each.name === name),
    /** What became of each action: `done retention a 30d -> 90d`. */
    async run({ tables = false, plan = observeAndPlan(tables) } = {}) {
      const outcomes = await writeDatabases((await plan).actions, tools);
      return outcomes.map(
        ({ action, result }) => `${result} ${describeAction(action).replace(/ \(rule.*/, '')}`,
      );
    },
  };
}

/** Stands in the way of one operation: `PATCH /databases/{name}`. */
export const against =
  (operation: string, stand: (effect: () => Reply) => Reply | 'reset'): Interceptor =>
  async (call, effect) =>
    call.operation === operation ? stand(effect) : effect();

export const answer = (status: number, message: string): Reply => ({
  status,
  headers: { 'content-type': 'application/json' },
  body: JSON.stringify({ code: status, message }),
});
