import { X509Certificate } from 'node:crypto';

/** TLS reads only what begins and ends on lines of its own. */
const BLOCK = /^-----BEGIN ([A-Z0-9 ]+)-----[^-]*^-----END \1-----[ \t\r]*$/gm;

/** Undefined: it is none. */
function certificateIn(pem: string): X509Certificate | undefined {
  try {
    return new X509Certificate(pem);
  } catch {
    return undefined;
  }
}

/** Who signs itself vouches for itself, whatever else it may. */
const isAuthority = ({ ca, issuer, subject }: X509Certificate) => ca || issuer === subject;

/**
 * Why a file cannot be the one of `cluster.ca`, and what to write instead, without a word of what is in it. It goes into every function's
 * asset. Undefined: it holds certificates of an authority.
 */
export function authorityMistake(pem: string): string | undefined {
  if (pem.includes('PRIVATE KEY-----')) {
    return 'holds a private key, expected certificates alone; take the key out, and replace it if anybody else can read this file';
  }
  const certificates = [...pem.matchAll(BLOCK)].flatMap(([block, label]) =>
    label === 'CERTIFICATE' ? [certificateIn(block)] : [],
  );
  const begun = pem.split('-----BEGIN CERTIFICATE-----').length - 1;
  if (begun > certificates.length) {
    return `holds the beginnings of ${begun} certificates, of which ${certificates.length} go from BEGIN to END on lines of their own, expected each so; copy the file again, with a line break behind each END`;
  }
  if (certificates.length === 0) {
    return 'holds no certificate, expected those of the authority in PEM, each between "-----BEGIN CERTIFICATE-----" and "-----END CERTIFICATE-----"; openssl x509 -inform der -in FILE writes them so';
  }
  const broken = certificates.indexOf(undefined);
  if (broken < 0) {
    if (certificates.some((each) => each && isAuthority(each))) return undefined;
    return 'holds no certificate of an authority, only that of a server, which is replaced within months; expected the one that issued it, such as the last that openssl s_client -showcerts -connect HOST:443 shows';
  }
  return `holds ${certificates.length} in PEM, of which number ${broken + 1} is no certificate; copy the file again`;
}
