import type { Database } from '../management-api/database.ts';
import { formatRetention, parseRetention } from '../policy/retention.ts';
import type { Outcome } from '../run/outcome.ts';
import type { FieldChange } from '../run/plan.ts';
import type { Tools } from '../run/tools.ts';
import type { DatabaseReading } from './database-reading.ts';

/** The server says of a database something else than it was asked for. */
export class EchoError extends Error {
  override readonly name = 'EchoError';
}

type Field = FieldChange['field'];
type Limits = Pick<Database, 'retentionPeriod' | 'maxTables' | 'maxColumnsPerTable'>;

/** A field as a plan spells it. */
export const fieldOf = (database: Limits, field: Field): string | number =>
  field === 'retention' ? formatRetention(database.retentionPeriod) : database[field];

const bodyOf = (change: FieldChange): Partial<Limits> =>
  change.field === 'retention'
    ? { retentionPeriod: parseRetention(change.to) }
    : { [change.field]: change.to };

const describe = (database: Limits) =>
  (['retention', 'maxTables', 'maxColumnsPerTable'] as const)
    .map((field) => `${field} ${fieldOf(database, field)}`)
    .join(', ');

/** @throws EchoError unless the answer shows what was asked, and everything else as it was */
export function checkEcho(echo: Database, wanted: Limits): void {
  if (describe(echo) === describe(wanted)) return;
  throw new EchoError(
    `the server answered for ${echo.name} with ${describe(echo)}, where ${describe(wanted)} was to be`,
  );
}

/**
 * Changes one field, if it still is what the plan saw: a person or another run may have been
 * there since.
 */
export async function changeField(
  change: FieldChange,
  reading: DatabaseReading,
  { api, log }: Tools,
): Promise<Outcome['result']> {
  const { database, field, from, to } = change;
  const before = await reading.recent(database);
  const present = before && fieldOf(before, field);
  if (present === to) return 'lost';
  if (!before || present !== from) return 'skipped';
  const body = bodyOf(change);
  let echo: Database;
  try {
    echo = await api.updateDatabase(database, body);
  } catch (error) {
    reading.forget(database);
    throw error;
  }
  log.info('written', { ...change });
  checkEcho(echo, { ...before, ...body });
  reading.learn(echo);
  return 'done';
}
