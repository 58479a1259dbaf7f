import { createHash } from 'node:crypto';
import { expect, test } from 'vitest';
import { START, start } from './fixture.ts';

const READ = { action: 'read', resource: 'db' };
const WRITE = { action: 'write', resource: '*' };

test('a created token shows its string once, and the cluster keeps nothing but its hash', async () => {
  const { manage, cluster } = await start();
  const created = await manage('POST', '/tokens', { description: 'app', permissions: [READ] });
  expect(created.status).toBe(200);
  const { accessToken, ...shown } = created.json;
  expect(accessToken).toMatch(/^apiv1_[A-Za-z0-9+/_-]{86}==$/);
  expect(shown).toEqual({
    id: expect.stringMatching(
      /^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/,
    ),
    description: 'app',
    permissions: [READ],
    createdAt: '2026-01-01T00:00:00.000Z',
  });
  expect((await manage('GET', `/tokens/${shown.id}`)).json).toEqual(shown);
  expect((await manage('GET', '/tokens')).json).toEqual([shown]);
  expect(JSON.stringify(cluster.state)).not.toContain(accessToken);
  const sha512 = createHash('sha512').update(accessToken).digest('hex');
  expect(cluster.state.tokens[0]?.sha512).toBe(sha512);
});

test('permissions are optional, and two tokens may bear one description', async () => {
  const { manage } = await start();
  const first = await manage('POST', '/tokens', { description: '' });
  const second = await manage('POST', '/tokens', { description: '' });
  expect([first.json.permissions, second.json.permissions]).toEqual([[], []]);
  expect(first.json.id).not.toBe(second.json.id);
});

test('an expiry is echoed in whole seconds of UTC, and its absence is an absent key', async () => {
  const { manage } = await start();
  const mint = async (expiresAt?: string) =>
    (await manage('POST', '/tokens', { description: 'x', expiresAt })).json;
  expect((await mint('2026-01-31T00:00:00Z')).expiresAt).toBe('2026-01-31T00:00:00Z');
  expect((await mint('2026-01-31T00:00:00.000Z')).expiresAt).toBe('2026-01-31T00:00:00Z');
  expect((await mint('2026-01-31T02:00:00+02:00')).expiresAt).toBe('2026-01-31T00:00:00Z');
  expect(await mint()).not.toHaveProperty('expiresAt');
});

test.each([
  'tomorrow',
  '2026-01-31',
  '2026-01-31T00:00Z',
  '2026-01-31T00:00:00',
  '2026-02-30T00:00:00Z',
  '2026-01-31T00:00:00.5Z',
  '',
  1767225600,
  null,
])('an expiry of %j is refused', async (expiresAt) => {
  const { manage, cluster } = await start();
  const refused = await manage('POST', '/tokens', { description: 'x', expiresAt });
  expect(refused.status).toBe(400);
  expect(refused.json).toEqual({ code: 400, message: expect.stringContaining('expiresAt') });
  expect(cluster.state.tokens).toEqual([]);
});

test('an update replaces the permissions as a set, and the description alone where only that is sent', async () => {
  const { manage, mint } = await start();
  const { id } = await mint([READ, WRITE]);
  const renamed = await manage('PATCH', `/tokens/${id}`, { description: 'other' });
  expect(renamed.json).toMatchObject({ description: 'other', permissions: [READ, WRITE] });
  const narrowed = await manage('PATCH', `/tokens/${id}`, { permissions: [WRITE] });
  expect(narrowed.json).toMatchObject({ description: 'other', permissions: [WRITE] });
  const emptied = await manage('PATCH', `/tokens/${id}`, { permissions: [] });
  expect(emptied.json.permissions).toEqual([]);
  expect((await manage('GET', `/tokens/${id}`)).json).toEqual(emptied.json);
});

test('an update never changes the expiry', async () => {
  const { manage, mint } = await start();
  const { id } = await mint([], { expiresAt: '2026-02-01T00:00:00Z' });
  const answer = await manage('PATCH', `/tokens/${id}`, { expiresAt: '2027-01-01T00:00:00Z' });
  expect(answer.status).toBe(200);
  expect(answer.json.expiresAt).toBe('2026-02-01T00:00:00Z');
});

test('a deleted token stays listed with the time of its revocation, and is final', async () => {
  const { manage, mint, time } = await start();
  const { id } = await mint([READ]);
  time.now = START + 1_234;
  const deleted = await manage('DELETE', `/tokens/${id}`);
  expect([deleted.status, deleted.text]).toEqual([204, '']);
  const got = await manage('GET', `/tokens/${id}`);
  expect(got.json).toMatchObject({ permissions: [READ], revokedAt: '2026-01-01T00:00:01.234Z' });
  expect((await manage('GET', '/tokens')).json).toEqual([got.json]);
  const again = await manage('DELETE', `/tokens/${id}`);
  expect([again.status, again.json.code]).toEqual([404, 404]);
  expect((await manage('PATCH', `/tokens/${id}`, { description: 'x' })).status).toBe(404);
});

test('an expired token stays listed, without a revocation', async () => {
  const { manage, mint, time } = await start();
  const { id } = await mint([], { expiresAt: '2026-01-01T00:01:00Z' });
  time.now += 3_600_000;
  const [listed] = (await manage('GET', '/tokens')).json;
  expect(listed).toMatchObject({ id, expiresAt: '2026-01-01T00:01:00Z' });
  expect(listed).not.toHaveProperty('revokedAt');
});

test('an action is any string and a resource any database name, existing or not', async () => {
  const { manage } = await start();
  const permissions = [{ action: 'reed', resource: 'nowhere' }, { action: 'write' }, {}];
  const created = await manage('POST', '/tokens', { description: 'typo', permissions });
  expect(created.json.permissions).toEqual(permissions);
});

test('ids and strings follow from the source of randomness that a harness brings', async () => {
  const mintTwo = async () => {
    let count = 0;
    const { mint } = await start({ random: () => `seed ${count++}` });
    return [await mint([]), await mint([])];
  };
  const first = await mintTwo();
  expect(await mintTwo()).toEqual(first);
  expect(new Set(first.map(({ accessToken }) => accessToken)).size).toBe(2);
});
