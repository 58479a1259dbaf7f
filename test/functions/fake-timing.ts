import type { Timing } from '../../functions/retry.ts';

/** Time that passes only while somebody sleeps, and chance that always falls in the middle. */
export function fakeTiming(start = 0): Timing & { readonly naps: readonly number[] } {
  const naps: number[] = [];
  return {
    naps,
    now: () => naps.reduce((total, nap) => total + nap, start),
    sleep: (milliseconds) => {
      naps.push(milliseconds);
      return Promise.resolve();
    },
    random: () => 0.5,
  };
}
