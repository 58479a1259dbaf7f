import { formatDuration } from '../../functions/policy/duration.ts';
import type { Policy, TokenPolicy } from '../../functions/policy/policy.ts';
import type { PolicyIssue } from '../../functions/policy/policy-error.ts';
import { waitForWindows } from '../../functions/policy/spare.ts';
import {
  DAYS,
  formatWindow,
  isOpen,
  lengthOf,
  type Window,
} from '../../functions/policy/window.ts';
import {
  DAY_MS,
  FOLLOWED_MS,
  firingDays,
  firingsOf,
  gapsOf,
  MINUTE_MS,
  windowMinutes,
} from './gaps.ts';

/**
 * The longest time from one firing that falls into one of the windows to the next one, in milliseconds; of a rate, whose instants nobody
 * knows, the time from one window to the next if it must fire in each. Infinity: none falls into them, or none need.
 */
function longestWait(expression: string, windows: readonly Window[]): number {
  const firing = firingDays(expression);
  if (!firing) {
    const periodMinutes = gapsOf(expression, 'UTC').longestOfTwo / 2;
    const isLongEnough = windows.some((window) => lengthOf(window) >= periodMinutes);
    return isLongEnough ? waitForWindows({ windows }) : Number.POSITIVE_INFINITY;
  }
  const { days, minutes } = firing;
  const openOn = DAYS.map((_, weekday) => minutes.filter((each) => isOpen(windows, weekday, each)));
  const spans = days.flatMap((day) => {
    const open = openOn[day.getUTCDay()] ?? [];
    const [first, last] = [open[0], open.at(-1)];
    if (first === undefined || last === undefined) return [];
    return [{ first: day.getTime() + first * MINUTE_MS, last: day.getTime() + last * MINUTE_MS }];
  });
  const [begin] = spans;
  if (!begin) return Number.POSITIVE_INFINITY;
  const again = { first: begin.first + FOLLOWED_MS };
  return Math.max(...spans.map(({ last }, index) => (spans[index + 1] ?? again).first - last));
}

/** How long a promotion may wait for a run in its windows: a week, or longer where the schedule seldom meets them. */
const waitOf = (expression: string, token: TokenPolicy): number =>
  token.windows.length === 0
    ? 0
    : Math.max(waitForWindows(token), longestWait(expression, token.windows));

/**
 * For how long before its expiry a token that is not replaced must alarm: a day, or three runs. `horizon` in
 * functions/rotation/plan/entry-condition.ts takes half of what is left when it may be replaced, so that is twice as
 * long; but no longer than a third of `rotateEvery`, for tokens that live only days.
 */
function neededToTell({ rotateEvery }: TokenPolicy, thirdMs: number): number {
  return Math.min(2 * Math.max(DAY_MS, thirdMs), rotateEvery / 3);
}

/** A `rotateEvery` at which no token ever is. Undefined: tokens get so old. */
function neverReached({ rotateEvery, renewBefore, expiresAfter }: TokenPolicy): string | undefined {
  if (expiresAfter === undefined || rotateEvery <= expiresAfter - renewBefore) return undefined;
  const shown = formatDuration;
  const renewedAt = shown(expiresAfter - renewBefore);
  return (
    `found ${shown(rotateEvery)}, which is never reached: a token is renewed at ${renewedAt}, within its windows or not, because renewBefore (${shown(renewBefore)}) of expiresAfter (${shown(expiresAfter)}) is left then; ` +
    `choose a rotateEvery of ${renewedAt} at most, an expiresAfter of ${shown(rotateEvery + renewBefore)} at least, or a shorter renewBefore`
  );
}

/** The schedule of `rotate`, and how long two and three of its runs take at most, the former with `settle`. */
interface Runs {
  readonly rotate: string;
  readonly twoMs: number;
  readonly thirdMs: number;
}

/**
 * A token that lives too briefly from when it may be replaced. The first of two runs may fail, or only mint; then
 * the former token must outlive its grace period. And nobody could be told in time that it is not replaced.
 */
function tooBrief(
  token: TokenPolicy & { readonly expiresAfter: number },
  { rotate, twoMs, thirdMs }: Runs,
): string | undefined {
  const { expiresAfter, rotateEvery, renewBefore, gracePeriod } = token;
  const waitMs = waitOf(rotate, token);
  const spareMs = Math.max(renewBefore, expiresAfter - rotateEvery - waitMs);
  const promotedMs = twoMs + gracePeriod;
  const neededMs = Math.ceil(Math.max(promotedMs, neededToTell(token, thirdMs)) / 1_000) * 1_000;
  if (spareMs >= neededMs) return undefined;
  const shown = formatDuration;
  const why =
    neededMs > promotedMs
      ? 'and an alarm that it is not replaced rings when half of that is left, too late for people to act'
      : `and two runs may take ${shown(twoMs)} (settle included), so it could expire before consumers have read its successor (gracePeriod)`;
  const remedies = [
    ...(rotateEvery <= expiresAfter - neededMs ? ['a renewBefore of that'] : []),
    `an expiresAfter of ${shown(rotateEvery + waitMs + neededMs)}`,
    'a schedule that fires more often',
  ];
  return (
    `found ${shown(expiresAfter)} with rotateEvery ${shown(rotateEvery)}, renewBefore ${shown(renewBefore)}, gracePeriod ${shown(gracePeriod)} and schedules.rotate "${rotate}": ` +
    `a token that may be replaced lives for ${shown(spareMs)} then, ${why}; expected at least ${shown(neededMs)}: choose ${remedies.join(', or ')}`
  );
}

/** Tokens that expire: those that are renewed before they are due, or too late for their consumers. Runs must meet all windows. */
export function renewalMistakes({ schedules, timeZone, settle, tokens }: Policy): PolicyIssue[] {
  const { rotate } = schedules;
  const runs: Runs = {
    rotate,
    twoMs: (gapsOf(rotate, timeZone).longestOfTwo + windowMinutes(rotate)) * MINUTE_MS + settle,
    thirdMs: firingsOf(rotate, timeZone).thirdInSeconds * 1_000,
  };
  return tokens.flatMap((token) => {
    const { name, expiresAfter } = token;
    if (expiresAfter === undefined) return [];
    const never = neverReached(token);
    const message = never ?? tooBrief({ ...token, expiresAfter }, runs);
    if (message === undefined) return [];
    const key = never === undefined ? 'expiresAfter' : 'rotateEvery';
    return [{ path: ['tokens', name, key], message }];
  });
}

/**
 * Tokens that are due again before the schedule fires: where routers learn of one later than a run waits, it is promoted by the next run,
 * its successor is minted by the one after that and promoted by the third, and only then may it end.
 */
export function renewalWarnings(policy: Policy): PolicyIssue[] {
  const { schedules, timeZone, settle, activationTimeout, tokens } = policy;
  const { rotate } = schedules;
  const threeMs = firingsOf(rotate, timeZone).thirdInSeconds * 1_000;
  const longestMs = gapsOf(rotate, timeZone).longestOfOne * MINUTE_MS;
  return tokens.flatMap(({ name, rotateEvery, expiresAfter = Number.POSITIVE_INFINITY }) => {
    const neededMs = threeMs + settle;
    if (rotateEvery >= longestMs || expiresAfter >= neededMs) return [];
    const shown = formatDuration;
    const message =
      `found ${shown(expiresAfter)} with rotateEvery ${shown(rotateEvery)} and schedules.rotate "${rotate}", of which three firings may be ${shown(threeMs)} apart: ` +
      `on a cluster that needs longer for a new token than a run waits (activationTimeout ${shown(activationTimeout)}), consumers are refused from its expiry to the third; choose an expiresAfter of ${shown(neededMs)}, or a schedule that fires more often`;
    return [{ path: ['tokens', name, 'expiresAfter'], message }];
  });
}

/** Windows in which no run promotes anything, so that what their author counts on never happens. */
export function windowMistakes({ schedules: { rotate }, tokens }: Policy): PolicyIssue[] {
  const why = firingDays(rotate)
    ? 'never fires in it; choose hours in which it does, or a schedule that fires in it'
    : 'may never fire in it, because nobody knows at which minutes a rate fires; choose a longer window, a shorter rate, or a cron expression';
  return tokens.flatMap(({ name, windows }) =>
    windows.flatMap((window, index) =>
      Number.isFinite(longestWait(rotate, [window]))
        ? []
        : [
            {
              path: ['tokens', name, 'windows', index],
              message: `found "${formatWindow(window)}", but schedules.rotate "${rotate}" ${why}`,
            },
          ],
    ),
  );
}
