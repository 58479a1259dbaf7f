import { gzipSync } from 'node:zlib';
import { expect, test } from 'vitest';
import { type Answer, type Fixture, START, start } from './fixture.ts';

interface Writer extends Fixture {
  readonly put: (lines: string, parameters?: string) => Promise<Answer>;
  readonly rows: (table: string) => unknown[];
}

async function startWriter(database: object = {}): Promise<Writer> {
  const fixture = await start();
  await fixture.manage('POST', '/databases', { name: 'db', ...database });
  const { accessToken } = await fixture.mint([{ action: 'write', resource: '*' }]);
  const authorization = `Bearer ${accessToken}`;
  return {
    ...fixture,
    put: (lines, parameters = 'bucket=db') =>
      fixture.write(`/api/v2/write?${parameters}`, lines, { authorization }),
    rows: (name) => {
      const tables = fixture.cluster.state.databases.flatMap(({ tables }) => tables);
      return Object.values(tables.find((table) => table.name === name)?.rows ?? {});
    },
  };
}

const NOW = BigInt(START) * 1_000_000n;

test('points are stored with tags and typed fields', async () => {
  const { put, rows, cluster } = await startWriter();
  const line = 'cpu,host=a,zone=eu load=0.5,cores=8i,max=9u,up=t,note="hi" 1767225600000000001\n';
  expect((await put(line)).status).toBe(204);
  expect(rows('cpu')).toEqual([
    {
      time: NOW + 1n,
      values: { host: 'a', zone: 'eu', load: 0.5, cores: 8n, max: 9n, up: true, note: 'hi' },
    },
  ]);
  expect(cluster.state.databases[0]?.tables[0]?.columns).toEqual({
    time: 'timestamp',
    host: 'tag',
    zone: 'tag',
    load: 'float',
    cores: 'integer',
    max: 'unsigned',
    up: 'boolean',
    note: 'string',
  });
});

test('a point without a timestamp gets the virtual time', async () => {
  const { put, rows } = await startWriter();
  await put('cpu load=1');
  expect(rows('cpu')).toEqual([{ time: NOW, values: { load: 1 } }]);
});

test.each([
  ['s', '1767225600'],
  ['ms', '1767225600000'],
  ['us', '1767225600000000'],
  ['ns', '1767225600000000000'],
])('timestamps are read in the precision %s', async (precision, timestamp) => {
  const { put, rows } = await startWriter();
  await put(`cpu load=1 ${timestamp}`, `bucket=db&org=any&precision=${precision}`);
  expect(rows('cpu')).toEqual([{ time: NOW, values: { load: 1 } }]);
});

test('version 1 takes the database by name and retention policy, and precisions of its own', async () => {
  const { cluster, manage, mint, write } = await startWriter();
  await manage('POST', '/databases', { name: 'telegraf/month' });
  const { accessToken } = await mint([{ action: 'write', resource: 'telegraf/month' }]);
  const path = `/write?db=telegraf&rp=month&precision=h&p=${encodeURIComponent(accessToken)}`;
  expect((await write(path, 'cpu load=1 490896')).status).toBe(204);
  const database = cluster.state.databases.find(({ name }) => name === 'telegraf/month');
  expect(Object.values(database?.tables[0]?.rows ?? {})[0]?.time).toBe(NOW);
});

test('a point written twice is one row with the newest fields of both', async () => {
  const { put, rows } = await startWriter();
  const time = 1767225600000000000n;
  await put(`cpu,b=2,a=1 x=1,y=1 ${time}`);
  await put(`cpu,a=1,b=2 y=2 ${time}\ncpu,a=1 y=3 ${time}`);
  expect(rows('cpu')).toEqual([
    { time, values: { a: '1', b: '2', x: 1, y: 2 } },
    { time, values: { a: '1', y: 3 } },
  ]);
});

test('a gzipped body is unzipped, and another encoding refused', async () => {
  const { cluster, mint, rows } = await startWriter();
  const { accessToken } = await mint([{ action: 'write', resource: 'db' }]);
  const send = (encoding: string, body: Uint8Array<ArrayBuffer>) =>
    fetch(`${cluster.url}/api/v2/write?bucket=db`, {
      method: 'POST',
      headers: { authorization: `Bearer ${accessToken}`, 'content-encoding': encoding },
      body,
    });
  expect((await send('gzip', Uint8Array.from(gzipSync('cpu load=1')))).status).toBe(204);
  expect(rows('cpu')).toHaveLength(1);
  expect((await send('gzip', Uint8Array.of(1, 2, 3))).status).toBe(400);
  expect((await send('br', Uint8Array.of(1))).status).toBe(415);
});

test('a missing database is not found, in the shape of the data plane', async () => {
  const { put } = await startWriter();
  const answer = await put('cpu load=1', 'bucket=nowhere');
  expect(answer.status).toBe(404);
  expect(answer.json).toEqual({ code: 'not found', message: expect.stringContaining('nowhere') });
});

test('one bad line refuses the whole body and names the line', async () => {
  const { put, cluster } = await startWriter();
  const answer = await put('cpu load=1\n\ncpu load=\n');
  expect(answer.status).toBe(400);
  expect(answer.json).toEqual({ code: 'invalid', message: expect.stringContaining('line 3') });
  expect(cluster.state.databases[0]?.tables).toEqual([]);
});

test('a column keeps its type', async () => {
  const { put, rows } = await startWriter();
  await put('cpu,host=a load=1');
  for (const line of ['cpu load=1i', 'cpu host="a"', 'cpu,load=a x=1', 'cpu time=1']) {
    const answer = await put(line);
    expect([answer.status, answer.json.code]).toEqual([400, 'invalid']);
  }
  expect(rows('cpu')).toHaveLength(1);
});

test('a table takes no more columns than the limit, time included; wider ones keep working', async () => {
  const { put, manage, rows } = await startWriter({ maxColumnsPerTable: 3 });
  expect((await put('cpu,host=a load=1 1767225600000000000')).status).toBe(204);
  const refused = await put('cpu,host=a load=1,x=1,y=1');
  expect(refused.status).toBe(400);
  expect(refused.json.message).toBe(
    "dml handler error: service limit reached: couldn't create columns in table `cpu`; table contains 3 " +
      'existing columns, applying this write would result in 5 columns, limit is 3',
  );
  await manage('PATCH', '/databases/db', { maxColumnsPerTable: 1 });
  expect((await put('cpu,host=a load=2 1767225600000000001')).status).toBe(204);
  expect(rows('cpu')).toHaveLength(2);
});

test('a database takes no more tables than its limit, and existing ones keep working', async () => {
  const { put, manage, rows } = await startWriter({ maxTables: 2 });
  expect((await put('a x=1\nb x=1')).status).toBe(204);
  const refused = await put('a x=1 1767225600000000001\nc x=1');
  expect(refused.status).toBe(400);
  expect(refused.json.message).toBe(
    "dml handler error: service limit reached: couldn't create new table; namespace contains 2 existing " +
      'tables, applying this write would result in 3 tables, limit is 2',
  );
  expect(rows('a')).toHaveLength(1);
  await manage('PATCH', '/databases/db', { maxTables: 1 });
  expect((await put('a x=1 1767225600000000001')).status).toBe(204);
});

test('a point older than the retention period is refused', async () => {
  const { put } = await startWriter({ retentionPeriod: 3_600_000_000_000 });
  expect((await put(`cpu load=1 ${NOW - 3_600_000_000_000n}`)).status).toBe(204);
  const refused = await put(`cpu load=1 ${NOW - 3_600_000_000_001n}`);
  expect(refused.status).toBe(400);
  expect(refused.json.message).toContain('outside of the retention period');
});

test('the endpoint of Core and Enterprise is not allowed here', async () => {
  const { write } = await startWriter();
  expect((await write('/api/v3/write_lp?db=db', 'cpu load=1')).status).toBe(405);
});
