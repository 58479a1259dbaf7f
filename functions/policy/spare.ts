import { DAY_MS } from '../time.ts';
import type { Lifetimes } from './policy.ts';

/** For so long, at most, a promotion waits for the next of its windows. */
const WINDOW_MS = 7 * DAY_MS;

/** How long a promotion may wait for its windows. */
export const waitForWindows = ({ windows }: Pick<Lifetimes, 'windows'>): number =>
  windows.length > 0 ? WINDOW_MS : 0;

/** How long a token still lives, at least, when a run may promote its successor; without an expiry, for ever. */
export function spareOf(lifetimes: Omit<Lifetimes, 'gracePeriod' | 'quarantine'>): number {
  const { renewBefore, rotateEvery, expiresAfter = Number.POSITIVE_INFINITY } = lifetimes;
  return Math.max(renewBefore, expiresAfter - rotateEvery - waitForWindows(lifetimes));
}
