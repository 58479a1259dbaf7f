import { expect, test } from 'vitest';
import { type Fixture, start } from './fixture.ts';

async function startWithDatabase(): Promise<Fixture> {
  const fixture = await start();
  await fixture.manage('POST', '/databases', { name: 'telegraf/autogen', maxTables: 2 });
  return fixture;
}

const TABLES = '/databases/telegraf%2Fautogen/tables';

test('a created table is answered with the name of its database and its partition template', async () => {
  const { manage } = await startWithDatabase();
  const partitionTemplate = [{ type: 'tag', value: 'host' }];
  const created = await manage('POST', TABLES, { name: 'cpu', partitionTemplate });
  expect(created.status).toBe(200);
  expect(created.json).toEqual({
    databaseName: 'telegraf/autogen',
    name: 'cpu',
    partitionTemplate,
  });
});

test('a taken name is a conflict for creating and for renaming', async () => {
  const { manage } = await startWithDatabase();
  await manage('POST', TABLES, { name: 'cpu' });
  await manage('POST', TABLES, { name: 'mem' });
  expect((await manage('POST', TABLES, { name: 'cpu' })).status).toBe(409);
  expect((await manage('PUT', `${TABLES}/mem/rename`, { name: 'cpu' })).status).toBe(409);
});

test('renaming answers with the id, and any name is legal in a path', async () => {
  const { manage, cluster } = await startWithDatabase();
  await manage('POST', TABLES, { name: 'a/b c' });
  const renamed = await manage('PUT', `${TABLES}/a%2Fb%20c/rename`, { name: 'disk' });
  expect(renamed.json).toEqual({
    databaseName: 'telegraf/autogen',
    id: cluster.state.databases[0]?.tables[0]?.id,
    name: 'disk',
  });
});

test('a deleted table frees its name and can be undeleted by id', async () => {
  const { manage, cluster } = await startWithDatabase();
  await manage('POST', TABLES, { name: 'cpu' });
  const id = cluster.state.databases[0]?.tables[0]?.id;
  expect((await manage('DELETE', `${TABLES}/cpu`)).status).toBe(204);
  expect((await manage('DELETE', `${TABLES}/cpu`)).status).toBe(404);
  await manage('POST', TABLES, { name: 'cpu' });
  expect((await manage('PUT', `${TABLES}/${id}/undelete`)).status).toBe(400);
  await manage('DELETE', `${TABLES}/cpu`);
  const restored = await manage('PUT', `${TABLES}/${id}/undelete`);
  expect(restored.json).toEqual({ databaseName: 'telegraf/autogen', id, name: 'cpu' });
});

test('a database takes no more tables than its limit', async () => {
  const { manage } = await startWithDatabase();
  await manage('POST', TABLES, { name: 'a' });
  await manage('POST', TABLES, { name: 'b' });
  const refused = await manage('POST', TABLES, { name: 'c' });
  expect(refused.status).toBe(400);
  expect(refused.json.message).toContain('service limit reached');
});

test('tables of an unknown or deleted database are not found', async () => {
  const { manage } = await startWithDatabase();
  expect((await manage('POST', '/databases/none/tables', { name: 'a' })).status).toBe(404);
  await manage('DELETE', '/databases/telegraf%2Fautogen');
  expect((await manage('POST', TABLES, { name: 'a' })).status).toBe(404);
});
