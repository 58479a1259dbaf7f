import { onTestFinished } from 'vitest';
import { createAccount } from '../../sandbox/aws/account.ts';
import type { Call } from '../../sandbox/interception.ts';
import { VirtualClock } from '../../sandbox/virtual-clock.ts';
import { createCanary } from './canary.ts';
import { type Deployed, deployOn, prefixOf } from './deployment.ts';
import { JOBS } from './jobs.ts';
import { shiftInstants } from './shift-instants.ts';
import { openSystems, type SystemsOptions } from './systems.ts';
import type { Saved, World } from './world.ts';

const START_AT = Date.UTC(2026, 2, 2, 12);

export interface WorldOptions extends Omit<SystemsOptions, 'account'> {
  readonly startAt?: number;
}

/**
 * In one process, which takes a tenth of the time. `WORLD=bundles`: each instance of a function is a process that runs the
 * bundle, as in Lambda.
 */
const IS_SIMULATED = process.env.WORLD !== 'bundles';

/** A world whose functions have not run yet. Whoever opens it closes it. */
export async function openWorld(
  policy: object,
  { startAt = START_AT, isSimulated = IS_SIMULATED, ...options }: WorldOptions = {},
): Promise<World> {
  const clock = new VirtualClock(startAt);
  const account = createAccount(clock);
  const systems = await openSystems(clock, { isSimulated, ...options, account });
  const canary = createCanary(
    systems.cluster.managementToken,
    ...(systems.identityProvider ? [systems.identityProvider.clientSecret] : []),
  );
  systems.watch(canary.watcher);
  const deployed: Deployed[] = [];
  const deploy: World['deploy'] = (declared, lacks) => {
    const next = deployOn(systems, clock, declared, { number: deployed.length, lacks });
    deployed.push(next);
    return next.deployment;
  };

  const besides = new Set<Promise<unknown>>();

  return {
    ...systems,
    ...deploy(policy),
    ...memoryOf(systems, clock),
    clock,
    account,
    deploy,
    wait: (ms) => clock.runUntil(clock.now() + ms),
    origin: (call) => {
      const job = jobOf(call);
      const policy = deployerOf(call, deployed)?.deployment.policy;
      return job && policy && { job, policy };
    },
    async kill(call) {
      const deployer = deployerOf(call, deployed);
      if (!deployer) throw new Error(`no function makes the call ${call.operation}`);
      await deployer.host.kill(call.caller ?? '');
    },
    freeze(call, ms) {
      const host = deployerOf(call, deployed)?.host;
      if (!host || !('pause' in host))
        throw new Error(`nothing freezes what calls ${call.operation}`);
      clock.at(clock.now() + ms, host.pause(call.caller ?? ''));
    },
    async beside({ caller }, run) {
      const other = clock.spawn('the other run', run);
      besides.add(other);
      // Whoever waits hears of its errors.
      const isOver = () => besides.delete(other);
      other.then(isOver, isOver);
      await clock.heldBack(caller, other);
    },
    async untilAlone() {
      while (besides.size > 0) await clock.waitFor(Promise.allSettled([...besides]));
    },
    async close() {
      await Promise.all(deployed.map(({ host }) => host.close()));
      const events = systems.aws.state.events.map((event) => JSON.stringify(event));
      await systems.close();
      clock.close();
      const said = deployed.flatMap(({ host, answers }) => [
        ...host.logs.map(({ text }) => text),
        ...answers,
      ]);
      const leaks = canary.leaksIn([...events, ...said]);
      // Whatever the test is about.
      if (leaks.length > 0) throw new Error(`a credential left the functions: ${leaks[0]}`);
    },
  };
}

/** A world for the length of one test. */
export async function openWorldForTest(policy: object, options?: WorldOptions): Promise<World> {
  const world = await openWorld(policy, options);
  onTestFinished(() => world.close());
  return world;
}

const deployerOf = ({ caller = '' }: Call, deployed: readonly Deployed[]) =>
  deployed.find((_each, number) => caller.startsWith(prefixOf(number)));

const jobOf = ({ caller = '' }: Call) =>
  JOBS.find((job) => caller.replace(/^\d+\/(.*)-\d+$/, '$1') === job);

function memoryOf(
  { cluster, aws }: Pick<World, 'cluster' | 'aws'>,
  clock: VirtualClock,
): Pick<World, 'save' | 'restore'> {
  return {
    save: (): Saved => ({
      at: clock.now(),
      cluster: cluster.snapshot(),
      aws: aws.snapshot(),
      lags: { readLagMs: aws.readLagMs, listLagMs: aws.listLagMs },
    }),
    async restore(saved) {
      // Whole seconds, because instants in markers have no others.
      const by = Math.ceil((clock.now() - saved.at) / 1_000) * 1_000;
      await clock.runUntil(saved.at + by);
      cluster.restore(shiftInstants(saved.cluster, by));
      aws.restore(shiftInstants(saved.aws, by));
      Object.assign(aws, saved.lags);
      return by;
    },
  };
}
