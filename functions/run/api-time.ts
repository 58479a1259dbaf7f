import { MINUTE_MS } from '../time.ts';
import type { RunTools, Tools } from './tools.ts';

/** The most by which the clocks of this machine and of the cluster may differ: ages are counted by them. */
const MOST_SKEW_MS = 5 * MINUTE_MS;

/** What was observed cannot be trusted; no plan is made from it. */
export class ObservationError extends Error {
  override readonly name = 'ObservationError';
}

/**
 * How many milliseconds the Management API's clock is ahead of ours.
 * @throws ObservationError if the clocks differ by more than five minutes
 */
export function skewOf(at: number, now: number): number {
  const skewMs = at - now;
  if (Math.abs(skewMs) <= MOST_SKEW_MS) return skewMs;
  const seconds = Math.round(Math.abs(skewMs) / 1_000);
  throw new ObservationError(
    `the clocks of the cluster and of this function differ by ${seconds} s`,
  );
}

/** The tools of a run that has observed, and therefore knows the Management API's time. */
export const atApiTime = (tools: RunTools, { skewMs }: { readonly skewMs: number }): Tools => ({
  ...tools,
  apiNow: () => tools.now() + skewMs,
});
