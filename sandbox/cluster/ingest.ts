import type { Point } from './line-protocol.ts';
import { Refusal } from './refusal.ts';
import {
  type ColumnType,
  type FieldValue,
  findActive,
  type Row,
  type StoredDatabase,
  type World,
} from './state.ts';
import { addTable, tableLimitReached } from './tables.ts';

/** The instant (nanoseconds) before which points are outside the retention period. */
export const retentionStart = ({ retentionPeriod }: StoredDatabase, now: number) =>
  retentionPeriod === 0n ? undefined : BigInt(now) * 1_000_000n - retentionPeriod;

const refuse = (reason: string): never => {
  throw new Refusal(400, `dml handler error: ${reason}`);
};

/** A table's columns after these points. Throws `Refusal` if a column changes its type. */
function mergeColumns(
  table: string,
  existing: Readonly<Record<string, ColumnType>>,
  points: readonly Point[],
): Record<string, ColumnType> {
  const merged = new Map(Object.entries(existing));
  for (const point of points) {
    for (const [name, { type }] of point.columns) {
      const before = merged.get(name) ?? type;
      if (before !== type) {
        refuse(
          `schema conflict: in table ${table}: column ${name} is type ${before} but write has type ${type}`,
        );
      }
      merged.set(name, type);
    }
  }
  return Object.fromEntries(merged);
}

/** Tables over the limit take writes that add no column (influxdata/influxdb, IOx of 2023: router). */
function checkColumnLimit(table: string, existing: number, merged: number, limit: number): void {
  if (merged > existing && merged > limit) {
    refuse(
      `service limit reached: couldn't create columns in table \`${table}\`; table contains ${existing} existing columns, ` +
        `applying this write would result in ${merged} columns, limit is ${limit}`,
    );
  }
}

function upsert(rows: Record<string, Row>, point: Point): void {
  const tags = [...point.columns].filter(([, { type }]) => type === 'tag');
  const series = tags.map(([name, { value }]) => [name, value]).sort();
  const key = JSON.stringify([`${point.time}`, series]);
  const values = [...point.columns].map(([name, { value }]): [string, FieldValue] => [name, value]);
  rows[key] = {
    time: point.time,
    values: { ...rows[key]?.values, ...Object.fromEntries(values) },
  };
}

/** Stores all points, or none and throws `Refusal` 400. */
export function ingest(database: StoredDatabase, points: readonly Point[], world: World): void {
  const start = retentionStart(database, world.now);
  const stale = points.find(({ time }) => start !== undefined && time < start);
  if (stale) refuse(`data in table ${stale.measurement} is outside of the retention period`);

  const writes = [...Map.groupBy(points, ({ measurement }) => measurement)].map(([name, own]) => {
    const table = findActive(database.tables, name);
    const before = table?.columns ?? { time: 'timestamp' as const };
    const columns = mergeColumns(name, before, own);
    const existing = table ? Object.keys(before).length : 0;
    checkColumnLimit(name, existing, Object.keys(columns).length, database.maxColumnsPerTable);
    return { name, table, columns, points: own };
  });
  const reason = tableLimitReached(database, writes.filter(({ table }) => !table).length);
  if (reason) refuse(reason);

  for (const { name, table = addTable(database, name, world), columns, points: own } of writes) {
    table.columns = columns;
    for (const point of own) upsert(table.rows, point);
  }
}
