import { tagIn } from './holds.ts';
import type { Show } from './influxql.ts';
import { retentionStart } from './ingest.ts';
import { columnsOf, matches, rowsOf, type Series, tablesOf } from './select.ts';
import type { StoredDatabase, StoredTable } from './state.ts';

const HOUR = 3_600_000_000_000n;

const durationOf = (period: bigint) => (period === 0n ? '0s' : `${period / HOUR}h0m0s`);

type Listed = Pick<Series, 'columns' | 'values'>;

/** A database has one retention policy, which is its own retention. */
const policiesOf = ({ retentionPeriod }: StoredDatabase): Listed => ({
  columns: [
    ...['name', 'duration', 'shardGroupDuration', 'replicaN'],
    ...['futureWriteLimit', 'pastWriteLimit', 'default'],
  ],
  values: [['autogen', durationOf(retentionPeriod), '168h0m0s', 1, '0s', '0s', true]],
});

function tagValuesOf(table: StoredTable, query: Show, start: bigint | undefined): Listed {
  const rows = rowsOf(table, query, start);
  const keys = columnsOf(table, 'tags').filter((tag) =>
    query.keys?.some((key) => matches(key, tag)),
  );
  const values = keys.flatMap((key) => {
    const found = new Set(rows.map((row) => tagIn(row, key)).filter((value) => value !== ''));
    return [...found].sort().map((value) => [key, value]);
  });
  return { columns: ['key', 'value'], values };
}

/** What is shown of each measurement. */
function listOf(table: StoredTable, query: Show, start: bigint | undefined): Listed {
  if (query.show === 'tag values') return tagValuesOf(table, query, start);
  if (query.show === 'tag keys') {
    return { columns: ['tagKey'], values: columnsOf(table, 'tags').map((tag) => [tag]) };
  }
  const fields = columnsOf(table, 'fields');
  const values = fields.map((field) => [field, table.columns[field] ?? '']);
  return { columns: ['fieldKey', 'fieldType'], values };
}

/** What a statement shows of a database; the databases themselves are no matter of one of them. */
export function show(query: Show, database: StoredDatabase, now: number): readonly Series[] {
  if (query.show === 'retention policies') return [policiesOf(database)];
  const tables = tablesOf(database, query.measurement ?? /(?:)/);
  const values = tables.map(({ name }) => [name]);
  const start = retentionStart(database, now);
  const all: readonly Series[] =
    query.show === 'measurements'
      ? [{ name: 'measurements', columns: ['name'], values }]
      : tables.map((table) => ({ name: table.name, ...listOf(table, query, start) }));
  return all
    .map((each) => ({
      ...each,
      values: each.values.slice(query.offset, query.offset + query.limit),
    }))
    .filter((each) => each.values.length > 0);
}
