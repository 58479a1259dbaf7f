import { expect, test } from 'vitest';
import { bearer, START, start } from './fixture.ts';

const READ = { action: 'read', resource: 'db' };
const WRITE = { action: 'write', resource: 'db' };

test('a new token is unknown to the data plane until the activation delay is over', async () => {
  const { cluster, time, mint, write, manage } = await start({ activationDelayMs: 60_000 });
  const { accessToken, id } = await mint([WRITE]);
  expect((await manage('GET', `/tokens/${id}`)).json.permissions).toEqual([WRITE]);
  time.now = START + 59_999;
  expect((await write('/write?db=db', '', bearer(accessToken))).status).toBe(401);
  expect(cluster.accepts(accessToken, 'write', 'db')).toBe(false);
  time.now = START + 60_000;
  expect((await write('/write?db=db', '', bearer(accessToken))).status).toBe(204);
  expect(cluster.accepts(accessToken, 'write', 'db')).toBe(true);
});

test('added permissions work after the activation delay, those that stay work throughout', async () => {
  const { cluster, time, mint, write, manage } = await start({ activationDelayMs: 60_000 });
  const { accessToken, id } = await mint([READ]);
  time.now = START + 100_000;
  await manage('PATCH', `/tokens/${id}`, { permissions: [WRITE, READ] });
  expect(cluster.accepts(accessToken, 'read', 'db')).toBe(true);
  time.now = START + 159_999;
  expect((await write('/write?db=db', '', bearer(accessToken))).status).toBe(403);
  time.now = START + 160_000;
  expect((await write('/write?db=db', '', bearer(accessToken))).status).toBe(204);
});

test('permissions taken away work until the revocation delay is over', async () => {
  const { cluster, time, mint, manage } = await start({ revocationDelayMs: 60_000 });
  const { accessToken, id } = await mint([READ, WRITE]);
  await manage('PATCH', `/tokens/${id}`, { permissions: [READ] });
  time.now = START + 59_999;
  expect(cluster.accepts(accessToken, 'write', 'db')).toBe(true);
  time.now = START + 60_000;
  expect(cluster.accepts(accessToken, 'write', 'db')).toBe(false);
  expect(cluster.accepts(accessToken, 'read', 'db')).toBe(true);
});

test('a permission taken away before it became effective never works', async () => {
  const { cluster, time, mint, manage } = await start({ activationDelayMs: 60_000 });
  const { accessToken, id } = await mint([WRITE]);
  time.now += 1_000;
  await manage('PATCH', `/tokens/${id}`, { permissions: [] });
  time.now += 120_000;
  expect(cluster.accepts(accessToken, 'write', 'db')).toBe(false);
});

test('a permission given back works again, with the same string', async () => {
  const { cluster, time, mint, manage } = await start({
    activationDelayMs: 10_000,
    revocationDelayMs: 10_000,
  });
  const { accessToken, id } = await mint([READ]);
  time.now += 20_000;
  await manage('PATCH', `/tokens/${id}`, { permissions: [] });
  time.now += 20_000;
  expect(cluster.accepts(accessToken, 'read', 'db')).toBe(false);
  await manage('PATCH', `/tokens/${id}`, { permissions: [READ] });
  expect(cluster.accepts(accessToken, 'read', 'db')).toBe(false);
  time.now += 10_000;
  expect(cluster.accepts(accessToken, 'read', 'db')).toBe(true);
});

test('a deleted token works until the revocation delay is over, then it is unknown', async () => {
  const { time, mint, manage, query } = await start({ revocationDelayMs: 5_000 });
  await manage('POST', '/databases', { name: 'db' });
  const { accessToken, id } = await mint([READ]);
  await manage('DELETE', `/tokens/${id}`);
  time.now = START + 4_999;
  expect((await query(accessToken, 'db', 'SELECT * FROM m')).status).toBe(200);
  time.now = START + 5_000;
  expect((await query(accessToken, 'db', 'SELECT * FROM m')).status).toBe(401);
});

test('a token expires at its second, and the data plane notices after the revocation delay', async () => {
  const { cluster, time, mint, write } = await start();
  const { accessToken } = await mint([WRITE], { expiresAt: '2026-01-01T00:01:00Z' });
  time.now = START + 59_999;
  expect(cluster.accepts(accessToken, 'write', 'db')).toBe(true);
  time.now = START + 60_000;
  expect(cluster.accepts(accessToken, 'write', 'db')).toBe(false);
  expect((await write('/write?db=db', '', bearer(accessToken))).status).toBe(401);
  cluster.revocationDelayMs = 30_000;
  expect(cluster.accepts(accessToken, 'write', 'db')).toBe(true);
  time.now = START + 90_000;
  expect(cluster.accepts(accessToken, 'write', 'db')).toBe(false);
});

test('the delays may change while the cluster runs', async () => {
  const { cluster, mint } = await start();
  const { accessToken: before } = await mint([READ]);
  cluster.activationDelayMs = 1_000;
  const { accessToken: after } = await mint([READ]);
  expect(cluster.accepts(before, 'read', 'db')).toBe(true);
  expect(cluster.accepts(after, 'read', 'db')).toBe(false);
});
