import type { AddressInfo } from 'node:net';
import { createServer } from 'node:net';
import { inspect } from 'node:util';
import { expect, onTestFinished, test } from 'vitest';
import { TokenValue } from '../../../functions/token-value.ts';
import { connect, MANAGEMENT_TOKEN } from './connect.ts';
import { type OddAnswer, startOddServer } from './odd-server.ts';

const MINTED = `apiv1_${'s3cret+/-_'.repeat(8)}==`;
const SECRETS = [MINTED, MANAGEMENT_TOKEN];

/** Everything that a log or a report could make of a value, causes and hidden properties included. */
function printed(value: unknown): string {
  const seen = value instanceof Error ? [value, value.cause, value.stack] : [value];
  return seen
    .flatMap((each) => [
      String(each),
      JSON.stringify(each),
      JSON.stringify(each, Object.getOwnPropertyNames(Object(each))),
      inspect(each, { depth: 20, showHidden: true, getters: true }),
    ])
    .join('\n');
}

function expectNoSecret(value: unknown) {
  const text = printed(value);
  expect(text).toMatch(/\S/);
  for (const secret of SECRETS) expect(text).not.toContain(secret.slice(7, 40));
}

const mintingFailure = (url: string, token = MANAGEMENT_TOKEN): Promise<unknown> =>
  connect(url, { token: new TokenValue(token) })
    .api.createToken({ description: 'a', permissions: [] })
    .then(
      () => expect.unreachable(),
      (error: unknown) => error,
    );

const complaints = SECRETS.map((secret) => `invalid token ${secret}`);
const answers: readonly (readonly [string, OddAnswer])[] = [
  ['an error that repeats them', { status: 401, body: { code: 401, message: complaints.join() } }],
  ['a page that repeats them', { status: 500, body: `<p>${complaints.join('<br>')}</p>` }],
  ['a code that repeats them', { status: 500, body: { code: complaints.join(' '), message: '' } }],
  ['a minted token without its other fields', { body: { accessToken: MINTED } }],
  ['a minted token under a wrong type', { body: { accessToken: [MINTED] } }],
  ['a minted token in broken JSON', { body: `{"accessToken":"${MINTED}", oops` }],
  ['a minted token alone', { body: MINTED }],
  [
    'a cut answer',
    {
      body: `{"accessToken":"${MINTED}"`,
      headers: { 'content-length': '999', connection: 'close' },
    },
  ],
];

test.each(answers)('%s makes an error that tells none', async (_name, answer) => {
  const server = await startOddServer(() => answer);
  const error = await mintingFailure(server.url);
  expect(error).toHaveProperty('name', 'InfluxError');
  expectNoSecret(error);
});

test('a management token of no known form is not repeated either', async () => {
  const opaque = 'eyJhbGciOi.JSUzI1NiJ9.c2VjcmV0LXNlY3JldA';
  const body = { code: opaque, message: `${opaque} is unknown` };
  const server = await startOddServer(() => ({ status: 401, body }));
  const error = await mintingFailure(server.url, opaque);
  expect(printed(error)).toContain('[token] is unknown');
  expect(printed(error)).not.toContain(opaque.slice(0, 10));
});

test('an answer that is not HTTP makes an error that does not quote it', async () => {
  const server = createServer((socket) => socket.end(`${MINTED}\r\n\r\n${MINTED}`));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => {
    server.close();
  });
  const { port } = server.address() as AddressInfo;
  expectNoSecret(await mintingFailure(`http://127.0.0.1:${port}`));
});

test('a management token that no header can bear makes an error that does not quote it', async () => {
  const server = await startOddServer(() => ({}));
  const error = await mintingFailure(server.url, `${MANAGEMENT_TOKEN}\n`);
  expect(error).toMatchObject({ retryable: false });
  expectNoSecret(error);
});

test('a token string given in place of an id is not told', async () => {
  const server = await startOddServer(() => ({ status: 400, body: { code: 400, message: 'no' } }));
  const error = await connect(server.url)
    .api.getToken(MINTED)
    .catch((each: unknown) => each);
  expect(error).toMatchObject({ path: '/api/v0/tokens/[token]' });
  expectNoSecret(error);
});

test('what minting returns prints no string', async () => {
  const server = await startOddServer(() => ({
    body: {
      id: '99999999-9999-4999-8999-999999999999',
      description: 'a',
      permissions: [],
      createdAt: '2023-12-21T17:32:28Z',
      accessToken: MINTED,
    },
  }));
  const minted = await connect(server.url).api.createToken({ description: 'a', permissions: [] });
  expect(minted.value.reveal()).toBe(MINTED);
  expectNoSecret(minted);
  expectNoSecret(minted.value);
  expectNoSecret(new Error('outer', { cause: minted.value }));
  expect(`${minted.value}`).toBe('[token]');
});
