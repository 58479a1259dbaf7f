import { openWorld } from '../world/open-world.ts';
import { DAY, HOUR, MINUTE, policyWith, TELEGRAF } from '../world/policy.ts';
import type { World } from '../world/world.ts';
import type { Act, Step, Weeks } from './draw.ts';
import { noteTruth, type Truth } from './truth.ts';

const RUNS_EVERY = 3 * HOUR;
const both = { permissions: { read: ['telemetry'], write: ['telemetry'] } };

/** Two tokens that are rotated within the weeks, on their own and by orders. */
const POLICY = policyWith(
  { telegraf: both, grafana: both },
  {
    databases: [{ name: 'telemetry' }],
    defaults: {
      ...{ rotateEvery: '6d', expiresAfter: '20d', renewBefore: '4d' },
      ...{ gracePeriod: '12h', quarantine: '2d' },
    },
  },
);

type Scheduled = 'rotate' | 'reap';

async function pass(
  { clock, ...world }: World,
  ms: number,
  jobs: readonly Scheduled[] = ['rotate', 'reap'],
) {
  const end = clock.now() + ms;
  while (clock.now() < end) {
    await world.wait(Math.min(RUNS_EVERY, end - clock.now()));
    for (const job of jobs) {
      const seconds = RUNS_EVERY / 1_000;
      const at = new Date(clock.now()).toISOString();
      await world[job]({ scheduled: { at, nextInSeconds: seconds, thirdInSeconds: 3 * seconds } });
      await world.wait(2 * MINUTE);
    }
  }
}

const by = { by: 'ada', reason: 'a drill' };
const OUT = { status: 503, body: '{}' };

/** What is done, by its name. Each may be refused, as people are. */
function actsOn(world: World, olds: readonly string[], { chance }: Step) {
  const { people } = world;
  const order = (way: string, more: object = {}) =>
    world.revoke({ token: 'telegraf', way, ...by, ...more });
  const rotate = () => world.rotate({ tokens: ['telegraf'], force: true });
  const former = () => world.holders(TELEGRAF).AWSPREVIOUS;
  const numberOf = (most: number) => Math.floor(chance * most);
  /** The calls of functions are numbered, from 0. */
  const meeting = async (
    isMet: (number: number) => boolean,
    answer: 'death' | 'failure' | 'lost',
    run: () => Promise<unknown>,
  ) => {
    let number = 0;
    world.intercept(async (call, effect) => {
      if (!world.origin(call)) return effect();
      number += 1;
      if (!isMet(number - 1)) return effect();
      if (answer === 'failure') return OUT;
      effect();
      if (answer === 'death') await world.kill(call);
      return answer === 'death' ? 'reset' : OUT;
    });
    await run();
    world.intercept();
  };
  const eachOf = (every: number) => (number: number) => (number + numberOf(every)) % every === 0;
  const at = (place: number) => (number: number) => number === place;

  const acts: Readonly<Record<Act, () => Promise<unknown>>> = {
    'saves an older value': () => people.saveValue(TELEGRAF, olds[numberOf(olds.length)] ?? ''),
    'saves it as it is': () => people.saveValue(TELEGRAF, world.value(TELEGRAF)),
    'saves it as it is, on hold': async () => {
      await people.hold(TELEGRAF, 'frozen');
      await people.saveValue(TELEGRAF, world.value(TELEGRAF));
    },
    'saves a placeholder': () => people.saveValue(TELEGRAF, `CHANGE_ME ${chance}`),
    'moves AWSCURRENT back': () => people.makeCurrent(TELEGRAF, world.labels(TELEGRAF).AWSPREVIOUS),
    'deletes the former': () => people.deleteToken(former()),
    'takes AWSPREVIOUS off': () => people.takeOff(TELEGRAF, 'AWSPREVIOUS'),
    'puts on hold': () => people.hold(TELEGRAF, 'frozen'),
    'ends the hold': () => people.untag(TELEGRAF, ['keyturn:hold']),
    'deletes the secret for hours': async () => {
      await people.deleteSecret(TELEGRAF);
      await pass(world, 6 * HOUR);
      await people.restoreSecret(TELEGRAF);
    },
    replace: () => order('replace'),
    'replace at once': () => order('replace', { immediately: true }),
    freeze: () => order('freeze'),
    unfreeze: () => order('unfreeze'),
    delete: () => order('delete'),
    lift: () => order('lift'),
    'delete the former': () => world.revoke({ tokenId: former(), way: 'delete', ...by }),
    rotate,
    'rotate by Secrets Manager': () => world.rotateSecret(TELEGRAF),
    'a death in rotate': () => meeting(at(numberOf(14)), 'death', rotate),
    'a death in revoke': () => meeting(at(numberOf(25)), 'death', () => order('replace')),
    'failing calls': () => meeting(eachOf(7), 'failure', () => pass(world, 9 * HOUR)),
    'answers that get lost': () =>
      meeting(eachOf(10), 'lost', async () => {
        await rotate();
        await pass(world, 9 * HOUR);
      }),
    'no runs for two days': () => world.wait(2 * DAY),
    'no reap for a day': () => pass(world, DAY, ['rotate']),
    nothing: () => Promise.resolve(),
    'nothing for three days': () => pass(world, 3 * DAY),
  };
  return acts;
}

export interface Lived {
  readonly world: World;
  readonly truth: Truth;
  /** When the first function ran. */
  readonly beganAt: number;
}

/** Lives the weeks. Whoever lets them be lived closes the world. */
export async function liveWeeks({ steps }: Weeks): Promise<Lived> {
  const world = await openWorld(POLICY, {
    ...{ databases: ['telemetry'], activationDelayMs: 90_000, revocationDelayMs: 90_000 },
    isSimulated: true,
  });
  const truth = noteTruth(world);
  const beganAt = world.clock.now();
  await pass(world, 6 * HOUR);
  const olds = [world.value(TELEGRAF)];
  for (const step of steps) {
    // As people and clusters refuse things: nothing happens then, and that is all.
    await actsOn(world, olds, step)
      [step.act]()
      .catch(() => world.intercept());
    if (step.withRuns) await pass(world, step.thenMs);
    else await world.wait(step.thenMs);
    if (world.value(TELEGRAF)) olds.push(world.value(TELEGRAF));
  }
  await world.wait(5 * MINUTE);
  return { world, truth, beganAt };
}
