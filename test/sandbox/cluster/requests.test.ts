import { describe, expect, test } from 'vitest';
import { ACCOUNT_PREFIX, type Fixture, START, start } from './fixture.ts';

const UNKNOWN_ID = '00000000-0000-4000-8000-000000000000';

async function startWithDatabase(): Promise<Fixture> {
  const fixture = await start();
  await fixture.manage('POST', '/databases', { name: 'one' });
  return fixture;
}

describe('a request body is refused with status 400', () => {
  const database = (more: object) => ['POST', '/databases', { name: 'x', ...more }] as const;
  test.each([
    ['malformed JSON', 'POST', '/databases', '{"name":'],
    ['no body', 'POST', '/tokens', undefined],
    ['an array', 'POST', '/databases', '[]'],
    ['null', 'POST', '/databases', 'null'],
    ['a missing name', 'POST', '/databases', {}],
    ['an empty name', 'POST', '/databases', { name: '' }],
    ['a name with a space', 'POST', '/databases', { name: 'a b' }],
    ['a name of another type', 'POST', '/databases', { name: 1 }],
    ['a missing description', 'POST', '/tokens', { permissions: [] }],
    ['permissions that are no array', 'POST', '/tokens', { description: '', permissions: {} }],
    [
      'an action of another type',
      'POST',
      '/tokens',
      { description: '', permissions: [{ action: 1 }] },
    ],
    ['an update without a property', 'PATCH', '/databases/one', {}],
    ['a rename without a name', 'PUT', '/databases/one/rename', {}],
    ['a table without a name', 'POST', '/databases/one/tables', { name: '' }],
    ['no tables', ...database({ maxTables: 0 })],
    ['more than int32 tables', ...database({ maxTables: 2 ** 31 })],
    ['half a table', ...database({ maxTables: 1.5 })],
    ['tables as text', ...database({ maxTables: '5' })],
    ['no columns', ...database({ maxColumnsPerTable: 0 })],
    ['more columns than the cluster allows', ...database({ maxColumnsPerTable: 1_001 })],
    ['a negative retention', ...database({ retentionPeriod: -1 })],
    ['a retention over int64', ...database({ retentionPeriod: 2n ** 63n })],
    ['a retention of null', ...database({ retentionPeriod: null })],
    ['an empty partition template', ...database({ partitionTemplate: [] })],
    [
      'a part given twice',
      ...database({ partitionTemplate: Array(2).fill({ type: 'tag', value: 'a' }) }),
    ],
    ['an unknown kind of part', ...database({ partitionTemplate: [{ type: 'hash', value: 'a' }] })],
    [
      'too many buckets',
      ...database({
        partitionTemplate: [{ type: 'bucket', value: { tagName: 'a', numberOfBuckets: 100_001 } }],
      }),
    ],
  ])('for %s', async (_name, method, path, body) => {
    const { manage, cluster } = await startWithDatabase();
    const before = JSON.stringify([cluster.state.tokens, cluster.state.nextId]);
    const refused = await manage(method, path, body);
    expect(refused.status).toBe(400);
    expect(refused.json).toEqual({ code: 400, message: expect.any(String) });
    expect(JSON.stringify([cluster.state.tokens, cluster.state.nextId])).toBe(before);
  });
});

test('unknown properties are tolerated', async () => {
  const { manage } = await start();
  const body = { description: 'x', expirationType: 'noExpiration' };
  expect((await manage('POST', '/tokens', body)).status).toBe(200);
});

test.each([
  ['GET', `/tokens/${UNKNOWN_ID}`],
  ['PATCH', `/tokens/${UNKNOWN_ID}`],
  ['DELETE', `/tokens/${UNKNOWN_ID}`],
  ['PATCH', '/databases/none'],
  ['DELETE', '/databases/none'],
  ['PUT', '/databases/none/rename'],
  ['PUT', '/databases/999/undelete'],
  ['DELETE', '/databases/one/tables/none'],
  ['PUT', '/databases/one/tables/none/rename'],
  ['PUT', '/databases/one/tables/999/undelete'],
  ['GET', '/databases/one'],
  ['GET', '/nothing'],
  ['GET', `${ACCOUNT_PREFIX}/nothing`],
])('%s %s is not found, in JSON', async (method, path) => {
  const { manage } = await startWithDatabase();
  const body =
    method === 'GET' || method === 'DELETE' ? undefined : { name: 'x', description: 'x' };
  const answer = await manage(method, path, body);
  expect(answer.status).toBe(404);
  expect(answer.json).toEqual({ code: 404, message: expect.any(String) });
});

test.each(['/api/v1/tokens', '/api/v0x/tokens', '/'])(
  '%s is beside the API: the ingress does not find it, in HTML',
  async (path) => {
    const { fetch } = await start();
    const answer = await fetch(path);
    expect(answer.status).toBe(404);
    expect(answer.headers.get('content-type')).toContain('text/html');
  },
);

test.each([
  ['GET', '/tokens/not-a-uuid'],
  ['PUT', '/databases/one/undelete'],
  ['PUT', '/databases/0/undelete'],
  ['DELETE', '/databases/%zz'],
])('%s %s has a malformed path', async (method, path) => {
  const { manage } = await start();
  const answer = await manage(method, path);
  expect([answer.status, answer.json.code]).toEqual([400, 400]);
});

test('only the management token in a Bearer header opens the Management API', async () => {
  const { fetch, cluster, mint } = await start();
  const { accessToken } = await mint([{ action: 'read', resource: '*' }]);
  const tokens = (headers: Record<string, string>) => fetch('/api/v0/tokens', { headers });
  const good = cluster.managementToken;
  expect(good).toMatch(/^M\.V1\.[A-Za-z0-9+/=]{88}$/);
  expect((await tokens({ authorization: `Bearer ${good}` })).status).toBe(200);
  const wrong: Record<string, string>[] = [
    {},
    { authorization: good },
    { authorization: `bearer ${good}` },
    { authorization: `Token ${good}` },
    { authorization: 'Bearer nonsense' },
    { authorization: `Bearer ${accessToken}` },
  ];
  for (const headers of wrong) {
    const answer = await tokens(headers);
    expect(answer.status).toBe(401);
    expect(answer.json).toEqual({ code: 401, message: expect.any(String) });
  }
});

test('the prefix of Cloud Dedicated serves the same cluster and repeats its ids in every object', async () => {
  const { manage } = await start();
  const id = '11111111-1111-1111-1111-111111111111';
  const ids = { accountId: id, clusterId: id };
  const created = await manage('POST', `${ACCOUNT_PREFIX}/databases`, { name: 'a/b' });
  expect(created.json).toMatchObject({ ...ids, name: 'a/b' });
  const patched = await manage('PATCH', `${ACCOUNT_PREFIX}/databases/a%2Fb`, { maxTables: 4 });
  expect(patched.json).toMatchObject({ ...ids, maxTables: 4 });
  await manage('POST', `${ACCOUNT_PREFIX}/tokens`, { description: 'x' });
  expect((await manage('GET', `${ACCOUNT_PREFIX}/tokens`)).json).toMatchObject([ids]);
  expect((await manage('GET', '/databases')).json).toMatchObject([{ name: 'a/b', maxTables: 4 }]);
  expect((await manage('GET', '/databases')).json[0]).not.toHaveProperty('accountId');
});

test.each(['/api/v0/tokens', '/api/v0/nothing', '/ping', '/query', '/elsewhere'])(
  '%s answers with the date of the virtual clock',
  async (path) => {
    const { fetch, time } = await start();
    time.now = START + 90_000;
    expect((await fetch(path)).headers.get('date')).toBe('Thu, 01 Jan 2026 00:01:30 GMT');
  },
);
