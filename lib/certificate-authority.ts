import { X509Certificate } from 'node:crypto';

const BLOCK = /-----BEGIN ([A-Z0-9 ]+)-----[^-]*-----END \1-----/g;

function isCertificate(pem: string): boolean {
  try {
    return new X509Certificate(pem).raw.length > 0;
  } catch {
    return false;
  }
}

/**
 * Why a file cannot be the one of `cluster.ca`, and what to write instead, without a word of what is in it. It goes into every function's
 * asset. Undefined: it holds certificates.
 */
export function authorityMistake(pem: string): string | undefined {
  if (pem.includes('PRIVATE KEY-----')) {
    return 'holds a private key, expected certificates alone; take the key out, and replace it if anybody else can read this file';
  }
  const certificates = [...pem.matchAll(BLOCK)].filter(([, label]) => label === 'CERTIFICATE');
  if (certificates.length === 0) {
    return 'holds no certificate, expected those of the authority in PEM, each between "-----BEGIN CERTIFICATE-----" and "-----END CERTIFICATE-----"; openssl x509 -inform der -in FILE writes them so';
  }
  const broken = certificates.findIndex(([block]) => !isCertificate(block));
  if (broken < 0) return undefined;
  return `holds ${certificates.length} in PEM, of which number ${broken + 1} is no certificate; copy the file again`;
}
