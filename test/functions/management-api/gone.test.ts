import { expect, test } from 'vitest';
import type { Interceptor, Reply } from '../../../sandbox/interception.ts';
import { connect, connectToCluster } from './connect.ts';
import { startOddServer } from './odd-server.ts';

const UNKNOWN_ID = '99999999-9999-4999-8999-999999999999';
const PROXY_PAGE = '<html><head><title>404 Not Found</title></head><body>nginx</body></html>';
const PROXY_PAGES = [PROXY_PAGE, '', '{"message":"no Route matched"}', '{"error":"not found"}'];

const onDelete =
  (act: (effect: () => Reply) => Reply | 'reset'): Interceptor =>
  (call, effect) =>
    Promise.resolve(call.operation === 'DELETE /tokens/{id}' ? act(effect) : effect());

test('a token that the API does not know is gone', async () => {
  const { api } = await connectToCluster();
  expect(await api.getToken(UNKNOWN_ID)).toBeUndefined();
  await api.deleteToken(UNKNOWN_ID);
});

test.each(['not found', 404, 5])('the API may say so with a code of %j', async (code) => {
  const body = { code, message: 'token not found' };
  const server = await startOddServer(() => ({ status: 404, body }));
  expect(await connect(server.url).api.getToken(UNKNOWN_ID)).toBeUndefined();
});

test.each(PROXY_PAGES)("a proxy's 404 is an error, not a token's end: %s", async (body) => {
  const server = await startOddServer(() => ({ status: 404, body }));
  const { api } = connect(server.url);
  await expect(api.getToken(UNKNOWN_ID)).rejects.toMatchObject({ status: 404, gone: false });
  await expect(api.deleteToken(UNKNOWN_ID)).rejects.toMatchObject({ status: 404, gone: false });
});

test('a deletion whose answer is lost is settled by looking', async () => {
  const { cluster, api } = await connectToCluster();
  const { token } = await api.createToken({ description: 'a', permissions: [] });
  cluster.intercept = onDelete((effect) => {
    effect();
    return 'reset';
  });
  await api.deleteToken(token.id);
  expect(cluster.state.tokens[0]?.revokedAt).toBeDefined();
  expect(cluster.state.calls['DELETE /tokens/{id} reset']).toBe(1);
});

test('a second deletion that is refused is settled by looking', async () => {
  const { cluster, api } = await connectToCluster();
  const { token } = await api.createToken({ description: 'a', permissions: [] });
  await api.deleteToken(token.id);
  cluster.intercept = onDelete(() => ({
    status: 409,
    body: '{"code":409,"message":"revoked"}',
  }));
  await api.deleteToken(token.id);
  expect(cluster.state.calls['DELETE /tokens/{id} 409']).toBe(1);
});

test('a deletion that took no effect is tried again', async () => {
  const { cluster, api } = await connectToCluster();
  const { token } = await api.createToken({ description: 'a', permissions: [] });
  let cut = 0;
  cluster.intercept = onDelete((effect) => {
    cut += 1;
    return cut <= 2 ? 'reset' : effect();
  });
  await api.deleteToken(token.id);
  expect(cluster.state.tokens[0]?.revokedAt).toBeDefined();
});

test('a deletion that is refused for good fails, and the token lives', async () => {
  const { cluster, api } = await connectToCluster();
  const { token } = await api.createToken({ description: 'a', permissions: [] });
  cluster.intercept = onDelete(() => ({ status: 403, body: '{"code":403,"message":"no"}' }));
  await expect(api.deleteToken(token.id)).rejects.toThrow('403');
  expect(cluster.state.tokens[0]?.revokedAt).toBeUndefined();
});

test('what would name something else in a path is refused before it is sent', async () => {
  const server = await startOddServer(() => ({ status: 204 }));
  const { api } = connect(server.url);
  for (const id of ['', '.', '..']) {
    expect(() => api.deleteToken(id)).toThrow(RangeError);
  }
  await api.deleteToken('../databases/production?x#y');
  expect(server.lines()).toEqual(['DELETE /api/v0/tokens/..%2Fdatabases%2Fproduction%3Fx%23y']);
});
