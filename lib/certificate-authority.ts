import { X509Certificate } from 'node:crypto';

/** TLS reads only what begins and ends on lines of its own, and no lone carriage return ends a line for it. */
const BLOCK =
  /(?<![^\n])-----BEGIN ([A-Z0-9 #]+)-----([^-]*)(?<=\n)-----END \1-----[ \t\r]*(?![^\n])/g;

/** OpenSSL's three words for a certificate, of which TLS takes each. */
const BEGUN = /-----BEGIN (?:X509 |TRUSTED )?CERTIFICATE-----/g;
const OF_CERTIFICATE = /^(?:X509 |TRUSTED )?CERTIFICATE$/;

/** Of server authentication, and of any use, as DER writes them. */
const SERVER_USES = ['\x06\x08\x2b\x06\x01\x05\x05\x07\x03\x01', '\x06\x04\x55\x1d\x25\x00'];
const TRUSTED_USES = 0x30;
const REJECTED_USES = 0xa0;

/** The tags and contents of DER that OpenSSL has read, as they follow one another. */
function* elementsOf(der: Buffer): Generator<readonly [tag: number, content: Buffer]> {
  for (let at = 0; at + 1 < der.length; ) {
    const [tag = 0, short = 0] = der.subarray(at);
    const more = short > 0x80 ? short & 0x7f : 0;
    const begin = at + 2 + more;
    const end = begin + (more > 0 ? der.readUIntBE(at + 2, more) : short);
    yield [tag, der.subarray(begin, end)];
    at = end;
  }
}

/** `openssl x509 -trustout` writes behind a certificate for what it is trusted, and for what it is not. */
function isTrustedForServers(behind: Buffer): boolean {
  const [[, lists] = [0, Buffer.alloc(0)]] = elementsOf(behind);
  return [...elementsOf(lists)].every(([tag, content]) => {
    const names = SERVER_USES.some((use) => content.includes(use, 0, 'latin1'));
    return (tag !== TRUSTED_USES || names) && (tag !== REJECTED_USES || !names);
  });
}

interface Found {
  readonly certificate: X509Certificate;
  /** From 1, of all certificates in the file. */
  readonly number: number;
  readonly body: string;
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

type Fault = 'expired' | 'early' | 'marked';

interface Faulty extends Found {
  readonly fault: Fault;
}

/** Why TLS refuses all that an authority issued. */
function faultOf({ certificate, body }: Found, now: number): Fault | undefined {
  if (Date.parse(certificate.validTo) < now) return 'expired';
  if (Date.parse(certificate.validFrom) > now) return 'early';
  const behind = Buffer.from(body, 'base64').subarray(certificate.raw.length);
  return isTrustedForServers(behind) ? undefined : 'marked';
}

const RENEW = 'put the one in that the authority issues by now';

/** What is said of it, and what to do. */
const FAULTS: Readonly<
  Record<
    Fault,
    { readonly says: (certificate: X509Certificate) => string; readonly advice: string }
  >
> = {
  expired: { says: ({ validTo }) => `expired on ${dayOf(validTo)}`, advice: RENEW },
  early: { says: ({ validFrom }) => `is not valid before ${dayOf(validFrom)}`, advice: RENEW },
  marked: {
    says: () => 'is marked (TRUSTED CERTIFICATE) as not trusted for servers',
    advice: 'openssl x509 -in FILE writes it without its mark',
  },
};

/** `number 2 expired on 2026-11-29; advice` */
function told(faulty: readonly Faulty[]): string {
  const words = faulty.map(
    ({ certificate, number, fault }) => `number ${number} ${FAULTS[fault].says(certificate)}`,
  );
  const advice = new Set(faulty.map(({ fault }) => FAULTS[fault].advice));
  return `${words.join(', ')}; ${[...advice].join(', and ')}`;
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
  const begun = pem.replace(/^#.*/gm, '').match(BEGUN)?.length ?? 0;
  if (begun > found.length) {
    return `holds the beginnings of ${begun} certificates, of which ${found.length} go from BEGIN to END on lines of their own, expected each so; copy the file again, with a line break behind each END`;
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
    .flatMap((certificate, index) =>
      certificate ? [{ certificate, number: index + 1, body: blocks[index]?.[2] ?? '' }] : [],
    )
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
