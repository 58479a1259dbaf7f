import type { ClusterState, StoredDatabase } from '../../sandbox/cluster/state.ts';
import { MINUTE } from '../world/policy.ts';
import type { Rule } from './databases.ts';
import { lengthOf } from './plan.ts';

/**
 * What rules about databases mean: written here by hand, not by the planner in `functions/`, so that a mistake of that one
 * shows.
 */

/** One that is not deleted, as it is. */
export type SeenDatabase = Readonly<
  Pick<StoredDatabase, 'id' | 'name' | 'retentionPeriod' | 'maxTables' | 'maxColumnsPerTable'>
>;

/** By id: a name may be another database's tomorrow. */
export type Databases = ReadonlyMap<number, SeenDatabase>;

export const databasesIn = ({ databases }: Pick<ClusterState, 'databases'>): Databases =>
  new Map(
    databases
      .filter(({ deletedAt }) => deletedAt === undefined)
      .map(({ id, name, retentionPeriod, maxTables, maxColumnsPerTable }) => [
        id,
        { id, name, retentionPeriod, maxTables, maxColumnsPerTable },
      ]),
  );

/** In nanoseconds, as the API counts; 0 keeps everything. */
const nanoseconds = (text: string): bigint =>
  text === 'infinite' ? 0n : BigInt(lengthOf(text)) * 1_000_000n;

const FOREVER = 2n ** 64n;

/** The fields that a rule may declare: where they stand, and how much of one is more of it. */
const FIELDS = [
  {
    declared: 'retention',
    key: 'retentionPeriod',
    read: (value: string | number) => nanoseconds(`${value}`),
    size: (value: bigint) => (value === 0n ? FOREVER : value),
  },
  ...(['maxTables', 'maxColumnsPerTable'] as const).map((key) => ({
    declared: key,
    key,
    read: (value: string | number) => BigInt(value),
    size: (value: bigint) => value,
  })),
] as const;

type Field = (typeof FIELDS)[number];

const readField = (database: SeenDatabase, { key }: Field): bigint => BigInt(database[key]);

/** What the rule wants of a field, if that is not what there is. */
function wantedOf(rule: Rule, field: Field, present: bigint): bigint | undefined {
  const declared = rule[field.declared];
  if (declared === undefined) return undefined;
  const { read, size } = field;
  const { min, max } = typeof declared === 'object' ? declared : { min: declared, max: declared };
  if (min !== undefined && size(present) < size(read(min))) return read(min);
  if (max !== undefined && size(present) > size(read(max))) return read(max);
  return undefined;
}

const ruleOf = (rules: readonly Rule[], database: string): Rule | undefined =>
  rules.find(({ name, match = '' }) =>
    name === undefined ? database.startsWith(match.replace('*', '')) : name === database,
  );

/** A run lasts for a quarter of an hour at most, and its plan stands for as long. */
const LONGEST_RUN = 15 * MINUTE;

const dateOf = (instant: number) => new Date(instant).toISOString().slice(0, 10);

/** Whether data may be hidden at an instant, by a run that may have begun before it. */
const mayShorten = ({ approve }: Rule, at: number): boolean =>
  approve !== undefined && dateOf(at - LONGEST_RUN) <= approve.shortenRetentionUntil;

const isAlike = (one: SeenDatabase, other: SeenDatabase) =>
  one.name === other.name &&
  FIELDS.every((field) => readField(one, field) === readField(other, field));

/** What one call of a function did to databases. */
export interface DatabaseStep {
  readonly job: string;
  readonly rules: readonly Rule[];
  readonly at: number;
  /** Before the call, as its run saw them last: no rule closes the moment after a look. */
  readonly looked: Databases;
  readonly before: Databases;
  readonly after: Databases;
}

function* changesOf(was: SeenDatabase, is: SeenDatabase, step: DatabaseStep): Generator<string> {
  const { job, rules, at, looked } = step;
  const about = `${job} changed the database ${was.name}`;
  const rule = ruleOf(rules, was.name);
  if (job !== 'enforce' || was.name !== is.name) yield `E: ${about}`;
  if (!rule || rule.mode === 'report') return yield `E: ${about}, which no rule lets it`;
  const seen = looked.get(was.id) ?? was;
  for (const field of FIELDS) {
    const now = readField(is, field);
    if (now === readField(was, field)) continue;
    const before = readField(seen, field);
    const change = `${about}: ${field.declared} from ${before} to ${now}`;
    if (now !== wantedOf(rule, field, before)) yield `E: ${change}, which no rule says`;
    const isShorter = field.declared === 'retention' && field.size(now) < field.size(before);
    if (isShorter && !mayShorten(rule, at)) yield `G: ${change}, and nobody approved it`;
  }
}

/** E: a schedule leaves a database without a rule as it is, and takes from others what their rules let it take. */
export function* wrongsOf(step: DatabaseStep): Generator<string> {
  const { job, rules, before, after } = step;
  for (const was of before.values()) {
    const is = after.get(was.id);
    if (is) {
      if (!isAlike(was, is)) yield* changesOf(was, is, step);
    } else yield `E: ${job} deleted the database ${was.name}`;
  }
  for (const { id, name } of after.values()) {
    if (before.has(id)) continue;
    const rule = rules.find((each) => each.name === name);
    const may = job === 'enforce' && rule?.ifMissing === 'create' && rule.mode !== 'report';
    if (!may) yield `E: ${job} created the database ${name}`;
  }
}

/** The databases that a call left with less: the policy's limit counts them. */
export const lessenedBy = ({ before, after }: DatabaseStep): readonly string[] =>
  [...before.values()].flatMap((was) => {
    const is = after.get(was.id);
    const isLess = (field: Field) =>
      is && field.size(readField(is, field)) < field.size(readField(was, field));
    return FIELDS.some(isLess) ? [was.name] : [];
  });

/** Whether only people may correct a field. */
const isForPeople = (rule: Rule, field: Field, present: bigint, wanted: bigint, at: number) => {
  const isShorter = field.declared === 'retention' && field.size(wanted) < field.size(present);
  return rule.mode === 'report' || (isShorter && !mayShorten(rule, at));
};

/** What is not as a rule says: what a run ought to have corrected, and what it leaves to people. */
export function differencesOf(rules: readonly Rule[], databases: Databases, at: number) {
  const open: string[] = [];
  const drifted = new Set<string>();
  const compare = (database: SeenDatabase, rule: Rule, field: Field) => {
    const present = readField(database, field);
    const wanted = wantedOf(rule, field, present);
    if (wanted === undefined) return;
    if (isForPeople(rule, field, present, wanted, at)) drifted.add(database.name);
    else open.push(`${field.declared} of the database ${database.name} is not ${wanted}`);
  };
  for (const database of databases.values()) {
    const rule = ruleOf(rules, database.name);
    if (rule) for (const field of FIELDS) compare(database, rule, field);
  }
  const names = new Set([...databases.values()].map(({ name }) => name));
  for (const { name, ifMissing, mode } of rules) {
    if (name === undefined || names.has(name)) continue;
    if (ifMissing !== 'create' || mode === 'report') drifted.add(name);
    else open.push(`the database ${name} does not exist`);
  }
  return { open, drifted };
}
