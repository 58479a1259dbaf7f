import { expect, test } from 'vitest';
import { connect, connectToCluster } from './connect.ts';
import { startOddServer } from './odd-server.ts';

const TEMPLATE = [
  { type: 'time', value: '%Y' },
  { type: 'tag', value: 'plátanos' },
  { type: 'bucket', value: { tagName: 'c', numberOfBuckets: 10 } },
] as const;
const LIMITS = { maxTables: 500, maxColumnsPerTable: 200, retentionPeriod: 0n };

test('a database whose name bears a slash goes through all its operations', async () => {
  const { api } = await connectToCluster();
  const name = 'telegraf/autogen';
  expect(await api.createDatabase({ name, partitionTemplate: TEMPLATE })).toEqual({
    name,
    ...LIMITS,
    partitionTemplate: TEMPLATE,
  });
  expect(await api.updateDatabase(name, { maxTables: 7 })).toMatchObject({ maxTables: 7 });

  const renamed = await api.renameDatabase(name, 'other_name');
  expect(renamed).toMatchObject({ name: 'other_name', maxTables: 7, id: expect.any(BigInt) });
  expect((await api.listDatabases()).databases.map((each) => each.name)).toEqual(['other_name']);

  await api.deleteDatabase('other_name');
  expect((await api.listDatabases()).databases).toEqual([]);
  await api.deleteDatabase('other_name');

  expect(await api.undeleteDatabase(renamed.id ?? 0n)).toMatchObject({ name: 'other_name' });
  expect((await api.listDatabases()).databases).toHaveLength(1);
});

test('a table goes through all its operations', async () => {
  const { api } = await connectToCluster();
  await api.createDatabase({ name: 'db' });
  const table = { name: 'cpu load/1', partitionTemplate: TEMPLATE };
  expect(await api.createTable('db', table)).toEqual({ databaseName: 'db', ...table });
  const renamed = await api.renameTable('db', 'cpu load/1', 'cpu');
  expect(renamed).toMatchObject({ name: 'cpu', id: expect.any(BigInt) });
  await api.deleteTable('db', 'cpu');
  expect(await api.undeleteTable('db', renamed.id ?? 0n)).toMatchObject({ name: 'cpu' });
});

test('a retention period past 104 days keeps every nanosecond', async () => {
  const { cluster, api } = await connectToCluster();
  const retentionPeriod = 9_007_199_254_740_993n;
  await api.createDatabase({ name: 'db', retentionPeriod });
  expect(cluster.state.databases[0]?.retentionPeriod).toBe(retentionPeriod);
  expect((await api.listDatabases()).databases[0]?.retentionPeriod).toBe(retentionPeriod);
  await api.updateDatabase('db', { retentionPeriod: retentionPeriod + 2n });
  expect(cluster.state.databases[0]?.retentionPeriod).toBe(retentionPeriod + 2n);
});

test('an update sends the named fields alone', async () => {
  const server = await startOddServer(() => ({
    body: '{"name":"db","maxTables":500,"maxColumnsPerTable":200,"retentionPeriod":0}',
  }));
  await connect(server.url).api.updateDatabase('db', { retentionPeriod: 3_600_000_000_000n });
  expect(server.asked.map(({ line, body }) => [line, body])).toEqual([
    ['PATCH /api/v0/databases/db', '{"retentionPeriod":3600000000000}'],
  ]);
});

test('a wrapped list is a list', async () => {
  const database = { name: 'db', maxTables: 500, maxColumnsPerTable: 200, retentionPeriod: 0 };
  const server = await startOddServer(() => ({ body: { databases: [database] } }));
  expect((await connect(server.url).api.listDatabases()).databases).toEqual([
    { name: 'db', ...LIMITS },
  ]);
});

test.each([undefined, null, 0])('a retention period of %s is infinite', async (retentionPeriod) => {
  const database = { name: 'db', maxTables: 500, maxColumnsPerTable: 200, retentionPeriod };
  const server = await startOddServer(() => ({ body: [database] }));
  expect((await connect(server.url).api.listDatabases()).databases[0]?.retentionPeriod).toBe(0n);
});

test.each(['"30d"', '1.5', '1e30', '{}'])(
  'a retention period of %s is an error, not infinite',
  async (period) => {
    const body = `[{"name":"db","maxTables":1,"maxColumnsPerTable":1,"retentionPeriod":${period}}]`;
    const server = await startOddServer(() => ({ body }));
    await expect(connect(server.url).api.listDatabases()).rejects.toThrow('not as expected');
  },
);

test('a partition template of a kind yet unknown leaves the rest of the list readable', async () => {
  const database = {
    name: 'db',
    maxTables: 500,
    maxColumnsPerTable: 200,
    retentionPeriod: 0,
    partitionTemplate: [{ type: 'hash', value: 'x' }],
  };
  const server = await startOddServer(() => ({ body: [database] }));
  expect((await connect(server.url).api.listDatabases()).databases).toEqual([
    { name: 'db', ...LIMITS },
  ]);
});
