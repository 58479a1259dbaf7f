import { describe, expect, test } from 'vitest';
import { bearer, type Fixture, start } from './fixture.ts';

const READ = { action: 'read', resource: 'db' };
const WRITE = { action: 'write', resource: 'db' };
const NO_OP = 'SELECT * FROM dummy WHERE time > now()';

async function startWithDatabase(): Promise<Fixture> {
  const fixture = await start();
  await fixture.manage('POST', '/databases', { name: 'db' });
  return fixture;
}

const rows = ({ cluster }: Fixture) =>
  cluster.state.databases.flatMap(({ tables }) => tables.flatMap(({ rows }) => Object.keys(rows)));

describe('an empty write proves the permission to write', () => {
  test('and writes nothing', async () => {
    const fixture = await startWithDatabase();
    const { accessToken } = await fixture.mint([WRITE]);
    const answer = await fixture.write('/api/v2/write?bucket=db', '', bearer(accessToken));
    expect([answer.status, answer.text]).toEqual([204, '']);
    expect(rows(fixture)).toEqual([]);
  });

  test('to a database that need not exist', async () => {
    const { write, mint } = await start();
    const { accessToken } = await mint([{ action: 'write', resource: '*' }]);
    const answer = await write('/api/v2/write?bucket=nowhere', '\n', bearer(accessToken));
    expect(answer.status).toBe(204);
  });

  test('and is 403 without the permission, 401 without a valid token', async () => {
    const { write, mint } = await startWithDatabase();
    const { accessToken } = await mint([READ, { action: 'write', resource: 'other' }]);
    const forbidden = await write('/api/v2/write?bucket=db', '', bearer(accessToken));
    expect([forbidden.status, forbidden.json]).toEqual([
      403,
      { code: 'forbidden', message: 'access denied' },
    ]);
    for (const headers of [{}, bearer('apiv1_nonsense')]) {
      const answer = await write('/api/v2/write?bucket=db', '', headers);
      expect([answer.status, answer.json.code]).toEqual([401, 'unauthorized']);
    }
  });

  test('before its body is looked at, and after its parameters', async () => {
    const { write, mint } = await startWithDatabase();
    const { accessToken } = await mint([READ]);
    expect((await write('/api/v2/write?bucket=db', 'nonsense')).status).toBe(401);
    expect((await write('/api/v2/write?bucket=db', '{', bearer(accessToken))).status).toBe(403);
    expect((await write('/api/v2/write', '')).status).toBe(400);
    expect((await write('/api/v2/write?bucket=a%20b', '')).status).toBe(400);
    expect((await write('/api/v2/write?bucket=db&precision=constructor', '')).status).toBe(400);
  });
});

describe('a query', () => {
  test('of a missing measurement succeeds with nothing for a token that may read', async () => {
    const { query, mint } = await startWithDatabase();
    const { accessToken } = await mint([READ]);
    const answer = await query(accessToken, 'db', NO_OP);
    expect([answer.status, answer.json]).toEqual([200, { results: [{ statement_id: 0 }] }]);
  });

  test('is 401 for a token that may not read, as for no valid one', async () => {
    const { query, mint, fetch } = await startWithDatabase();
    const { accessToken } = await mint([WRITE]);
    for (const token of [accessToken, 'apiv1_nonsense']) {
      const answer = await query(token, 'db', NO_OP);
      expect([answer.status, answer.json]).toEqual([401, { error: 'unauthorized access' }]);
    }
    expect((await fetch('/query?db=db&q=SELECT%20*%20FROM%20m')).status).toBe(401);
  });

  test('of a missing database is 200 with an error, once authorised', async () => {
    const { query, mint } = await start();
    const { accessToken } = await mint([READ]);
    const answer = await query(accessToken, 'db', NO_OP);
    expect(answer.status).toBe(200);
    expect(answer.json.results[0].error).toBe('Database db not found');
    expect((await query(accessToken, 'other', NO_OP)).status).toBe(401);
  });

  test('that does not parse is 200 with an error, whoever asks', async () => {
    const { fetch } = await start();
    const answer = await fetch('/query?db=db&q=SELEC');
    expect(answer.status).toBe(200);
    expect(answer.json.results[0].error).toContain('parsing error');
  });
});

describe('a token is taken', () => {
  const basic = (text: string) => ({
    authorization: `Basic ${Buffer.from(text).toString('base64')}`,
  });

  test.each([
    ['Bearer', bearer],
    ['Token', (token: string) => ({ authorization: `Token ${token}` })],
    ['Basic', (token: string) => basic(`any:${token}`)],
    ['Basic without a name', (token: string) => basic(`:${token}`)],
  ])('from the scheme %s', async (_name, headers) => {
    const { fetch, write, mint } = await startWithDatabase();
    const { accessToken } = await mint([READ, WRITE]);
    expect((await write('/write?db=db', '', headers(accessToken))).status).toBe(204);
    expect((await write('/api/v2/write?bucket=db', '', headers(accessToken))).status).toBe(204);
    const options = { headers: headers(accessToken) };
    expect((await fetch('/query?db=db&q=SELECT%20*%20FROM%20m', options)).status).toBe(200);
  });

  test('from the parameter p, by version 1 alone', async () => {
    const { fetch, write, mint } = await startWithDatabase();
    const { accessToken } = await mint([READ, WRITE]);
    const p = `p=${encodeURIComponent(accessToken)}`;
    expect((await write(`/write?db=db&${p}`, '')).status).toBe(204);
    expect((await fetch(`/query?db=db&q=SELECT%20*%20FROM%20m&${p}`)).status).toBe(200);
    expect((await write(`/api/v2/write?bucket=db&${p}`, '')).status).toBe(401);
  });

  test('from no scheme in another spelling', async () => {
    const { write, mint } = await startWithDatabase();
    const { accessToken } = await mint([WRITE]);
    for (const prefix of ['bearer ', 'Bearer  ', 'BEARER ', '']) {
      const headers = { authorization: prefix + accessToken };
      expect((await write('/write?db=db', '', headers)).status).toBe(401);
    }
  });
});

test('the management token can neither read nor write', async () => {
  const { query, write, cluster } = await startWithDatabase();
  const { managementToken } = cluster;
  expect((await query(managementToken, 'db', NO_OP)).status).toBe(401);
  expect((await write('/write?db=db', '', bearer(managementToken))).status).toBe(401);
});

test('/ping and /health ask for no token', async () => {
  const { fetch } = await start();
  expect((await fetch('/ping')).status).toBe(204);
  expect((await fetch('/ping', { method: 'HEAD' })).status).toBe(204);
  expect((await fetch('/health')).status).toBe(200);
});

test('grants bind to names: renaming breaks them, and a recreated name revives them', async () => {
  const { cluster, manage, mint } = await startWithDatabase();
  const { accessToken, id } = await mint([READ]);
  await manage('PUT', '/databases/db/rename', { name: 'renamed' });
  expect(cluster.accepts(accessToken, 'read', 'renamed')).toBe(false);
  await manage('DELETE', '/databases/renamed');
  expect((await manage('GET', `/tokens/${id}`)).json.permissions).toEqual([READ]);
  await manage('POST', '/databases', { name: 'db' });
  expect(cluster.accepts(accessToken, 'read', 'db')).toBe(true);
  expect(cluster.accepts(accessToken, 'write', 'db')).toBe(false);
});
