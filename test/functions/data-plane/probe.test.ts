import { expect, test } from 'vitest';
import { connectToCluster } from '../management-api/connect.ts';
import { type OddAnswer, startOddServer } from '../management-api/odd-server.ts';
import { connectDataPlane, VALUE } from './connect-data-plane.ts';

const READ = { action: 'read', database: 'db' } as const;
const WRITE = { action: 'write', database: 'db' } as const;

async function answered(answer: OddAnswer | 'reset') {
  const server = await startOddServer(() => answer);
  return connectDataPlane(server.url);
}

test.each([
  [204, undefined, 'accepted'],
  [400, { code: 'invalid', message: 'incoming write was empty' }, 'accepted'],
  [400, { code: 'invalid', message: 'bucket name is too long' }, 'indeterminate'],
  [200, '<html>Welcome</html>', 'indeterminate'],
  [302, undefined, 'indeterminate'],
  [401, { code: 'unauthorized', message: 'unauthorized access' }, 'refused'],
  [401, undefined, 'refused'],
  [401, 'Unauthorized', 'indeterminate'],
  [403, '<html>Forbidden</html>', 'indeterminate'],
  [404, '<html>Not Found</html>', 'indeterminate'],
  [404, '<html>database not found</html>', 'indeterminate'],
  [404, { code: 'not found', message: 'page not found' }, 'indeterminate'],
  [404, { code: 'not found', message: 'bucket "db" not found' }, 'accepted'],
  [404, { code: 'not found', message: 'namespace db does not exist' }, 'accepted'],
  [429, undefined, 'indeterminate'],
  [500, undefined, 'indeterminate'],
  [503, undefined, 'indeterminate'],
] as const)('a write answered %i with %j is %s', async (status, body, expected) => {
  expect(await (await answered({ status, body })).probe(VALUE, WRITE)).toBe(expected);
});

test.each([
  [200, { results: [{ statement_id: 0 }] }, 'accepted'],
  [200, { results: [{ statement_id: 0, series: [] }] }, 'accepted'],
  [200, { results: [{ statement_id: 0, error: 'Database "db" not found' }] }, 'accepted'],
  [200, { error: 'database not found: db' }, 'accepted'],
  [200, { results: [{ statement_id: 0, error: 'authz is away' }] }, 'indeterminate'],
  [200, { results: [{}, { error: 'authz is away' }] }, 'indeterminate'],
  [200, { error: 'error parsing query' }, 'indeterminate'],
  [200, {}, 'indeterminate'],
  [200, 'null', 'indeterminate'],
  [200, '<html>Welcome</html>', 'indeterminate'],
  [401, { error: 'unauthorized access' }, 'refused'],
  [403, { error: 'forbidden' }, 'refused'],
  [403, ' ', 'refused'],
  [403, 'null', 'indeterminate'],
  [401, '<html>Log in</html>', 'indeterminate'],
  [400, { error: 'incoming query was empty' }, 'indeterminate'],
  [404, '<html>Not Found</html>', 'indeterminate'],
  [404, { error: 'database not found: db' }, 'accepted'],
  [503, undefined, 'indeterminate'],
] as const)('a query answered %i with %j is %s', async (status, body, expected) => {
  expect(await (await answered({ status, body })).probe(VALUE, READ)).toBe(expected);
});

test('no answer proves nothing', async () => {
  expect(await (await answered('reset')).probe(VALUE, WRITE)).toBe('indeterminate');
  const nobody = connectDataPlane('http://127.0.0.1:1');
  expect(await nobody.probe(VALUE, READ)).toBe('indeterminate');
});

test('every probe opens a connection of its own and names the database exactly', async () => {
  const server = await startOddServer(() => ({ status: 204 }));
  const dataPlane = connectDataPlane(server.url);
  await dataPlane.probe(VALUE, { action: 'write', database: 'telegraf/autogen & ümlaut' });
  await dataPlane.probe(VALUE, { action: 'read', database: 'telegraf/autogen & ümlaut' });
  const [write, read] = server.asked.map(
    ({ line }) => new URL(line.split(' ')[1] ?? '', server.url),
  );
  expect(write?.pathname).toBe('/api/v2/write');
  expect(Object.fromEntries(write?.searchParams ?? [])).toEqual({
    bucket: 'telegraf/autogen & ümlaut',
  });
  expect(read?.pathname).toBe('/query');
  expect(Object.fromEntries(read?.searchParams ?? [])).toEqual({
    db: 'telegraf/autogen & ümlaut',
    q: 'SELECT * FROM dummy WHERE time > now()',
  });
  expect(server.asked.map(({ body, headers }) => [body, headers.connection])).toEqual([
    ['', 'close'],
    ['', 'close'],
  ]);
  expect(server.asked[0]?.headers).toMatchObject({
    authorization: `Bearer ${VALUE.reveal()}`,
    'content-length': '0',
  });
  expect(server.connections()).toBe(2);
});

test('a token of a cluster is told by what it may do, and changes nothing', async () => {
  const { cluster, api } = await connectToCluster();
  await api.createDatabase({ name: 'db' });
  const permissions = [{ action: 'read', resource: 'db' }];
  const { value } = await api.createToken({ description: '', permissions });
  const dataPlane = connectDataPlane(cluster.url);
  const before = cluster.snapshot();
  expect(await dataPlane.probe(value, READ)).toBe('accepted');
  expect(await dataPlane.probe(value, WRITE)).toBe('refused');
  expect(await dataPlane.probe(value, { ...READ, database: 'other' })).toBe('refused');
  expect(await dataPlane.probe(VALUE, READ)).toBe('refused');
  expect({ ...cluster.snapshot(), calls: {} }).toEqual({ ...before, calls: {} });
});

test('a token that may do anything is accepted on a database that does not exist', async () => {
  const { cluster, api } = await connectToCluster();
  const permissions = ['read', 'write'].map((action) => ({ action, resource: '*' }));
  const { value } = await api.createToken({ description: '', permissions });
  const dataPlane = connectDataPlane(cluster.url);
  expect(await dataPlane.probe(value, { action: 'read', database: 'keyturn' })).toBe('accepted');
  expect(await dataPlane.probe(value, { action: 'write', database: 'keyturn' })).toBe('accepted');
});
