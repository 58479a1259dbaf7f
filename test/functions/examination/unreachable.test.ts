import { randomBytes } from 'node:crypto';
import { createServer as createTlsServer } from 'node:https';
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net';
import { expect, onTestFinished, test } from 'vitest';
import { answers } from '../../../functions/examination/answers.ts';
import { runExamination } from '../../../functions/examination/run-examination.ts';
import { createRuntime } from '../../../functions/runtime.ts';
import { TokenValue } from '../../../functions/token-value.ts';
import { makeCertificateChain } from '../../certificate-chain.ts';
import { MINUTE } from '../../world/policy.ts';
import { policyOf } from '../builders.ts';
import { startOddServer } from '../management-api/odd-server.ts';

const TOKEN = 'M.V1.never-to-be-seen-anywhere';

/** What a laptop sees of a cluster; there is no AWS. */
async function examine(cluster: object, ca?: string, token = TOKEN) {
  const { examine: look } = createRuntime({
    policy: policyOf({ cluster: { managementToken: 'influxdb/management', ...cluster } }),
    ca,
    log: { info: () => {}, warn: () => {}, error: () => {} },
    managementToken: new TokenValue(token),
  });
  const context = { getRemainingTimeInMillis: () => MINUTE };
  const { checks } = await look('rotate', context, runExamination, 90_000);
  expect(JSON.stringify(checks)).not.toContain(token);
  return Object.fromEntries(checks.map(({ check, ...verdict }) => [check, verdict]));
}

async function listening(server: Server): Promise<number> {
  const sockets = new Set<Socket>();
  server.on('connection', (socket) => sockets.add(socket));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => {
    server.close();
    for (const each of sockets) each.destroy();
  });
  return (server.address() as AddressInfo).port;
}

test.each([
  [
    'a name that nobody knows',
    'https://no-such-host.invalid',
    /no-such-host\.invalid: no address is known/,
    'deployment.vpc',
  ],
  [
    'a port where nothing listens',
    'http://127.0.0.1:1',
    /127\.0\.0\.1:1: nothing listens there \(ECONNREFUSED\)/,
    'check the port',
  ],
])('%s is told, of both planes, and what to do', async (_what, url, found, advice) => {
  const checks = await examine({ url });
  for (const check of ['Management API', 'data plane']) {
    expect(checks[check]).toEqual({
      state: 'fail',
      found: expect.stringMatching(found),
      advice: expect.stringContaining(advice),
    });
  }
  for (const check of ['path prefix', 'management token is taken', 'clocks', 'tokens']) {
    expect(checks[check]).toEqual({ state: 'unknown', found: 'nobody answered' });
  }
});

test('a certificate of an authority that nobody named is told from one of other names, and cluster.ca mends the first', async () => {
  const { root, leaf, issuing, key } = makeCertificateChain();
  const server = createTlsServer({ key, cert: `${leaf}${issuing}` }, (_request, response) => {
    response.end('[]');
  });
  const port = await listening(server);
  const url = `https://127.0.0.1:${port}`;
  const unnamed = await examine({ url });
  expect(unnamed['Management API']).toEqual({
    state: 'fail',
    found: expect.stringContaining('nobody trusted vouches for its certificate'),
    advice: expect.stringContaining('cluster.ca'),
  });
  const named = await examine({ url, ca: 'x.pem' }, root);
  expect(named['Management API']).toEqual({
    state: 'ok',
    found: `127.0.0.1:${port} answers, over TLS`,
  });
  const otherName = await examine({ url: `https://localhost:${port}` }, root);
  expect(otherName['Management API']?.found).toContain('its certificate is for other names');
});

test('an address that says https where http is spoken is told', async () => {
  const { url } = await startOddServer(() => ({ body: [] }));
  const checks = await examine({ url: url.replace('http:', 'https:') });
  expect(checks['data plane']).toMatchObject({
    state: 'fail',
    advice: expect.stringContaining('https or http'),
  });
});

test('a server that takes every connection and never answers keeps nobody for long', async () => {
  const port = await listening(createServer());
  const checks = await examine({ url: `http://127.0.0.1:${port}` });
  expect(checks['Management API']).toEqual({
    state: 'fail',
    found: `127.0.0.1:${port}: no complete answer within 10 s`,
    advice: expect.stringContaining('overloaded'),
  });
  expect(checks['data plane']?.state).toBe('fail');
}, 20_000);

const ID = '11111111-1111-1111-1111-111111111111';
const [ACCOUNT, CLUSTER] = [
  '22222222-2222-4222-8222-222222222222',
  '33333333-3333-4333-8333-333333333333',
];
const PREFIXED = `/api/v0/accounts/${ID}/clusters/${ID}`;
const at = (prefix: string) =>
  startOddServer(({ url }) => {
    if (url === `${prefix}/databases` || url === `${prefix}/tokens`) return { body: [] };
    if (url?.startsWith('/query')) return { status: 401, body: { error: 'no' } };
    return { status: 404, body: { code: 404, message: 'not found' } };
  });

test('the prefix that answers is named, the detected one and that of Cloud Dedicated', async () => {
  const detected = await examine({ url: (await at(PREFIXED)).url });
  expect(detected['path prefix']).toEqual({ state: 'ok', found: `${PREFIXED} answers` });
  const ids = { accountId: ACCOUNT, clusterId: CLUSTER };
  const dedicated = await at(`/api/v0/accounts/${ACCOUNT}/clusters/${CLUSTER}`);
  expect((await examine({ url: dedicated.url, ...ids }))['path prefix']?.state).toBe('ok');
  // It has the ids of no cluster there.
  expect((await examine({ url: dedicated.url }))['path prefix']).toEqual({
    state: 'fail',
    found: `found nothing at /api/v0, nor at ${PREFIXED} (404)`,
    advice: expect.stringContaining('Cloud Dedicated needs cluster.accountId'),
  });
  const clustered = await at('/api/v0');
  expect((await examine({ url: clustered.url, ...ids }))['path prefix']).toEqual({
    state: 'fail',
    found: `it is at /api/v0, not at /api/v0/accounts/${ACCOUNT}/clusters/${CLUSTER}`,
    advice: expect.stringContaining('take cluster.accountId'),
  });
});

test('what goes in the clear over a network is a warning', () => {
  expect(answers('http://influxdb.internal:8080')).toMatchObject({
    state: 'warn',
    found: expect.stringContaining('tokens go there in the clear'),
  });
  for (const url of ['https://influxdb.example.com', 'http://127.0.0.1:8086', 'http://[::1]:80']) {
    expect(answers(url).state).toBe('ok');
  }
});

test('a server that repeats the management token in another spelling makes nobody print it', async () => {
  const token = `${randomBytes(30).toString('hex')}+/${randomBytes(30).toString('hex')}==`;
  const spelt = encodeURIComponent(token);
  const { url } = await startOddServer(({ url: path }) =>
    path === '/api/v0/databases'
      ? { body: [] }
      : { status: 400, body: { code: 400, message: `no such caller: ${spelt}` } },
  );
  const checks = await examine({ url }, undefined, token);
  expect(checks.tokens?.found).toContain('no such caller');
  expect(JSON.stringify(checks)).not.toContain(spelt);
});
