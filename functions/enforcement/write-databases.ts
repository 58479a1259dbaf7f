import pLimit from 'p-limit';
import { EchoError } from '../management-api/influx-error.ts';
import { spelledField } from '../policy/governed-fields.ts';
import type { NamedDatabaseRule } from '../policy/policy.ts';
import { attempt, type Outcome, type Result } from '../run/outcome.ts';
import type { Tools } from '../run/tools.ts';
import { MINUTE_MS } from '../time.ts';
import { changeField } from './change-database.ts';
import { createDatabase, createTable } from './create-database.ts';
import {
  createReading,
  type DatabaseReading,
  type Databases,
  readUntil,
} from './database-reading.ts';
import type { DatabaseAction } from './plan/database-action.ts';
import { describeAction, effectNote } from './plan/describe-action.ts';
import { reportHalfApplied } from './report-databases.ts';

const TIME_NEEDED_MS = MINUTE_MS;
/** Tables are created last: before that, a change may raise the limit of tables. */
const RANK = { 'create-database': 0, change: 1, 'create-table': 2 } as const;

interface Written {
  readonly action: DatabaseAction;
  readonly result: PromiseSettledResult<Result>;
}

function namedRule({ rule }: DatabaseAction, { policy }: Tools): NamedDatabaseRule {
  const found = policy.databases[rule - 1];
  if (!found || !('name' in found)) throw new Error(`rule ${rule} names no database`);
  return found;
}

function write(action: DatabaseAction, reading: DatabaseReading, tools: Tools): Promise<Result> {
  switch (action.kind) {
    case 'change':
      return changeField(action, reading, tools);
    case 'create-database':
      return createDatabase(namedRule(action, tools), reading, tools);
    case 'create-table':
      return createTable(namedRule(action, tools), action.table, tools);
    default:
      action satisfies never;
      throw new Error('unknown kind of action');
  }
}

/**
 * Whether the later actions of a database must wait: it could not be created, or the server did something
 * else than was asked for.
 */
const stops = ({ action, result }: Written) =>
  result.status === 'rejected' &&
  (action.kind === 'create-database' || result.reason instanceof EchoError);

/** All actions of one database, one after the other. */
async function writeDatabase(
  actions: readonly DatabaseAction[],
  reading: DatabaseReading,
  tools: Tools,
): Promise<Written[]> {
  const written: Written[] = [];
  for (const action of actions.toSorted((a, b) => RANK[a.kind] - RANK[b.kind])) {
    const tooLate = tools.deadline - tools.now() < TIME_NEEDED_MS;
    const work = async () =>
      tooLate || written.some(stops) ? 'postponed' : await write(action, reading, tools);
    const [result] = await Promise.allSettled([work()]);
    written.push({ action, result });
  }
  return written;
}

/** Whether the listing shows what was written. Tables are not listed, so they count as shown. */
function isShown(action: DatabaseAction, databases: Databases): boolean {
  const database = databases.get(action.database);
  switch (action.kind) {
    case 'create-table':
      return true;
    case 'create-database':
      return database !== undefined;
    case 'change':
      return database !== undefined && spelledField(database, action.field) === action.to;
    default:
      action satisfies never;
      throw new Error('unknown kind of action');
  }
}

const needsListing = ({ action, result }: Written) =>
  action.kind !== 'create-table' && (result.status === 'rejected' || result.value === 'done');

/** A write that failed may have taken effect, and one that succeeded may not: the listing decides. */
function judge({ action, result }: Written, databases: Databases): Result {
  const shown = isShown(action, databases);
  if (result.status === 'rejected') {
    const tookEffect = shown && action.kind === 'change' && !(result.reason instanceof EchoError);
    if (tookEffect) return 'done';
    throw result.reason;
  }
  if (result.value === 'done' && !shown) {
    throw new Error(`${describeAction(action)}: the server confirmed it, but does not list it`);
  }
  return result.value;
}

/** The details of an event: the action, and a sentence about it for people. */
function detailOf(action: DatabaseAction, { policy }: Tools) {
  const text = describeAction(action, policy.file);
  if (action.kind !== 'change') return { ...action, text };
  const note = effectNote(action);
  return { ...action, text, ...(note !== undefined && { note }) };
}

/**
 * Carries out the actions of an enforcement plan: one call for each field, because the API does not say whether a `PATCH` of
 * several is atomic. A listing at the end confirms them.
 */
export async function writeDatabases(
  actions: readonly DatabaseAction[],
  tools: Tools,
): Promise<readonly Outcome<DatabaseAction>[]> {
  const bounded = pLimit(tools.policy.concurrency);
  const reading = createReading(tools);
  const byDatabase = Map.groupBy(actions, ({ database }) => database);
  const writing = [...byDatabase.values()].map((ofOne) =>
    bounded(() => writeDatabase(ofOne, reading, tools)),
  );
  const written = (await Promise.all(writing)).flat();

  const toConfirm = written.filter(needsListing);
  const succeeded = toConfirm.filter(({ result }) => result.status === 'fulfilled');
  const allShown = (databases: Databases) =>
    succeeded.every(({ action }) => isShown(action, databases));
  const confirmation = toConfirm.length > 0 ? readUntil(allShown, tools) : undefined;
  // Its error is thrown below, by every action that awaits it.
  await Promise.allSettled([confirmation]);

  const outcomes = await Promise.all(
    written.map((each) =>
      attempt(each.action, tools.log, async () => {
        const databases = needsListing(each) ? await confirmation : undefined;
        const result = judge(each, databases ?? new Map());
        if (result === 'done') {
          tools.publish({ type: 'Database Policy Enforced', detail: detailOf(each.action, tools) });
        }
        return result;
      }),
    ),
  );
  reportHalfApplied(outcomes, tools);
  return outcomes;
}
