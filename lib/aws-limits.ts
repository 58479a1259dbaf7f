import type { Policy } from '../functions/policy/policy.ts';
import type { PolicyIssue } from '../functions/policy/policy-error.ts';

/** docs.aws.amazon.com/secretsmanager/latest/apireference/API_Tag.html */
const LONGEST_TAG_VALUE = 256;
/** docs.aws.amazon.com/scheduler/latest/APIReference/API_CreateSchedule.html (ScheduleExpression) */
const LONGEST_EXPRESSION = 256;
/**
 * A name, also that of a partner's bus, or an ARN; a wildcard would be one of IAM's.
 * docs.aws.amazon.com/eventbridge/latest/APIReference/API_PutEventsRequestEntry.html (EventBusName)
 */
const BUS = /^(?:arn:aws[a-z-]*:events:[a-z0-9-]+:[0-9]{12}:event-bus\/)?[A-Za-z0-9._/-]{1,256}$/;

const shortened = (text: string) => (text.length > 60 ? `${text.slice(0, 57)}…` : text);

function* mistakes({ cluster, eventBus, schedules }: Policy): Generator<PolicyIssue> {
  if (cluster.url.length > LONGEST_TAG_VALUE) {
    yield {
      path: ['cluster', 'url'],
      message: `found ${cluster.url.length} characters, "${shortened(cluster.url)}", expected at most ${LONGEST_TAG_VALUE}, because every secret bears the URL as a tag; write a shorter one, such as https://influxdb.example.com`,
    };
  }
  for (const job of ['rotate', 'reap', 'enforce'] as const) {
    const { length } = schedules[job];
    if (length <= LONGEST_EXPRESSION) continue;
    yield {
      path: ['schedules', job],
      message: `found ${length} characters, "${shortened(schedules[job])}", expected at most ${LONGEST_EXPRESSION}, which EventBridge Scheduler takes; write ranges and steps such as 0/10 instead of lists`,
    };
  }
  if (eventBus !== undefined && !BUS.test(eventBus)) {
    yield {
      path: ['eventBus'],
      message: `found ${JSON.stringify(shortened(eventBus))}, expected the name of an event bus (at most 256 letters, digits and ./_-) or its ARN; write a name such as tokens, or arn:aws:events:eu-west-1:111122223333:event-bus/tokens`,
    };
  }
}

/** What AWS would refuse during the deployment, or at run time. Bounds that the owner's length keeps are not looked at. */
export const awsLimitMistakes = (policy: Policy): PolicyIssue[] => [...mistakes(policy)];
