import { formatDuration } from '../../functions/policy/duration.ts';
import type { Policy } from '../../functions/policy/policy.ts';
import type { PolicyIssue } from '../../functions/policy/policy-error.ts';
import { ExpressionError } from './cron.ts';
import { DAY_MS, firingDays, gapsOf, isOver, MINUTE_MS, nextFiring } from './gaps.ts';
import { renewalMistakes, renewalWarnings, windowMistakes } from './renewals.ts';

/**
 * A run ends before the next one begins. It may begin a minute late, and needs a minute for what it
 * finishes; with less than this, some runs do nothing at all.
 */
const FEW_MINUTES = 5;
/** A week may have an hour more, when clocks go back. */
const CLOCK_CHANGE_MINUTES = 60;
const YEAR_MS = 366 * DAY_MS;
const JOBS = ['rotate', 'reap', 'enforce'] as const;

function mistakeIn(expression: string, timeZone: string, now: number): string | undefined {
  try {
    gapsOf(expression, timeZone);
    if (!firingDays(expression) || isOver(expression, timeZone, now)) return undefined;
    const next = nextFiring(expression, timeZone, now) ?? Number.POSITIVE_INFINITY;
    if (next <= now + YEAR_MS) return undefined;
    return 'expected a schedule that fires within a year from now; write * as the year';
  } catch (error) {
    if (!(error instanceof ExpressionError)) throw error;
    return `expected ${error.message}`;
  }
}

/**
 * Whether an alarm can tell that a schedule stopped: it evaluates seven days at most, and would ring between two
 * firings of a rarer one.
 * https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_PutMetricAlarm.html (EvaluationPeriods)
 */
export const isWatched = (expression: string, timeZone: string): boolean =>
  gapsOf(expression, timeZone).longestOfOne * MINUTE_MS <=
  7 * DAY_MS + CLOCK_CHANGE_MINUTES * MINUTE_MS;

/**
 * The schedules that EventBridge Scheduler would refuse, or that miss the windows of tokens, or leave tokens too little time.
 * @param now milliseconds since 1970
 */
export function scheduleMistakes(policy: Policy, now: number): PolicyIssue[] {
  const wrong = expressionMistakes(policy, now);
  if (wrong.length > 0) return wrong;
  const dead = windowMistakes(policy);
  return dead.length > 0 ? dead : renewalMistakes(policy);
}

/** The schedules that EventBridge Scheduler would refuse, or that do not fire for a year. */
export function expressionMistakes(
  { schedules, timeZone }: Pick<Policy, 'schedules' | 'timeZone'>,
  now: number,
): PolicyIssue[] {
  return JOBS.flatMap((job) => {
    const mistake = mistakeIn(schedules[job], timeZone, now);
    if (mistake === undefined) return [];
    return [{ path: ['schedules', job], message: `found "${schedules[job]}", ${mistake}` }];
  });
}

function warningIn(expression: string, timeZone: string, now: number): string | undefined {
  // No mistake: the policy was accepted, and nobody may be kept from an order of `revoke` by the calendar.
  if (isOver(expression, timeZone, now)) return 'which never fires again; write * as the year';
  const inWords = (minutes: number) => formatDuration(minutes * MINUTE_MS);
  if (!isWatched(expression, timeZone)) {
    return `with ${inWords(gapsOf(expression, timeZone).longestOfOne)} between two firings: CloudWatch looks back seven days at most, so no alarm tells whether it stopped; choose rate(7 days) or a more frequent one: a run changes only what is due (for tokens, rotateEvery says when)`;
  }
  const { shortest } = gapsOf(expression, timeZone);
  if (shortest >= FEW_MINUTES) return undefined;
  return `with ${inWords(shortest)} between two firings: a run ends ten seconds before the next one and may begin a minute late, so some do nothing, and long work takes many; choose rate(${FEW_MINUTES} minutes) or a rarer one`;
}

/**
 * Schedules that are over, or that leave a run little time, by which nothing goes wrong, but more slowly than with a rarer one; and tokens
 * that a slow cluster would leave too little time.
 * @param now milliseconds since 1970
 */
export function scheduleWarnings(policy: Policy, now: number): PolicyIssue[] {
  const { schedules, timeZone } = policy;
  const warnings = JOBS.flatMap((job) => {
    const warning = warningIn(schedules[job], timeZone, now);
    if (warning === undefined) return [];
    return [{ path: ['schedules', job], message: `found "${schedules[job]}", ${warning}` }];
  });
  return [...warnings, ...renewalWarnings(policy)];
}
