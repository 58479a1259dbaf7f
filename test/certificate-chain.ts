import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** Certificates and a key in PEM. */
export interface CertificateChain {
  readonly root: string;
  /** Issued by the root; it issued the server's. */
  readonly issuing: string;
  /** Of a server at 127.0.0.1. */
  readonly leaf: string;
  readonly key: string;
}

/** The certificates of a company: an authority, one below it, and a server's. */
export function makeCertificateChain(): CertificateChain {
  const folder = mkdtempSync(join(tmpdir(), 'keyturn-chain-'));
  const at = (name: string) => join(folder, name);
  const ca = 'basicConstraints=critical,CA:TRUE';
  const make = (name: string, issuer: string | undefined, extension: string) => {
    writeFileSync(
      at(`${name}.cnf`),
      `[req]\ndistinguished_name=dn\nprompt=no\n[dn]\nCN=${name}\n[x]\n${extension}\n`,
    );
    const signed = issuer && ['-CA', at(`${issuer}.pem`), '-CAkey', at(`${issuer}.key`)];
    execFileSync(
      'openssl',
      [
        ...'req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 1'.split(' '),
        ...['-config', at(`${name}.cnf`), '-extensions', 'x', ...(signed ?? [])],
        ...['-keyout', at(`${name}.key`), '-out', at(`${name}.pem`)],
      ],
      { stdio: 'ignore' },
    );
    return readFileSync(at(`${name}.pem`), 'utf8');
  };
  const root = make('root', undefined, ca);
  const issuing = make('issuing', 'root', ca);
  const leaf = make('leaf', 'issuing', 'basicConstraints=CA:FALSE\nsubjectAltName=IP:127.0.0.1');
  const key = readFileSync(at('leaf.key'), 'utf8');
  rmSync(folder, { recursive: true });
  return { root, issuing, leaf, key };
}
