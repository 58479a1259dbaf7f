import type { Condition, Select, SelectItem } from './influxql.ts';
import { retentionStart } from './ingest.ts';
import { type FieldValue, findActive, type Row, type StoredDatabase } from './state.ts';

export interface Series {
  readonly name: string;
  readonly columns: readonly string[];
  /** The time, a bigint of nanoseconds, comes first. */
  readonly values: readonly (readonly (FieldValue | null)[])[];
}

const HOLDS: Readonly<Record<string, (a: FieldValue, b: FieldValue) => boolean>> = {
  // Loose equality: an integer column has bigints, a literal is a number.
  // biome-ignore lint/suspicious/noDoubleEquals: 1n == 1
  '=': (a, b) => a == b,
  // biome-ignore lint/suspicious/noDoubleEquals: 1n == 1
  '!=': (a, b) => a != b,
  // biome-ignore lint/suspicious/noDoubleEquals: 1n == 1
  '<>': (a, b) => a != b,
  '<': (a, b) => a < b,
  '<=': (a, b) => a <= b,
  '>': (a, b) => a > b,
  '>=': (a, b) => a >= b,
};

/** Own properties only: a column may be called `constructor`. */
function valueIn({ time, values }: Row, column: string): FieldValue | undefined {
  if (column === 'time') return time;
  return Object.hasOwn(values, column) ? values[column] : undefined;
}

function holds({ column, operator, value }: Condition, row: Row): boolean {
  const found = valueIn(row, column);
  return found !== undefined && (HOLDS[operator]?.(found, value) ?? false);
}

function aggregate({ call, column }: SelectItem, rows: readonly Row[]): FieldValue | null {
  const values = rows.map((row) => valueIn(row, column)).filter((value) => value !== undefined);
  if (call === 'count') return values.length;
  if (call === 'first') return values[0] ?? null;
  if (call === 'last') return values.at(-1) ?? null;
  const numbers = values.map(Number);
  if (numbers.length === 0) return null;
  if (call === 'min') return Math.min(...numbers);
  if (call === 'max') return Math.max(...numbers);
  const sum = numbers.reduce((a, b) => a + b, 0);
  return call === 'sum' ? sum : sum / numbers.length;
}

/** Runs a statement on the points within the retention period; undefined if it finds nothing. */
export function select(query: Select, database: StoredDatabase, now: number): Series | undefined {
  const table = findActive(database.tables, query.measurement);
  if (!table) return undefined;
  const start = retentionStart(database, now);
  const rows = Object.values(table.rows)
    .filter(({ time }) => start === undefined || time >= start)
    .filter((row) => query.conditions.every((condition) => holds(condition, row)))
    .sort((a, b) => (a.time < b.time ? -1 : a.time > b.time ? 1 : 0));

  if (query.items.some(({ call }) => call !== undefined)) {
    const answers = query.items.map((item) => aggregate(item, rows));
    if (rows.length === 0) return undefined;
    const columns = ['time', ...query.items.map(({ call = '' }) => call)];
    return { name: table.name, columns, values: [[0n, ...answers]] };
  }

  const { time: _, ...others } = table.columns;
  const names = query.items.map(({ column }) => column).filter((column) => column !== 'time');
  const columns = query.items.length === 0 ? Object.keys(others).sort() : names;
  // Only fields find a row: a selection of tags is empty.
  const fields = columns.filter((column) => table.columns[column] !== 'tag');
  const found = rows.filter((row) => fields.some((column) => valueIn(row, column) !== undefined));
  if (query.descending) found.reverse();
  const page = found.slice(query.offset, query.offset + query.limit);
  if (page.length === 0) return undefined;
  return {
    name: table.name,
    columns: ['time', ...columns],
    values: page.map((row) => [row.time, ...columns.map((column) => valueIn(row, column) ?? null)]),
  };
}
