import type { Policy } from '../functions/policy/policy.ts';
import type { PolicyIssue } from '../functions/policy/policy-error.ts';

/** docs.aws.amazon.com/scheduler/latest/APIReference/API_CreateSchedule.html (ScheduleExpression) */
const LONGEST_EXPRESSION = 256;
const shortened = (text: string) => (text.length > 60 ? `${text.slice(0, 57)}…` : text);

function* mistakes({ schedules }: Policy): Generator<PolicyIssue> {
  for (const job of ['rotate', 'reap', 'enforce'] as const) {
    const { length } = schedules[job];
    if (length <= LONGEST_EXPRESSION) continue;
    yield {
      path: ['schedules', job],
      message: `found ${length} characters, "${shortened(schedules[job])}", expected at most ${LONGEST_EXPRESSION}, which EventBridge Scheduler takes; write ranges and steps such as 0/10 instead of lists`,
    };
  }
}

/** What AWS would refuse during the deployment, or at run time. Bounds that the owner's length keeps are not looked at. */
export const awsLimitMistakes = (policy: Policy): PolicyIssue[] => [...mistakes(policy)];
