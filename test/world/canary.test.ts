import { createHash } from 'node:crypto';
import { expect, test } from 'vitest';
import { createHeldCredentials } from '../../functions/held-credentials.ts';
import { createCanary } from './canary.ts';

/** Made up, in the form of a database token, of both alphabets of base64. */
const TOKEN = `apiv1_${createHash('sha512').update('siskin').digest('base64').replace('+', '-').replace('/', '_')}`;

const codesOf = (text: string) => [...text].map((each) => each.charCodeAt(0));
const hex = (text: string) => Buffer.from(text).toString('hex');
const base64 = (text: string) => Buffer.from(text).toString('base64');

const ENCODINGS: Readonly<Record<string, (text: string) => string>> = {
  'as it is': (text) => text,
  'as JSON with escaped slashes': (text) => text.replaceAll('/', '\\/'),
  'as JSON in JSON': (text) =>
    JSON.stringify(JSON.stringify({ text: text.replaceAll('/', '\\/') })),
  'in \\u escapes': (text) =>
    codesOf(text)
      .map((code) => `\\u${code.toString(16).padStart(4, '0')}`)
      .join(''),
  'percent-encoded': encodeURIComponent,
  'percent-encoded, every character': (text) => hex(text).replace(/../g, '%$&'),
  'in base64': base64,
  'in base64 behind one character': (text) => base64(`:${text}`),
  'in base64 behind two characters': (text) => base64(`u:${text}`),
  'in base64url': (text) => Buffer.from(text).toString('base64url'),
  'in base64 of UTF-16': (text) => Buffer.from(text, 'utf16le').toString('base64'),
  'in hexadecimal digits': hex,
  'in hexadecimal digits, upper-case': (text) => hex(text).toUpperCase(),
  'as HTML': (text) =>
    text.replaceAll('/', '&sol;').replaceAll('+', '&#43;').replaceAll('=', '&#x3d;'),
  'as HTML, every character': (text) =>
    codesOf(text)
      .map((code) => `&#${code};`)
      .join(''),
  'as HTML, every character with zeros in front': (text) =>
    codesOf(text)
      .map((code) => `&#${String(code).padStart(5, '0')};`)
      .join(''),
  'as HTML, every character in hexadecimal digits with zeros in front': (text) =>
    hex(text).replace(/../g, '&#x00$&;'),
  'as a list of bytes': (text) => `[${codesOf(text).join(', ')}]`,
  'as a list of bytes, one in each line': (text) => JSON.stringify([...Buffer.from(text)], null, 2),
  'as a list of bytes without commas': (text) => `[${codesOf(text).join(' ')}]`,
  'as JSON of bytes': (text) => JSON.stringify(Buffer.from(text)),
  'as bytes in hexadecimal digits': (text) => hex(text).replace(/..(?=.)/g, '$& '),
  'as bytes in hexadecimal digits with colons': (text) => hex(text).replace(/..(?=.)/g, '$&:'),
  'as hexadecimal digits in groups of four': (text) => hex(text).replace(/....(?=.)/g, '$& '),
  'as hexadecimal digits in groups of eight': (text) => hex(text).replace(/.{8}(?=.)/g, '$& '),
  'in \\u{} escapes': (text) => hex(text).replace(/../g, '\\u{$&}'),
  'as HTML, every character in entities that do not end': (text) =>
    codesOf(text)
      .map((code) => `&#${code}`)
      .join(''),
  'as bytes of a program': (text) => hex(text).replace(/../g, '0x$&, '),
  'quoted-printable, every character': (text) => hex(text).toUpperCase().replace(/../g, '=$&'),
};

const PARTS = Array.from({ length: TOKEN.length - 11 }, (_, at) => TOKEN.slice(at, at + 12));

test.each(Object.keys(ENCODINGS))(
  'any twelve characters of a credential are found, and taken out: %s',
  (encoding) => {
    const canary = createCanary(TOKEN);
    const held = createHeldCredentials();
    held.hold(TOKEN);
    const texts = [TOKEN, ...PARTS].map((each) => `before ${ENCODINGS[encoding]?.(each)} after`);
    expect(canary.leaksIn(texts)).toEqual(texts);
    expect(canary.leaksIn(texts.map(held.redact))).toEqual([]);
  },
);

test('what is no part of a credential is none', () => {
  const texts = [
    'keyturn/prod/telegraf 7f1c9b2e-2f1e-4c5b-9d3e-0242ac130002 sha256:0123456789abcdef',
    TOKEN.slice(6, 17),
  ];
  expect(createCanary(TOKEN).leaksIn(texts)).toEqual([]);
});
