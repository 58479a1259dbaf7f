import { parsePolicy } from '../../functions/policy/parse-policy.ts';
import { PolicyError } from '../../functions/policy/policy-error.ts';
import { gapsOf } from '../../lib/schedule/gaps.ts';
import { scheduleMistakes, scheduleWarnings } from '../../lib/schedule/mistakes.ts';
import { type Chance, createChance } from '../soak/chance.ts';
import { lengthOf } from '../soak/plan.ts';
import { DAY, HOUR, MINUTE, policyWith, TELEGRAF, writer } from '../world/policy.ts';

export const isAdopted = ({ born }: Case): boolean => born.startsWith('adopted');

/** As a policy says them; durations as `36h`. */
export interface Lifetimes {
  readonly rotateEvery: string;
  readonly gracePeriod: string;
  readonly quarantine: string;
  readonly windows: readonly string[];
  /** Or `never`. */
  readonly expiresAfter: string;
  readonly renewBefore?: string;
}

/** A policy of one token that a synthesis accepts without a word, and the life that it leads. */
export interface Case {
  readonly seed: number;
  readonly lifetimes: Lifetimes;
  readonly rotate: string;
  readonly timeZone: string;
  /** Milliseconds since 1970. */
  readonly startAt: number;
  /** How late routers learn of a token. */
  readonly activationDelayMs: number;
  /**
   * How the secret came about: Keyturn's first run, by this policy or by one with longer lifetimes; or a takeover of a token with or without
   * an expiry.
   */
  readonly born: 'issued' | 'shortened' | 'adopted' | 'adopted with an expiry';
  readonly days: number;
  /** Firings that never came, from the one of that number on. */
  readonly missed?: { readonly from: number; readonly count: number };
}

const CLUSTER = { url: 'https://cluster.example.com', managementToken: 'keyturn/management' };

const SCHEDULES = [
  ...[
    'rate(2 hours)',
    'rate(6 hours)',
    'rate(1 day)',
    'cron(11 2/6 * * ? *)',
    'cron(0 20 * * ? *)',
  ],
  ...['cron(0 3 * * ? *)', 'cron(30 2 * * ? *)', 'cron(0 3,15 * * ? *)', 'cron(0 9 ? * MON-FRI *)'],
  ...[
    'cron(0 3 ? * TUE,THU *)',
    'cron(0 3 ? * MON,TUE *)',
    'cron(0 3 ? * SUN *)',
    'cron(0 3/4 ? * SAT,SUN *)',
  ],
];
const WINDOWS = [
  ...[['Sun 02:00-04:00'], ['daily 02:00-05:00'], ['Mon-Fri 09:00-17:00'], ['Sat,Sun 02:00-06:00']],
  ...[['Tue 02:00-05:00', 'Thu 02:00-05:00'], ['daily 22:00-04:00']],
];
const GRACE = [1, 6, 12, 24, 96];

const hours = (count: number) => `${count}h`;

/**
 * Lifetimes that are drawn for their schedule: mostly brief ones, which live through few of its firings, since what waits for a firing or a
 * window is a large part of those.
 */
function drawLifetimes(chance: Chance, gapHours: number, hasWindows: boolean): Lifetimes {
  const rotateEvery = chance.happens(0.7)
    ? Math.ceil(gapHours * (0.7 + 2 * chance.next()))
    : chance.between(24, 400);
  const spare = chance.happens(0.7)
    ? Math.ceil(gapHours * (1 + 5 * chance.next()))
    : chance.between(24, 400);
  const expiresAfter = rotateEvery + spare;
  return {
    rotateEvery: hours(rotateEvery),
    gracePeriod: hours(chance.pick(GRACE)),
    quarantine: '1h',
    windows: hasWindows ? chance.pick(WINDOWS) : [],
    ...(chance.happens(0.05)
      ? { expiresAfter: 'never' }
      : { expiresAfter: hours(expiresAfter), renewBefore: hours(chance.between(1, spare)) }),
  };
}

/** The document of a case, for a world; adopted tokens come in with their ids. */
export function documentOf(
  { lifetimes, rotate, timeZone }: Pick<Case, 'lifetimes' | 'rotate' | 'timeZone'>,
  adopted?: string,
) {
  const telegraf = {
    ...writer,
    ...(adopted !== undefined && { secret: TELEGRAF, adopt: { tokenId: adopted } }),
  };
  return policyWith({ telegraf }, { defaults: lifetimes, schedules: { rotate }, timeZone });
}

/** Whether a synthesis refuses it, or warns of it. */
function isQuestioned(
  about: Pick<Case, 'lifetimes' | 'rotate' | 'timeZone'>,
  now: number,
): boolean {
  try {
    const policy = parsePolicy({ cluster: CLUSTER, ...documentOf(about) });
    return [...scheduleMistakes(policy, now), ...scheduleWarnings(policy, now)].length > 0;
  } catch (error) {
    if (error instanceof PolicyError) return true;
    throw error;
  }
}

/** The same seed is the same case, on every machine. */
export function drawCase(seed: number): Case {
  const chance = createChance(`policies/${seed}`);
  const hasWindows = chance.happens(0.7);
  for (;;) {
    // A year has two nights that are not 24 hours long.
    const month = Date.UTC(2026, chance.pick([2, 4, 9]), chance.between(1, 28));
    const startAt = month + chance.between(0, 24 * 60 - 1) * MINUTE;
    const rotate = chance.pick(SCHEDULES);
    const timeZone = chance.pick(['UTC', 'Europe/Berlin', 'America/New_York']);
    const gapMs = gapsOf(rotate, timeZone).longestOfOne * MINUTE;
    const lifetimes = drawLifetimes(chance, gapMs / HOUR, hasWindows);
    const about = { lifetimes, rotate, timeZone };
    if (isQuestioned(about, startAt)) continue;
    const { rotateEvery, expiresAfter } = lifetimes;
    const gapsOfLife = expiresAfter === 'never' ? 20 : Math.ceil(lengthOf(expiresAfter) / gapMs);
    const lastsMs = Math.max(
      28 * DAY,
      Math.min(60 * gapMs, 12 * 7 * DAY),
      4 * lengthOf(rotateEvery),
    );
    return {
      ...{ seed, startAt, ...about },
      activationDelayMs: chance.pick([0, 0, 4, 7]) * MINUTE,
      born: chance.pick(['issued', 'shortened', 'adopted', 'adopted with an expiry']),
      days: Math.ceil(lastsMs / DAY),
      // For as long as what waits may live.
      ...(chance.happens(0.4) && {
        missed: { from: chance.between(5, 20), count: chance.between(1, Math.min(gapsOfLife, 30)) },
      }),
    };
  }
}
