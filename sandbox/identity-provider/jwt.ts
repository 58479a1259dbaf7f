import { generateKeyPairSync, type KeyObject, sign, verify } from 'node:crypto';

/** A pair of keys by which tokens are signed and checked (EdDSA: RFC 8037). */
export const makeKeys = () => generateKeyPairSync('ed25519');

export interface Claims {
  readonly iss: string;
  readonly sub: string;
  readonly azp: string;
  readonly jti: string;
  /** Seconds since 1970. */
  readonly iat: number;
  readonly exp: number;
  readonly scope?: string;
  readonly aud?: string;
}

const encode = (value: object) => Buffer.from(JSON.stringify(value)).toString('base64url');

export function makeJwt(claims: Claims, key: KeyObject): string {
  const text = `${encode({ alg: 'EdDSA', typ: 'JWT', kid: 'sandbox' })}.${encode(claims)}`;
  return `${text}.${sign(null, Buffer.from(text), key).toString('base64url')}`;
}

/** Undefined: it is no JWT, or none that was signed with that key. */
export function readJwt(token: string, key: KeyObject): Claims | undefined {
  const [head = '', payload = '', signature = '', ...rest] = token.split('.');
  const text = Buffer.from(`${head}.${payload}`);
  const isOurs =
    rest.length === 0 &&
    signature !== '' &&
    verify(null, text, key, Buffer.from(signature, 'base64url'));
  return isOurs ? JSON.parse(Buffer.from(payload, 'base64url').toString()) : undefined;
}
