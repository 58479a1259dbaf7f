import pLimit from 'p-limit';
import type { NamedDatabaseRule } from '../policy/database-rule.ts';
import { MINUTE_MS } from '../policy/duration.ts';
import { attempt, type Outcome, settle } from '../run/outcome.ts';
import type { DatabaseAction, Plan } from '../run/plan.ts';
import type { Tools } from '../run/tools.ts';
import { changeField, EchoError, fieldOf } from './change-database.ts';
import { createDatabase, createTable } from './create-database.ts';
import {
  createReading,
  type DatabaseReading,
  type Databases,
  readUntil,
} from './database-reading.ts';
import { reportHalfApplied } from './report-databases.ts';

const TIME_NEEDED_MS = MINUTE_MS;
/** Tables last: a limit that is about to be raised may be in their way. */
const ORDER = ['create-database', 'change', 'create-table'];

type Result = Outcome['result'];

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
  if (action.kind === 'change') return changeField(action, reading, tools);
  const rule = namedRule(action, tools);
  return action.kind === 'create-database'
    ? createDatabase(rule, reading, tools)
    : createTable(rule, action.table, tools);
}

/**
 * What must not follow: a table where the database could not be made, and anything after a server
 * did something else than it was asked.
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
  const order = ({ kind }: DatabaseAction) => ORDER.indexOf(kind);
  for (const action of actions.toSorted((a, b) => order(a) - order(b))) {
    const tooLate = tools.deadline - tools.now() < TIME_NEEDED_MS;
    const work = async () =>
      tooLate || written.some(stops) ? 'postponed' : await write(action, reading, tools);
    const [result] = await Promise.allSettled([work()]);
    written.push({ action, result });
  }
  return written;
}

/** Whether a listing shows what was written; of tables there is none. */
function isShown(action: DatabaseAction, databases: Databases): boolean {
  const database = databases.get(action.database);
  if (action.kind === 'create-table') return true;
  if (action.kind === 'create-database') return database !== undefined;
  return database !== undefined && fieldOf(database, action.field) === action.to;
}

const needsLook = ({ action, result }: Written) =>
  action.kind !== 'create-table' && (result.status === 'rejected' || result.value === 'done');

/** A write that failed may have landed, and one that succeeded may not have: the listing decides. */
function judge({ action, result }: Written, databases: Databases): Result {
  const shown = isShown(action, databases);
  if (result.status === 'rejected') {
    const landed = shown && action.kind === 'change' && !(result.reason instanceof EchoError);
    if (landed) return 'done';
    throw result.reason;
  }
  if (result.value === 'done' && !shown) {
    throw new Error(`${action.text}: the server said yes, and does not list it`);
  }
  return result.value;
}

/**
 * Carries out an enforcement plan: every field by a call of its own, all of them confirmed by one
 * more listing at the end.
 * @throws ApplyError naming everything that failed; the rest is done
 */
export async function applyEnforcement(
  plan: Plan<DatabaseAction>,
  tools: Tools,
): Promise<readonly Outcome<DatabaseAction>[]> {
  const bounded = pLimit(tools.policy.concurrency);
  const reading = createReading(tools);
  const byDatabase = Map.groupBy(plan.actions, ({ database }) => database);
  const writing = [...byDatabase.values()].map((actions) =>
    bounded(() => writeDatabase(actions, reading, tools)),
  );
  const written = (await Promise.all(writing)).flat();

  const looked = written.filter(needsLook);
  const succeeded = looked.filter(({ result }) => result.status === 'fulfilled');
  const allShown = (databases: Databases) =>
    succeeded.every(({ action }) => isShown(action, databases));
  const confirmation = looked.length > 0 ? readUntil(allShown, tools) : undefined;
  // Whoever awaits it below hears of its failure, action by action.
  await Promise.allSettled([confirmation]);

  const outcomes = await Promise.all(
    written.map((each) =>
      attempt(each.action, tools.log, async () => {
        const databases = needsLook(each) ? await confirmation : undefined;
        const result = judge(each, databases ?? new Map());
        if (result === 'done') {
          tools.publish({ type: 'Database Policy Enforced', detail: { ...each.action } });
        }
        return result;
      }),
    ),
  );
  reportHalfApplied(outcomes, tools);
  return settle(outcomes);
}
