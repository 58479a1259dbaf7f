import type { Database, Table } from '../management-api/database.ts';
import { formatTemplate } from '../management-api/database.ts';
import { EchoError, InfluxError } from '../management-api/influx-error.ts';
import type { NamedDatabaseRule } from '../policy/database-rule.ts';
import { GOVERNED_FIELDS, type GovernedValues, governedFields } from '../policy/governed-fields.ts';
import type { Result } from '../run/outcome.ts';
import type { Tools } from '../run/tools.ts';
import { checkEcho } from './change-database.ts';
import type { DatabaseReading } from './database-reading.ts';

/** The API says that somebody else, or a lost call of our own, made it. */
const exists = (error: unknown) => error instanceof InfluxError && error.status === 409;

/** What the rule declares, as the Management API takes it. */
const declaredBy = (rule: NamedDatabaseRule): Partial<GovernedValues> =>
  Object.fromEntries(
    governedFields.flatMap((field) => {
      const value = rule[field];
      return value === undefined ? [] : [[GOVERNED_FIELDS[field].key, value]];
    }),
  );

/** A template that the answer does not show is left for the next run to report. */
function checkTemplate(wanted: Pick<Database, 'partitionTemplate'>, made: Database | Table): void {
  const [asked, got] = [wanted, made].map(
    ({ partitionTemplate }) => partitionTemplate && formatTemplate(partitionTemplate),
  );
  if (!asked || !got || asked === got) return;
  throw new EchoError(`the server partitions ${made.name} by ${got}, where ${asked} was asked`);
}

/**
 * Creates a database as its rule declares it. What the server did not take with it is set at once:
 * nothing can be lost that came into being just now, while the next run would need an approval.
 */
export async function createDatabase(
  rule: NamedDatabaseRule,
  reading: DatabaseReading,
  { api, log }: Tools,
): Promise<Result> {
  const { name, partitionTemplate } = rule;
  if (await reading.recent(name)) return 'lost';
  const declared = declaredBy(rule);
  const wanted = { name, ...declared, ...(partitionTemplate && { partitionTemplate }) };
  let made: Database;
  try {
    made = await api.createDatabase(wanted);
  } catch (error) {
    if (exists(error)) return 'lost';
    const { databases } = await api.listDatabases();
    if (!databases.some((each) => each.name === name)) throw error;
    return 'done';
  }
  log.info('written', { kind: 'create-database', database: name });
  checkTemplate(wanted, made);
  for (const [key, value] of Object.entries(declared)) {
    const change = { [key]: value };
    if (made[key as keyof GovernedValues] === value) continue;
    const echo = await api.updateDatabase(name, change);
    checkEcho(echo, { ...made, ...change });
    made = echo;
  }
  return 'done';
}

/** Creates a table with its template; `skipped` where there is one already, whatever its template. */
export async function createTable(
  { name: database, tables }: NamedDatabaseRule,
  name: string,
  { api }: Tools,
): Promise<Result> {
  const template = tables.find((each) => each.name === name)?.partitionTemplate;
  const wanted = { name, ...(template && { partitionTemplate: template }) };
  try {
    checkTemplate(wanted, await createTwice(() => api.createTable(database, wanted)));
    return 'done';
  } catch (error) {
    if (exists(error)) return 'skipped';
    throw error;
  }
}

/** A lost answer is no reason to wait for the next turn: a second call finds what the first one did. */
async function createTwice<T>(create: () => Promise<T>): Promise<T> {
  try {
    return await create();
  } catch (error) {
    if (!(error instanceof InfluxError) || !error.retryable) throw error;
    return create();
  }
}
