import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { policyAsset } from '../../lib/bundle.ts';
import { realClock } from '../../sandbox/clock.ts';
import { createHost, type Host } from '../../sandbox/lambda/host.ts';
import { createCanary } from '../world/canary.ts';
import { JOBS, type Job } from '../world/jobs.ts';
import { MINUTE, policyWith, TELEGRAF, writer } from '../world/policy.ts';
import { realFunction } from '../world/real-function.ts';
import { environmentOf, MANAGEMENT_SECRET, openSystems } from '../world/systems.ts';
import { BEHAVIOURS } from './behaviours.ts';
import { startGateway } from './gateway.ts';

/** As long as Lambda would let the function run: its deadline is five seconds before. */
const LIMIT_MS = 25_000;
/** With less, no token is begun: minting, storing and arming it takes up to 20 s. */
const WRITING_MS = 45_000;
const MEMORY_MB = 512;
/** Of no form that anybody could know. */
const MANAGEMENT = 'Zk3+mQ/9vT-xL_4pW7rB2nY8dH6sF1jC5gK0==';
const HEALED_MS = 2 * MINUTE;

/** The most memory that a process has had, in MB. */
const peakOf = (pid: number | undefined) =>
  Number(/VmHWM:\s+(\d+) kB/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]) / 1024;

/** A deployment in real time, whose functions reach both systems through gateways. */
async function openHostile(limitMs = LIMIT_MS) {
  const systems = await openSystems(realClock, { managementToken: MANAGEMENT });
  const canary = createCanary(MANAGEMENT);
  systems.watch(canary.watcher);
  const [cluster, aws] = await Promise.all([
    startGateway(systems.cluster.url),
    startGateway(systems.aws.url),
  ]);
  const hostWith = (timeoutMs: number) =>
    createHost({
      clock: realClock,
      functions: JOBS.map((job) => ({ ...realFunction(job), timeoutMs })),
      environment: { ...environmentOf(systems), AWS_ENDPOINT_URL: aws.url },
      policyAsset: policyAsset({
        document: {
          ...policyWith({ telegraf: writer }),
          cluster: { url: cluster.url, managementToken: MANAGEMENT_SECRET },
          activationTimeout: '10s',
        },
      }),
    });
  const [host, healed] = [hostWith(limitMs), hostWith(HEALED_MS)];
  const answers: string[] = [];
  const invoke = async (job: Job, event: object, by: Host = host) => {
    const answer = await by.invoke(job, event);
    answers.push(JSON.stringify(answer));
    return answer as {
      readonly result?: unknown;
      readonly error?: { readonly errorType: string; readonly errorMessage: string };
    };
  };
  return {
    ...systems,
    gateways: { cluster, aws },
    invoke,
    peak: () => Math.max(...host.instances.map(({ pid }) => peakOf(pid))),
    lines: () => host.logs.map(({ text }) => text),
    heal() {
      cluster.hostile = undefined;
      aws.hostile = undefined;
      return invoke('rotate', {}, healed);
    },
    async [Symbol.asyncDispose]() {
      cluster.close();
      aws.close();
      await Promise.all([host.close(), healed.close()]);
      await systems.close();
    },
    leaks: () =>
      canary.leaksIn([
        ...host.logs.map(({ text }) => text),
        ...answers,
        ...systems.aws.state.events.map((event) => JSON.stringify(event)),
      ]),
  };
}

interface Target {
  readonly at: 'cluster' | 'aws';
  readonly to: RegExp;
  readonly behaviours: readonly string[];
}

const ALL = Object.keys(BEHAVIOURS);
const SILENT = ['says nothing', 'says a head and then nothing', 'trickles a body'];
const UNCLEAR = ['hangs up', 'shows a page of success', 'answers an empty object'];

/** Where a run begins: nothing has been done when it fails. */
const READS: Readonly<Record<string, Target>> = {
  'the list of tokens': { at: 'cluster', to: /^GET .*\/tokens$/, behaviours: ALL },
  "the management token's secret": { at: 'aws', to: /^GetSecretValue$/, behaviours: ALL },
  'the list of secrets': { at: 'aws', to: /^ListSecrets$/, behaviours: [...SILENT, ...UNCLEAR] },
};
/** Where a token is half made when it fails. */
const WRITES: Readonly<Record<string, Target>> = {
  minting: { at: 'cluster', to: /^POST .*\/tokens$/, behaviours: ['says nothing', ...UNCLEAR] },
  storing: {
    at: 'aws',
    to: /^(CreateSecret|PutSecretValue)$/,
    behaviours: ['says nothing', ...UNCLEAR],
  },
  arming: { at: 'cluster', to: /^PATCH /, behaviours: ['trickles a body', ...UNCLEAR] },
  probing: {
    at: 'cluster',
    to: /^(GET \/query|POST \/api\/v2)/,
    behaviours: ['says nothing', ...UNCLEAR],
  },
};

/** As the schema of a test, so that its name says both. */
const casesOf = (targets: Readonly<Record<string, Target>>) =>
  Object.entries(targets).flatMap(([name, { at, to, behaviours }]) =>
    behaviours.map((behaviour) => ({ name, at, to, behaviour })),
  );

type Hostile = Awaited<ReturnType<typeof openHostile>>;
type Attack = Omit<Target, 'behaviours'> & { readonly behaviour: string };

/** A run against a server that behaves so; what holds of every run is asserted. */
async function runAgainst({ at, to, behaviour }: Attack, world: Hostile) {
  // A cold start is not part of the run, and takes long on a busy machine.
  await world.invoke('rotate', { dryRun: true });
  world.gateways[at].hostile = { to, behaviour: BEHAVIOURS[behaviour] ?? expect.unreachable() };
  const answer = await world.invoke('rotate', {});
  expect(world.gateways[at].caught).toBeGreaterThan(0);
  // `Sandbox.Timedout`: Lambda ended it. `Runtime.ExitError`: it ended itself, as where memory is over.
  expect(`${answer.error?.errorType}`).not.toMatch(/^(Sandbox|Runtime)\./);
  expect(world.peak()).toBeLessThan(MEMORY_MB);
  expect(world.leaks()).toEqual([]);
  return answer;
}

describe.concurrent('a run ends in time, within its memory, and says why it did nothing', () => {
  test.each(casesOf(READS))('where $name $behaviour', { timeout: HEALED_MS }, async (attack) => {
    await using world = await openHostile();
    const { error } = await runAgainst(attack, world);
    expect(error?.errorMessage).toMatch(/\S/);
    expect(world.tokens()).toEqual([]);
    expect(Object.keys(world.aws.state.secrets)).toEqual([MANAGEMENT_SECRET]);
  });
});

describe.concurrent('a run ends in time, and the next one finishes what it began', () => {
  test.each(casesOf(WRITES))(
    'where $name $behaviour',
    { timeout: 2 * HEALED_MS },
    async (attack) => {
      await using world = await openHostile(WRITING_MS);
      await runAgainst(attack, world);
      const { error } = await world.heal();
      expect(error).toBeUndefined();
      expect(world.accepts(world.string(TELEGRAF))).toBe(true);
      expect(world.leaks()).toEqual([]);
    },
  );
});

describe.concurrent('a run does its work', () => {
  test.each(SILENT)('where the event bus %s', { timeout: HEALED_MS }, async (behaviour) => {
    await using world = await openHostile(MINUTE);
    const { error } = await runAgainst({ at: 'aws', to: /^PutEvents$/, behaviour }, world);
    expect(error).toBeUndefined();
    expect(world.accepts(world.string(TELEGRAF))).toBe(true);
    expect(world.lines().join('\n')).toContain('events lost');
  });

  test.each(SILENT)('where its schedule %s', { timeout: HEALED_MS }, async (behaviour) => {
    await using world = await openHostile(MINUTE);
    const { error, result } = await runAgainst(
      { at: 'aws', to: /^GetSchedule$/, behaviour },
      world,
    );
    expect(error).toBeUndefined();
    expect(result).toMatchObject({ schedule: { state: 'unknown' } });
    expect(world.accepts(world.string(TELEGRAF))).toBe(true);
  });
});

/** With this much, an order has time for all that it does, if no call of it waits for long. */
const ORDER_MS = 3 * MINUTE;
/** What operators may wait for a string to be cut off, at most, while one operation says nothing. */
const CUT_OFF_MS = 60_000;

describe.concurrent('an order ends the string, while one operation says nothing', () => {
  const operations = [
    'DescribeSecret',
    'TagResource',
    'UpdateSecretVersionStage',
    'ListSecretVersionIds',
    'GetSchedule',
    'PutEvents',
  ];
  const cases = [
    ...operations.flatMap((operation) => ['freeze', 'delete'].map((way) => ({ operation, way }))),
    { operation: 'DELETE .*', way: 'delete' },
  ];
  test.each(cases)('$way, $operation', { timeout: 4 * MINUTE }, async ({ operation, way }) => {
    await using world = await openHostile(ORDER_MS);
    await world.heal();
    const string = world.string(TELEGRAF);
    const order = { token: 'telegraf', way, reason: 'drill' };
    await world.invoke('revoke', { ...order, dryRun: true });
    const gateway = world.gateways[operation.includes(' ') ? 'cluster' : 'aws'];
    gateway.hostile = { to: new RegExp(`^${operation}$`), behaviour: () => {} };
    const from = Date.now();
    const answer = world.invoke('revoke', order);
    while (world.accepts(string) && Date.now() - from < CUT_OFF_MS) {
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
    expect(world.accepts(string)).toBe(false);
    expect(`${(await answer).error?.errorType}`).not.toMatch(/^(Sandbox|Runtime)\./);
    expect(gateway.caught).toBeGreaterThan(0);
    expect(world.leaks()).toEqual([]);
  });
});
