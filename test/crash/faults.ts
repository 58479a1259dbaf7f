import { besideRun, type Disturbance, faults, type Meeting, meanwhile } from '../world/faults.ts';
import { acts } from './acts.ts';
import type { Laboratory, Run } from './laboratory.ts';

/** Something that goes wrong at a call of a run, whichever it is. */
export interface Fault {
  readonly name: string;
  /** After it the end is another than the clean run's. */
  readonly diverts?: true;
  /** Tried whenever tests run; the others only on demand. */
  readonly representative: boolean;
  in(laboratory: Laboratory): Disturbance;
}

type Name = keyof typeof faults;

const fault = (name: Name, { representative = false } = {}): Fault => ({
  name,
  representative,
  in: () => ({ meet: faults[name] }),
});

export const kills: readonly Fault[] = [
  fault('killed before the effect'),
  fault('killed after the effect', { representative: true }),
];

const errors: readonly Name[] = [
  'a 500 before the effect',
  'a reset before the effect',
  'a 500 after the effect',
  'a reset after the effect',
];

export const ambiguousErrors: readonly Fault[] = errors.flatMap((name): Fault[] => [
  fault(name),
  {
    name: `${name}, from then on`,
    representative: name === 'a reset after the effect',
    in: () => ({ meet: faults[name], later: 'alike' }),
  },
]);

export const staleReads: readonly Fault[] = [
  fault('stale reads from then on', { representative: true }),
  fault('stale listings from then on'),
];

const otherRuns: Readonly<Record<string, Run>> = {
  'a second rotate': { job: 'rotate' },
  'a forced rotate': { job: 'rotate', event: { tokens: ['telegraf'], force: true } },
  'a reap': { job: 'reap' },
};

const besideOthers = Object.entries(otherRuns).flatMap(([name, run]) =>
  (['before', 'after'] as const).map(
    (when): Fault => ({
      name: `${name} ${when}`,
      representative: name === 'a forced rotate' && when === 'after',
      in: ({ invoke }) => ({ meet: besideRun(() => invoke(run))[when] }),
    }),
  ),
);

/** A second run promotes the same token, and a person does not like it. */
const promotedAndRolledBack: Fault = {
  name: 'a second rotate and a rollback',
  representative: true,
  diverts: true,
  in({ invoke }) {
    const meet: Meeting = async (call, effect, world) => {
      await world.beside(call, () => invoke({ job: 'rotate' }));
      await acts['rolls back'](world);
      return effect();
    };
    return { meet };
  },
};

export const secondRuns: readonly Fault[] = [...besideOthers, promotedAndRolledBack];

const representativeActs = ['rolls back', 'freezes the secret'];

export const people: readonly Fault[] = Object.entries(acts).map(([name, act]) => ({
  name: `a person ${name}`,
  representative: representativeActs.includes(name),
  diverts: true,
  in: () => ({ meet: meanwhile(act) }),
}));
