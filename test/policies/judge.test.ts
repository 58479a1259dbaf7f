import { expect, test } from 'vitest';
import { DAY, HOUR } from '../world/policy.ts';
import type { Case } from './draw.ts';
import { judge } from './judge.ts';
import type { Firing, Life } from './live.ts';

const AT = Date.UTC(2026, 2, 2, 3);
const nightly: Case = {
  ...{ seed: 1, startAt: AT - HOUR, activationDelayMs: 0, born: 'issued', days: 30 },
  ...{ rotate: 'cron(0 3 * * ? *)', timeZone: 'UTC' },
  lifetimes: {
    rotateEvery: '48h',
    gracePeriod: '6h',
    quarantine: '1h',
    windows: [],
    expiresAfter: '240h',
  },
};
const dayAt = (day: number) => AT + day * DAY;

/** Thirty nights, of which each third one brings another token. */
const nights = Array.from(
  { length: 30 },
  (_, day): Firing => ({
    ...{ at: dayAt(day), current: `token-${Math.floor(day / 3)}`, condition: 'works' },
    ...{ isLate: false, error: undefined },
  }),
);
const healthy: Life = { firings: nights, refusals: [], minted: 10 };
const changed = (day: number, by: Partial<Firing>): Life => ({
  ...healthy,
  firings: nights.map((each, number) => (number === day ? { ...each, ...by } : each)),
});
const refusedAt = (at: number, isFormer = false): Life => ({
  ...healthy,
  refusals: [{ at, tokenId: 'token-3', isFormer }],
});

test('a life in which all goes well is well', () => {
  expect(judge(nightly, healthy)).toEqual([]);
});

test.each([
  ['consumers are refused', refusedAt(dayAt(10) + HOUR), /^2026-03-12T04.* refused: token-3, AWSC/],
  ['what they read before is refused', refusedAt(dayAt(10), true), / within its grace period$/],
  ['a run says what is not so', changed(10, { condition: 'expiring' }), / false alarm: expiring$/],
  ['a run says late', changed(10, { isLate: true }), / false alarm: works, late$/],
  ['a run fails', changed(10, { error: 'Error: no' }), / failed: Error: no$/],
  ['tokens are minted for nobody', { ...healthy, minted: 12 }, /^minted in vain: 12, of which 10 /],
  [
    'a token stays',
    { ...healthy, firings: nights.map((each) => ({ ...each, current: 'token-0' })), minted: 1 },
    /^2026-03-31T.* put off: token-0 is AWSCURRENT for 29.0 days, expected 10.0 at most$/,
  ],
])('it is told where %s', (_, life, told) => {
  expect(judge(nightly, life)).toEqual([expect.stringMatching(told)]);
});

test('firings that never came are an excuse until the next one, and for what was read before it', () => {
  const refusals = [
    { at: dayAt(9) + HOUR, tokenId: 'token-3', isFormer: false },
    { at: dayAt(10) + 5 * HOUR, tokenId: 'token-3', isFormer: true },
  ];
  const about = { ...nightly, missed: { from: 10, count: 1 } };
  const without = { ...healthy, refusals };
  expect(judge(about, without)).toEqual([]);
  const later = { at: dayAt(10) + HOUR, tokenId: 'token-3', isFormer: false };
  expect(judge(about, { ...without, refusals: [...refusals, later] })).toHaveLength(1);
});
