import type { Manners } from '../../sandbox/cluster/manners.ts';
import type { Routers } from '../../sandbox/cluster/routers.ts';
import { DAY, HOUR, MINUTE } from '../world/policy.ts';
import { type Chance, createChance } from './chance.ts';
import type { Asking } from './consumers.ts';
import { type DeclaredDatabases, drawDatabases } from './databases.ts';
import { drawTroubles } from './kinds.ts';
import { drawReplicas } from './replicas.ts';
import type { Trouble } from './trouble.ts';
import { drawWindows, LONGEST_WAIT, type Windows } from './windows.ts';

/** An entry that takes over what people made: a secret whose whole text is its string, or one key of it. */
export interface Adopted {
  readonly token: number;
  readonly key?: string;
}

/** Everything about a life but what its processes draw: plain data, from which it can be lived again. */
export interface LifePlan {
  readonly seed: number;
  readonly tokens: number;
  /** How long there is trouble. A calm time follows, in which everything must be settled. */
  readonly troubledMs: number;
  readonly calmMs: number;
  readonly lives: Readonly<Record<string, string>>;
  readonly limits: { readonly percent: number; readonly tokens: number };
  readonly everyMs: { readonly rotate: number; readonly reap: number };
  readonly activationDelayMs: number;
  readonly revocationDelayMs: number;
  readonly routers: Routers;
  readonly manners: Manners;
  readonly hasNeighbour: boolean;
  /** Plans of earlier lives have none of these. */
  readonly adopted?: readonly Adopted[];
  readonly deletesForeign?: boolean;
  /** Absent: `enforce` does not run. */
  readonly databases?: DeclaredDatabases;
  /** Entries whose consumers only read; those of the others only write. */
  readonly reading?: readonly number[];
  /** Absent: consumers ask at the firings of schedules. */
  readonly asking?: Asking;
  /** Regions in which secrets have copies; absent: none has. */
  readonly replicas?: readonly string[];
  /** Absent: tokens are rotated at any time. */
  readonly windows?: Windows;
  readonly troubles: readonly Trouble[];
}

/** What can be asked for; the rest is drawn. */
export interface Asked {
  readonly days?: number | undefined;
  readonly tokens?: number | undefined;
  /** How often trouble comes, 1 is usual. */
  readonly faultRate?: number | undefined;
}

const LIVES = [
  { rotateEvery: '2d', gracePeriod: '1h', renewBefore: '6h', quarantine: '1h', expiresAfter: '4d' },
  {
    rotateEvery: '7d',
    gracePeriod: '1d',
    renewBefore: '2d',
    quarantine: '2d',
    expiresAfter: '21d',
  },
  {
    rotateEvery: '14d',
    gracePeriod: '2d',
    renewBefore: '5d',
    quarantine: '3d',
    expiresAfter: '40d',
  },
  {
    rotateEvery: '30d',
    gracePeriod: '1d',
    renewBefore: '14d',
    quarantine: '7d',
    expiresAfter: '90d',
  },
  {
    rotateEvery: '30d',
    gracePeriod: '7d',
    renewBefore: '14d',
    quarantine: '7d',
    expiresAfter: '90d',
  },
  { rotateEvery: '10d', gracePeriod: '12h', quarantine: '1d', expiresAfter: 'never' },
] as const;

/** In milliseconds, of a duration in days or hours. */
export const lengthOf = (text: string | undefined) =>
  text === undefined || text === 'never'
    ? 0
    : Number.parseInt(text, 10) * (text.endsWith('d') ? DAY : HOUR);

function drawAdopted(chance: Chance, tokens: number): Adopted[] {
  if (!chance.happens(0.3)) return [];
  const numbers = Array.from({ length: tokens }, (_, token) => token);
  return numbers.flatMap((token) => {
    if (!chance.happens(0.3)) return [];
    return [{ token, ...(chance.happens(0.5) && { key: chance.pick(['token', 'db.token']) }) }];
  });
}

/** In some lives nobody reads, in some everybody. */
function drawReading(chance: Chance, tokens: number): number[] {
  const share = chance.pick([0, 0, 0.3, 0.5, 1]);
  return chance.some(
    Array.from({ length: tokens }, (_, token) => token),
    share,
  );
}

/** Of a schedule while there is trouble. Years of runs every half an hour, nearly all idle, would be all that there is time for. */
const MOST_RUNS = 1_500;

/** Draws everything about a life that is not asked for. */
export function drawPlan(seed: number, { days: asked, tokens, faultRate = 1 }: Asked): LifePlan {
  const chance = createChance(`life ${seed}`);
  const lives = chance.pick(LIVES);
  const { rotateEvery, gracePeriod, quarantine } = lives;
  const troubledMs = (asked ?? chance.between(20, chance.pick([40, 90, 400]))) * DAY;
  const count = tokens ?? chance.between(2, chance.pick([5, 12, 50]));
  const shortest = lengthOf(rotateEvery);
  const periods =
    shortest < 3 * DAY
      ? [HOUR, 2 * HOUR]
      : [30 * MINUTE, 2 * HOUR, 6 * HOUR, 6 * HOUR, 12 * HOUR, 12 * HOUR];
  const rotate = chance.pick(
    periods.filter((each) => each === periods.at(-1) || troubledMs / each < MOST_RUNS),
  );
  const databases = drawDatabases(chance.of('databases'));
  const pace = { rotateMs: shortest, everyMs: rotate };
  const windows = drawWindows(chance.of('windows'), pace);
  const replicas = drawReplicas(chance.of('replicas'));
  const about = {
    ...{ tokens: count, troubledMs },
    ...(databases && { databases }),
    ...(replicas && { replicas }),
  };
  return {
    seed,
    ...about,
    calmMs: Math.max(
      30 * DAY,
      2 * (shortest + (windows ? LONGEST_WAIT : 0)) +
        lengthOf(gracePeriod) +
        lengthOf(quarantine) +
        10 * DAY,
    ),
    ...(windows && { windows }),
    lives,
    limits: chance.pick([
      { percent: 10, tokens: 5 },
      { percent: 30, tokens: 1 },
      { percent: 100, tokens: 5 },
    ]),
    everyMs: { rotate, reap: chance.pick([HOUR, 6 * HOUR, DAY]) },
    activationDelayMs: chance.pick([0, 5_000, 60_000]),
    revocationDelayMs: chance.pick([0, 5_000, 60_000]),
    routers: chance.pick([
      { count: 1, spreadMs: 0 },
      { count: 3, spreadMs: 60_000 },
      { count: 12, spreadMs: 240_000 },
    ]),
    manners: {
      ...(chance.happens(0.2) && { hidesRevoked: true }),
      ...(chance.happens(0.2) && { hidesExpired: chance.pick([true, 'from listings'] as const) }),
      ...(chance.happens(0.15) && { lagMs: chance.pick([1_000, 10_000]) }),
    },
    hasNeighbour: chance.happens(0.3),
    adopted: drawAdopted(chance.of('adopted'), count),
    ...(chance.of('asking').happens(0.6) && { asking: { meanMs: 2 * HOUR } }),
    reading: drawReading(chance.of('reading'), count),
    deletesForeign: chance.of('foreign').happens(0.3),
    troubles: drawTroubles(chance.of('troubles'), about, faultRate),
  };
}
