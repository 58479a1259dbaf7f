import { besideRun, type Disturbance, faults, type Meeting, meanwhile } from '../world/faults.ts';
import { acts } from './acts.ts';
import type { Laboratory, Run } from './laboratory.ts';

/** Something that goes wrong at a call of a run, whichever it is. */
export interface Fault {
  readonly name: string;
  /** After it the end is another than the clean run's. */
  readonly diverts?: true;
  /** A run beside it may give consumers another token before an order looks, as a person may who diverts. */
  readonly outruns?: true;
  in(laboratory: Laboratory): Disturbance;
}

type Name = keyof typeof faults;

const fault = (name: Name): Fault => ({ name, in: () => ({ meet: faults[name] }) });

const kills = [fault('killed before the effect'), fault('killed after the effect')];

const errors: readonly Name[] = [
  'a 500 before the effect',
  'a reset before the effect',
  'a 500 after the effect',
  'a reset after the effect',
];

const ambiguousErrors = errors.flatMap((name): Fault[] => [
  fault(name),
  { name: `${name}, from then on`, in: () => ({ meet: faults[name], later: 'alike' }) },
]);

const staleReads = [fault('stale reads from then on'), fault('stale listings from then on')];

/** Reads of the Management API that are out of date, or cut. */
const staleTokens = (
  [
    ['stale tokens from then on', { lagMs: 60_000 }],
    ['a listing without tokens from then on', { longestListing: 0 }],
  ] as const
).map(
  ([name, manners]): Fault => ({
    name,
    in: ({ world }) => ({
      meet: meanwhile(() => {
        world.cluster.manners = manners;
      }),
    }),
  }),
);

const otherRuns: Readonly<Record<string, Run>> = {
  'a second rotate': { job: 'rotate' },
  'a forced rotate': { job: 'rotate', event: { tokens: ['telegraf'], force: true } },
  'a reap': { job: 'reap' },
};

const besideOthers = Object.entries(otherRuns).flatMap(([name, run]) =>
  (['before', 'after'] as const).map(
    (when): Fault => ({
      name: `${name} ${when}`,
      in: ({ invoke }) => ({ meet: besideRun(() => invoke(run))[when] }),
    }),
  ),
);

/** A second run promotes the same token, and a person does not like it. */
const promotedAndRolledBack: Fault = {
  name: 'a second rotate and a rollback',
  diverts: true,
  in({ invoke, world }) {
    const meet: Meeting = async (call, effect) => {
      await world.beside(call, async () => {
        await invoke({ job: 'rotate' });
        await acts['rolls back']?.(world);
      });
      return effect();
    };
    return { meet };
  },
};

const people = Object.entries(acts).map(
  ([name, act]): Fault => ({
    name: `a person ${name}`,
    diverts: true,
    // Some of them wait for a function, as a second run does.
    in: ({ world }) => ({ meet: besideRun(() => act(world)).before }),
  }),
);

/** Another order, from start to end, while a call waits. */
const besideOrder = (name: string, order: object): Fault => ({
  name,
  in: ({ invoke }) => ({
    meet: besideRun(() => invoke({ job: 'revoke', event: { ...order, reason: 'another' } })).before,
  }),
});

/** `CRASH_FAULTS='saves|killed'`: only these. */
const wanted = new RegExp(process.env.CRASH_FAULTS ?? '');

/** All that may go wrong at a call: kills, errors with and without effect, old reads, second runs, people. */
export const allFaults: readonly Fault[] = [
  ...kills,
  ...ambiguousErrors,
  ...staleReads,
  ...staleTokens,
  ...besideOthers,
  promotedAndRolledBack,
  ...people,
].filter(({ name }) => wanted.test(name));

/** What may go wrong at a call of a person's order; `same`: the order itself, given once more. */
export const orderFaults = (same: Run): readonly Fault[] =>
  [
    ...kills,
    ...ambiguousErrors,
    ...staleReads,
    ...staleTokens,
    ...Object.entries({ ...otherRuns, 'the same order': same }).map(
      ([name, run]): Fault => ({
        name: `${name} before`,
        outruns: true,
        in: ({ invoke }) => ({ meet: besideRun(() => invoke(run)).before }),
      }),
    ),
    {
      ...besideOrder('an order to unfreeze', { token: 'telegraf', way: 'unfreeze' }),
      diverts: true as const,
    },
    {
      ...besideOrder('an order to freeze', { token: 'telegraf', way: 'freeze', noUndo: true }),
      diverts: true as const,
    },
    ...people,
  ].filter(({ name }) => wanted.test(name));
