import {
  idParam,
  type ManagementRequest,
  type ManagementRoute,
  readBody,
  readUpdate,
} from './management-route.ts';
import { Refusal } from './refusal.ts';
import { databaseRename, databaseToCreate, databaseUpdate } from './schemas.ts';
import { findActive, recoverable, type StoredDatabase, type World } from './state.ts';

const limits = ({ name, maxTables, maxColumnsPerTable, retentionPeriod }: StoredDatabase) => ({
  name,
  maxTables,
  maxColumnsPerTable,
  retentionPeriod,
});

const shown = (database: StoredDatabase) => ({
  ...limits(database),
  ...(database.partitionTemplate && { partitionTemplate: database.partitionTemplate }),
});

/** Only renaming and undeleting return the id, although undeleting needs it. */
const shownWithId = (database: StoredDatabase) => ({ id: database.id, ...shown(database) });

/** The active database of the path. Throws `Refusal` 404. */
export function findDatabase({ params }: ManagementRequest, { state }: World): StoredDatabase {
  const database = findActive(state.databases, params.name ?? '');
  if (!database) throw new Refusal(404, `database "${params.name}" not found`);
  return database;
}

function refuseTaken(name: string, { state }: World, status: number): void {
  if (findActive(state.databases, name)) {
    throw new Refusal(status, `A database with the name "${name}" already exists`);
  }
}

function create(request: ManagementRequest, world: World) {
  const { partitionTemplate, ...limits } = readBody(request, databaseToCreate);
  refuseTaken(limits.name, world, 409);
  const database: StoredDatabase = {
    id: world.state.nextId++,
    ...limits,
    ...(partitionTemplate && { partitionTemplate }),
    tables: [],
  };
  world.state.databases.push(database);
  return shown(database);
}

function update(request: ManagementRequest, world: World) {
  const database = findDatabase(request, world);
  const changes = readUpdate(request, databaseUpdate);
  database.maxTables = changes.maxTables ?? database.maxTables;
  database.maxColumnsPerTable = changes.maxColumnsPerTable ?? database.maxColumnsPerTable;
  database.retentionPeriod = changes.retentionPeriod ?? database.retentionPeriod;
  return limits(database);
}

function rename(request: ManagementRequest, world: World) {
  const database = findDatabase(request, world);
  const { name } = readBody(request, databaseRename);
  refuseTaken(name, world, 409);
  database.name = name;
  return shownWithId(database);
}

function undelete(request: ManagementRequest, world: World) {
  const id = idParam(request, 'id');
  const database = world.state.databases.find((each) => each.id === id);
  if (!database || !recoverable(database, world.now)) {
    throw new Refusal(404, `deleted database ${id} not found`);
  }
  // The specification lists no 409 here.
  refuseTaken(database.name, world, 400);
  delete database.deletedAt;
  return shownWithId(database);
}

export const databaseRoutes: readonly ManagementRoute[] = [
  {
    method: 'GET',
    path: '/databases',
    answer: (_request, { state }) =>
      state.databases.filter(({ deletedAt }) => deletedAt === undefined).map(shown),
  },
  { method: 'POST', path: '/databases', answer: create },
  { method: 'PATCH', path: '/databases/:name', answer: update },
  {
    method: 'DELETE',
    path: '/databases/:name',
    answer: (request, world) => {
      findDatabase(request, world).deletedAt = world.now;
    },
  },
  { method: 'PUT', path: '/databases/:name/rename', answer: rename },
  { method: 'PUT', path: '/databases/:id/undelete', answer: undelete },
];
