import pLimit from 'p-limit';
import type { Tools } from '../run/tools.ts';

/** Steps 2 to 4, with retries; waiting for activation needs no time of its own. */
const STEPS_MS = 20_000;

export type Turn = <T>(work: () => Promise<T>) => Promise<T>;

/** How many tokens are worked on at the same time. The waits for their activation overlap without limit. */
export interface Turns {
  /** For steps 1 to 4. */
  readonly start: Turn;
  /** For steps 6 to 8. It has a turn of its own, so that what is armed need not wait for all that is not. */
  readonly finish: Turn;
}

export const createTurns = ({ policy }: Pick<Tools, 'policy'>): Turns => ({
  start: pLimit(policy.concurrency),
  finish: pLimit(policy.concurrency),
});

/**
 * Whether there is time to mint a token, store and arm it: one that is minted and not stored is minted in
 * vain. Before its string is stored, the writes of all who have their turn may be made.
 */
export function hasTimeForStep({ policy, deadline, now }: Tools): boolean {
  const writesBefore = 2 * policy.concurrency;
  const waitMs = (writesBefore * 1_000) / policy.secretWritesPerSecond;
  return deadline - now() >= STEPS_MS + waitMs;
}
