import { DAY, HOUR } from '../world/policy.ts';
import type { Chance } from './chance.ts';

/** What the entries of a life's policy grant: they are there all the time. */
export const GRANTED = ['metrics', 'events'];
/** One that no rule names. */
const THEIRS = 'theirs';
/** Two that a rule by glob matches. */
const HALLS = ['hall-1', 'hall-2'];
/** One that `enforce` may create. */
const ARCHIVE = 'archive';

type Bounded = string | { readonly min?: string; readonly max?: string };

/** One of a policy's `databases`, as the file says it. */
export interface Rule {
  readonly name?: string;
  readonly match?: string;
  readonly retention?: Bounded;
  readonly maxTables?: number;
  readonly maxColumnsPerTable?: number;
  readonly ifMissing?: 'create';
  readonly tables?: readonly { readonly name: string }[];
  readonly mode?: 'report';
  readonly approve?: { readonly shortenRetentionUntil: string };
}

/** What `enforce` has to do in a life. */
export interface DeclaredDatabases {
  readonly everyMs: number;
  readonly rules: readonly Rule[];
}

/** What a person does to a database in a console. */
export type DatabaseAct =
  | { readonly act: 'changes'; readonly database: string; readonly to: object }
  | { readonly act: 'makes' | 'deletes' | 'undeletes'; readonly database: string }
  | { readonly act: 'renames'; readonly database: string; readonly name: string };

const subjectOf = ({ name, match }: Rule): string => name ?? match ?? '';

/** Those that there are before anything is deployed. */
export const databasesAtFirst = (declared: DeclaredDatabases | undefined): readonly string[] =>
  declared ? [...GRANTED, THEIRS, ...HALLS] : GRANTED;

/** Rules that declare nothing, in a life without `enforce`. */
export const NAMED: readonly Rule[] = GRANTED.map((name) => ({ name }));

/** As worlds begin: an approval is dated. */
const START_AT = Date.UTC(2026, 2, 2);
const RETENTIONS = ['1h', '7d', '30d', '90d', 'infinite'];

function drawRetention(chance: Chance, subject: string): Bounded {
  if (subject === ARCHIVE || !subject.includes('*')) return chance.pick(RETENTIONS);
  return chance.pick<Bounded>([
    '30d',
    { min: '7d' },
    { max: '90d' },
    { min: '7d', max: '90d' },
    { min: '30d', max: 'infinite' },
  ]);
}

/** What a rule declares of a name, or a glob. */
export function drawRule(chance: Chance, subject: string): Rule {
  const isGlob = subject.includes('*');
  const lastsMs = chance.pick([20, 100, 360]) * DAY;
  const until = new Date(START_AT + lastsMs).toISOString().slice(0, 10);
  return {
    ...(isGlob ? { match: subject } : { name: subject }),
    ...(chance.happens(0.7) && { retention: drawRetention(chance, subject) }),
    ...(chance.happens(0.4) && { maxTables: chance.pick([100, 500, 1_000]) }),
    ...(chance.happens(0.3) && { maxColumnsPerTable: chance.pick([50, 200, 1_000]) }),
    ...(subject === ARCHIVE &&
      chance.happens(0.7) && { ifMissing: 'create', tables: [{ name: 'points' }] }),
    ...(chance.happens(0.15) && { mode: 'report' }),
    ...(chance.happens(0.5) && { approve: { shortenRetentionUntil: until } }),
  };
}

export const SUBJECTS = [...GRANTED, ARCHIVE, 'hall-*'];

export function drawDatabases(chance: Chance): DeclaredDatabases | undefined {
  if (!chance.happens(0.4)) return undefined;
  const more = chance.some(SUBJECTS.slice(GRANTED.length), 0.7);
  return {
    everyMs: chance.pick([6 * HOUR, 6 * HOUR, DAY]),
    rules: [...GRANTED, ...more].map((subject) => drawRule(chance, subject)),
  };
}

/** Among them what somebody takes for seconds: the API counts in nanoseconds. */
const BY_HAND = [0, 604_800, ...[1, 24, 7 * 24, 90 * 24, 365 * 24].map((hours) => hours * 3.6e12)];

/** People make, delete and rename those that no entry grants; of the others they change settings alone. */
export function drawDatabaseAct(chance: Chance): DatabaseAct {
  const database = chance.pick([...GRANTED, ...GRANTED, ARCHIVE, ...HALLS, THEIRS]);
  const act = GRANTED.includes(database)
    ? 'changes'
    : chance.pick(['changes', 'changes', 'deletes', 'makes', 'undeletes', 'renames'] as const);
  if (act === 'renames')
    return { act, database, name: chance.pick([ARCHIVE, 'hall-3', 'old', THEIRS]) };
  if (act !== 'changes') return { act, database };
  const to = {
    ...(chance.happens(0.7) && { retentionPeriod: chance.pick(BY_HAND) }),
    ...(chance.happens(0.5) && { maxTables: chance.pick([50, 500, 2_000]) }),
    ...(chance.happens(0.3) && { maxColumnsPerTable: chance.pick([20, 200, 1_000]) }),
  };
  return { act, database, to };
}

/** A policy's rules once one of them is another. */
export const withRule = (rules: readonly Rule[], rule: Rule): readonly Rule[] =>
  rules.some((each) => subjectOf(each) === subjectOf(rule))
    ? rules.map((each) => (subjectOf(each) === subjectOf(rule) ? rule : each))
    : [...rules, rule];
