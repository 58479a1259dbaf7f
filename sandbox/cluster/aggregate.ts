import { type TimeRange, timeRangeOf, valueIn } from './holds.ts';
import type { Select, SelectItem } from './influxql.ts';
import type { FieldValue, Row } from './state.ts';

/** The time, a bigint of nanoseconds, comes first. */
export type Values = readonly (FieldValue | null)[];

/** They choose a point; alone, they answer with its time. */
const SELECTORS = ['min', 'max', 'first', 'last'];

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

/** The time of the only answer of a statement without windows. */
function timeOf({ items }: Select, rows: readonly Row[], { from = 0n }: TimeRange): bigint {
  const [item] = items;
  if (!item || items.length > 1 || !SELECTORS.includes(item.call ?? '')) return from;
  const answer = aggregate(item, rows);
  const found = (row: Row) => {
    const value = valueIn(row, item.column);
    return value !== undefined && (typeof answer === 'number' ? Number(value) : value) === answer;
  };
  return (item.call === 'last' ? rows.findLast(found) : rows.find(found))?.time ?? from;
}

const windowOf = (time: bigint, every: bigint) => time - (((time % every) + every) % every);

/** What a window without points has; `before` is the last that has some. */
function fillIn({ items, fill }: Select, before: Values | undefined): Values {
  if (fill === 'previous') return before?.slice(1) ?? items.map(() => null);
  if (typeof fill === 'number') return items.map(() => fill);
  return items.map(({ call }) => (call === 'count' ? 0 : null));
}

/** The answers to a statement of functions about rows that are sorted by time; `now` in nanoseconds. */
export function aggregateRows(query: Select, rows: readonly Row[], now: bigint): Values[] {
  const { items, groupBy, fill } = query;
  const answer = (time: bigint, own: readonly Row[]) => [
    time,
    ...items.map((item) => aggregate(item, own)),
  ];
  const has = (row: Row) => items.some(({ column }) => valueIn(row, column) !== undefined);
  const found = rows.filter(has);
  const [first] = found;
  if (!first) return [];
  const range = timeRangeOf(query.where);
  const { every } = groupBy;
  if (every === undefined) return [answer(timeOf(query, found, range), found)];

  const windows = Map.groupBy(found, ({ time }) => windowOf(time, every));
  if (fill === 'none') return [...windows].map(([time, own]) => answer(time, own));
  const answers: Values[] = [];
  const { from = first.time, to = now } = range;
  for (let time = windowOf(from, every); time <= to; time += every) {
    const own = windows.get(time);
    answers.push(own ? answer(time, own) : [time, ...fillIn(query, answers.at(-1))]);
  }
  return answers;
}
