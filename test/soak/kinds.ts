import { acts } from '../crash/acts.ts';
import { LATER_FIELDS } from '../world/older-version.ts';
import { DAY, HOUR, MINUTE } from '../world/policy.ts';
import type { Chance } from './chance.ts';
import { drawDatabaseAct, drawRule, SUBJECTS } from './databases.ts';
import { REPLICA_ACTS } from './replicas.ts';
import type { Trouble } from './trouble.ts';

interface Drawn {
  readonly tokens: number;
  /** Regions with copies of secrets. */
  readonly replicas: readonly string[];
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
  /** Only where the policy holds databases to rules, or wants copies of secrets. */
  readonly of?: 'databases' | 'replicas';
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
    // What is given back is seen where orders are about what others held.
    often: [0.3, 1, 3, 15],
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
  freezes: {
    perWeek: 3,
    draw: (chance) => ({
      kind: 'freeze',
      call: chance.between(1, 40),
      isAfter: chance.happens(0.5),
      lastsMs: chance.pick([10_000, MINUTE, 5 * MINUTE, 12 * MINUTE]),
    }),
  },
  'late answers': {
    perWeek: 1,
    draw: (chance) => ({
      kind: 'weather',
      system: chance.pick(['cluster', 'data-plane', 'aws'] as const),
      how: 'late',
      share: chance.pick([0.02, 0.1, 0.5]),
      lastsMs: lasting(chance),
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
  'answers of a proxy': {
    perWeek: 0.5,
    draw: (chance) => ({
      kind: 'weather',
      system: 'cluster',
      how: 'page',
      share: chance.pick([0.02, 0.1, 0.5, 1]),
      lastsMs: lasting(chance),
    }),
  },
  'cut listings': {
    perWeek: 0.3,
    draw: (chance) => ({
      kind: 'cut listings',
      longestListing: chance.pick([0, 0, 2, 5]),
      lastsMs: Math.min(lasting(chance), 6 * HOUR),
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
  databases: {
    perWeek: 2,
    of: 'databases',
    draw: (chance) => ({ kind: 'database', ...drawDatabaseAct(chance) }),
  },
  'databases behind a look': {
    perWeek: 1,
    of: 'databases',
    draw: (chance) => ({
      kind: 'database',
      ...drawDatabaseAct(chance),
      write: chance.between(1, 3),
    }),
  },
  replicas: {
    perWeek: 1,
    of: 'replicas',
    draw: (chance, { tokens, replicas }) => ({
      kind: 'replica',
      act: chance.pick(REPLICA_ACTS),
      token: chance.between(0, tokens - 1),
      region: chance.pick(replicas),
    }),
  },
  'slow replicas': {
    perWeek: 0.3,
    of: 'replicas',
    draw: (chance) => ({
      ...{ kind: 'weather', system: 'aws', how: 'under way', share: 1 },
      lastsMs: lasting(chance),
    }),
  },
  rules: {
    perWeek: 0.5,
    of: 'databases',
    draw: (chance) => ({ kind: 'rule', rule: drawRule(chance, chance.pick(SUBJECTS)) }),
  },
};

/** Where people do few things, they do each of them often: so it meets every moment of a run. */
function drawActs(chance: Chance): readonly string[] {
  const all = Object.keys(acts);
  const some = chance.some(all, chance.pick([0.1, 0.4, 1]));
  return some.length > 0 ? some : [chance.pick(all)];
}

const WEEK = 7 * DAY;

/** What is known of a life when its troubles are drawn. */
interface Troubled {
  readonly tokens: number;
  readonly troubledMs: number;
  readonly databases?: object;
  readonly replicas?: readonly string[];
}

/** The troubles of a life, of the kinds that it has: so rare ones meet. */
export function drawTroubles(chance: Chance, about: Troubled, rate: number): Trouble[] {
  const kinds = Object.entries(KINDS).filter(
    ([name, { of }]) =>
      (of === undefined || about[of] !== undefined) && chance.of(`kind ${name}`).happens(0.45),
  );
  const { tokens, troubledMs, replicas = [] } = about;
  const drawn = { tokens, replicas, acts: drawActs(chance.of('acts')) };
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
