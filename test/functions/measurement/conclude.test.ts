import { describe, expect, test } from 'vitest';
import { recommend } from '../../../functions/measurement/conclude.ts';
import {
  type Change,
  nextSample,
  type Sample,
  type Spread,
  spreadOf,
} from '../../../functions/measurement/samples.ts';

const MINUTE = 60_000;
const change: Change = { from: 0, to: 1_000 };
const sample = (at: number, agreed: number, silent = 0): Sample => ({
  from: at,
  to: at + 100,
  agreed,
  kinds: agreed > 0 ? [0] : [],
  silent,
  objected: 20 - agreed - silent,
});

describe('what samples say', () => {
  test('is between the last look that could not have missed it and the first that saw it', () => {
    const before = [2_000, 3_000, 4_000, 5_000, 6_000].map((at) => sample(at, 0));
    const after = [8_000, 9_000, 10_000, 11_000].map((at) => sample(at, 20));
    // Four samples of twenty refusals before the first acceptance: one lone router could not be missed by all.
    expect(spreadOf(change, [...before, sample(7_000, 3), ...after], 1)).toEqual({
      first: { from: 2_000, to: 7_100 },
      usable: { from: 2_000, to: 7_100 },
      all: { from: 6_000, to: 11_100 },
      lastObjection: 6_000,
      probes: 200,
      silent: 0,
    });
  });

  test('is nothing where nothing was learnt, and no end where a router objects last', () => {
    const silent = spreadOf(change, [sample(2_000, 0, 20)], 1);
    expect(silent).toEqual({ lastObjection: 0, probes: 20, silent: 20 });
    const restless = [2_000, 3_000, 4_000, 5_000].map((at) => sample(at, 20));
    const { all, lastObjection } = spreadOf(change, [...restless, sample(6_000, 19)], 1);
    expect([all, lastObjection]).toEqual([undefined, 5_000]);
  });

  test('is asked for until nobody has objected for a while, at intervals that grow with what passed', () => {
    const calm = [2_000, 3_000, 4_000, 5_000].map((at) => sample(at, 20));
    expect(nextSample(change, calm, 10_000)).toBe(500);
    expect(nextSample(change, calm, 11_000)).toBeUndefined();
    expect(nextSample(change, [], 61_000)).toBe(3_000);
    expect(nextSample(change, [], 10 * MINUTE)).toBe(5_000);
  });
});

const spread = (first: number, all?: number): { readonly value: Spread } => ({
  value: {
    first: { from: 0, to: first },
    usable: { from: 0, to: first },
    ...(all !== undefined && { all: { from: 0, to: all } }),
    lastObjection: 3 * MINUTE,
    probes: 100,
    silent: 0,
  },
});
const POLICY = { activationTimeout: 5 * MINUTE, settle: 10 * MINUTE };
const why = { why: 'nobody answered' };

test.each([
  [
    'twice the slower of both changes',
    spread(8_000, 61_000),
    spread(20_000, 40_000),
    60,
    150,
    true,
  ],
  ['never less than a policy may have', spread(100, 200), spread(100, 200), 30, 60, true],
  ['more than was seen, where no end was', spread(8_000), why, 30, 360, false],
  ['nothing, where nothing was measured', why, why, undefined, undefined, false],
])('recommends %s', (_what, activation, permissionAdded, timeout, settle, isSeenToEnd) => {
  const [first, second] = recommend({ activation, permissionAdded }, POLICY);
  expect(first?.leastSeconds).toBe(timeout);
  expect(second?.leastSeconds).toBe(settle);
  expect(second).toMatchObject({ key: 'settle', policySeconds: 600, isSeenToEnd });
});
