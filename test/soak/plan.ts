import type { Manners } from '../../sandbox/cluster/manners.ts';
import type { Routers } from '../../sandbox/cluster/routers.ts';
import { acts } from '../crash/acts.ts';
import { LATER_FIELDS, type LaterField } from '../world/older-version.ts';
import { DAY, HOUR, MINUTE } from '../world/policy.ts';
import { type Chance, createChance } from './chance.ts';

/** A call of one system during some time: what happens to it, and how often. */
export interface Weather {
  readonly kind: 'weather';
  readonly system: 'cluster' | 'data-plane' | 'aws';
  readonly how:
    | 'error before'
    | 'error after'
    | 'reset before'
    | 'reset after'
    | 'slow'
    | 'throttled';
  /** Of the calls that are met. */
  readonly share: number;
  readonly lastsMs: number;
}

/** Reads of Secrets Manager show the past for some time. */
interface Lag {
  readonly kind: 'lag';
  readonly readLagMs: number;
  readonly listLagMs: number;
  readonly lastsMs: number;
}

/** The process that makes the next call of this number dies there. */
interface Death {
  readonly kind: 'death';
  readonly call: number;
  readonly isAfter: boolean;
}

/** A person does something in a console. */
interface Hand {
  readonly kind: 'hand';
  readonly act: string;
  readonly token: number;
  /** While a function waits for the answer to its call of that number from now on, whatever it is about. */
  readonly call?: number;
  /** The same, of those that write the secret or a token of it: behind what the run looked at. */
  readonly write?: number;
  /** Somebody else asks for a rotation at the same time. */
  readonly forces?: true;
}

interface Order {
  readonly kind: 'order';
  readonly way: 'replace' | 'freeze' | 'unfreeze' | 'delete' | 'lift';
  readonly token: number;
  readonly immediately?: true;
}

/** Somebody deploys another policy. */
interface Deploy {
  readonly kind: 'deploy';
  readonly change: 'wider' | 'narrower' | 'removed' | 'as it was' | 'sooner' | 'retiring';
  readonly token: number;
}

/** Somebody deploys the same policy by another version: the present one, or one that does not know a field of markers. */
interface Version {
  readonly kind: 'version';
  readonly lacks?: LaterField;
}

/** A person starts a job by hand. */
interface ByHand {
  readonly kind: 'by hand';
  readonly job: 'rotate' | 'reap';
  readonly token?: number;
}

/** For some time the schedules fire otherwise than they should. */
interface Firing {
  readonly kind: 'firing';
  readonly how: 'late' | 'twice' | 'never';
  readonly share: number;
  readonly lastsMs: number;
}

/** People mint tokens that are none of ours. */
interface Minting {
  readonly kind: 'tokens of others';
}

export type Trouble = { readonly at: number } & (
  | Weather
  | Lag
  | Death
  | Hand
  | Order
  | Deploy
  | Version
  | ByHand
  | Firing
  | Minting
);

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
  /** Plans of earlier lives have neither. */
  readonly adopted?: readonly Adopted[];
  readonly deletesForeign?: boolean;
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

interface Drawn {
  readonly tokens: number;
  /** What people of this life do. */
  readonly acts: readonly string[];
}

type Draw = (chance: Chance, drawn: Drawn) => Omit<Trouble, 'at'>;

const lasting = (chance: Chance) =>
  chance.pick([10 * MINUTE, HOUR, 6 * HOUR, DAY, 3 * DAY]) * (0.5 + chance.next());

/** A rotation and the retirement of what it replaces are some ten writes. */
const WRITES_OF_A_ROTATION = 10;

interface Kind {
  readonly draw: Draw;
  readonly perWeek: number;
  /** How much of it a life has that has it; 1 is usual. */
  readonly often?: readonly number[];
}

const KINDS: Readonly<Record<string, Kind>> = {
  hands: {
    perWeek: 1,
    draw: (chance, { tokens, acts }) => ({
      kind: 'hand',
      act: chance.pick(acts),
      token: chance.between(0, tokens - 1),
    }),
  },
  'hands in a run': {
    perWeek: 1,
    draw: (chance, { tokens, acts }) => ({
      kind: 'hand',
      act: chance.pick(acts),
      token: chance.between(0, tokens - 1),
      call: chance.between(1, 60),
    }),
  },
  'hands behind a look': {
    perWeek: 2,
    often: [0.3, 1, 3, 10],
    draw: (chance, { tokens, acts }) => ({
      kind: 'hand',
      act: chance.pick(acts),
      token: chance.between(0, tokens - 1),
      write: chance.between(1, WRITES_OF_A_ROTATION),
      ...(chance.happens(0.7) && { forces: true }),
    }),
  },
  orders: {
    perWeek: 0.7,
    draw(chance, { tokens }) {
      const way = chance.pick([
        'replace',
        'replace',
        'freeze',
        'unfreeze',
        'delete',
        'lift',
      ] as const);
      const immediately = way === 'replace' && chance.happens(0.2);
      const token = chance.between(0, tokens - 1);
      return { kind: 'order', way, token, ...(immediately && { immediately }) };
    },
  },
  'jobs by hand': {
    perWeek: 1,
    draw: (chance, { tokens }) => ({
      kind: 'by hand',
      job: chance.pick(['rotate', 'rotate', 'reap'] as const),
      ...(chance.happens(0.7) && { token: chance.between(0, tokens - 1) }),
    }),
  },
  deploys: {
    perWeek: 0.4,
    draw: (chance, { tokens }) => ({
      kind: 'deploy',
      change: chance.pick([
        'wider',
        'narrower',
        'removed',
        'as it was',
        'sooner',
        'retiring',
      ] as const),
      token: chance.between(0, tokens - 1),
    }),
  },
  versions: {
    perWeek: 0.5,
    draw: (chance) => ({
      kind: 'version',
      ...(chance.happens(0.6) && { lacks: chance.pick(LATER_FIELDS) }),
    }),
  },
  deaths: {
    perWeek: 3,
    draw: (chance) => ({
      kind: 'death',
      call: chance.between(1, 40),
      isAfter: chance.happens(0.5),
    }),
  },
  weather: {
    perWeek: 1,
    draw: (chance) => ({
      kind: 'weather',
      system: chance.pick(['cluster', 'data-plane', 'aws'] as const),
      how: chance.pick([
        'error before',
        'error after',
        'reset before',
        'reset after',
        'slow',
        'throttled',
      ] as const),
      share: chance.pick([0.02, 0.1, 0.5, 1]),
      lastsMs: lasting(chance),
    }),
  },
  lags: {
    perWeek: 1,
    draw: (chance) => ({
      kind: 'lag',
      readLagMs: chance.pick([0, 2_000, 60_000]),
      listLagMs: chance.pick([0, 60_000, 300_000]),
      lastsMs: lasting(chance),
    }),
  },
  firings: {
    perWeek: 0.5,
    draw: (chance) => ({
      kind: 'firing',
      how: chance.pick(['late', 'twice', 'never'] as const),
      share: chance.pick([0.2, 0.6, 1]),
      lastsMs: Math.min(lasting(chance), DAY),
    }),
  },
  'tokens of others': { perWeek: 0.3, draw: () => ({ kind: 'tokens of others' }) },
};

function drawAdopted(chance: Chance, tokens: number): Adopted[] {
  if (!chance.happens(0.3)) return [];
  const numbers = Array.from({ length: tokens }, (_, token) => token);
  return numbers.flatMap((token) => {
    if (!chance.happens(0.3)) return [];
    return [{ token, ...(chance.happens(0.5) && { key: chance.pick(['token', 'db.token']) }) }];
  });
}

/** Where people do few things, they do each of them often: so it meets every moment of a run. */
function drawActs(chance: Chance): readonly string[] {
  const all = Object.keys(acts);
  const some = chance.some(all, chance.pick([0.1, 0.4, 1]));
  return some.length > 0 ? some : [chance.pick(all)];
}

const WEEK = 7 * DAY;
/** Of a schedule while there is trouble. Years of runs every half an hour, nearly all idle, would be all that there is time for. */
const MOST_RUNS = 1_500;

function drawTroubles(chance: Chance, tokens: number, troubledMs: number, rate: number): Trouble[] {
  const kinds = Object.entries(KINDS).filter(([name]) => chance.of(`kind ${name}`).happens(0.45));
  const drawn = { tokens, acts: drawActs(chance.of('acts')) };
  const troubles = kinds.flatMap(([name, { draw, perWeek, often = [0.3, 1, 3] }]) => {
    const its = chance.of(name);
    const rather = its.pick(often);
    const count = Math.round(((perWeek * rather * rate * troubledMs) / WEEK) * (0.5 + its.next()));
    return Array.from({ length: count }, (): Trouble => {
      const at = Math.floor(its.next() * troubledMs);
      return { at, ...draw(its, drawn) } as Trouble;
    });
  });
  return troubles.sort((a, b) => a.at - b.at);
}

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
  return {
    seed,
    tokens: count,
    troubledMs,
    calmMs: Math.max(
      30 * DAY,
      2 * shortest + lengthOf(gracePeriod) + lengthOf(quarantine) + 10 * DAY,
    ),
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
    deletesForeign: chance.of('foreign').happens(0.3),
    troubles: drawTroubles(chance.of('troubles'), count, troubledMs, faultRate),
  };
}
