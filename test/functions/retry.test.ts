import { expect, test } from 'vitest';
import { type RetryOptions, retry } from '../../functions/retry.ts';
import { fakeTiming } from './fake-timing.ts';

const failing = (failures: number) => {
  let tried = 0;
  return () => {
    tried += 1;
    return tried <= failures
      ? Promise.reject(new Error(`failure ${tried}`))
      : Promise.resolve(tried);
  };
};

function setup(overrides: Partial<RetryOptions> = {}) {
  const timing = fakeTiming();
  const options: RetryOptions = {
    ...timing,
    retryable: () => true,
    attempts: 4,
    baseMs: 100,
    maxMs: 300,
    deadline: 60_000,
    ...overrides,
  };
  return { timing, options };
}

test('a first success sleeps never', async () => {
  const { timing, options } = setup();
  expect(await retry(failing(0), options)).toBe(1);
  expect(timing.naps).toEqual([]);
});

test('waits grow twofold up to their bound, each drawn from nothing to the whole', async () => {
  const { timing, options } = setup();
  expect(await retry(failing(3), options)).toBe(4);
  expect(timing.naps).toEqual([50, 100, 150]);
});

test('the last attempt fails with its own error', async () => {
  const { options } = setup();
  await expect(retry(failing(9), options)).rejects.toThrow('failure 4');
});

test('what is not retryable fails at once', async () => {
  const { timing, options } = setup({ retryable: () => false });
  await expect(retry(failing(1), options)).rejects.toThrow('failure 1');
  expect(timing.naps).toEqual([]);
});

test('a wait that the server asked for is a lower bound', async () => {
  const { timing, options } = setup({ retryable: () => ({ afterMs: 2_000 }) });
  await retry(failing(1), options);
  expect(timing.naps).toEqual([2_050]);
});

test('a wait that would reach the deadline is not begun', async () => {
  const { timing, options } = setup({ deadline: 150 });
  await expect(retry(failing(9), options)).rejects.toThrow('failure 2');
  expect(timing.naps).toEqual([50]);
});
