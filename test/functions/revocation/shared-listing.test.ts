import { expect, test } from 'vitest';
import { sharedListing } from '../../../functions/revocation/shared-listing.ts';

/** A listing that takes a moment, and a clock that nobody waits for. */
function open(isOver = () => false) {
  let at = 0;
  const begun: number[] = [];
  const listTokens = () => {
    begun.push(at);
    at += 20;
    return Promise.resolve({ tokens: [], at, late: new Set<string>() });
  };
  const sleep = (ms: number) => {
    if (isOver()) return Promise.reject(new Error('the run is over'));
    at += ms;
    return Promise.resolve();
  };
  const { listTokens: list, together } = sharedListing({ listTokens }, { now: () => at, sleep });
  return {
    list,
    together,
    begun,
    now: () => at,
    pass(ms: number) {
      at += ms;
    },
  };
}

test('the looks of an order about many secrets share listings, however many secrets there are', async () => {
  for (const looks of [1_000, 100_000]) {
    const { list, begun, now, pass } = open();
    // Fifteen minutes of looks that come one by one.
    while (now() < 900_000) {
      const asked = now();
      const { at } = await list();
      expect(at - 20).toBeGreaterThanOrEqual(asked);
      pass(900_000 / looks);
    }
    expect(begun.length).toBeLessThan(110);
  }
});

test('an order about a few secrets waits for no listing', async () => {
  const { list, begun, now } = open();
  for (let look = 0; look < 20; look += 1) await list();
  expect([begun.length, now()]).toEqual([20, 400]);
});

test('who asks while a listing is waited for shares it, and one that was not begun is asked for again', async () => {
  let isOver = false;
  const { list, begun } = open(() => isOver);
  for (let look = 0; look < 21; look += 1) await list();
  const shared = [list(), list(), list()];
  expect(new Set(await Promise.all(shared)).size).toBe(1);
  isOver = true;
  await expect(list()).rejects.toThrow('the run is over');
  isOver = false;
  await list();
  expect(begun).toHaveLength(23);
});

test('who asks waits for those of the same order that may be about to ask, for three seconds at most', async () => {
  const { list, together, begun, now } = open();
  let isProven = () => {};
  const proof = new Promise<void>((resolve) => {
    isProven = resolve;
  });
  const late = together(async () => {
    await proof;
    return list();
  });
  const first = together(list);
  const second = together(list);
  expect(await first).toBe(await second);
  expect(begun).toEqual([3_000]);
  isProven();
  await late;
  // Nobody is left to wait for.
  expect([begun.length, now()]).toEqual([2, 3_040]);
});
