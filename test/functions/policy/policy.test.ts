import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { parse } from 'yaml';
import * as z from 'zod';
import { parsePolicy } from '../../../functions/policy/parse-policy.ts';
import { PolicyError } from '../../../functions/policy/policy-error.ts';
import { policyJsonSchema } from '../../../lib/policy-schema.ts';
import { DAY, HOUR, id, MINUTE } from '../builders.ts';

const permissions = { write: ['telemetry'] };
const document = (more: object = {}, entry: object = {}) => ({
  owner: 'prod',
  cluster: { url: 'https://influxdb.example.com', managementToken: 'influxdb/management' },
  tokens: { telegraf: { permissions, ...entry } },
  ...more,
});
const example = parse(readFileSync('keyturn.example.yaml', 'utf8'));
/** What the functions get: the stack has taken its own section out. */
const { deployment: _, ...ofFunctions } = example;

test('fills in every default', () => {
  const lifetimes = {
    rotateEvery: 30 * DAY,
    renewBefore: 14 * DAY,
    expiresAfter: 90 * DAY,
    gracePeriod: DAY,
    quarantine: 7 * DAY,
    windows: [],
  };
  expect(parsePolicy(document())).toMatchObject({
    owner: 'prod',
    timeZone: 'UTC',
    schedules: { rotate: 'rate(30 minutes)', reap: 'rate(1 hour)', enforce: 'rate(1 hour)' },
    defaults: lifetimes,
    tokens: [
      {
        name: 'telegraf',
        secret: 'keyturn/prod/telegraf',
        description: 'telegraf',
        permissions: [{ action: 'write', resource: 'telemetry' }],
        ...lifetimes,
      },
    ],
    databases: [],
    onRemoval: 'report',
    expiredForeignTokens: 'report',
    limits: { percent: 30, tokens: 3 },
    activationTimeout: 5 * MINUTE,
    settle: 10 * MINUTE,
    concurrency: 10,
    secretWritesPerSecond: 20,
    allowGracePeriodUnderAnHour: false,
  });
});

test('lets an entry override the defaults, and the defaults what is built in', () => {
  const [token] = parsePolicy(
    document(
      { defaults: { rotateEvery: '10d', gracePeriod: '2h' } },
      { gracePeriod: '3h', expiresAfter: 'never', description: 'a', secret: 'x/y' },
    ),
  ).tokens;
  expect(token).toEqual({
    name: 'telegraf',
    secret: 'x/y',
    description: 'a',
    permissions: [{ action: 'write', resource: 'telemetry' }],
    rotateEvery: 10 * DAY,
    renewBefore: 14 * DAY,
    gracePeriod: 3 * HOUR,
    quarantine: 7 * DAY,
    windows: [],
  });
});

test('lets an entry expire though the defaults say never', () => {
  const more = { defaults: { expiresAfter: 'never' } };
  const [token] = parsePolicy(document(more, { expiresAfter: '60d' })).tokens;
  expect(token?.expiresAfter).toBe(60 * DAY);
});

test('sorts permissions and names each once', () => {
  const granted = { read: ['b', 'a', 'b'], write: ['a'] };
  expect(parsePolicy(document({}, { permissions: granted })).tokens[0]?.permissions).toEqual([
    { action: 'read', resource: 'a' },
    { action: 'read', resource: 'b' },
    { action: 'write', resource: 'a' },
  ]);
});

const sentences = (value: unknown): string[] => {
  try {
    parsePolicy(value);
  } catch (error) {
    if (error instanceof PolicyError) return error.message.split('\n');
    throw error;
  }
  return [];
};

/** What is wrong, and the sentence that says so: key, what was found, what was expected. */
const mistakes: readonly (readonly [object, string])[] = [
  [
    document({}, { rotateEvry: '30d' }),
    'tokens.telegraf.rotateEvry: unknown key; did you mean "rotateEvery"?',
  ],
  [document({ ownr: 'x' }), 'ownr: unknown key; did you mean "owner"?'],
  [
    document({ cluster: { ...document().cluster, URL: 'x' } }),
    'cluster.URL: unknown key; did you mean "url"?',
  ],
  [document({ limits: { percnt: 5 } }), 'limits.percnt: unknown key; did you mean "percent"?'],
  [document({ limits: { wombat: 5 } }), 'limits.wombat: unknown key; known here: percent, tokens'],
  [
    document({}, { rotateEvery: '30 days' }),
    'tokens.telegraf.rotateEvery: found "30 days", expected a duration such as 30d, 12h or 1h30m',
  ],
  [
    document({}, { expiresAfter: 'newer' }),
    'tokens.telegraf.expiresAfter: found "newer", expected "never", or a duration such as 30d, 12h or 1h30m',
  ],
  [
    document({}, { windows: ['Mon 9-10'] }),
    'tokens.telegraf.windows[0]: found "Mon 9-10", expected a window such as "Mon-Fri 09:00-17:00"',
  ],
  [
    document({}, { description: 'x [keyturn:1' }),
    'tokens.telegraf.description: found "x [keyturn:1", expected a text without "[keyturn:", which begins a marker',
  ],
  [
    document({}, { secret: 'a b' }),
    'tokens.telegraf.secret: found "a b", expected a secret name: letters, digits and /_+=.@-, at most 512',
  ],
  [document({ onRemoval: 'delete' }), 'onRemoval: found "delete", expected "report" or "retire"'],
  [document({ concurrency: 0 }), 'concurrency: found 0, expected at least 1'],
  [document({ limits: { percent: 101 } }), 'limits.percent: found 101, expected at most 100'],
  [
    document({ timeZone: 'Mars/Olympus' }),
    'timeZone: found "Mars/Olympus", expected a time zone such as Europe/Berlin or America/Los_Angeles, by its name in the IANA database',
  ],
  [
    document({ owner: 'Prod!' }),
    'owner: found "Prod!", expected a short name: lower-case letters, digits and "-", of which the first is a letter, at most 31',
  ],
  [
    document({ tokens: { 'a b': { permissions } } }),
    'tokens.a b: found this name, expected a token name: letters, digits, "_", "." and "-", of which the first is a letter or a digit, at most 64',
  ],
  [document({ tokens: [] }), 'tokens: found [], expected a mapping'],
  [
    document({ tokens: { a: {} } }),
    'tokens.a.permissions: found nothing, expected a mapping such as {read: [telemetry], write: [telemetry]}',
  ],
  [
    document({ schedules: { rotate: '5 minutes' } }),
    'schedules.rotate: found "5 minutes", expected an EventBridge expression, rate(30 minutes) or cron(0 3 * * ? *)',
  ],
  [
    document({}, { adopt: { tokenId: 'x' } }),
    'tokens.telegraf.adopt.tokenId: found "x", expected a UUID such as 11111111-1111-4111-8111-111111111111',
  ],
  ...['db.', '.token', 'db..token'].map((key): [object, string] => [
    document({}, { adopt: { tokenId: id(1), key } }),
    `tokens.telegraf.adopt.key: found "${key}", expected the JSON key of the token string, or a path such as db.token, without "$." and not into a list`,
  ]),
  [document({ settle: 10 }), 'settle: found 10, expected a duration such as 30d, 12h or 1h30m'],
  [
    document({ databases: [{ name: 'telemetry', retention: '10m' }] }),
    'databases[0].retention: found "10m", expected a retention period of at least 1h that fits 64 bits, or infinite',
  ],
];

test.each(mistakes)('says what is wrong, where, and what was expected: %#', (wrong, sentence) => {
  expect(sentences(wrong)).toEqual([sentence]);
});

test.each(['password', 'db.token', 'a.b.c', 'with space'])('takes the key %s', (key) => {
  const [token] = parsePolicy(document({}, { adopt: { tokenId: id(1), key } })).tokens;
  expect(token?.adopt?.key).toBe(key);
});

test('names every mistake at once', () => {
  const wrong = document({ owner: '', concurrency: 0 }, { rotateEvery: 'x' });
  expect(sentences(wrong)).toHaveLength(3);
});

test.each([[undefined], [null], [''], [[]], [42]])('takes %j for no policy', (nothing) => {
  expect(sentences(nothing)).toHaveLength(1);
  expect(sentences(nothing)[0]).toMatch(/^\(the whole file\): found .*, expected a mapping$/);
});

test('describes the same shape to an editor', () => {
  // zod compiles patterns without the flag for Unicode that JSON Schema asks for.
  const text = JSON.stringify(policyJsonSchema())
    .replaceAll('\\\\p{L}', 'A-Za-z')
    .replaceAll('\\\\p{N}', '0-9');
  const schema = z.fromJSONSchema(JSON.parse(text));
  const adopting = document({}, { adopt: { tokenId: id(1) }, windows: ['Mon 01:00-02:00'] });
  expect(schema.safeParse(example).error).toBeUndefined();
  for (const right of [ofFunctions, document(), adopting]) {
    expect(schema.safeParse(right).error).toBeUndefined();
    expect(sentences(right)).toEqual([]);
  }
  const shapes = [
    document({ ownr: 'x' }),
    document({}, { rotateEvry: '30d' }),
    document({}, { rotateEvery: '30 days' }),
    document({}, { rotateEvery: 30 }),
    document({}, { windows: 'Mon 01:00-02:00' }),
    document({ onRemoval: 'delete' }),
    document({ concurrency: 0 }),
    document({ limits: { percent: 101 } }),
    document({ owner: 'Prod!' }),
    document({ tokens: { a: {} } }),
    document({ tokens: [] }),
    { owner: 'prod' },
  ];
  for (const wrong of shapes) {
    expect(sentences(wrong)).not.toEqual([]);
    expect(schema.safeParse(wrong).success, JSON.stringify(wrong)).toBe(false);
  }
});
