import type { Database, Table } from '../management-api/database.ts';
import { formatTemplate } from '../management-api/database.ts';
import { EchoError, InfluxError } from '../management-api/influx-error.ts';
import { GOVERNED_FIELDS, type GovernedValues, governedFields } from '../policy/governed-fields.ts';
import type { NamedDatabaseRule } from '../policy/policy.ts';
import type { Result } from '../run/outcome.ts';
import type { Tools } from '../run/tools.ts';
import { checkEcho } from './change-database.ts';
import type { DatabaseReading } from './database-reading.ts';

/**
 * 409: it exists already. Somebody else made it, or an earlier call whose answer was lost.
 * https://docs.influxdata.com/influxdb3/clustered/api/management-api/databases/
 */
const exists = (error: unknown) => error instanceof InfluxError && error.status === 409;

/** What the rule declares, as the Management API takes it. */
const declaredBy = (rule: NamedDatabaseRule): Partial<GovernedValues> =>
  Object.fromEntries(
    governedFields.flatMap((field) => {
      const value = rule[field];
      return value === undefined ? [] : [[GOVERNED_FIELDS[field].key, value]];
    }),
  );

/** An answer without a template is accepted: the next run reports a difference. */
function checkTemplate(request: Pick<Database, 'partitionTemplate'>, made: Database | Table): void {
  const [asked, got] = [request, made].map(
    ({ partitionTemplate }) => partitionTemplate && formatTemplate(partitionTemplate),
  );
  if (!asked || !got || asked === got) return;
  throw new EchoError(`the server partitions ${made.name} by ${got}; asked for: ${asked}`);
}

/**
 * Creates a database as its rule declares it. Fields that the server ignored are set at once: a new database
 * has no data to lose, while the next run would need an approval to shorten its retention.
 */
export async function createDatabase(
  rule: NamedDatabaseRule,
  reading: DatabaseReading,
  { api, log }: Tools,
): Promise<Result> {
  const { name, partitionTemplate } = rule;
  if (await reading.recent(name)) return 'lost';
  const declared = declaredBy(rule);
  const request = { name, ...declared, ...(partitionTemplate && { partitionTemplate }) };
  let made: Database;
  try {
    made = await api.createDatabase(request);
  } catch (error) {
    if (exists(error)) return 'lost';
    const { databases } = await api.listDatabases();
    if (!databases.some((each) => each.name === name)) throw error;
    return 'done';
  }
  log.info('written', { kind: 'create-database', database: name });
  checkTemplate(request, made);
  for (const [key, value] of Object.entries(declared)) {
    const change = { [key]: value };
    if (made[key as keyof GovernedValues] === value) continue;
    const echo = await api.updateDatabase(name, change);
    checkEcho(echo, { ...made, ...change });
    made = echo;
  }
  return 'done';
}

/** Creates a table with its template. `skipped`: it exists already, with whatever template. */
export async function createTable(
  { name: database, tables }: NamedDatabaseRule,
  name: string,
  { api }: Tools,
): Promise<Result> {
  const template = tables.find((each) => each.name === name)?.partitionTemplate;
  const request = { name, ...(template && { partitionTemplate: template }) };
  try {
    checkTemplate(request, await createTwice(() => api.createTable(database, request)));
    return 'done';
  } catch (error) {
    if (exists(error)) return 'skipped';
    throw error;
  }
}

/** Tries a second time at once: if only the answer was lost, the second call is answered with 409. */
async function createTwice<T>(create: () => Promise<T>): Promise<T> {
  try {
    return await create();
  } catch (error) {
    // What came too soon (429) was repeated already, and had no effect.
    if (!(error instanceof InfluxError) || !error.retryable || error.status === 429) throw error;
    return create();
  }
}
