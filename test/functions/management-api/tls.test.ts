import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { createServer, type ServerOptions } from 'node:https';
import { type AddressInfo, createServer as createTcpServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TLSSocket } from 'node:tls';
import { setFlagsFromString } from 'node:v8';
import { Script } from 'node:vm';
import { beforeAll, expect, onTestFinished, test } from 'vitest';
import { TokenValue } from '../../../functions/token-value.ts';
import { makeCertificateChain } from '../../certificate-chain.ts';
import { connectDataPlane } from '../data-plane/connect-data-plane.ts';
import { connect } from './connect.ts';

let key: string;
let certificate: string;

beforeAll(() => {
  const folder = mkdtempSync(join(tmpdir(), 'keyturn-tls-'));
  const [keyFile, certificateFile] = [join(folder, 'key.pem'), join(folder, 'certificate.pem')];
  const options = '-x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 1';
  execFileSync(
    'openssl',
    [
      ...['req', ...options.split(' '), '-subj', '/CN=cluster'],
      ...['-addext', 'subjectAltName=IP:127.0.0.1', '-keyout', keyFile, '-out', certificateFile],
    ],
    { stdio: 'ignore' },
  );
  key = readFileSync(keyFile, 'utf8');
  certificate = readFileSync(certificateFile, 'utf8');
  rmSync(folder, { recursive: true });
});

setFlagsFromString('--expose-gc');
const gc: () => void = new Script('gc').runInNewContext();

async function startTlsServer(
  own: ServerOptions = { key, cert: certificate },
  onConnection: (socket: TLSSocket) => void = () => {},
) {
  const server = createServer(own, (_request, response) => {
    response.end('{"results":[],"databases":[]}');
  });
  server.on('secureConnection', onConnection);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  return `https://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

const probe = (url: string, ca?: string) =>
  connectDataPlane(url, { ca }).probe(new TokenValue('apiv1_x'), {
    action: 'read',
    database: 'db',
  });

test("a cluster with its operator's own authority is reached on both planes", async () => {
  const url = await startTlsServer();
  expect((await connect(url, { ca: certificate }).api.listDatabases()).databases).toEqual([]);
  expect(await probe(url, certificate)).toBe('accepted');
});

test('each probe has a connection of its own, and goes on with the TLS session of the one before', async () => {
  const resumed: boolean[] = [];
  const url = await startTlsServer(undefined, (socket) => resumed.push(socket.isSessionReused()));
  for (let round = 0; round < 5; round += 1) {
    expect(await probe(url, certificate)).toBe('accepted');
    // What holds the session weakly has lost it by now.
    gc();
  }
  expect(resumed).toEqual([false, true, true, true, true]);
});

test('a session that began with another authority is not gone on with', async () => {
  const url = await startTlsServer();
  const { root } = makeCertificateChain();
  expect(await probe(url, certificate)).toBe('accepted');
  expect(await probe(url, root)).toBe('indeterminate');
  expect(await probe(url)).toBe('indeterminate');
});

test('an authority below a root is trusted by itself, and one of others is not', async () => {
  const { root, issuing, leaf, key: own } = makeCertificateChain();
  const url = await startTlsServer({ key: own, cert: `${leaf}${issuing}` });
  for (const ca of [root, issuing]) {
    expect((await connect(url, { ca }).api.listDatabases()).databases).toEqual([]);
    expect(await probe(url, ca)).toBe('accepted');
  }
  await expect(connect(url, { ca: certificate }).api.listDatabases()).rejects.toThrow();
  expect(await probe(url, certificate)).toBe('indeterminate');
});

test('a cluster that nobody vouches for is not spoken to, and waiting does not help', async () => {
  const url = await startTlsServer();
  const { api, timing } = connect(url);
  await expect(api.listDatabases()).rejects.toMatchObject({
    code: 'DEPTH_ZERO_SELF_SIGNED_CERT',
    retryable: false,
    message: `GET /api/v0/databases at ${url} failed: nobody trusted vouches for its certificate (DEPTH_ZERO_SELF_SIGNED_CERT); name a PEM file with the certificates of its authority in cluster.ca`,
  });
  expect(timing.naps).toEqual([]);
  expect(await probe(url)).toBe('indeterminate');
});

/** Takes the bytes of a connection and says what no client understands. */
async function startSaying(bytes: string | undefined) {
  const server = createTcpServer((socket) => {
    socket.on('error', () => {});
    if (bytes === undefined) socket.destroy();
    else socket.once('data', () => socket.end(bytes));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => {
    server.close();
  });
  return `127.0.0.1:${(server.address() as AddressInfo).port}`;
}

const HTTP = 'HTTP/1.1 400 Bad Request\r\n\r\n';
const ADDRESS = 'check https or http, and the port, in its address';

test.each([
  ['http where https is asked for', 'https', HTTP, 'speaks no TLS, which https needs', ADDRESS],
  ['no HTTP', 'http', 'SSH-2.0-x\r\n', 'does not speak what the address says', ADDRESS],
  ['nothing, and hangs up', 'http', undefined, 'the connection was cut', 'https or http'],
  ['nothing, and hangs up', 'https', undefined, 'the connection was cut', 'https or http'],
] as const)(
  'whoever speaks %s (%s) is named with his port, in words of ours, on both planes',
  async (_what, scheme, bytes, what, advice) => {
    const url = `${scheme}://${await startSaying(bytes)}`;
    const failure = await connect(url)
      .api.listTokens()
      .catch((error: Error) => error);
    const { detail } = await connectDataPlane(url).burst(new TokenValue('apiv1_x'), [
      { resource: 'db', action: 'read' },
    ]);
    for (const [place, said] of [
      ['GET /api/v0/tokens', String(failure)],
      ['GET /query', String(detail)],
    ]) {
      expect(said).toContain(`${place} at ${url} failed: `);
      expect(said).toContain(what);
      expect(said).toContain(advice);
      expect(said).not.toMatch(/routines|openssl/);
    }
  },
);

test('a client whose TLS is too new is told so, and no private words of the library', async () => {
  const { root, leaf, key: own } = makeCertificateChain();
  const old = { key: own, cert: leaf, minVersion: 'TLSv1', maxVersion: 'TLSv1.1' } as const;
  const url = await startTlsServer(old);
  await expect(connect(url, { ca: root }).api.listTokens()).rejects.toThrow(
    `GET /api/v0/tokens at ${url} failed: it refuses the TLS of this client (ERR_SSL_TLSV1_ALERT_PROTOCOL_VERSION); look which versions`,
  );
});

test('a port where nobody listens is named as it was asked for, and not as it was resolved', async () => {
  await expect(connect('http://localhost:1').api.listTokens()).rejects.toThrow(
    'GET /api/v0/tokens at http://localhost:1 failed: nothing listens there (ECONNREFUSED); check the port',
  );
});
