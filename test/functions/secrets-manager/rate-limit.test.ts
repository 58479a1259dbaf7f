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
  const turn = rateLimit(20, { ...timing, deadline: () => 9_999 });
  await Promise.all(Array.from({ length: 5 }, () => turn('a write')));
  expect(sleeps).toEqual([50, 100, 150, 200]);
});

test('lets a call pass at once that comes late enough', async () => {
  const timing = fakeTiming(0);
  const turn = rateLimit(10, { ...timing, deadline: () => 99_999 });
  await turn('a write');
  await timing.sleep(100);
  await turn('a write');
  expect(timing.naps).toEqual([100]);
  await turn('a write');
  expect(timing.naps).toEqual([100, 100]);
});

test('saves up no calls while nobody asks', async () => {
  const timing = fakeTiming(0);
  const turn = rateLimit(10, { ...timing, deadline: () => 99_999 });
  await timing.sleep(60_000);
  await turn('a write');
  await turn('a write');
  await turn('a write');
  expect(timing.naps).toEqual([60_000, 100, 100]);
});

test('nobody waits for a turn that comes after the end of the run, and the next run has it', async () => {
  const timing = fakeTiming(0);
  let deadline = 100;
  const turn = rateLimit(10, { ...timing, deadline: () => deadline });
  await turn('a write');
  await expect(Promise.all([1, 2, 3].map(() => turn('TagResource of s')))).rejects.toThrow(
    'TagResource of s was not sent: the time of the run is over',
  );
  deadline = 9_999;
  await turn('a write');
  expect(timing.naps).toEqual([100]);
});
