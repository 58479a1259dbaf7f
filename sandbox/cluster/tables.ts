import { findDatabase } from './databases.ts';
import {
  idParam,
  type ManagementRequest,
  type ManagementRoute,
  readBody,
} from './management-route.ts';
import { Refusal } from './refusal.ts';
import { type PartitionTemplatePart, tableRename, tableToCreate } from './schemas.ts';
import {
  findActive,
  recoverable,
  type StoredDatabase,
  type StoredTable,
  type World,
} from './state.ts';

const shown = (database: StoredDatabase, { name, partitionTemplate }: StoredTable) => ({
  databaseName: database.name,
  name,
  ...(partitionTemplate && { partitionTemplate }),
});

const shownWithId = (database: StoredDatabase, table: StoredTable) => ({
  id: table.id,
  ...shown(database, table),
});

function findTable({ params }: ManagementRequest, database: StoredDatabase): StoredTable {
  const table = findActive(database.tables, params.table ?? '');
  if (!table) throw new Refusal(404, `table "${params.table}" not found`);
  return table;
}

function refuseTaken(name: string, database: StoredDatabase, status: number): void {
  if (findActive(database.tables, name)) {
    throw new Refusal(status, `A table with the name "${name}" already exists`);
  }
}

/** Why a database cannot have `added` more tables; undefined if it can. */
export function tableLimitReached(database: StoredDatabase, added: number): string | undefined {
  const existing = database.tables.filter(({ deletedAt }) => deletedAt === undefined).length;
  if (added === 0 || existing + added <= database.maxTables) return undefined;
  return (
    `service limit reached: couldn't create new table; namespace contains ${existing} existing tables, ` +
    `applying this write would result in ${existing + added} tables, limit is ${database.maxTables}`
  );
}

/** Adds a table that has only the time column. */
export function addTable(
  database: StoredDatabase,
  name: string,
  world: World,
  partitionTemplate?: readonly PartitionTemplatePart[],
): StoredTable {
  const table: StoredTable = {
    id: world.state.nextId++,
    name,
    ...(partitionTemplate && { partitionTemplate }),
    columns: { time: 'timestamp' },
    rows: {},
  };
  database.tables.push(table);
  return table;
}

function create(request: ManagementRequest, world: World) {
  const database = findDatabase(request, world);
  const { name, partitionTemplate } = readBody(request, tableToCreate);
  refuseTaken(name, database, 409);
  const reason = tableLimitReached(database, 1);
  if (reason) throw new Refusal(400, reason);
  return shown(database, addTable(database, name, world, partitionTemplate));
}

function rename(request: ManagementRequest, world: World) {
  const database = findDatabase(request, world);
  const table = findTable(request, database);
  const { name } = readBody(request, tableRename);
  refuseTaken(name, database, 409);
  table.name = name;
  return shownWithId(database, table);
}

function undelete(request: ManagementRequest, world: World) {
  const database = findDatabase(request, world);
  const id = idParam(request, 'id');
  const table = database.tables.find((each) => each.id === id);
  if (!table || !recoverable(table, world.now)) {
    throw new Refusal(404, `deleted table ${id} not found`);
  }
  // The specification lists no 409 here.
  refuseTaken(table.name, database, 400);
  delete table.deletedAt;
  return shownWithId(database, table);
}

export const tableRoutes: readonly ManagementRoute[] = [
  { method: 'POST', path: '/databases/:name/tables', answer: create },
  {
    method: 'DELETE',
    path: '/databases/:name/tables/:table',
    answer: (request, world) => {
      findTable(request, findDatabase(request, world)).deletedAt = world.now;
    },
  },
  { method: 'PUT', path: '/databases/:name/tables/:table/rename', answer: rename },
  { method: 'PUT', path: '/databases/:name/tables/:id/undelete', answer: undelete },
];
