import { formatDuration } from '../../functions/policy/duration.ts';
import type { Policy } from '../../functions/policy/policy.ts';
import type { PolicyIssue } from '../../functions/policy/policy-error.ts';
import { ExpressionError } from './cron.ts';
import { gapsOf, longestOfOne } from './gaps.ts';
import { renewalMistakes } from './renewals.ts';

/**
 * A run ends before the next one begins. It may begin a minute late, and needs a minute for what it
 * finishes; with less than this, some runs would do nothing at all.
 */
const SHORTEST_GAP_MINUTES = 5;

/**
 * An alarm evaluates seven days at most, and asks for some more where data is missing. A schedule that is silent for
 * longer would ring as "not running" although it runs, or never: nobody could tell it from one that stopped.
 * https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_PutMetricAlarm.html (EvaluationPeriods)
 */
const LONGEST_GAP_DAYS = 7;
const LONGEST_GAP_MINUTES = LONGEST_GAP_DAYS * 24 * 60;
/** A week may have an hour more, when clocks go back. */
const CLOCK_CHANGE_MINUTES = 60;

function mistakeIn(expression: string, timeZone: string): string | undefined {
  const inMinutes = (minutes: number) => formatDuration(minutes * 60_000);
  try {
    const { shortest } = gapsOf(expression, timeZone);
    const longest = longestOfOne(expression, timeZone);
    if (longest > LONGEST_GAP_MINUTES + CLOCK_CHANGE_MINUTES) {
      return `with ${inMinutes(longest)} between two firings, expected at most ${LONGEST_GAP_DAYS}d, because CloudWatch looks back no further, so that no alarm could tell a schedule that stopped from one that waits; choose rate(${LONGEST_GAP_DAYS} days) or a more frequent one: a run changes only what is due (for tokens, rotateEvery says when)`;
    }
    if (shortest >= SHORTEST_GAP_MINUTES) return undefined;
    const least = inMinutes(SHORTEST_GAP_MINUTES);
    return `with ${inMinutes(shortest)} between two firings, expected at least ${least}, because a run ends before the next one begins; choose rate(${SHORTEST_GAP_MINUTES} minutes) or a rarer one`;
  } catch (error) {
    if (!(error instanceof ExpressionError)) throw error;
    return `expected ${error.message}`;
  }
}

/** The schedules that EventBridge Scheduler would refuse, that no alarm can watch, or that leave a run no time, or tokens too little. */
export function scheduleMistakes(policy: Policy): PolicyIssue[] {
  const { schedules, timeZone } = policy;
  const wrong = (['rotate', 'reap', 'enforce'] as const).flatMap((job) => {
    const mistake = mistakeIn(schedules[job], timeZone);
    if (mistake === undefined) return [];
    return [{ path: ['schedules', job], message: `found "${schedules[job]}", ${mistake}` }];
  });
  return wrong.length > 0 ? wrong : renewalMistakes(policy);
}
