import { expect, test } from 'vitest';
import { connect, connectToCluster } from './connect.ts';
import { startOddServer } from './odd-server.ts';

const READ = { action: 'read', resource: 'telegraf/autogen' } as const;
const UNKNOWN_ID = '99999999-9999-4999-8999-999999999999';
const DATE = { date: 'Sat, 31 Jan 2026 00:00:00 GMT' };

const wire = (fields: object) => ({
  id: UNKNOWN_ID,
  description: 'somebody',
  permissions: [],
  createdAt: '2023-12-21T17:32:28.123456789Z',
  ...fields,
});

test('a token is minted inert, armed, listed and revoked', async () => {
  const { cluster, api } = await connectToCluster();
  const expiresAt = Date.UTC(2099, 0, 31, 0, 0, 0, 750);

  const { token, value } = await api.createToken({ description: 'a', permissions: [], expiresAt });
  expect(token).toEqual({
    id: expect.any(String),
    description: 'a',
    permissions: [],
    createdAt: expect.any(Number),
    expiresAt: Date.UTC(2099, 0, 31),
  });
  expect(cluster.accepts(value.reveal(), 'read', READ.resource)).toBe(false);

  const armed = await api.updateToken(token.id, { description: 'b', permissions: [READ] });
  expect(armed).toEqual({ ...token, description: 'b', permissions: [READ] });
  expect(cluster.accepts(value.reveal(), 'read', READ.resource)).toBe(true);
  expect((await api.listTokens()).tokens).toEqual([armed]);

  await api.deleteToken(token.id);
  expect(cluster.accepts(value.reveal(), 'read', READ.resource)).toBe(false);
  expect(await api.getToken(token.id)).toEqual({ ...armed, revokedAt: expect.any(Number) });
});

test('a token without expiry is minted without the field, and has none', async () => {
  const server = await startOddServer(() => ({
    body: wire({ accessToken: `apiv1_${'5'.repeat(64)}` }),
  }));
  const { api } = connect(server.url);
  const { token } = await api.createToken({ description: 'a', permissions: [READ] });
  expect(JSON.parse(server.asked[0]?.body ?? '')).toEqual({
    description: 'a',
    permissions: [READ],
  });
  expect('expiresAt' in token).toBe(false);
});

test('a token that a listing shows twice is one, as it is shown last', async () => {
  const other = wire({ id: '11111111-1111-4111-8111-111111111111' });
  const server = await startOddServer(() => ({
    body: [wire({}), other, wire({ description: 'changed' })],
  }));
  const { tokens } = await connect(server.url).api.listTokens();
  expect(tokens.map(({ description }) => description)).toEqual(['changed', 'somebody']);
});

test('expiry is sent as whole seconds of UTC', async () => {
  const server = await startOddServer(() => ({
    body: wire({ accessToken: `apiv1_${'5'.repeat(64)}` }),
  }));
  const { api } = connect(server.url);
  const expiresAt = Date.UTC(2026, 0, 31, 0, 0, 0, 999);
  await api.createToken({ description: 'a', permissions: [], expiresAt });
  expect(JSON.parse(server.asked[0]?.body ?? '').expiresAt).toBe('2026-01-31T00:00:00Z');
});

test.each([undefined, null, '1970-01-01T00:00:00Z', '0001-01-01T00:00:00Z'])(
  'an expiry or revocation of %s means never',
  async (never) => {
    const server = await startOddServer(() => ({
      body: [wire({ expiresAt: never, revokedAt: never })],
      headers: DATE,
    }));
    const { tokens } = await connect(server.url).api.listTokens();
    expect(tokens[0]).not.toHaveProperty('expiresAt');
    expect(tokens[0]).not.toHaveProperty('revokedAt');
  },
);

test.each(['soon', '', 0, '2026-01-31', '2026-01-31T00:00:00', '2026-13-31T00:00:00Z'])(
  'an expiry of %j is an error, not never',
  async (expiresAt) => {
    const server = await startOddServer(() => ({
      body: [wire({}), wire({ expiresAt })],
      headers: DATE,
    }));
    await expect(connect(server.url).api.listTokens()).rejects.toThrow(
      /^GET \/api\/v0\/tokens answered 200 OK, but its body is not as expected at \[1\]\.expiresAt/,
    );
  },
);

test.each([null, {}, []])('permissions of %j are none', async (permissions) => {
  const server = await startOddServer(() => ({ body: wire({ permissions }) }));
  expect((await connect(server.url).api.getToken(UNKNOWN_ID))?.permissions).toEqual([]);
});

test.each([undefined, { read: 'all' }, 'all', [null], [{ action: 1 }]])(
  'permissions of %j are an error, not none',
  async (permissions) => {
    const server = await startOddServer(() => ({ body: wire({ permissions }) }));
    await expect(connect(server.url).api.getToken(UNKNOWN_ID)).rejects.toThrow('permissions');
  },
);

test('fields that nobody asked for are left out, and a missing half of a permission is empty', async () => {
  const odd = wire({ accountId: 'x', permissions: [{ id: '1', ...READ }, { action: 'read' }] });
  const server = await startOddServer(() => ({ body: odd }));
  expect(await connect(server.url).api.getToken(UNKNOWN_ID)).toEqual({
    id: UNKNOWN_ID,
    description: 'somebody',
    permissions: [READ, { action: 'read', resource: '' }],
    createdAt: Date.parse('2023-12-21T17:32:28.123Z'),
  });
});

test('a listing tells the time of the server', async () => {
  const server = await startOddServer(() => ({ body: [], headers: DATE }));
  expect(await connect(server.url).api.listTokens()).toEqual({
    tokens: [],
    at: Date.UTC(2026, 0, 31),
  });
});

test('a listing without a readable time is an error', async () => {
  const server = await startOddServer(() => ({ body: [], headers: { date: 'today' } }));
  await expect(connect(server.url).api.listTokens()).rejects.toThrow('Date');
});

test('a listing of twenty thousand tokens arrives whole', async () => {
  const list = Array.from({ length: 20_000 }, (_, index) =>
    wire({ id: String(index), description: `token ${index}` }),
  );
  const server = await startOddServer(() => ({ body: list, headers: DATE }));
  const { tokens } = await connect(server.url).api.listTokens();
  expect(tokens).toHaveLength(20_000);
  expect(tokens.at(-1)?.description).toBe('token 19999');
});
