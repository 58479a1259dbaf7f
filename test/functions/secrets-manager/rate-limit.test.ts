import { expect, test } from 'vitest';
import { rateLimit } from '../../../functions/secrets-manager/rate-limit.ts';
import { fakeTiming } from '../fake-timing.ts';

test('spaces calls evenly, however many ask at once', async () => {
  const sleeps: number[] = [];
  const timing = {
    now: () => 1_000,
    sleep: (ms: number) => {
      sleeps.push(ms);
      return Promise.resolve();
    },
  };
  const turn = rateLimit(20, timing);
  await Promise.all(Array.from({ length: 5 }, turn));
  expect(sleeps).toEqual([50, 100, 150, 200]);
});

test('lets a call pass at once that comes late enough', async () => {
  const timing = fakeTiming(0);
  const turn = rateLimit(10, timing);
  await turn();
  await timing.sleep(100);
  await turn();
  expect(timing.naps).toEqual([100]);
  await turn();
  expect(timing.naps).toEqual([100, 100]);
});

test('saves up no calls while nobody asks', async () => {
  const timing = fakeTiming(0);
  const turn = rateLimit(10, timing);
  await timing.sleep(60_000);
  await turn();
  await turn();
  await turn();
  expect(timing.naps).toEqual([60_000, 100, 100]);
});
