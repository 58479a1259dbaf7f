import type { Call, Reply } from '../../../sandbox/interception.ts';
import type { Answered, World } from './world.ts';

/** What happens at one call: the caller's instance, the effect, and the world around them. */
export type Disturbance = (
  call: Call,
  effect: () => Reply,
  world: World,
) => Promise<Reply | 'reset'>;

const broken: Reply = { status: 500, body: '{"code": 500, "message": "out of order"}' };

const WRITES = ['POST', 'PATCH', 'DELETE', 'Put', 'Update', 'Tag', 'Untag'];
export const isWrite = ({ operation }: Call) => WRITES.some((each) => operation.startsWith(each));

/** At one call. */
export const faults: Readonly<Record<string, Disturbance>> = {
  'a 500 before the effect': () => Promise.resolve(broken),
  'a reset behind the effect': (_call, effect) => {
    effect();
    return Promise.resolve('reset');
  },
};

/** At one call; and no later one arrives, as if the process were dead. */
export const deaths: Readonly<Record<string, Disturbance>> = {
  'cut off before the effect': () => Promise.resolve('reset'),
  'cut off behind the effect': (_call, effect) => {
    effect();
    return Promise.resolve('reset');
  },
};

export const kill: Disturbance = async ({ caller = '' }, effect, { host }) => {
  effect();
  await host.kill(caller);
  return 'reset';
};

/** At one call another run takes place, from start to end. */
export const beside = (other: () => Promise<unknown>): Readonly<Record<string, Disturbance>> => {
  const meanwhile = ({ caller }: Call, { clock }: World) =>
    clock.heldBack(caller, clock.spawn('the other run', other));
  return {
    'before the effect': async (call, effect, world) => {
      await meanwhile(call, world);
      return effect();
    },
    'behind the effect': async (call, effect, world) => {
      const reply = effect();
      await meanwhile(call, world);
      return reply;
    },
  };
};

/** `CRASH_POINTS=all`: every call, in minutes; otherwise one of a few neighbours, another one for each disturbance. */
const STRIDE = process.env.CRASH_POINTS === 'all' ? 1 : 3;

/** The calls to disturb, for the disturbance of a given index. */
export function* callNumbers(index: number): Generator<number> {
  for (let number = 1 + (index % STRIDE); ; number += STRIDE) yield number;
}

interface Subject {
  readonly run: () => Promise<Answered>;
  /** Only these calls count; all of them by default. */
  readonly counts?: (call: Call) => boolean;
  /** No call behind the disturbed one arrives. */
  readonly dies?: boolean;
}

/** One run, disturbed at the call of a given number. `calls`: how many there were. */
export async function disturbed(
  world: World,
  { run, counts = () => true, dies = false }: Subject,
  number: number,
  disturb: Disturbance,
): Promise<{ readonly answer: Answered; readonly calls: number }> {
  let calls = 0;
  let subject: string | undefined;
  world.intercept(async (call, effect) => {
    subject ??= call.caller;
    if (call.caller === undefined || call.caller !== subject) return effect();
    if (dies && calls >= number) return 'reset';
    if (!counts(call)) return effect();
    calls += 1;
    return calls === number ? await disturb(call, effect, world) : effect();
  });
  const answer = await run();
  world.intercept();
  return { answer, calls };
}
