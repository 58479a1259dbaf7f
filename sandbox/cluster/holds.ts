import type { Comparison, Condition } from './influxql-condition.ts';
import type { FieldValue, Row, StoredTable } from './state.ts';

const HOLDS: Readonly<Record<string, (a: FieldValue, b: Comparison['value']) => boolean>> = {
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
  '=~': (a, b) => b instanceof RegExp && b.test(`${a}`),
  '!~': (a, b) => b instanceof RegExp && !b.test(`${a}`),
};

/** Own properties only: a column may be called `constructor`. */
export function valueIn({ time, values }: Row, column: string): FieldValue | undefined {
  if (column === 'time') return time;
  return Object.hasOwn(values, column) ? values[column] : undefined;
}

/** A tag that a row lacks is empty. */
export const tagIn = (row: Row, tag: string): FieldValue => valueIn(row, tag) ?? '';

export const isTag = ({ columns }: StoredTable, column: string) =>
  Object.hasOwn(columns, column) && columns[column] === 'tag';

/** Whether a row fulfils a condition. */
export function holds(condition: Condition, row: Row, table: StoredTable): boolean {
  const inner = (each: Condition) => holds(each, row, table);
  if ('all' in condition) return condition.all.every(inner);
  if ('any' in condition) return condition.any.some(inner);
  const { column, operator, value } = condition;
  const found = isTag(table, column) ? tagIn(row, column) : valueIn(row, column);
  return found !== undefined && (HOLDS[operator]?.(found, value) ?? false);
}

export interface TimeRange {
  /** Nanoseconds, both inclusive. */
  readonly from?: bigint;
  readonly to?: bigint;
}

/** The times between which a condition lets rows be. */
export function timeRangeOf(condition: Condition | undefined): TimeRange {
  if (!condition) return {};
  if ('all' in condition) return Object.assign({}, ...condition.all.map(timeRangeOf));
  if ('any' in condition || condition.column !== 'time') return {};
  const { operator, value } = condition;
  const at = value as bigint;
  if (operator === '>') return { from: at + 1n };
  if (operator === '>=') return { from: at };
  if (operator === '<') return { to: at - 1n };
  if (operator === '<=') return { to: at };
  return operator === '=' ? { from: at, to: at } : {};
}
