import type { Reply } from '../../sandbox/interception.ts';
import type { FunctionName, Laboratory, Obstacle } from './laboratory.ts';
import { acts } from './person.ts';

/** Something that goes wrong at the call of a given number. */
export interface Fault {
  readonly name: string;
  /** Behind it the end is another than the clean run's. */
  readonly diverts?: true;
  /** Tried whenever tests run; the others only on demand. */
  readonly representative: boolean;
  at(number: number, laboratory: Laboratory): Obstacle;
}

/** How one call is met; `always`: it and all that follow. */
type Meeting = (
  effect: () => Reply,
  laboratory: Laboratory,
  caller: string,
) => Promise<Reply | 'reset'>;

const met = (
  name: string,
  meet: Meeting,
  { representative = false, always = false } = {},
): Fault => ({
  name,
  representative,
  at: (number, laboratory) => async (call, n, effect) =>
    n === number || (always && n > number)
      ? await meet(effect, laboratory, call.caller ?? '')
      : effect(),
});

const broken: Reply = { status: 500, body: '{"code": 500, "message": "out of order"}' };

const killedBefore: Meeting = async (_effect, { host }, caller) => {
  await host.kill(caller);
  return 'reset';
};
const killedBehind: Meeting = async (effect, { host }, caller) => {
  effect();
  await host.kill(caller);
  return 'reset';
};

export const kills: readonly Fault[] = [
  met('killed before', killedBefore),
  met('killed behind', killedBehind, { representative: true }),
];

const errors: Readonly<Record<string, Meeting>> = {
  'a 500 before the effect': () => Promise.resolve(broken),
  'a reset before the effect': () => Promise.resolve('reset'),
  'a 500 behind the effect': (effect) => {
    effect();
    return Promise.resolve(broken);
  },
  'a reset behind the effect': (effect) => {
    effect();
    return Promise.resolve('reset');
  },
};

export const ambiguousErrors: readonly Fault[] = Object.entries(errors).flatMap(([name, meet]) => [
  met(name, meet),
  met(`${name}, from then on`, meet, {
    always: true,
    representative: name === 'a reset behind the effect',
  }),
]);

const lag = (
  name: string,
  begin: (laboratory: Laboratory) => void,
  representative: boolean,
): Fault => ({
  name,
  representative,
  at: (number, laboratory) => (_call, n, effect) => {
    if (n === number) begin(laboratory);
    return Promise.resolve(effect());
  },
});

export const staleReads: readonly Fault[] = [
  lag(
    'stale reads from then on',
    ({ aws }) => {
      aws.readLagMs = 60_000;
    },
    true,
  ),
  lag(
    'stale listings from then on',
    ({ aws }) => {
      aws.listLagMs = 300_000;
    },
    false,
  ),
];

const otherRuns: Readonly<Record<string, readonly [FunctionName, object]>> = {
  'a second rotate': ['rotate', {}],
  'a forced rotate': ['rotate', { tokens: ['telegraf'], force: true }],
  'a reap': ['reap', {}],
};

/** The call is held while another process runs from start to end. */
const beside = (
  { clock, invoke }: Laboratory,
  caller: string,
  [name, event]: readonly [FunctionName, object],
) =>
  clock.heldBack(
    caller,
    clock.spawn('the other run', () => invoke(name, event)),
  );

const besideOthers: readonly Fault[] = Object.entries(otherRuns).flatMap(([name, run]) => [
  met(`${name} before`, async (effect, laboratory, caller) => {
    await beside(laboratory, caller, run);
    return effect();
  }),
  met(
    `${name} behind`,
    async (effect, laboratory, caller) => {
      const reply = effect();
      await beside(laboratory, caller, run);
      return reply;
    },
    { representative: name === 'a forced rotate' },
  ),
]);

/** A second run promotes the same token, and a person does not like it. */
const promotedAndRolledBack = met(
  'a second rotate and a rollback',
  async (effect, laboratory, caller) => {
    await beside(laboratory, caller, ['rotate', {}]);
    await acts['rolls back']?.(laboratory);
    return effect();
  },
  { representative: true },
);

export const secondRuns: readonly Fault[] = [
  ...besideOthers,
  { ...promotedAndRolledBack, diverts: true },
];

const representativeActs = ['rolls back', 'freezes the secret'];

export const people: readonly Fault[] = Object.entries(acts).map(([name, act]) => ({
  ...met(
    `a person ${name}`,
    async (effect, laboratory) => {
      await act(laboratory);
      return effect();
    },
    { representative: representativeActs.includes(name) },
  ),
  diverts: true as const,
}));
