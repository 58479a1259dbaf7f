import type { Database } from '../management-api/database.ts';
import { EchoError } from '../management-api/influx-error.ts';
import {
  fieldBody,
  type GovernedValues,
  governedFields,
  spelledField,
} from '../policy/governed-fields.ts';
import type { Result } from '../run/outcome.ts';
import type { Tools } from '../run/tools.ts';
import type { DatabaseReading } from './database-reading.ts';
import type { FieldChange } from './plan/database-action.ts';

const describe = (values: GovernedValues) =>
  governedFields.map((field) => `${field} ${spelledField(values, field)}`).join(', ');

/** @throws EchoError if the answer does not show the expected values */
export function checkEcho(echo: Database, expected: GovernedValues): void {
  if (describe(echo) === describe(expected)) return;
  throw new EchoError(
    `the server answered for ${echo.name} with ${describe(echo)}; expected: ${describe(expected)}`,
  );
}

/**
 * Changes one field, if it still has the value that the plan saw: a person or another run may have changed it
 * since.
 */
export async function changeField(
  change: FieldChange,
  reading: DatabaseReading,
  { api, log }: Tools,
): Promise<Result> {
  const { database, field, from, to } = change;
  const before = await reading.recent(database);
  const present = before && spelledField(before, field);
  if (present === to) return 'lost';
  if (!before || present !== from) return 'skipped';
  const body = fieldBody(field, to);
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
