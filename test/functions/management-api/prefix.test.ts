import { expect, test } from 'vitest';
import { accountPrefix } from '../../../functions/management-api/prefix.ts';
import { connect, connectToCluster } from './connect.ts';
import { type OddAnswer, startOddServer } from './odd-server.ts';

const ID = '11111111-1111-1111-1111-111111111111';
const PREFIXED = `/api/v0/accounts/${ID}/clusters/${ID}`;
const TOKEN = {
  id: '99999999-9999-4999-8999-999999999999',
  description: '',
  permissions: [],
  createdAt: '2023-12-21T17:32:28Z',
};

const serve = (prefix: string) => (url: string | undefined) => {
  if (url === `${prefix}/databases`) return { body: [] };
  if (url?.startsWith(`${prefix}/tokens`)) return { body: TOKEN };
  return { status: 404, body: '<html>404 Not Found</html>' };
};

async function connectDetecting(answering: (url: string | undefined, index: number) => OddAnswer) {
  const server = await startOddServer(({ url }, index) => answering(url, index));
  return { server, ...connect(server.url, { prefix: undefined }) };
}

test("the specification's paths are tried first and remembered", async () => {
  const { server, api } = await connectDetecting(serve('/api/v0'));
  await Promise.all([api.getToken('1'), api.getToken('2')]);
  await api.updateToken('3', { description: '' });
  expect(server.lines().toSorted()).toEqual([
    'GET /api/v0/databases',
    'GET /api/v0/tokens/1',
    'GET /api/v0/tokens/2',
    'PATCH /api/v0/tokens/3',
  ]);
});

test("the paths of InfluxData's own clients are found where the others are not", async () => {
  const { server, api } = await connectDetecting(serve(PREFIXED));
  await api.updateToken('3', { description: '' });
  expect(server.lines()).toEqual([
    'GET /api/v0/databases',
    `GET ${PREFIXED}/databases`,
    `PATCH ${PREFIXED}/tokens/3`,
  ]);
});

test('a failure is not remembered', async () => {
  const { api } = await connectDetecting((url, index) =>
    index === 0 ? { status: 401, body: { code: 401, message: 'no' } } : serve('/api/v0')(url),
  );
  await expect(api.getToken('1')).rejects.toMatchObject({ status: 401 });
  expect(await api.getToken('1')).toBeDefined();
});

test('nobody waits for an attempt of a run that ended', async () => {
  const { server } = await connectDetecting((url, index) =>
    index === 0 ? { status: 503 } : serve('/api/v0')(url),
  );
  const { api } = connect(server.url, { prefix: undefined, sleep: () => new Promise(() => {}) });
  api.getToken('1');
  await expect.poll(() => server.lines()).toHaveLength(1);
  await api.disconnect();
  expect(await api.getToken('2')).toBeDefined();
});

test.each([
  ['a proxy', '<html>404 Not Found</html>'],
  ['the API', { code: 404, message: 'not found' }],
])('where %s says 404 to both, a token is not taken for gone', async (_who, body) => {
  const { api } = await connectDetecting(() => ({ status: 404, body }));
  for (const call of [api.getToken('1'), api.deleteToken('1')]) {
    await expect(call).rejects.toThrow(
      `the Management API is neither at /api/v0 nor at ${PREFIXED}`,
    );
  }
});

test('nothing but reading is done before the prefix is known', async () => {
  const { server, api } = await connectDetecting(() => ({ status: 503 }));
  await expect(api.createToken({ description: '', permissions: [] })).rejects.toThrow('503');
  await expect(api.deleteToken('1')).rejects.toThrow('503');
  expect(new Set(server.lines())).toEqual(new Set(['GET /api/v0/databases', 'GET /api/v0/tokens']));
});

test.each(['/api/v0', PREFIXED])(
  'while the databases cannot be listed, the paths are found by the tokens: %s',
  async (prefix) => {
    const { api } = await connectDetecting((url) => {
      if (url === '/api/v0/databases') return { status: 503 };
      return url === `${prefix}/tokens` ? { body: [] } : serve(prefix)(url);
    });
    expect(await api.getToken('1')).toBeDefined();
  },
);

test('a path in the address stands before all others', async () => {
  const server = await startOddServer(() => ({ body: TOKEN }));
  await connect(`${server.url}/influx/`).api.getToken('1');
  expect(server.lines()).toEqual(['GET /influx/api/v0/tokens/1']);
});

test('Cloud Dedicated works below its account and cluster', async () => {
  const other = '22222222-1111-4111-8111-111111111111';
  const { cluster, api } = await connectToCluster({}, { prefix: accountPrefix(other, other) });
  const { token } = await api.createToken({ description: 'a', permissions: [] });
  expect(await api.getToken(token.id)).toEqual(token);
  expect(cluster.state.tokens).toHaveLength(1);
  expect(accountPrefix('a/b', 'c')).toBe('/api/v0/accounts/a%2Fb/clusters/c');
});
