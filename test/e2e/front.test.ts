import { gzipSync } from 'node:zlib';
import { expect, test } from 'vitest';
import { putInFront } from '../../e2e/real/front.ts';
import type { Influxd } from '../../e2e/real/influxd.ts';
import type { Asked } from '../../sandbox/asked.ts';
import { bearer, start } from '../sandbox/cluster/fixture.ts';

/** A cluster in front of a database that only remembers what reaches it. */
async function startInFront() {
  const fixture = await start();
  const reached: Asked[] = [];
  const kept: string[][] = [];
  const database: Influxd = {
    forward(asked) {
      reached.push(asked);
      return Promise.resolve({ status: 204, body: '' });
    },
    keep(databases) {
      kept.push(databases.filter(({ deletedAt }) => !deletedAt).map(({ name }) => name));
      return Promise.resolve();
    },
    query: () => Promise.resolve([]),
    stop() {},
  };
  const writes = putInFront(fixture.cluster, database);
  await fixture.manage('POST', '/databases', { name: 'db' });
  const { accessToken } = await fixture.mint([{ action: 'write', resource: 'db' }]);
  return { ...fixture, reached, kept, writes, accessToken };
}

test('what the gate refuses does not reach the database', async () => {
  const { write, query, fetch, accessToken, reached } = await startInFront();
  expect((await write('/write?db=db', 'm f=1', bearer('unknown'))).status).toBe(401);
  expect((await write('/write?db=other', 'm f=1', bearer(accessToken))).status).toBe(403);
  expect((await query(accessToken, 'db', 'SELECT * FROM m')).status).toBe(401);
  const body = new URLSearchParams({ db: 'db', q: 'SHOW MEASUREMENTS' });
  const form = await fetch('/query', { method: 'POST', headers: bearer(accessToken), body });
  expect(form.status).toBe(401);
  expect(reached).toEqual([]);
});

test('a write that the gate lets through reaches the database as it is', async () => {
  const { fetch, accessToken, reached, writes, cluster } = await startInFront();
  const body = gzipSync('m f=1\nm f=2\n');
  const headers = {
    ...bearer(accessToken),
    'content-encoding': 'gzip',
    'user-agent': 'Telegraf/1.34.4',
  };
  const answer = await fetch('/api/v2/write?bucket=db', { method: 'POST', headers, body });
  expect(answer.status).toBe(204);
  expect(reached.map((asked) => [asked.url, asked.body.equals(body)])).toEqual([
    ['/api/v2/write?bucket=db', true],
  ]);
  expect(writes).toEqual([{ status: 204, lines: 2 }]);
  expect(cluster.state.databases[0]?.tables).toEqual([]);
});

test('the database has the databases of the Management API', async () => {
  const { manage, kept } = await startInFront();
  await manage('POST', '/databases', { name: 'second' });
  await manage('DELETE', '/databases/db');
  expect(kept).toEqual([['db'], ['db', 'second'], ['second']]);
});
