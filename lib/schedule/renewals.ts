import { formatDuration } from '../../functions/policy/duration.ts';
import type { Policy, TokenPolicy } from '../../functions/policy/policy.ts';
import type { PolicyIssue } from '../../functions/policy/policy-error.ts';
import { spareOf, waitForWindows } from '../../functions/policy/spare.ts';
import { isOpen, lengthOf } from '../../functions/policy/window.ts';
import { DAY_MS, firingDays, firingsOf, longestOfTwo, MINUTE_MS, windowMinutes } from './gaps.ts';

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

/**
 * For how long before its expiry a token that is not replaced must alarm: a day, or three runs. `horizon` in
 * functions/rotation/plan/entry-condition.ts takes half of what is left when it may be replaced, so that is twice as
 * long; but no longer than a third of `rotateEvery`, for tokens that live only days.
 */
function neededToTell({ rotateEvery }: TokenPolicy, thirdMs: number): number {
  return Math.min(2 * Math.max(DAY_MS, thirdMs), rotateEvery / 3);
}

/**
 * Tokens that live too briefly from when they may be replaced. The first of two runs may fail, or only mint; then
 * the former token must outlive its grace period. And nobody could be told in time that it is not replaced.
 */
export function renewalMistakes({ schedules, timeZone, tokens, settle }: Policy): PolicyIssue[] {
  const { rotate } = schedules;
  const twoMs = (longestOfTwo(rotate, timeZone) + windowMinutes(rotate)) * MINUTE_MS + settle;
  const thirdMs = firingsOf(rotate, timeZone).thirdInSeconds * 1_000;
  return tokens.flatMap((token) => {
    const { name, expiresAfter, rotateEvery, renewBefore, gracePeriod } = token;
    if (expiresAfter === undefined) return [];
    const meets = meetsWindows(rotate, token);
    const spareMs = meets ? spareOf(token) : renewBefore;
    const promotedMs = twoMs + gracePeriod;
    const neededMs = Math.ceil(Math.max(promotedMs, neededToTell(token, thirdMs)) / 1_000) * 1_000;
    if (spareMs >= neededMs) return [];
    const shown = formatDuration;
    const why =
      neededMs > promotedMs
        ? 'and an alarm that it is not replaced rings when half of that is left, too late for people to act'
        : `and two runs may take ${shown(twoMs)} (settle included), so it could expire before consumers have read its successor (gracePeriod)`;
    const longest = shown(rotateEvery + waitForWindows(token) + neededMs);
    const message =
      `found ${shown(expiresAfter)} with rotateEvery ${shown(rotateEvery)}, renewBefore ${shown(renewBefore)}, gracePeriod ${shown(gracePeriod)} and schedules.rotate "${rotate}": ` +
      `a token that may be replaced lives for ${shown(spareMs)} then, ${why}; expected at least ${shown(neededMs)}: ` +
      `choose a renewBefore of that${meets ? `, or an expiresAfter of ${longest}` : ''}, or a schedule that fires more often`;
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
