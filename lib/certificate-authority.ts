import { X509Certificate } from 'node:crypto';

/** TLS reads only what begins and ends on lines of its own, and no lone carriage return ends a line for it. */
const BLOCK =
  /(?<![^\n])-----BEGIN ([A-Z0-9 #]+)-----[^-]*(?<=\n)-----END \1-----[ \t\r]*(?![^\n])/g;

/** OpenSSL's two words for a certificate with nothing behind it. */
const BEGUN = /-----BEGIN (?:X509 )?CERTIFICATE-----/g;
const OF_CERTIFICATE = /^(?:X509 )?CERTIFICATE$/;

interface Found {
  readonly certificate: X509Certificate;
  /** From 1, of all certificates in the file. */
  readonly number: number;
}

/** Undefined: it is none. */
function certificateIn(pem: string): X509Certificate | undefined {
  try {
    return new X509Certificate(pem);
  } catch {
    return undefined;
  }
}

/** Who signs itself vouches for itself, whatever else it may. */
const isAuthority = ({ certificate: { ca, issuer, subject } }: Found) => ca || issuer === subject;

const dayOf = (time: string) => new Date(time).toISOString().slice(0, 10);

type Fault = 'expired' | 'early';

interface Faulty extends Found {
  readonly fault: Fault;
}

/** Why TLS refuses all that an authority issued. */
function faultOf({ certificate }: Found, now: number): Fault | undefined {
  if (Date.parse(certificate.validTo) < now) return 'expired';
  return Date.parse(certificate.validFrom) > now ? 'early' : undefined;
}

const WORDS: Readonly<Record<Fault, (certificate: X509Certificate) => string>> = {
  expired: ({ validTo }) => `expired on ${dayOf(validTo)}`,
  early: ({ validFrom }) => `is not valid before ${dayOf(validFrom)}`,
};

/** `number 2 expired on 2026-11-29; what to do` */
function told(faulty: readonly Faulty[]): string {
  const words = faulty.map(
    ({ certificate, number, fault }) => `number ${number} ${WORDS[fault](certificate)}`,
  );
  return `${words.join(', ')}; put the one in that the authority issues by now`;
}

const DER = 'openssl x509 -inform der -in FILE writes one in DER so';
const EXPECTED =
  'expected certificates of the authority in PEM, each between "-----BEGIN CERTIFICATE-----" and "-----END CERTIFICATE-----"';

/** What people have beside a certificate. */
const OTHERS: readonly (readonly [RegExp, string])[] = [
  [/-\0-|^\uFEFF?(?:.\0){4}/, `is in UTF-16, ${EXPECTED}; save it as UTF-8`],
  [
    /[\0\uFFFD]/,
    `holds no text, ${EXPECTED}; ${DER}, openssl pkcs7 -inform der -print_certs -in FILE those of a .p7b`,
  ],
  [
    /-----BEGIN (?:NEW )?CERTIFICATE REQUEST-----/,
    `holds a request for a certificate, ${EXPECTED}; name the certificate of the authority that signs such requests`,
  ],
  [
    /-----BEGIN (?:PKCS7|PKCS #7 SIGNED DATA|CMS)-----/,
    `holds PKCS #7, which TLS does not read, ${EXPECTED}; openssl pkcs7 -print_certs -in FILE writes them so`,
  ],
];

/** What is to be said of a file; neither: it holds certificates of an authority. */
export interface AuthorityJudgement {
  /** Why it cannot be the one of `cluster.ca`, and what to write instead. */
  readonly mistake?: string;
  /** What in it is of no use. */
  readonly warning?: string;
}

/** Why a file has not the form of certificates. Undefined: it has. */
function mistakeOfForm(
  pem: string,
  found: readonly (X509Certificate | undefined)[],
): string | undefined {
  // TLS passes over what stands around certificates; some say there how one begins.
  const shown = pem.replace(/^#.*/gm, '');
  if (shown.includes('-----BEGIN TRUSTED CERTIFICATE-----')) {
    return `holds a TRUSTED CERTIFICATE, which may say of itself that it is not for servers, ${EXPECTED}; openssl x509 -in FILE writes the first of a file so`;
  }
  const begun = shown.match(BEGUN)?.length ?? 0;
  if (begun > found.length) {
    return `holds the beginnings of ${begun === 1 ? '1 certificate' : `${begun} certificates`}, of which ${found.length} go from BEGIN to END on lines of their own, expected each so; copy the file again, with a line break behind each END`;
  }
  if (found.length === 0) {
    return (
      OTHERS.find(([pattern]) => pattern.test(pem))?.[1] ??
      `holds no certificate, ${EXPECTED}; ${DER}`
    );
  }
  const broken = found.indexOf(undefined);
  if (broken < 0) return undefined;
  return `holds ${found.length} in PEM, of which number ${broken + 1} is no certificate; copy the file again`;
}

/**
 * Judges a file as TLS would, without a word of what is in it but dates: it goes into every function's asset.
 * @param now milliseconds since 1970
 */
export function judgeAuthority(file: string, now: number): AuthorityJudgement {
  const pem = file.replace(/^\uFEFF/, ''); // TLS passes over it, too
  if (pem.includes('PRIVATE KEY-----')) {
    return {
      mistake:
        'holds a private key, expected certificates alone; take the key out, and replace it if anybody else can read this file',
    };
  }
  const blocks = [...pem.matchAll(BLOCK)].filter(([, label = '']) => OF_CERTIFICATE.test(label));
  const certificates = blocks.map(([block]) => certificateIn(block));
  const mistake = mistakeOfForm(pem, certificates);
  if (mistake !== undefined) return { mistake };
  const authorities = certificates
    .flatMap((certificate, index) => (certificate ? [{ certificate, number: index + 1 }] : []))
    .filter(isAuthority);
  if (authorities.length === 0) {
    return {
      mistake:
        'holds no certificate of an authority, only that of a server, which is replaced within months; expected the one that issued it, such as the last that openssl s_client -showcerts -connect HOST:443 shows',
    };
  }
  const faulty = authorities.flatMap((each): Faulty[] => {
    const fault = faultOf(each, now);
    return fault ? [{ ...each, fault }] : [];
  });
  if (faulty.length === authorities.length) {
    return {
      mistake: `holds no certificate by which a connection can succeed today, expected one: ${told(faulty)}`,
    };
  }
  // One that is to come stands beside the present one while they are changed.
  const useless = faulty.filter(({ fault }) => fault !== 'early');
  return useless.length === 0
    ? {}
    : {
        warning: `holds a certificate by which no connection can succeed, beside those that work: ${told(useless)}, or take it out`,
      };
}
