import { expect, test } from 'vitest';
import { ACCOUNT_PREFIX, bearer, START, start } from './fixture.ts';

const WRITE = { action: 'write', resource: 'db' };

test('reads lag behind writes by as much as they are told to', async () => {
  const { cluster, time, mint, manage } = await start({ manners: { lagMs: 60_000 } });
  const { id } = await mint([WRITE]);
  const described = async () => (await manage('GET', `/tokens/${id}`)).json.description;
  expect((await manage('GET', `/tokens/${id}`)).status).toBe(404);
  expect((await manage('GET', '/tokens')).json).toEqual([]);
  time.now = START + 30_000;
  expect((await manage('PATCH', `/tokens/${id}`, { description: 'new' })).status).toBe(200);
  time.now = START + 60_000;
  expect(await described()).not.toBe('new');
  time.now = START + 90_000;
  expect(await described()).toBe('new');
  await manage('DELETE', `/tokens/${id}`);
  expect((await manage('GET', `/tokens/${id}`)).json.revokedAt).toBeUndefined();
  cluster.manners = {};
  expect((await manage('GET', `/tokens/${id}`)).json.revokedAt).toEqual(expect.any(String));
});

test('a server that hides revoked and expired tokens shows and finds none of them', async () => {
  const manners = { hidesRevoked: true, hidesExpired: true };
  const { time, mint, manage } = await start({ manners });
  const revoked = await mint([WRITE]);
  const expired = await mint([WRITE], {
    expiresAt: new Date(START + 60_000).toISOString().replace('.000', ''),
  });
  const live = await mint([WRITE]);
  await manage('DELETE', `/tokens/${revoked.id}`);
  time.now = START + 60_000;
  const { json } = await manage('GET', '/tokens');
  expect(json.map(({ id }: { id: string }) => id)).toEqual([live.id]);
  for (const { id } of [revoked, expired]) {
    expect((await manage('GET', `/tokens/${id}`)).status).toBe(404);
  }
});

test('a listing may omit expired tokens that are shown by id', async () => {
  const { time, mint, manage } = await start({ manners: { hidesExpired: 'from listings' } });
  const { id } = await mint([WRITE], {
    expiresAt: new Date(START + 60_000).toISOString().replace('.000', ''),
  });
  expect((await manage('GET', '/tokens')).json).toHaveLength(1);
  time.now = START + 60_000;
  expect((await manage('GET', '/tokens')).json).toEqual([]);
  expect((await manage('GET', `/tokens/${id}`)).status).toBe(200);
});

test('a listing may be cut, without a word', async () => {
  const { mint, manage } = await start({ manners: { longestListing: 2 } });
  const minted = [await mint([WRITE]), await mint([WRITE]), await mint([WRITE])];
  expect((await manage('GET', '/tokens')).json).toHaveLength(2);
  expect((await manage('GET', `/tokens/${minted[2]?.id}`)).status).toBe(200);
});

test('a description that is too long is refused, and changes nothing', async () => {
  const { cluster, mint, manage } = await start({ manners: { longestDescription: 20 } });
  const { id } = await mint([WRITE]);
  const change = { description: 'x'.repeat(21), permissions: [] };
  expect((await manage('PATCH', `/tokens/${id}`, change)).status).toBe(400);
  expect(cluster.state.tokens[0]?.permissions).toEqual([WRITE]);
  expect(
    (await manage('POST', '/tokens', { description: 'x'.repeat(21), permissions: [] })).status,
  ).toBe(400);
  expect(cluster.state.tokens).toHaveLength(1);
});

test.each([
  ['description', { description: 'new', permissions: [WRITE] }],
  ['permissions', { description: expect.not.stringMatching('new'), permissions: [] }],
] as const)('a PATCH that is not atomic may store the %s alone', async (half, left) => {
  const { cluster, mint, manage } = await start({ manners: { patchesOnly: half } });
  const { id } = await mint([WRITE]);
  const change = { description: 'new', permissions: [] };
  expect((await manage('PATCH', `/tokens/${id}`, change)).status).toBe(500);
  expect(cluster.state.tokens[0]).toMatchObject(left);
  expect((await manage('PATCH', `/tokens/${id}`, { description: 'newer' })).status).toBe(200);
});

test('a management token that has expired is none', async () => {
  const manners = { managementTokenExpiresAt: START + 60_000 };
  const { time, manage } = await start({ manners });
  expect((await manage('GET', '/tokens')).status).toBe(200);
  time.now = START + 60_000;
  for (const path of ['/tokens', '/databases']) {
    expect(await manage('GET', path)).toMatchObject({ status: 401, json: { code: 401 } });
  }
});

test('a management token may be forbidden an operation, which changes nothing', async () => {
  const { cluster, mint, manage } = await start({ manners: { forbids: ['DELETE /tokens/{id}'] } });
  const { id } = await mint([WRITE]);
  expect(await manage('DELETE', `/tokens/${id}`)).toMatchObject({
    ...{ status: 403, json: { code: 403 } },
  });
  expect(cluster.state.tokens[0]?.revokedAt).toBeUndefined();
  expect((await manage('PATCH', `/tokens/${id}`, { description: 'new' })).status).toBe(200);
});

test.each([
  ['/api/v0', [200, 404]],
  ['/api/v0/accounts', [404, 200]],
] as const)('a server may serve the paths %s alone', async (serves, expected) => {
  const { manage, fetch } = await start({ manners: { serves } });
  const asked = [manage('GET', '/tokens'), manage('GET', `${ACCOUNT_PREFIX}/tokens`)];
  expect((await Promise.all(asked)).map(({ status }) => status)).toEqual(expected);
  expect((await fetch('/health')).status).toBe(200);
});

test('requests above a limit are refused, without an effect, until a second has passed', async () => {
  const { cluster, time, mint, manage, write } = await start({ manners: { requestsPerSecond: 2 } });
  const { accessToken } = await mint([WRITE]);
  await mint([WRITE]);
  const refused = await manage('POST', '/tokens', { description: 'third', permissions: [] });
  expect(refused).toMatchObject({ status: 429, json: { code: 429 } });
  expect(refused.headers.get('retry-after')).toBe('1');
  expect(cluster.state.tokens).toHaveLength(2);
  // Consumers are not counted.
  const written = await write('/api/v2/write?bucket=db', 'm f=1', bearer(accessToken));
  expect(written.status).not.toBe(429);
  time.now = START + 500;
  expect((await manage('GET', '/tokens')).status).toBe(200);
  expect((await manage('GET', '/tokens')).status).toBe(429);
});
