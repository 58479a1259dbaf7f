import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { createServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
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

async function startTlsServer(own = { key, cert: certificate }) {
  const server = createServer(own, (_request, response) => {
    response.end('{"results":[],"databases":[]}');
  });
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
    message: expect.stringMatching(
      /: self-signed certificate; cluster\.ca in the policy .*trusted$/,
    ),
  });
  expect(timing.naps).toEqual([]);
  expect(await probe(url)).toBe('indeterminate');
});
