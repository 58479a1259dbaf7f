import type { Clock } from './clock.ts';

/** Takes one request of a kind; false: it is one too many. */
export type Take = (kind: string, perSecond: number) => boolean;

/** For each kind as many requests at once as it may have in a second, and as many more in each second that passes. */
export function createQuotas(clock: Clock): Take {
  const left = new Map<string, { readonly count: number; readonly at: number }>();
  return (kind, perSecond) => {
    const now = clock.now();
    const { count, at } = left.get(kind) ?? { count: perSecond, at: now };
    const refilled = Math.min(perSecond, count + ((now - at) / 1_000) * perSecond);
    const isTaken = refilled >= 1;
    left.set(kind, { count: isTaken ? refilled - 1 : refilled, at: now });
    return isTaken;
  };
}
