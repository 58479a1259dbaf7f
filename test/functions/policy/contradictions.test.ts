import { expect, test } from 'vitest';
import { parsePolicy } from '../../../functions/policy/parse-policy.ts';
import { PolicyError } from '../../../functions/policy/policy-error.ts';
import { id } from '../builders.ts';

const permissions = { write: ['telemetry'] };
const cluster = { url: 'https://influxdb.example.com', managementToken: 'influxdb/management' };
const base = { owner: 'prod', cluster };

function sentences(entry: object, more: object = {}): readonly string[] {
  const tokens = { telegraf: { permissions, ...entry } };
  try {
    parsePolicy({ ...base, tokens, ...more });
    return [];
  } catch (error) {
    if (error instanceof PolicyError) return error.message.split('\n');
    throw error;
  }
}

test.each([
  [
    { permissions: {} },
    'tokens.telegraf.permissions: grants nothing; name at least one database under read or write',
  ],
  [
    { rotateEvery: '14m59s', gracePeriod: '1m' },
    'tokens.telegraf.rotateEvery: 14m59s is too often: Secrets Manager allows only about 100 versions a day; the shortest is 15m',
  ],
  [
    { expiresAfter: '30d23h59m59s' },
    'tokens.telegraf.expiresAfter: 30d23h59m59s is shorter than rotateEvery plus gracePeriod (31d), so a token would expire while consumers still use it',
  ],
  [
    { renewBefore: '23h' },
    'tokens.telegraf.renewBefore: 23h is shorter than gracePeriod (1d), so a token renewed at the last moment would expire while consumers still use it',
  ],
  [
    { expiresAfter: '40d', renewBefore: '39d23h46m' },
    'tokens.telegraf.renewBefore: 39d23h46m leaves less than 15m of expiresAfter (40d), so a token would be renewed as soon as it is made; write a shorter one, such as 5d12h',
  ],
  [
    { rotateEvery: '1d', gracePeriod: '6h', expiresAfter: '7d' },
    'tokens.telegraf.renewBefore: 14d, its default, leaves less than 15m of expiresAfter (7d), so a token would be renewed as soon as it is made; write a shorter one, such as 3d3h',
  ],
  [
    { rotateEvery: '20h', gracePeriod: '18h' },
    'tokens.telegraf.gracePeriod: 18h must be shorter than the time between two rotations, which can be as short as 18h',
  ],
])('refuses %j, and says why', (entry, sentence) => {
  expect(sentences(entry, { allowGracePeriodUnderAnHour: true, settle: '2m' })).toEqual([sentence]);
});

test('wants a word for a grace period under an hour', () => {
  expect(sentences({ gracePeriod: '59m59s' })).toEqual([
    "tokens.telegraf.gracePeriod: 59m59s is shorter than the hour after which AWS's caching clients read a secret again; set allowGracePeriodUnderAnHour: true if every consumer reads it sooner",
  ]);
  expect(sentences({ gracePeriod: '59m59s' }, { allowGracePeriodUnderAnHour: true })).toEqual([]);
});

test.each([
  { rotateEvery: '20m', gracePeriod: '13m', expiresAfter: 'never' },
  { expiresAfter: '31d' },
  { renewBefore: '1d' },
  { expiresAfter: '40d', renewBefore: '39d23h45m' },
  { rotateEvery: '20h', gracePeriod: '17h59m59s' },
  { gracePeriod: '1h' },
  { expiresAfter: 'never', renewBefore: '1s' },
])('takes %j, which just fits', (entry) => {
  expect(sentences(entry, { allowGracePeriodUnderAnHour: true })).toEqual([]);
});

test('refuses two entries with one secret', () => {
  const tokens = {
    telegraf: { permissions },
    other: { permissions, secret: 'keyturn/prod/telegraf' },
  };
  expect(sentences({}, { tokens })).toEqual([
    'tokens.other.secret: keyturn/prod/telegraf is also the secret of "telegraf"; two entries cannot share one',
  ]);
});

test('refuses to rotate the management token', () => {
  expect(sentences({ secret: 'influxdb/management' })).toEqual([
    'tokens.telegraf.secret: influxdb/management contains the management token, which Keyturn only reads',
  ]);
});

test('refuses an empty policy', () => {
  expect(sentences({}, { tokens: {} })).toEqual([
    'tokens: names no token; a policy needs at least one',
  ]);
});

test('takes a policy of databases alone, unless tokens that left it would be retired', () => {
  const databases = [{ name: 'telemetry', retention: '90d' }];
  expect(sentences({}, { tokens: {}, databases })).toEqual([]);
  expect(sentences({}, { tokens: {}, databases, onRemoval: 'retire' })).toEqual([
    'tokens: names no token; a policy needs at least one',
  ]);
});

test('refuses half of a Cloud Dedicated address', () => {
  const accountId = '11111111-1111-1111-1111-111111111111';
  const half = { cluster: { ...cluster, accountId } };
  expect(sentences({}, half)).toEqual(['cluster: accountId and clusterId must be set together']);
  expect(sentences({}, { cluster: { ...cluster, accountId, clusterId: accountId } })).toEqual([]);
});

test('refuses to send tokens in clear, but for loopback or on an explicit word', () => {
  const at = (url: string, more = {}) => sentences({}, { cluster: { ...cluster, url, ...more } });
  expect(at('http://influxdb.internal')).toEqual([
    'cluster.url: http://influxdb.internal would send tokens unencrypted; use https, or set allowPlainHttp: true if the network is trusted',
  ]);
  expect(at('http://influxdb.internal', { allowPlainHttp: true })).toEqual([]);
  expect(at('http://127.0.0.1:8086')).toEqual([]);
  expect(at('http://localhost:8086')).toEqual([]);
});

test('refuses an activation that no run could wait for', () => {
  expect(sentences({}, { activationTimeout: '13m' })).toEqual([]);
  expect(sentences({}, { activationTimeout: '13m1s' })).toEqual([
    'activationTimeout: found 13m1s, expected 10s to 13m: within less, no probe could see that a token is accepted, and a run ends after 15m',
  ]);
});

test('refuses to promote before routers can know a token, or to keep it waiting for days', () => {
  const why =
    'a token that is promoted before every router knows it is refused, and one that waits long is not in use';
  for (const settle of ['1m', '10m', '1d']) expect(sentences({}, { settle })).toEqual([]);
  expect(sentences({}, { settle: '59s' })).toEqual([
    `settle: found 59s, expected 1m to 1d: ${why}`,
  ]);
  expect(sentences({}, { settle: '1d1s' })).toEqual([
    `settle: found 1d1s, expected 1m to 1d: ${why}`,
  ]);
});

test('refuses to rotate as often as a new token needs to settle', () => {
  const often = { rotateEvery: '5h', gracePeriod: '1h', expiresAfter: 'never' };
  expect(sentences(often, { settle: '2h30m' })).toEqual([]);
  expect(sentences(often, { settle: '2h31m' })).toEqual([
    'tokens.telegraf.rotateEvery: 5h is too short for settle (2h31m), for which a new token waits before it is promoted; the shortest is twice that',
  ]);
});

test('refuses two entries that adopt one token', () => {
  const adopt = { tokenId: '1F0C9A2E-0000-4000-8000-000000000001' };
  const tokens = {
    telegraf: { permissions, adopt, secret: 'plant/telegraf' },
    grafana: { permissions, adopt: { tokenId: id(2) }, secret: 'plant/grafana' },
    other: { permissions, adopt: { tokenId: adopt.tokenId.toLowerCase() }, secret: 'plant/other' },
  };
  expect(sentences({}, { tokens })).toEqual([
    'tokens.other.adopt.tokenId: 1f0c9a2e-0000-4000-8000-000000000001 is also adopted by "telegraf"; one token cannot be in two secrets, because each is rotated by itself',
  ]);
});
