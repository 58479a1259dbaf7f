import { expect, onTestFinished, test } from 'vitest';
import { createTransport } from '../../../functions/management-api/transport.ts';
import { HOUR_MS } from '../../../functions/time.ts';
import { TokenValue } from '../../../functions/token-value.ts';
import { connect } from './connect.ts';
import { type OddAnswer, startOddServer } from './odd-server.ts';

/** Of a run so short that nothing is tried again. */
async function failureOf(answer: OddAnswer) {
  const server = await startOddServer(() => answer);
  const { api } = connect(server.url, { deadline: () => 240 });
  return api.getToken('1').then(
    () => expect.unreachable(),
    (error: unknown) => error,
  );
}

test("a proxy's page is told in one line without its tags", async () => {
  const body =
    '<html>\r\n<head><title>502 Bad Gateway</title></head>\r\n<body><center>nginx</center></body></html>';
  expect(await failureOf({ status: 502, body })).toMatchObject({
    message: 'GET /api/v0/tokens/1 answered 502 Bad Gateway: 502 Bad Gateway nginx',
    serverMessage: '502 Bad Gateway nginx',
    code: undefined,
    retryable: true,
  });
});

test.each([
  [403, '403'],
  ['forbidden', 'forbidden'],
  [null, undefined],
])('a code of %j is survived', async (code, expected) => {
  expect(await failureOf({ status: 403, body: { code, message: 'no' } })).toMatchObject({
    message: 'GET /api/v0/tokens/1 answered 403 Forbidden: no',
    code: expected,
    retryable: false,
  });
});

test.each([undefined, 'null', '"no"', '[]', '{"message":{"a":1}}', '{"code":{}}'])(
  'a body of %s is survived',
  async (body) => {
    expect(await failureOf({ status: 403, body })).toMatchObject({ status: 403, gone: false });
  },
);

test('a long message is cut', async () => {
  const { message } = (await failureOf({ status: 400, body: 'x'.repeat(1_000_000) })) as Error;
  expect(message).toHaveLength('GET /api/v0/tokens/1 answered 400 Bad Request: '.length + 301);
});

test('of an error page without end only the beginning is read', async () => {
  const server = await startOddServer((_request, index) =>
    index === 0
      ? { status: 502, body: 'x'.repeat(10_000_000) }
      : { status: 403, body: { code: 403, message: 'no' } },
  );
  const { api } = connect(server.url);
  await expect(api.getToken('1')).rejects.toMatchObject({ status: 403 });
  expect(server.connections()).toBe(2);
});

test('an answer that would not fit the memory is an error that says so, and is not repeated', async () => {
  const server = await startOddServer(() => ({ body: `"${'x'.repeat(70 * 1024 * 1024)}"` }));
  const { api } = connect(server.url);
  await expect(api.listTokens()).rejects.toMatchObject({
    message: `GET /api/v0/tokens at ${server.url} failed: the answer is longer than 64 MB, the most that is read`,
    retryable: false,
  });
  expect(server.asked).toHaveLength(1);
});

test('an answer of tiny parts is given up before they fill the memory', async () => {
  const server = await startOddServer(() => ({ crumbs: 300_000 }));
  const { api } = connect(server.url);
  await expect(api.listTokens()).rejects.toMatchObject({
    message: `GET /api/v0/tokens at ${server.url} failed: the answer is longer than 64 MB, the most that is read`,
  });
});

test('an answer whose head has no end is an error, and is not repeated', async () => {
  const server = await startOddServer(() => ({ headers: { 'x-long': 'x'.repeat(100_000) } }));
  const { api } = connect(server.url);
  await expect(api.getToken('1')).rejects.toMatchObject({ retryable: false, status: undefined });
  expect(server.asked).toHaveLength(1);
});

test('an error page of brackets that nobody closes does not stop the process', async () => {
  const { message } = (await failureOf({ status: 502, body: '<'.repeat(400_000) })) as Error;
  expect(message).toContain('answered 502 Bad Gateway: <<<');
});

test.each(['<html>Welcome</html>', '', '{"id":', 'null', '{}', '[]', '7'])(
  'a success with a body of %j is an error that is not repeated',
  async (body) => {
    expect(await failureOf({ body })).toMatchObject({
      message: expect.stringMatching(
        /^GET \/api\/v0\/tokens\/1 answered 200 OK, but its body is not/,
      ),
      status: 200,
      retryable: false,
    });
  },
);

test('a redirect is an error, and nothing follows it', async () => {
  const elsewhere = await startOddServer(() => ({ body: {} }));
  const headers = { location: elsewhere.url };
  expect(await failureOf({ status: 307, headers })).toMatchObject({ status: 307 });
  expect(elsewhere.asked).toEqual([]);
});

test('an answer that is cut in the middle is an error', async () => {
  const headers = { 'content-length': '1000', connection: 'close' };
  expect(await failureOf({ headers, body: '{"id":"1"' })).toMatchObject({
    name: 'InfluxError',
    retryable: true,
  });
});

test('an answer that never ends is given up after a while, however much time the run has', async () => {
  const server = await startOddServer(() => 'trickle');
  const transport = createTransport({ url: server.url, connections: 1, totalMs: 100 });
  onTestFinished(() => transport.disconnect());
  const request = {
    method: 'GET',
    path: '/',
    token: new TokenValue('x'),
    timeoutMs: HOUR_MS,
  } as const;
  await expect(transport.send(request)).rejects.toMatchObject({
    code: 'TimeoutError',
    retryable: true,
  });
});
