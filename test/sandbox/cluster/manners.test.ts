import { expect, test } from 'vitest';
import { START, start } from './fixture.ts';

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
