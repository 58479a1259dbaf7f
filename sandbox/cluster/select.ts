import { aggregateRows, type Values } from './aggregate.ts';
import { holds, isTag, tagIn, valueIn } from './holds.ts';
import type { Pattern, Select, SelectItem } from './influxql.ts';
import { retentionStart } from './ingest.ts';
import type { Row, StoredDatabase, StoredTable } from './state.ts';

export interface Series {
  readonly name?: string;
  readonly tags?: Readonly<Record<string, string>>;
  readonly columns: readonly string[];
  readonly values: readonly Values[];
}

export const matches = (pattern: Pattern, name: string) =>
  typeof pattern === 'string' ? pattern === name : pattern.test(name);

/** The tables of a database that a pattern names, by name. */
export const tablesOf = ({ tables }: StoredDatabase, pattern: Pattern) =>
  tables
    .filter(({ name, deletedAt }) => deletedAt === undefined && matches(pattern, name))
    .sort((a, b) => (a.name < b.name ? -1 : 1));

/** Names of a table's tags, or of its fields. */
export const columnsOf = (table: StoredTable, kind: 'tags' | 'fields') =>
  Object.keys(table.columns)
    .filter((column) => column !== 'time' && isTag(table, column) === (kind === 'tags'))
    .sort();

const byTime = (a: Row, b: Row) => (a.time < b.time ? -1 : a.time > b.time ? 1 : 0);

/** The points that are within the retention period and fulfil the condition, by time. */
export function rowsOf(
  table: StoredTable,
  { where }: Pick<Select, 'where'>,
  start: bigint | undefined,
): readonly Row[] {
  return Object.values(table.rows)
    .filter((row) => start === undefined || row.time >= start)
    .filter((row) => !where || holds(where, row, table))
    .sort(byTime);
}

const expand = (table: StoredTable) => (item: SelectItem) =>
  item.call && item.column === '*'
    ? columnsOf(table, 'fields').map((column) => ({
        ...item,
        column,
        alias: `${item.alias ?? item.call}_${column}`,
      }))
    : [item];

/** A name that occurs again gets a number. */
function distinct(names: readonly string[]): readonly string[] {
  const taken = new Map<string, number>();
  return names.map((name) => {
    const count = taken.get(name) ?? 0;
    taken.set(name, count + 1);
    return count === 0 ? name : `${name}_${count}`;
  });
}

/** Plain columns: rows that have one of the fields. A selection of tags alone is empty. */
function plainValues(columns: readonly string[], rows: readonly Row[], table: StoredTable) {
  const fields = columns.filter((column) => !isTag(table, column));
  return rows
    .filter((row) => fields.some((column) => valueIn(row, column) !== undefined))
    .map((row) => [row.time, ...columns.map((column) => valueIn(row, column) ?? null)]);
}

function selectFrom(table: StoredTable, asked: Select, database: StoredDatabase, now: number) {
  const rows = rowsOf(table, asked, retentionStart(database, now));
  const items = asked.items
    .filter(({ call, column }) => call || column !== 'time')
    .flatMap(expand(table));
  const query = { ...asked, items };
  const tags = query.groupBy.tags === '*' ? columnsOf(table, 'tags') : query.groupBy.tags;
  const all = [...columnsOf(table, 'tags'), ...columnsOf(table, 'fields')].sort();
  const isFunction = items.some(({ call }) => call !== undefined);
  const plain: readonly SelectItem[] =
    items.length > 0
      ? items
      : all.filter((column) => !tags.includes(column)).map((column) => ({ column }));
  const shown = isFunction ? items : plain;
  const columns = distinct(shown.map(({ alias, call, column }) => alias ?? call ?? column));

  const keyOf = (row: Row) => JSON.stringify(tags.map((tag) => tagIn(row, tag)));
  const groups = [...Map.groupBy(rows, keyOf)].sort(([a], [b]) => (a < b ? -1 : 1));
  return groups.flatMap(([key, own]): Series[] => {
    const names = plain.map(({ column }) => column);
    const found = isFunction
      ? aggregateRows(query, own, BigInt(now) * 1_000_000n)
      : plainValues(names, own, table);
    if (query.descending) found.reverse();
    const values = found.slice(query.offset, query.offset + query.limit);
    if (values.length === 0) return [];
    const texts: string[] = JSON.parse(key);
    const tagged = Object.fromEntries(tags.map((tag, index) => [tag, texts[index] ?? '']));
    return [
      {
        name: table.name,
        ...(tags.length > 0 && { tags: tagged }),
        columns: ['time', ...columns],
        values,
      },
    ];
  });
}

/** Runs a statement on the points within the retention period. */
export const select = (query: Select, database: StoredDatabase, now: number): readonly Series[] =>
  tablesOf(database, query.measurement).flatMap((table) => selectFrom(table, query, database, now));
