import { setTimeout as sleep } from 'node:timers/promises';

const INTERVAL_MS = 500;

/**
 * Calls `poll` until it returns neither `undefined` nor `false`.
 * @throws Error with the last state
 */
export async function eventually<T>(
  timeoutMs: number,
  poll: () => T | undefined | false | Promise<T | undefined | false>,
  describe: () => string = () => 'nothing',
): Promise<T> {
  const deadline = Date.now() + timeoutMs;
  for (;;) {
    const found = await poll();
    if (found !== undefined && found !== false) return found;
    if (Date.now() > deadline) {
      throw new Error(
        `did not happen within ${timeoutMs / 1_000} s; the last state was: ${describe()}`,
      );
    }
    await sleep(INTERVAL_MS);
  }
}
