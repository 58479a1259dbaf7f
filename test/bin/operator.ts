import { onTestFinished } from 'vitest';
import { realClock } from '../../sandbox/clock.ts';
import { openWorldForTest } from '../world/open-world.ts';
import { policyWith } from '../world/policy.ts';
import {
  clusterOf,
  environmentOf,
  openSystems,
  type Systems,
  type SystemsOptions,
} from '../world/systems.ts';
import type { World } from '../world/world.ts';
import { type AtEnd, type Ended, keyturn, writeTemporary } from './cli.ts';
import { serveLambda } from './serve-lambda.ts';

/** Runs the command line with the policy file, and the environment that finds the sandbox. */
export type Operator = (
  args: readonly string[],
  stdin?: string,
  env?: Readonly<Record<string, string>>,
) => Promise<Ended>;

const databases = ['telemetry'];
const tokens = {
  telegraf: { permissions: { read: ['telemetry'], write: ['telemetry'] } },
  // May do all that telegraf may: each shows that a refusal of the other one is its death.
  grafana: { permissions: { read: ['telemetry'], write: ['telemetry'] } },
};
const policyOf = (more: object) =>
  policyWith(tokens, { databases: [{ name: 'telemetry', maxTables: 400 }], ...more });

type Environment = Readonly<Record<string, string>>;

const withPolicy = (policy: object, found: Environment, atEnd?: AtEnd): Environment => ({
  KEYTURN_POLICY: writeTemporary('keyturn.yaml', policy, atEnd),
  ...found,
});

const operatorOf =
  (found: Environment): Operator =>
  (args, stdin, env = {}) =>
    keyturn(args, { ...(stdin !== undefined && { stdin }), env: { ...found, ...env } });

/** The deployed functions behind a stand-in of Lambda's API; minutes of theirs pass in an instant. */
export async function openDeployed(
  more: object = {},
): Promise<{ readonly world: World; readonly run: Operator; readonly env: Environment }> {
  const world = await openWorldForTest(policyOf(more), {
    // The command line is a process of its own.
    isSimulated: false,
    // It says how long ago things were, by the machine's clock.
    startAt: Date.now(),
    databases,
    activationDelayMs: 90_000,
    revocationDelayMs: 90_000,
  });
  const AWS_ENDPOINT_URL_LAMBDA = await serveLambda(world);
  const env = withPolicy(world.policy, { ...environmentOf(world), AWS_ENDPOINT_URL_LAMBDA });
  return { world, run: operatorOf(env), env };
}

/** No Lambda at all, in real time; concurrent tests name what is done at their end. */
export async function openLocal(
  options: SystemsOptions = {},
  atEnd: AtEnd = onTestFinished,
): Promise<{ readonly systems: Systems; readonly run: Operator; readonly env: Environment }> {
  const delays = { activationDelayMs: 500, revocationDelayMs: 500 };
  const systems = await openSystems(realClock, { databases, ...delays, ...options });
  atEnd(() => systems.close());
  const deployment = { alarms: { emails: ['on-call@example.com'] } };
  const policy = { cluster: clusterOf(systems), ...policyOf({ deployment }) };
  const env = withPolicy(policy, environmentOf(systems), atEnd);
  return { systems, run: operatorOf(env), env };
}
