import { createChance } from '../soak/chance.ts';
import { DAY, HOUR, MINUTE } from '../world/policy.ts';

/** By hand, in the console or by the command line of AWS. */
const HANDS = [
  ...['saves an older value', 'saves a placeholder', 'moves AWSCURRENT back', 'deletes the former'],
  ...['saves it as it is', 'saves it as it is, on hold'],
  ...['takes AWSPREVIOUS off', 'puts on hold', 'ends the hold', 'deletes the secret for hours'],
] as const;
const ORDERS = [
  ...['replace', 'replace at once', 'freeze', 'unfreeze', 'delete', 'lift', 'delete the former'],
  ...['rotate', 'rotate by Secrets Manager'],
] as const;
const TROUBLES = [
  ...['a death in rotate', 'a death in revoke', 'failing calls', 'answers that get lost'],
  ...['no runs for two days', 'no reap for a day'],
] as const;
const QUIET = ['nothing', 'nothing for three days'] as const;

export type Act = (typeof HANDS | typeof ORDERS | typeof TROUBLES | typeof QUIET)[number];

const BY_HAND: readonly Act[] = [...HANDS, ...QUIET];
const BY_ORDER: readonly Act[] = [...ORDERS, ...QUIET];
const IN_TROUBLE: readonly Act[] = [...ORDERS, ...TROUBLES, ...QUIET];
const ALL: readonly Act[] = [...HANDS, ...ORDERS, ...TROUBLES, ...QUIET];

export interface Step {
  readonly act: Act;
  /** What else is drawn for it, from 0 up to 1. */
  readonly chance: number;
  readonly thenMs: number;
  /** Whether schedules fire in that time. */
  readonly withRuns: boolean;
}

/** Some weeks of a deployment, and what happens in them. */
export interface Weeks {
  readonly seed: number;
  readonly steps: readonly Step[];
}

/** The same seed draws the same weeks, on every machine. */
export function drawWeeks(seed: number): Weeks {
  const chance = createChance(`pages/${seed}`);
  const acts = chance.pick([BY_HAND, BY_ORDER, IN_TROUBLE, ALL, ALL, ALL]);
  const steps = Array.from({ length: chance.between(3, 8) }, (): Step => {
    const withRuns = chance.happens(0.7);
    return {
      act: chance.pick(acts),
      chance: chance.next(),
      thenMs: withRuns ? chance.between(1, 24) * HOUR : 20 * MINUTE,
      withRuns,
    };
  });
  return { seed, steps };
}

/** What a page is asked about these weeks. */
export interface Question {
  /** Before now. Absent: from before the beginning. */
  readonly sinceMs?: number;
  /** The logs that may not be read, by the end of their names. */
  readonly denied: readonly string[];
}

/** Everything is asked for: all that happened, from all that tells of it. */
export const isWhole = ({ sinceMs, denied }: Question): boolean =>
  sinceMs === undefined && denied.length === 0;

const LOGS = ['rotate', 'reap', 'enforce', 'revoke', 'secrets-manager-rotation'];

export const QUESTIONS: readonly Question[] = [
  { denied: [] },
  { denied: LOGS },
  ...['rotate', 'reap', 'revoke'].map((log) => ({ denied: [log] })),
  ...[6 * HOUR, DAY, 3 * DAY, 7 * DAY].map((sinceMs) => ({ sinceMs, denied: [] })),
];
