import { setTimeout as sleep } from 'node:timers/promises';

const INTERVAL_MS = 500;

/**
 * Asks again and again until the answer is neither `undefined` nor `false`.
 * @throws Error with what it looked like last
 */
export async function eventually<T>(
  timeoutMs: number,
  look: () => T | undefined | false | Promise<T | undefined | false>,
  describe: () => string = () => 'nothing',
): Promise<T> {
  const deadline = Date.now() + timeoutMs;
  for (;;) {
    const found = await look();
    if (found !== undefined && found !== false) return found;
    if (Date.now() > deadline) {
      throw new Error(`not within ${timeoutMs / 1_000} s; last seen: ${describe()}`);
    }
    await sleep(INTERVAL_MS);
  }
}
