import { expect, test } from 'vitest';
import { type Call, passThrough } from '../../../sandbox/interception.ts';
import { ACCOUNT_PREFIX, start } from './fixture.ts';

test('every request passes the interceptor under the name of its operation', async () => {
  const calls: Call[] = [];
  const { fetch, manage } = await start({
    intercept: (call, effect) => {
      calls.push(call);
      return passThrough(call, effect);
    },
  });
  const id = '00000000-0000-4000-8000-000000000000';
  await manage('PATCH', `/tokens/${id}`, { description: 'x' });
  await manage('PUT', `${ACCOUNT_PREFIX}/databases/a%2Fb/tables/c/rename`, { name: 'd' });
  await manage('GET', '/nothing');
  await fetch('/ping', { headers: { 'x-sandbox-caller': 'rotate-1' } });
  await fetch('/query?db=a', { method: 'POST' });
  expect(calls).toMatchObject([
    {
      server: 'management-api',
      operation: 'PATCH /tokens/{id}',
      caller: undefined,
      subject: id,
    },
    {
      server: 'management-api',
      operation: 'PUT /databases/{name}/tables/{table}/rename',
      caller: undefined,
      subject: undefined,
    },
    { server: 'management-api', operation: 'GET (unknown)', caller: undefined },
    { server: 'data-plane', operation: 'GET /ping', caller: 'rotate-1' },
    { server: 'data-plane', operation: 'POST /query', caller: undefined },
  ]);
});

test('an answer can be replaced, with or without the effect', async () => {
  const { cluster, manage } = await start();
  cluster.intercept = async () => ({
    status: 503,
    headers: { 'retry-after': '7', date: 'Thu, 01 Jan 1970 00:00:00 GMT' },
    body: 'overloaded',
  });
  const refused = await manage('POST', '/tokens', { description: 'x' });
  expect([refused.status, refused.text]).toEqual([503, 'overloaded']);
  expect(refused.headers.get('retry-after')).toBe('7');
  expect(refused.headers.get('date')).toBe('Thu, 01 Jan 1970 00:00:00 GMT');
  expect(cluster.state.tokens).toHaveLength(0);

  cluster.intercept = async (call, effect) => {
    await passThrough(call, effect);
    return { status: 504, body: '' };
  };
  expect((await manage('POST', '/tokens', { description: 'x' })).status).toBe(504);
  expect(cluster.state.tokens).toHaveLength(1);
});

test('a reset cuts the connection, before the effect or behind it', async () => {
  const { cluster, manage } = await start();
  cluster.intercept = async () => 'reset';
  await expect(manage('POST', '/tokens', { description: 'x' })).rejects.toThrow();
  expect(cluster.state.tokens).toHaveLength(0);

  cluster.intercept = async (call, effect) => {
    await passThrough(call, effect);
    return 'reset';
  };
  await expect(manage('POST', '/tokens', { description: 'x' })).rejects.toThrow();
  expect(cluster.state.tokens).toHaveLength(1);
});

test('calls are counted by operation and answer', async () => {
  const { cluster, manage } = await start();
  await manage('POST', '/tokens', { description: 'x' });
  await manage('POST', '/tokens', {});
  await manage('POST', '/tokens', { description: 'y' });
  cluster.intercept = async () => 'reset';
  await expect(manage('GET', '/tokens')).rejects.toThrow();
  expect(cluster.state.calls).toEqual({
    'POST /tokens 200': 2,
    'POST /tokens 400': 1,
    'GET /tokens reset': 1,
  });
});
