import { expect, test } from 'vitest';
import { start } from './fixture.ts';

const DAY_MS = 86_400_000;

test('a created database is answered with status 200 and the default limits', async () => {
  const { manage } = await start();
  const created = await manage('POST', '/databases', { name: 'one' });
  expect(created.status).toBe(200);
  const defaults = { name: 'one', maxTables: 500, maxColumnsPerTable: 200, retentionPeriod: 0 };
  expect(created.json).toEqual(defaults);
  expect((await manage('GET', '/databases')).json).toEqual([defaults]);
});

test('a partition template is kept, and updates leave it out of their answer', async () => {
  const { manage } = await start();
  const partitionTemplate = [
    { type: 'time', value: '%Y' },
    { type: 'tag', value: 'room' },
    { type: 'bucket', value: { tagName: 'host', numberOfBuckets: 10 } },
  ];
  await manage('POST', '/databases', { name: 'one', partitionTemplate });
  expect((await manage('GET', '/databases')).json[0].partitionTemplate).toEqual(partitionTemplate);
  const updated = await manage('PATCH', '/databases/one', { maxTables: 9 });
  expect(updated.json).toEqual({
    name: 'one',
    maxTables: 9,
    maxColumnsPerTable: 200,
    retentionPeriod: 0,
  });
});

test('an int64 retention period survives creation, update and listing digit by digit', async () => {
  const { manage, cluster } = await start();
  await manage('POST', '/databases', '{"name":"one","retentionPeriod":9007199254740993}');
  expect((await manage('GET', '/databases')).text).toContain('"retentionPeriod":9007199254740993');
  const updated = await manage('PATCH', '/databases/one', { retentionPeriod: 2n ** 63n - 1n });
  expect(updated.text).toContain('"retentionPeriod":9223372036854775807');
  expect(cluster.state.databases[0]?.retentionPeriod).toBe(9223372036854775807n);
});

test('the server takes a retention of ten minutes: a floor is the policy of whoever asks', async () => {
  const { manage } = await start();
  const body = { name: 'short', retentionPeriod: 600_000_000_000 };
  expect((await manage('POST', '/databases', body)).status).toBe(200);
});

test('names may hold slashes and letters of any script, percent-encoded in paths', async () => {
  const { manage } = await start();
  for (const name of ['telegraf/autogen', 'Größe_1-2', 'температура']) {
    expect((await manage('POST', '/databases', { name })).status).toBe(200);
    const path = `/databases/${encodeURIComponent(name)}`;
    expect((await manage('PATCH', path, { maxTables: 7 })).json.name).toBe(name);
    expect((await manage('DELETE', path)).status).toBe(204);
  }
});

test('a name is limited to 64 bytes, not characters', async () => {
  const { manage } = await start();
  expect((await manage('POST', '/databases', { name: 'a'.repeat(64) })).status).toBe(200);
  expect((await manage('POST', '/databases', { name: 'a'.repeat(65) })).status).toBe(400);
  expect((await manage('POST', '/databases', { name: 'é'.repeat(32) })).status).toBe(200);
  expect((await manage('POST', '/databases', { name: 'é'.repeat(33) })).status).toBe(400);
});

test('a taken name is a conflict for creating and for renaming', async () => {
  const { manage } = await start();
  await manage('POST', '/databases', { name: 'one' });
  await manage('POST', '/databases', { name: 'two' });
  const conflict = await manage('POST', '/databases', { name: 'one' });
  expect(conflict.status).toBe(409);
  expect(conflict.json).toEqual({ code: 409, message: expect.stringContaining('already exists') });
  expect((await manage('PUT', '/databases/two/rename', { name: 'one' })).status).toBe(409);
});

test('renaming keeps the data and answers with the id that the listing does not show', async () => {
  const { manage, cluster } = await start();
  await manage('POST', '/databases', { name: 'one', maxTables: 3 });
  await manage('POST', '/databases/one/tables', { name: 'cpu' });
  const renamed = await manage('PUT', '/databases/one/rename', { name: 'new/name' });
  expect(renamed.json).toEqual({
    id: cluster.state.databases[0]?.id,
    name: 'new/name',
    maxTables: 3,
    maxColumnsPerTable: 200,
    retentionPeriod: 0,
  });
  expect((await manage('PATCH', '/databases/one', { maxTables: 1 })).status).toBe(404);
  expect(cluster.state.databases[0]?.tables.map(({ name }) => name)).toEqual(['cpu']);
});

test('a deleted database vanishes from the listing, frees its name, and can be undeleted by id', async () => {
  const { manage, cluster } = await start();
  await manage('POST', '/databases', { name: 'one', maxTables: 3 });
  const id = cluster.state.databases[0]?.id;
  const deleted = await manage('DELETE', '/databases/one');
  expect([deleted.status, deleted.text]).toEqual([204, '']);
  expect((await manage('GET', '/databases')).json).toEqual([]);
  expect((await manage('DELETE', '/databases/one')).status).toBe(404);

  await manage('POST', '/databases', { name: 'one' });
  expect((await manage('PUT', `/databases/${id}/undelete`)).status).toBe(400);
  await manage('PUT', '/databases/one/rename', { name: 'other' });
  const restored = await manage('PUT', `/databases/${id}/undelete`);
  expect(restored.json).toMatchObject({ id, name: 'one', maxTables: 3 });
  expect((await manage('PUT', `/databases/${id}/undelete`)).status).toBe(404);
});

test('a database cannot be undeleted after its recovery window', async () => {
  const { manage, cluster, time } = await start();
  await manage('POST', '/databases', { name: 'one' });
  const id = cluster.state.databases[0]?.id;
  await manage('DELETE', '/databases/one');
  time.now += 14 * DAY_MS;
  expect((await manage('PUT', `/databases/${id}/undelete`)).status).toBe(404);
});
