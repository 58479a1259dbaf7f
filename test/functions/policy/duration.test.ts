import fc from 'fast-check';
import { expect, test } from 'vitest';
import { formatDuration } from '../../../functions/policy/duration.ts';
import { jitterOf } from '../../../functions/policy/jitter.ts';
import {
  compareRetention,
  formatRetention,
  INFINITE_RETENTION,
} from '../../../functions/policy/retention.ts';
import { durationSchema } from '../../../functions/policy/schemas/duration.ts';
import { retentionSchema } from '../../../functions/policy/schemas/retention.ts';

test.each([
  ['90s', 90_000],
  ['15m', 900_000],
  ['1h30m', 5_400_000],
  ['30d', 2_592_000_000],
  ['2w', 1_209_600_000],
  ['0s', 0],
])('reads %s as %i ms', (text, expected) => {
  expect(durationSchema.parse(text)).toBe(expected);
});

test.each(['', '30', 'd', '30 d', '1.5h', '-1d', '30D', '1h 30m', 'never', 30])(
  'refuses %j as a duration',
  (text) => expect(durationSchema.safeParse(text).success).toBe(false),
);

test('writes durations as it reads them', () => {
  expect(formatDuration(5_400_000)).toBe('1h30m');
  expect(formatDuration(0)).toBe('0s');
  fc.assert(
    fc.property(fc.integer({ min: 0, max: 10 ** 9 }), (seconds) => {
      expect(durationSchema.parse(formatDuration(seconds * 1_000))).toBe(seconds * 1_000);
    }),
  );
});

test.each([
  ['1h', 3_600_000_000_000n],
  ['90d', 7_776_000_000_000_000n],
  ['26w', 15_724_800_000_000_000n],
  ['90d12h5ns', 7_819_200_000_000_005n],
  ['9223372036854775807ns', 9_223_372_036_854_775_807n],
  ['infinite', 0n],
])('reads a retention of %s to the nanosecond', (text, expected) => {
  expect(retentionSchema.parse(text)).toBe(expected);
});

test.each([
  ...['59m', '0s', '3599999999999ns', '9223372036854775808ns', '300y'],
  ...['forever', 'infinite30d', '1.5d', '30d 1h', '30days', '', 7],
])('refuses %j as a retention', (text) =>
  expect(retentionSchema.safeParse(text).success).toBe(false),
);

test('writes retentions as it reads them', () => {
  const period = fc.bigInt({ min: 3_600_000_000_000n, max: 9_223_372_036_854_775_807n });
  fc.assert(
    fc.property(period, (value) => {
      expect(retentionSchema.parse(formatRetention(value))).toBe(value);
    }),
  );
  expect(formatRetention(INFINITE_RETENTION)).toBe('infinite');
});

test('orders retentions by what they keep, infinite the longest', () => {
  const day = retentionSchema.parse('1d');
  const order = [day, INFINITE_RETENTION, day * 2n].sort(compareRetention);
  expect(order).toEqual([day, day * 2n, INFINITE_RETENTION]);
  expect(compareRetention(0n, 0n)).toBe(0);
});

test('draws the jitter of a name the same every time, early by less than a tenth', () => {
  expect(jitterOf('keyturn/prod/telegraf', 30 * 86_400_000)).toBe(118_625_552);
  fc.assert(
    fc.property(fc.string(), fc.integer({ min: 1, max: 2 ** 40 }), (name, rotateEvery) => {
      const jitter = jitterOf(name, rotateEvery);
      expect(jitter).toBeGreaterThanOrEqual(0);
      expect(jitter).toBeLessThan(rotateEvery / 10);
    }),
  );
});

test('spreads a fleet evenly', () => {
  const tenths = Array.from({ length: 10 }, () => 0);
  for (let n = 0; n < 1_000; n += 1) {
    const tenth = Math.floor(jitterOf(`keyturn/prod/sensor-${n}`, 1_000_000) / 10_000);
    tenths[tenth] = (tenths[tenth] ?? 0) + 1;
  }
  for (const count of tenths) expect(count).toBeGreaterThan(60);
});
