import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, onTestFinished, test } from 'vitest';
import { judgeAuthority } from '../../lib/certificate-authority.ts';
import { readDeployedPolicyFile, readPolicyFile } from '../../lib/policy-file.ts';
import { connect } from '../functions/management-api/connect.ts';
import { POLICY, writePolicy } from './synthesize.ts';

const folder = mkdtempSync(join(tmpdir(), 'keyturn-authorities-'));
afterAll(() => rmSync(folder, { recursive: true }));
const at = (name: string) => join(folder, name);
const contentOf = (name: string) => readFileSync(at(name), 'utf8');
const openssl = (line: string) =>
  execFileSync('openssl', line.split(' '), { cwd: folder, stdio: ['ignore', 'pipe', 'ignore'] });

writeFileSync(
  at('ca.cnf'),
  '[ca]\ndefault_ca=own\n[own]\ndatabase=index\nserial=serial\nnew_certs_dir=.\ndefault_md=sha256\npolicy=names\nunique_subject=no\n[names]\ncommonName=supplied\n',
);
const configure = (name: string, extensions: string) =>
  writeFileSync(
    at(`${name}.cnf`),
    `[req]\ndistinguished_name=dn\nprompt=no\n[dn]\nCN=${name}\n[x]\n${extensions}\n`,
  );
const NEW_KEY = '-newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes';

/** An authority, and a server at 127.0.0.1 whose certificate it issued. */
function makeAuthority(name: string, begins: string, ends: string): void {
  configure(name, 'basicConstraints=critical,CA:TRUE');
  configure(`${name}-server`, 'basicConstraints=CA:FALSE\nsubjectAltName=IP:127.0.0.1');
  writeFileSync(at('index'), '');
  writeFileSync(at('serial'), '01');
  openssl(`req -new ${NEW_KEY} -config ${name}.cnf -keyout ${name}.key -out ${name}.csr`);
  openssl(
    `ca -batch -config ca.cnf -selfsign -keyfile ${name}.key -startdate ${begins} -enddate ${ends} -extfile ${name}.cnf -extensions x -in ${name}.csr -out ${name}.pem -notext`,
  );
  openssl(
    `req -x509 ${NEW_KEY} -days 1 -config ${name}-server.cnf -extensions x -CA ${name}.pem -CAkey ${name}.key -keyout ${name}-server.key -out ${name}-server.pem`,
  );
}
makeAuthority('good', '20200101000000Z', '21000101000000Z');
makeAuthority('expired', '20200101000000Z', '20210101000000Z');
makeAuthority('early', '20990101000000Z', '21000101000000Z');

const good = contentOf('good.pem');
const expired = contentOf('expired.pem');
const early = contentOf('early.pem');
const server = contentOf('good-server.pem');
const der = openssl('x509 -in good.pem -outform der');
const labelled = (label: string) => good.replaceAll('CERTIFICATE', label);

/** Whether a run would reach the cluster. */
async function isReached(ca: string, issuer = 'good'): Promise<boolean> {
  const cluster = createServer(
    { key: contentOf(`${issuer}-server.key`), cert: contentOf(`${issuer}-server.pem`) },
    (_request, response) => response.end('[]'),
  );
  await new Promise<void>((resolve) => cluster.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => {
    cluster.closeAllConnections();
    cluster.close();
  });
  const url = `https://127.0.0.1:${(cluster.address() as AddressInfo).port}`;
  const { api } = connect(url, { ca });
  return await api.listDatabases().then(
    () => true,
    () => false,
  );
}

const WORKS: readonly (readonly [string, string])[] = [
  ['its words as RFC 7468 has them', good],
  ['X509 CERTIFICATE', labelled('X509 CERTIFICATE')],
  ['a comment with the word BEGIN', `# BEGIN with the root\n# -----BEGIN\n${good}`],
  ['a comment with a whole frame', `# -----BEGIN CERTIFICATE----- begins it\n${good}`],
  ['what openssl x509 -text writes above', `Certificate:\n    Data:\n${good}`],
  ['a request for one beside it', `${contentOf('good.csr')}${good}`],
  ['a byte order mark', `\uFEFF${good}`],
  ['lines as Windows ends them', good.replaceAll('\n', '\r\n')],
  ['one that is to come beside it', `${good}${early}`],
  ['itself twice', `${good}${good}`],
];

test.each(WORKS)('TLS takes %s, and nothing is said of it', async (_what, pem) => {
  expect(await isReached(pem)).toBe(true);
  expect(judgeAuthority(pem, Date.now())).toEqual({});
});

const EXPECTED =
  'expected certificates of the authority in PEM, each between "-----BEGIN CERTIFICATE-----" and "-----END CERTIFICATE-----"';
const NONE = 'holds no certificate by which a connection can succeed today, expected one';
const RENEW = 'put the one in that the authority issues by now';
const FRAMES =
  'holds the beginnings of 1 certificate, of which 0 go from BEGIN to END on lines of their own, expected each so; copy the file again, with a line break behind each END';

const FAILS: readonly (readonly [string, string, string, issuer?: string])[] = [
  ['an expired one', expired, `${NONE}: number 1 expired on 2021-01-01; ${RENEW}`, 'expired'],
  ['one to come', early, `${NONE}: number 1 is not valid before 2099-01-01; ${RENEW}`, 'early'],
  [
    'an expired one and one to come',
    `${expired}${early}`,
    `${NONE}: number 1 expired on 2021-01-01, number 2 is not valid before 2099-01-01; ${RENEW}`,
    'expired',
  ],
  [
    'one that is marked as not for servers',
    openssl('x509 -in good.pem -addreject serverAuth -trustout').toString(),
    `holds a TRUSTED CERTIFICATE, which may say of itself that it is not for servers, ${EXPECTED}; openssl x509 -in FILE writes the first of a file so`,
  ],
  [
    'DER',
    der.toString(),
    `holds no text, ${EXPECTED}; openssl x509 -inform der -in FILE writes one in DER so, openssl pkcs7 -inform der -print_certs -in FILE those of a .p7b`,
  ],
  [
    'UTF-16',
    Buffer.from(`\uFEFF${good}`, 'utf16le').toString(),
    `is in UTF-16, ${EXPECTED}; save it as UTF-8`,
  ],
  [
    'PKCS #7',
    openssl('crl2pkcs7 -nocrl -certfile good.pem').toString(),
    `holds PKCS #7, which TLS does not read, ${EXPECTED}; openssl pkcs7 -print_certs -in FILE writes them so`,
  ],
  [
    'a request',
    contentOf('good.csr'),
    `holds a request for a certificate, ${EXPECTED}; name the certificate of the authority that signs such requests`,
  ],
  [
    'another text',
    '# BEGIN\n',
    `holds no certificate, ${EXPECTED}; openssl x509 -inform der -in FILE writes one in DER so`,
  ],
  ['lines that only a carriage return ends', good.replaceAll('\n', '\r'), FRAMES],
  ['line breaks as two characters', good.replaceAll('\n', '\\n'), FRAMES],
  ['an indented one', good.replaceAll(/^/gm, '  '), FRAMES],
  ['text in front of it', `root: ${good}`, FRAMES],
  ['other words at its end', good.replace('END CERT', 'END X509 CERT'), FRAMES],
  [
    'empty lines in it',
    good.replaceAll('\n', '\n\n'),
    'holds 1 in PEM, of which number 1 is no certificate; copy the file again',
  ],
];

const BROKEN = FAILS.map(
  ([what, pem, said, issuer = 'good']) => [what, pem, said, issuer] as const,
);

test.each(BROKEN)(
  'TLS takes none of a file with %s, which is told',
  async (_what, pem, said, by) => {
    expect(await isReached(pem, by)).toBe(false);
    expect(judgeAuthority(pem, Date.now())).toEqual({ mistake: said });
  },
);

const BESIDE =
  'holds a certificate by which no connection can succeed, beside those that work: number';

test.each([
  [`${good}${expired}`, `${BESIDE} 2 expired on 2021-01-01; ${RENEW}, or take it out`],
  [`${expired}${server}${good}`, `${BESIDE} 1 expired on 2021-01-01; ${RENEW}, or take it out`],
])('TLS takes the others beside an expired one, which is warned of: %#', async (pem, warning) => {
  expect(await isReached(pem)).toBe(true);
  expect(judgeAuthority(pem, Date.now())).toEqual({ warning });
});

test("a server's certificate keeps no expired authority", () => {
  expect(judgeAuthority(`${server}${expired}`, Date.now())).toEqual({
    mistake: `${NONE}: number 2 expired on 2021-01-01; ${RENEW}`,
  });
});

test('a private key is told before anything else', () => {
  expect(judgeAuthority(`${good}${contentOf('good.key')}`, Date.now())).toEqual({
    mistake:
      'holds a private key, expected certificates alone; take the key out, and replace it if anybody else can read this file',
  });
});

test('a policy is judged by the clock it is given, and one that was deployed can be read', () => {
  const text = `${POLICY}deployment: { alarms: { emails: [on-call@example.com] } }\n`;
  const policy = writePolicy(folder, text.replace('cluster: {', 'cluster: { ca: good.pem,'));
  const [before, after] = [Date.UTC(2019, 0), Date.UTC(2100, 1)];
  expect(readPolicyFile(policy).warnings).toEqual([]);
  const place = `${policy}:3: cluster.ca: ${at('good.pem')}`;
  const late = `${place} ${NONE}: number 1 expired on 2100-01-01; ${RENEW}`;
  expect(() => readPolicyFile(policy, after)).toThrow(late);
  expect(readDeployedPolicyFile(policy, after)).toMatchObject({ caMistake: late });
  expect(() => readPolicyFile(policy, before)).toThrow(
    `${place} ${NONE}: number 1 is not valid before 2020-01-01; ${RENEW}`,
  );
  writeFileSync(at('both.pem'), `${good}${expired}`);
  const both = writePolicy(folder, text.replace('cluster: {', 'cluster: { ca: both.pem,'));
  expect(readPolicyFile(both)).toMatchObject({
    ca: `${good}${expired}`,
    warnings: [
      {
        key: 'cluster.ca',
        sentence: `${policy}:3: cluster.ca: ${at('both.pem')} ${BESIDE} 2 expired on 2021-01-01; ${RENEW}, or take it out`,
      },
    ],
  });
});
