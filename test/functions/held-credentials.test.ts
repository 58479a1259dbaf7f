import { describe, expect, test } from 'vitest';
import { createHeldCredentials, wordsIn } from '../../functions/held-credentials.ts';
import { plainText } from '../../functions/plain-text.ts';

/** Of no form that anybody could know. */
const OPAQUE = 'Zk3+mQ/9vT-xL_4=pW7rB2nY8dH6sF1jC5gK0';

const holding = (...credentials: readonly string[]) => {
  const held = createHeldCredentials();
  for (const each of credentials) held.hold(each);
  return held;
};

const base64 = (text: string) => Buffer.from(text).toString('base64');
const html = (text: string) => text.replace(/[^A-Za-z0-9]/g, (each) => `&#${each.charCodeAt(0)};`);
const unicode = (text: string) =>
  [...text].map((each) => `\\u${each.charCodeAt(0).toString(16).padStart(4, '0')}`).join('');

/** Every piece of it that is long enough to be recognised. */
const PIECES = Array.from({ length: OPAQUE.length - 7 }, (_, at) => OPAQUE.slice(at, at + 8));

test.each([
  ['as it is', OPAQUE],
  ['in a header', `Authorization: Bearer ${OPAQUE}`],
  ['as a parameter', `/query?u=x&t=${encodeURIComponent(OPAQUE)}`],
  ['percent-encoded twice', encodeURIComponent(encodeURIComponent(OPAQUE))],
  ['as JSON in JSON', JSON.stringify(JSON.stringify({ token: OPAQUE.replace('/', '\\/') }))],
  ['as HTML', html(OPAQUE)],
  ['as \\u escapes', unicode(OPAQUE)],
  ['in base64', base64(OPAQUE)],
  ['in base64 behind one character', base64(`:${OPAQUE}`)],
  ['in base64 behind two characters', base64(`u:${OPAQUE}`)],
  ['in base64url', Buffer.from(OPAQUE).toString('base64url')],
  ['in base64 twice', base64(base64(OPAQUE))],
  ['in hexadecimal digits', Buffer.from(OPAQUE).toString('hex')],
  ['in hexadecimal digits, upper-case', Buffer.from(OPAQUE).toString('hex').toUpperCase()],
  [
    'in hexadecimal digits in groups of four',
    Buffer.from(OPAQUE)
      .toString('hex')
      .replace(/....(?=.)/g, '$& '),
  ],
  [
    'in hexadecimal digits in groups of eight',
    Buffer.from(OPAQUE)
      .toString('hex')
      .replace(/.{8}(?=.)/g, '$& '),
  ],
  ['as entities that do not end', html(OPAQUE).replaceAll(';', '')],
  ['as \\u{} escapes', unicode(OPAQUE).replace(/u00(..)/g, 'u{$1}')],
  ['in hexadecimal digits of base64', Buffer.from(base64(OPAQUE)).toString('hex')],
  ['in base64 at the end of a sentence', `refused ${base64(OPAQUE)}.`],
  ['in base64 behind a key', `token=${base64(OPAQUE)}`],
  ['in base64 behind a name', `id-${base64(OPAQUE)}~x`],
  ['in a part of a JWT', `e30.${Buffer.from(OPAQUE).toString('base64url')}.c2ln`],
  ['in hexadecimal digits behind a key', `token=${Buffer.from(OPAQUE).toString('hex')}`],
  ['in hexadecimal digits behind 0x', `0x${Buffer.from(OPAQUE).toString('hex')}`],
  ['in wrapped base64', base64(`user:${OPAQUE}`).replace(/.{32}/g, '$&\r\n')],
  ['without its beginning', `…${OPAQUE.slice(5)}`],
  ['without its end', `${OPAQUE.slice(0, 20)}…`],
  ['its middle', OPAQUE.slice(9, 25)],
])('finds a credential of an unknown form: %s', (_how, text) => {
  const said = holding(OPAQUE).redact(`before ${text} after`);
  expect(said).toMatch(/before .*\[token\]/s);
  const plain = plainText(said);
  const decoded = (['base64', 'hex'] as const).map((each) => Buffer.from(plain, each).toString());
  const shown = [said, plain, ...decoded].join('\n');
  expect(PIECES.filter((piece) => shown.includes(piece))).toEqual([]);
});

test('a text without any of it stays as it is, to the last escape', () => {
  const texts = [
    'keyturn/prod/telegraf is due at 2026-01-02T03:04:05Z',
    '%41\\u0041&amp; 7f1c9b2e-2f1e-4c5b-9d3e-0242ac130002 sha256:0123456789abcdef',
    'x'.repeat(1_000),
  ];
  expect(texts.map(holding(OPAQUE).redact)).toEqual(texts);
  expect(texts.map(holding('').redact)).toEqual(texts);
});

test('of the value of a secret it knows tokens and passwords, and no names', () => {
  const held = createHeldCredentials();
  held.holdAllIn(
    JSON.stringify({
      token: 'a-short-token',
      tokenId: '7f1c9b2e-2f1e-4c5b-9d3e-0242ac130002',
      secretName: 'keyturn/prod/telegraf',
      host: 'influx.example.com',
      nested: [{ DB_PASSWORD: 'correct horse battery' }, { note: 'Xk2mQ9vTxL4pW7rB2nY8dH6' }],
      expiresAt: '2026-01-02T03:04:05Z',
    }),
  );
  const shown = [
    'the token 7f1c9b2e-2f1e-4c5b-9d3e-0242ac130002 of keyturn/prod/telegraf',
    'https://influx.example.com',
    '2026-01-02T03:04:05Z',
  ];
  expect(shown.map(held.redact)).toEqual(shown);
  expect(held.redact('a-short-token Xk2mQ9vTxL4pW7rB2nY8dH6')).toBe('[token] [token]');
  expect(
    held.redact('{"SecretString":"{\\"DB_PASSWORD\\":\\"correct horse battery\\"}"}'),
  ).not.toMatch(/correct|horse|battery/);
});

test.each([
  'pass',
  'DB_PASS',
  'passphrase',
  'api-key',
  'apikey',
  'X-Api-Key',
  'dsn',
  'SENTRY_DSN',
  'connectionString',
  'secretKey',
  'SECRET_KEY',
  'encryptionKey',
  'dbpass',
  'password1',
  'password_old',
  'pw',
  'authorization',
])('what a secret has under %s is a password', (key) => {
  const held = createHeldCredentials();
  held.holdAllIn(JSON.stringify({ token: 'x', more: { [key]: 'correct horse battery' } }));
  expect(held.redact('refused: correct horse battery')).toBe('refused: [token]');
});

test.each([
  { passwords: ['x', 'hunter-two!'] },
  { password: { value: 'hunter-two!', since: 2024 } },
])('what is in a list or an object under such a key is a password, too: %j', (value) => {
  const held = createHeldCredentials();
  held.holdAllIn(JSON.stringify(value));
  expect(held.redact('refused: hunter-two!')).toBe('refused: [token]');
});

test('a name that is part of a password stays a name', () => {
  const held = createHeldCredentials();
  held.holdAllIn(
    JSON.stringify({ password: 'telegraf-production-1', bucket: 'ProductionMetrics2024' }),
  );
  held.holdAllIn('placeholder');
  held.holdAllIn('SECRET_ARN=arn:aws:secretsmanager:eu-west-1:1:secret:keyturn/telegraf-a1B2c3');
  const names =
    'production keyturn/telegraf keyturn/telegraf-production-1 ProductionMetrics2024 placeholder';
  expect(held.redact(names)).toBe(names);
  expect(held.redact('password=telegraf-production-1')).toBe('password=[token]');
});

test('what the policy says is no credential, whatever a secret says', () => {
  const held = createHeldCredentials(wordsIn({ owner: 'production-2024' }));
  held.hold('production-2024');
  expect(held.redact('Owner production-2024')).toBe('Owner production-2024');
});

test('the words of a policy are its keys, texts and numbers, each once', () => {
  const entry = { permissions: [{ action: 'read' }], rotateEvery: 2_592_000_000 };
  const policy = {
    tokens: [entry, { ...entry, name: 'a "b"' }],
    retention: 2n ** 62n,
    adopt: null,
  };
  expect(JSON.parse(wordsIn(policy))).toEqual([
    'tokens',
    'permissions',
    'action',
    'read',
    'rotateEvery',
    '2592000000',
    'name',
    'a "b"',
    'retention',
    '4611686018427387904',
    'adopt',
    'null',
  ]);
});

test('of the lines of a secret it knows what looks random', () => {
  const held = createHeldCredentials();
  held.holdAllIn(
    'INFLUX_HOST=https://influx.example.com\nINFLUX_TOKEN=Xk2mQ9vTxL4pW7rB2nY8dH6==\n',
  );
  expect(held.redact('https://influx.example.com INFLUX_TOKEN')).toBe(
    'https://influx.example.com INFLUX_TOKEN',
  );
  expect(held.redact('sent Xk2mQ9vTxL4pW7rB2nY8dH6==')).toBe('sent [token]');
});

test('takes time in proportion to the text', () => {
  const held = holding(OPAQUE);
  for (const text of ['A', '%41', 'AAAA BBBB', '0f', '\\u0041', '&#65;']) {
    held.redact(text.repeat(1_000_000 / text.length));
  }
});

test('a password that is percent-encoded in an address is found decoded, too', () => {
  const held = createHeldCredentials();
  held.holdAllIn(JSON.stringify({ dsn: 'postgres://app:h%40nter%21two-sEvEn@db/x' }));
  for (const text of [
    'postgres://app:h%40nter%21two-sEvEn@db/x',
    'postgres://app:h@nter!two-sEvEn@db/x',
  ]) {
    expect(held.redact(`dsn=${text};`)).toBe('dsn=[token];');
  }
});

test.each(['dbUrl', 'DATABASE_URL', 'dsn'])(
  'the password of an address is found by itself, under %s',
  (key) => {
    const held = createHeldCredentials();
    held.holdAllIn(
      JSON.stringify({ [key]: 'postgres://app:correct-horse-1@db.example.com:5432/x' }),
    );
    expect(held.redact('password authentication failed: correct-horse-1')).toBe(
      'password authentication failed: [token]',
    );
    expect(held.redact('db.example.com:5432 app')).toBe('db.example.com:5432 app');
  },
);

test('an ordinary word is no password because its key ends like one, and a line of slashes is none', () => {
  const held = holding(`IQoJb3JpZ2luX2VjEPT${'/'.repeat(10)}wEaCXVzLWVhc3QtMSJIMEYCIQ`);
  held.holdAllIn(
    JSON.stringify({ bypass: 'disabled', compass: 'northeast', dbPass: 'hunter-two' }),
  );
  expect(held.redact('disabled northeast ////////// hunter-two')).toBe(
    'disabled northeast ////////// [token]',
  );
});

/** No random strings: passwords that people chose. */
const CHOSEN = ['hunter-two!', 'correct horse battery', 'say "no"\\never', 'Übergröße-12'];
const ENCODINGS: readonly (readonly [string, (text: string) => string])[] = [
  ['as it is', (text) => text],
  ['percent-encoded', encodeURIComponent],
  ['as JSON', (text) => JSON.stringify(text)],
  ['as JSON in JSON', (text) => JSON.stringify(JSON.stringify({ SecretString: text }))],
  ['in base64', base64],
  ['in base64 behind a name', (text) => `Basic ${base64(`app:${text}`)}`],
  ['in base64url', (text) => Buffer.from(text).toString('base64url')],
  ['in hexadecimal digits', (text) => Buffer.from(text).toString('hex')],
  ['in hexadecimal digits of base64', (text) => Buffer.from(base64(text)).toString('hex')],
];

describe.each([
  ['under a key', (text: string) => JSON.stringify({ password: text })],
  ['as the whole value', (text: string) => text],
  ['as the whole value, which ends its line', (text: string) => `${text}\n`],
  ['as the whole value, as JSON', (text: string) => JSON.stringify(text)],
  ['in a line of its own', (text: string) => `HOST=influx.example.com\nexport DB_PASSWORD=${text}`],
])('a password that is not random, %s of a secret', (_where, written) => {
  test.each(ENCODINGS)('is found %s', (_how, encode) => {
    for (const password of CHOSEN) {
      const held = createHeldCredentials();
      held.holdAllIn(written(password));
      const said = held.redact(`before ${encode(password)} after`);
      expect(said).toMatch(/^before .*\[token\].* after$/);
      expect(said).not.toContain(encode(password));
    }
  });
});

test('digits alone are a password, too', () => {
  const held = createHeldCredentials();
  held.holdAllIn('84736291848473629184');
  held.holdAllIn(JSON.stringify({ pwd: 5519283746, port: 54321000 }));
  expect(held.redact('84736291848473629184 5519283746 54321000')).toBe('[token] [token] 54321000');
});
