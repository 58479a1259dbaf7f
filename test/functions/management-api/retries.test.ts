import { expect, test } from 'vitest';
import type { ManagementApi } from '../../../functions/management-api/management-api.ts';
import { connect } from './connect.ts';
import { type OddAnswer, startOddServer } from './odd-server.ts';

const TOKEN = {
  id: '99999999-9999-4999-8999-999999999999',
  description: '',
  permissions: [],
  createdAt: '2023-12-21T17:32:28Z',
};
const NAMED = { name: 'db', databaseName: 'db', maxTables: 1, maxColumnsPerTable: 1 };
const SUCCESS = { body: { ...TOKEN, ...NAMED, accessToken: `apiv1_${'5'.repeat(64)}` } };
const BUSY: OddAnswer = { status: 503, body: { code: 503, message: 'authz is away' } };

/** Fails once, then succeeds. */
async function connectFailing(failure: OddAnswer | 'reset') {
  const server = await startOddServer((_request, index) => (index === 0 ? failure : SUCCESS));
  return { server, ...connect(server.url) };
}

const repeatable: readonly (readonly [string, (api: ManagementApi) => Promise<unknown>])[] = [
  ['GET', (api) => api.getToken('1')],
  ['PATCH of a token', (api) => api.updateToken('1', { permissions: [] })],
  ['PATCH of a database', (api) => api.updateDatabase('db', { maxTables: 1 })],
  ['DELETE of a database', (api) => api.deleteDatabase('db')],
  ['undeletion of a database', (api) => api.undeleteDatabase(1n)],
  ['undeletion of a table', (api) => api.undeleteTable('db', 1n)],
];
const unrepeatable: typeof repeatable = [
  ['POST of a token', (api) => api.createToken({ description: '', permissions: [] })],
  ['POST of a database', (api) => api.createDatabase({ name: 'db' })],
  ['POST of a table', (api) => api.createTable('db', { name: 'db' })],
  ['renaming of a database', (api) => api.renameDatabase('db', 'other')],
  ['renaming of a table', (api) => api.renameTable('db', 'one', 'other')],
];

test.each(repeatable)(
  'a %s is repeated after 5xx and after a cut connection',
  async (_name, call) => {
    for (const failure of [BUSY, 'reset'] as const) {
      const { server, api } = await connectFailing(failure);
      await call(api);
      expect(server.asked).toHaveLength(2);
      expect(server.lines()[1]).toBe(server.lines()[0]);
    }
  },
);

test.each(unrepeatable)(
  'a %s that may have taken effect is never repeated',
  async (_name, call) => {
    for (const failure of [BUSY, 'reset'] as const) {
      const { server, api } = await connectFailing(failure);
      await expect(call(api)).rejects.toMatchObject({ name: 'InfluxError', retryable: true });
      expect(server.asked).toHaveLength(1);
    }
  },
);

test.each(unrepeatable)('a %s that came too soon is repeated', async (_name, call) => {
  const { server, api } = await connectFailing({ status: 429 });
  await call(api);
  expect(server.asked).toHaveLength(2);
  expect(server.lines()[1]).toBe(server.lines()[0]);
});

test.each([400, 401, 403, 409, 302])('a GET answered %i is not repeated', async (status) => {
  const { server, api } = await connectFailing({ status, headers: { location: '/elsewhere' } });
  await expect(api.getToken('1')).rejects.toMatchObject({ status, retryable: false });
  expect(server.asked).toHaveLength(1);
});

test.each([
  [{ 'retry-after': '7' }, 7_250],
  [{ 'retry-after': 'Sat, 31 Jan 2026 00:00:09 GMT' }, 9_250],
  [{ 'retry-after': 'Fri, 30 Jan 2026 00:00:09 GMT' }, 250],
  [{ 'retry-after': 'later' }, 250],
  [{}, 250],
])('after 429 with %o the wait is %i ms', async (headers, waitMs) => {
  const date = 'Sat, 31 Jan 2026 00:00:00 GMT';
  const { api, timing } = await connectFailing({ status: 429, headers: { date, ...headers } });
  await api.getToken('1');
  expect(timing.naps).toEqual([waitMs]);
});

test('a wait that would outlast the run is not begun', async () => {
  const { server, api, timing } = await connectFailing({
    status: 429,
    headers: { 'retry-after': '900' },
  });
  await expect(api.getToken('1')).rejects.toMatchObject({ status: 429, retryAfterMs: 900_000 });
  expect(server.asked).toHaveLength(1);
  expect(timing.naps).toEqual([]);
});

test.each([
  ['PATCH of a token', (api: ManagementApi) => api.updateToken('1', { description: 'new' })],
  ['PATCH of a database', (api: ManagementApi) => api.updateDatabase('db', { maxTables: 1 })],
])(
  'a %s is not repeated after a wait in which somebody else may have changed the same',
  async (_name, call) => {
    const refusedFor = (seconds: string) =>
      connectFailing({ status: 429, headers: { 'retry-after': seconds } });
    const soon = await refusedFor('3');
    await call(soon.api);
    expect(soon.server.asked).toHaveLength(2);
    const late = await refusedFor('300');
    await expect(call(late.api)).rejects.toMatchObject({ status: 429, retryAfterMs: 300_000 });
    expect(late.server.asked).toHaveLength(1);
    expect(late.timing.naps).toEqual([]);
  },
);

test('an outage fails after five attempts', async () => {
  const server = await startOddServer(() => BUSY);
  const { api, timing } = connect(server.url);
  await expect(api.listTokens()).rejects.toThrow(
    'GET /api/v0/tokens answered 503 Service Unavailable: authz is away',
  );
  expect(server.asked).toHaveLength(5);
  expect(timing.naps).toEqual([250, 500, 1_000, 2_000]);
});

test.each(['silence', 'trickle'] as const)(
  'a server whose answer is %s is given up when the run ends',
  async (answer) => {
    const server = await startOddServer(() => answer);
    const { api } = connect(server.url, { deadline: () => 50 });
    await expect(api.getToken('1')).rejects.toMatchObject({
      code: 'TimeoutError',
      status: undefined,
      retryable: true,
    });
  },
);

test('nothing is sent behind the end of the run', async () => {
  const server = await startOddServer(() => SUCCESS);
  const { api } = connect(server.url, { deadline: () => 0 });
  await expect(api.createToken({ description: '', permissions: [] })).rejects.toThrow(
    'POST /api/v0/tokens was not sent: the time of the run is over',
  );
  expect(server.asked).toEqual([]);
});

test('a host where nobody listens fails with what the system says', async () => {
  const { api } = connect('http://127.0.0.1:1');
  await expect(api.getToken('1')).rejects.toMatchObject({ code: 'ECONNREFUSED', retryable: true });
});

test('a call that waits for a connection is given up as well', async () => {
  const server = await startOddServer(() => 'silence');
  let deadline = 600_000;
  const { api } = connect(server.url, { deadline: () => deadline, connections: 1 });
  // Holds the one connection until the server closes.
  api.getToken('1').catch(() => {});
  await expect.poll(() => server.asked.length).toBe(1);
  deadline = 50;
  const answers = await Promise.allSettled([2, 3].map((id) => api.getToken(String(id))));
  expect(answers.map(({ status }) => status)).toEqual(['rejected', 'rejected']);
  expect(server.asked).toHaveLength(1);
});

test('connections that were cut are made anew', async () => {
  const server = await startOddServer(() => SUCCESS);
  const { api } = connect(server.url);
  await api.getToken('1');
  await api.disconnect();
  await api.getToken('1');
  expect(server.connections()).toBe(2);
});

test('calls share at most so many connections, and keep them', async () => {
  const server = await startOddServer(() => SUCCESS);
  const { api } = connect(server.url, { connections: 3 });
  await Promise.all(Array.from({ length: 60 }, (_, index) => api.getToken(String(index))));
  await api.getToken('1');
  expect(server.asked).toHaveLength(61);
  expect(server.connections()).toBe(3);
});
