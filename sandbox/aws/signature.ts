import { createHash, createHmac, createSecretKey, type KeyObject } from 'node:crypto';
import type { Asked } from '../asked.ts';

/** What an `Authorization` header of Signature Version 4 says. */
export interface Claim {
  readonly accessKeyId: string;
  /** `20260115` */
  readonly day: string;
  readonly region: string;
  readonly service: string;
  /** Names in lower case, in the order of the header. */
  readonly signedHeaders: readonly string[];
  readonly signature: string;
}

const HEADER =
  /^AWS4-HMAC-SHA256 Credential=([^/, ]+)\/(\d{8})\/([^/, ]+)\/([^/, ]+)\/aws4_request, ?SignedHeaders=([^, ]+), ?Signature=([0-9a-f]{64})$/;

/** Undefined: it is not of this form. */
export function readClaim(authorization: string): Claim | undefined {
  const [, accessKeyId = '', day = '', region = '', service = '', signed = '', signature = ''] =
    HEADER.exec(authorization) ?? [];
  const signedHeaders = signed.split(';');
  return signature ? { accessKeyId, day, region, service, signedHeaders, signature } : undefined;
}

const hash = (content: string | Buffer) => createHash('sha256').update(content).digest('hex');
const hmac = (key: string | Buffer | KeyObject, content: string) =>
  createHmac('sha256', key).update(content).digest();

/** A day's requests of a service have the same one. */
const derivedKeys = new Map<string, KeyObject>();
const MOST_KEYS = 100;

function derivedKey(of: string, derive: () => Buffer): KeyObject {
  const known = derivedKeys.get(of);
  if (known) return known;
  if (derivedKeys.size >= MOST_KEYS) derivedKeys.clear();
  const key = createSecretKey(derive());
  derivedKeys.set(of, key);
  return key;
}

const escapeUri = (text: string) =>
  encodeURIComponent(text).replace(
    /[!'()*]/g,
    (letter) => `%${letter.charCodeAt(0).toString(16).toUpperCase()}`,
  );

function canonicalUrl(url: string): string {
  const [path = '', query = ''] = url.split('?');
  const parameters = [...new URLSearchParams(query)].map(
    ([name, value]) => `${escapeUri(name)}=${escapeUri(value)}`,
  );
  // The path is escaped once more than it was sent.
  return `${path.split('/').map(escapeUri).join('/')}\n${parameters.sort().join('&')}`;
}

/**
 * The signature that a request must bear; every part of it counts:
 * docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-create-signed-request.html
 */
export function signatureOf(
  { method, url, headers, body }: Asked,
  { day, region, service, signedHeaders }: Omit<Claim, 'accessKeyId' | 'signature'>,
  secretAccessKey: string,
): string {
  const lines = signedHeaders.map(
    (name) => `${name}:${`${headers[name] ?? ''}`.trim().replace(/ +/g, ' ')}\n`,
  );
  const canonical = [
    method,
    canonicalUrl(url),
    lines.join(''),
    signedHeaders.join(';'),
    hash(body),
  ].join('\n');
  const scope = `${day}/${region}/${service}/aws4_request`;
  const text = `AWS4-HMAC-SHA256\n${headers['x-amz-date']}\n${scope}\n${hash(canonical)}`;
  const key = derivedKey(`${secretAccessKey}\n${scope}`, () =>
    [region, service, 'aws4_request'].reduce(
      (derived, part) => hmac(derived, part),
      hmac(`AWS4${secretAccessKey}`, day),
    ),
  );
  return hmac(key, text).toString('hex');
}
