import { createPrivateKey, generateKeyPairSync, type KeyObject, sign } from 'node:crypto';

const SEQUENCE = 0x30;
const SET = 0x31;
const INTEGER = 0x02;
const BITS = 0x03;
const OCTETS = 0x04;
const TEXT = 0x0c;
const UTC_TIME = 0x17;
const EXTENSIONS = 0xa3;
/** Of a subject's alternative names: an IP address. */
const ADDRESS = 0x87;

/** One value in DER: its tag, its length, its content. */
function der(tag: number, ...parts: readonly Buffer[]): Buffer {
  const content = Buffer.concat(parts);
  const { length } = content;
  const size = length < 128 ? [length] : [0x82, length >> 8, length & 0xff];
  return Buffer.concat([Buffer.from([tag, ...size]), content]);
}

const hex = (digits: string) => Buffer.from(digits, 'hex');
const ECDSA_WITH_SHA256 = der(SEQUENCE, hex('06082a8648ce3d040302'));
const COMMON_NAME = hex('0603550403');
const ALTERNATIVE_NAMES = hex('0603551d11');

const bits = (content: Buffer) => der(BITS, Buffer.from([0]), content);
const text = (tag: number, content: string) => der(tag, Buffer.from(content));

const pem = (content: Buffer) =>
  `-----BEGIN CERTIFICATE-----\n${content.toString('base64').replace(/.{64}/g, '$&\n')}\n-----END CERTIFICATE-----\n`;

/** A certificate of a server at 127.0.0.1 that signs itself, for some decades: a fresh clone may have no openssl. */
export function makeCertificate(): { readonly cert: string; readonly key: string } {
  const { publicKey, privateKey } = generateKeyPairSync('ec', {
    namedCurve: 'prime256v1',
    publicKeyEncoding: { type: 'spki', format: 'der' },
    privateKeyEncoding: { type: 'pkcs8', format: 'pem' },
  }) as unknown as { publicKey: Buffer; privateKey: string };
  const name = der(SEQUENCE, der(SET, der(SEQUENCE, COMMON_NAME, text(TEXT, 'keyturn bench'))));
  const valid = der(SEQUENCE, text(UTC_TIME, '200101000000Z'), text(UTC_TIME, '490101000000Z'));
  const addresses = der(SEQUENCE, der(ADDRESS, Buffer.from([127, 0, 0, 1])));
  const extensions = der(SEQUENCE, der(SEQUENCE, ALTERNATIVE_NAMES, der(OCTETS, addresses)));
  const signed = der(
    SEQUENCE,
    hex('a003020102'),
    der(INTEGER, Buffer.from([1])),
    ECDSA_WITH_SHA256,
    name,
    valid,
    name,
    publicKey,
    der(EXTENSIONS, extensions),
  );
  const key: KeyObject = createPrivateKey(privateKey);
  const signature = bits(sign('sha256', signed, key));
  return { cert: pem(der(SEQUENCE, signed, ECDSA_WITH_SHA256, signature)), key: privateKey };
}
