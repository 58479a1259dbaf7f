import { formatDuration } from '../../functions/policy/duration.ts';
import type { Policy, TokenPolicy } from '../../functions/policy/policy.ts';
import type { PolicyIssue } from '../../functions/policy/policy-error.ts';
import { isOpen, lengthOf } from '../../functions/policy/window.ts';
import { firingDays, longestOfTwo, windowMinutes } from './gaps.ts';

const MINUTE_MS = 60_000;
const WEEK_MS = 7 * 24 * 60 * MINUTE_MS;

/** Whether some firing falls into one of the windows; of a rate, whose instants nobody knows, whether it must. */
function meetsWindows(expression: string, { windows }: Pick<TokenPolicy, 'windows'>): boolean {
  if (windows.length === 0) return true;
  const days = firingDays(expression);
  if (!days) {
    const periodMinutes = longestOfTwo(expression, 'UTC') / 2;
    return windows.some((window) => lengthOf(window) >= periodMinutes);
  }
  const { weekdays, minutes } = days;
  return weekdays.some((day) => minutes.some((minute) => isOpen(windows, day, minute)));
}

/** How long a token still lives, at least, when a run may replace it. */
function spareOf(token: TokenPolicy, expiresAfter: number, meets: boolean): number {
  const { renewBefore, rotateEvery, windows } = token;
  if (!meets) return renewBefore;
  const waits = windows.length > 0 ? WEEK_MS : 0;
  return Math.max(renewBefore, expiresAfter - rotateEvery - waits);
}

/**
 * Tokens that may expire before the second firing that could replace them: the first one may fail, or only mint.
 * Consumers would be refused again and again, and every run would mend it.
 */
export function renewalMistakes({ schedules, timeZone, tokens, settle }: Policy): PolicyIssue[] {
  const { rotate } = schedules;
  const twoMs = (longestOfTwo(rotate, timeZone) + windowMinutes(rotate)) * MINUTE_MS;
  const neededMs = twoMs + settle;
  return tokens.flatMap((token) => {
    const { name, expiresAfter, rotateEvery, renewBefore } = token;
    if (expiresAfter === undefined) return [];
    const spareMs = spareOf(token, expiresAfter, meetsWindows(rotate, token));
    if (spareMs >= neededMs) return [];
    const [lives, every, before, spare, needed] = [
      expiresAfter,
      rotateEvery,
      renewBefore,
      spareMs,
      neededMs,
    ].map(formatDuration);
    const message =
      `found ${lives} with rotateEvery ${every}, renewBefore ${before} and schedules.rotate "${rotate}": a token that may be replaced lives for ${spare} then, ` +
      `and two runs may take ${needed} (settle included), so it could expire before them; expected no less than that: a schedule that fires more often, or a longer expiresAfter or renewBefore`;
    return [{ path: ['tokens', name, 'expiresAfter'], message }];
  });
}

/** Windows in which no run promotes anything. */
export function windowWarnings({ schedules: { rotate }, tokens }: Policy): PolicyIssue[] {
  return tokens.flatMap((token) => {
    if (meetsWindows(rotate, token)) return [];
    const { name, expiresAfter, renewBefore } = token;
    const then =
      expiresAfter === undefined
        ? 'so its token, which never expires, may never be replaced'
        : `so its token may be replaced only when ${formatDuration(renewBefore)} of its life are left (renewBefore)`;
    const message = `schedules.rotate "${rotate}" may fire in none of them, ${then}; choose longer windows, or a schedule that fires in them`;
    return [{ path: ['tokens', name, 'windows'], message }];
  });
}
