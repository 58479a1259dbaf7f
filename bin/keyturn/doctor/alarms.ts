import { CloudWatchClient, DescribeAlarmsCommand } from '@aws-sdk/client-cloudwatch';
import { ListSubscriptionsByTopicCommand, SNSClient } from '@aws-sdk/client-sns';
import { awsClient } from '../../../functions/aws-call.ts';
import type { Check, Verdict } from '../../../functions/examination/check.ts';
import { counted } from '../../../functions/run/counted.ts';
import { beginningOf, type WantedAlarm } from '../../../lib/alarm-texts.ts';
import { named } from '../engine.ts';
import { allPages, lookedAt, unseen } from './look.ts';

/** The fields of DescribeAlarms that are looked at. */
export interface FoundAlarm {
  readonly AlarmName?: string | undefined;
  readonly AlarmDescription?: string | undefined;
  readonly AlarmActions?: readonly string[] | undefined;
  readonly ActionsEnabled?: boolean | undefined;
  readonly StateValue?: string | undefined;
}

/** The fields of ListSubscriptionsByTopic that are looked at. */
export interface FoundSubscription {
  readonly SubscriptionArn?: string | undefined;
  readonly Endpoint?: string | undefined;
  readonly Protocol?: string | undefined;
}

const nameOf = ({ AlarmName = 'an alarm without a name' }: FoundAlarm) => AlarmName;

const tellsNobody = ({ AlarmActions = [], ActionsEnabled }: FoundAlarm) =>
  AlarmActions.length === 0 || ActionsEnabled === false;

/** What the policy says of its alarms. */
export interface AlarmsWanted {
  readonly owner: string;
  /** Whether it says whom they tell. */
  readonly isDeclared: boolean;
  readonly wanted: readonly WantedAlarm[];
}

/** Whether there is every one that the stack makes. */
function judgeCompleteness(alarms: readonly FoundAlarm[], wanted: readonly WantedAlarm[]): Verdict {
  const described = new Set(alarms.map(({ AlarmDescription }) => AlarmDescription));
  const missing = wanted.filter(({ description }) => !described.has(description));
  if (missing.length === 0) {
    return { state: 'ok', found: `${counted(wanted.length, 'alarm')}, all that the stack makes` };
  }
  const found = `${missing.length} of ${wanted.length} missing: ${named(missing.map(({ name }) => name))}`;
  const isWithoutMetrics = wanted.every((each) => each.isMeasured === missing.includes(each));
  return isWithoutMetrics
    ? {
        state: 'warn',
        found: `${found}; it is so with metrics: 'none' in the properties of the construct`,
        advice: 'take that out, or deploy the stack (npx cdk deploy)',
      }
    : { state: 'fail', found, advice: 'deploy the stack (npx cdk deploy)' };
}

/** Which of them ring, and which know nothing: an alarm without data does not say that all is well. */
function judgeStates(alarms: readonly FoundAlarm[]): Verdict {
  const of = (...states: readonly (string | undefined)[]) =>
    alarms.filter(({ StateValue }) => states.includes(StateValue)).map(nameOf);
  const ringing = of('ALARM');
  const blind = of('INSUFFICIENT_DATA', undefined);
  const without =
    blind.length === 0
      ? ''
      : `${blind.length} of ${alarms.length} have no data (INSUFFICIENT_DATA): ${named(blind)}`;
  if (ringing.length > 0) {
    const found = `${ringing.length} of ${alarms.length} ring: ${named(ringing)}`;
    return {
      state: 'warn',
      found: [found, without].filter(Boolean).join('; '),
      advice: 'their descriptions name their headings in docs/runbook.md',
    };
  }
  if (blind.length === 0) return { state: 'ok', found: 'none of them rings' };
  return {
    state: 'warn',
    found: `none of the others rings; ${without}`,
    advice:
      'after a deployment that ends with the first runs; else see whether these come to an end',
  };
}

/** @param alarms those of the owner */
export function judgeAlarms(
  alarms: readonly FoundAlarm[],
  { owner, isDeclared, wanted }: AlarmsWanted,
): readonly Check[] {
  if (alarms.length === 0) {
    const found = `found none whose description begins with "${beginningOf(owner)}"`;
    return [{ check: 'alarms', state: 'fail', found, advice: 'deploy the stack (npx cdk deploy)' }];
  }
  const silent = alarms.filter(tellsNobody);
  const recipients: Verdict =
    silent.length === 0
      ? { state: 'ok', found: 'every alarm tells somebody' }
      : {
          state: isDeclared ? 'fail' : 'warn',
          found:
            silent.length === alarms.length
              ? 'no alarm tells anybody'
              : `${counted(silent.length, 'alarm')} of ${alarms.length} tell nobody: ${named(silent.map(nameOf))}`,
          advice: isDeclared
            ? 'deploy the stack, and look whether somebody switched off the actions of alarms'
            : 'say in the policy whom they tell: deployment.alarms, with emails or a topic',
        };
  return [
    { check: 'alarms', ...judgeCompleteness(alarms, wanted) },
    { check: 'their states', ...judgeStates(alarms) },
    { check: 'who is told', ...recipients },
  ];
}

/** AWS has this in place of an ARN once somebody followed the link that ends a subscription. */
const isGone = ({ SubscriptionArn }: FoundSubscription) => SubscriptionArn === 'Deleted';
/** And this until somebody follows the one that confirms it. */
const isPending = (each: FoundSubscription) =>
  !isGone(each) && !each.SubscriptionArn?.startsWith('arn:');

const endpointOf = ({ Endpoint = 'an address' }: FoundSubscription) => Endpoint;

const CONFIRM = 'follow the link in the message "AWS Notification - Subscription Confirmation"';

/** A deployment changes nothing of what it subscribed before. */
function subscribeAgain(gone: readonly FoundSubscription[]): string {
  const such = gone.slice(0, 1).map(({ Protocol: protocol = 'email', ...each }) => {
    const endpoint = endpointOf(each);
    return `aws sns subscribe --topic-arn ARN --protocol ${protocol} --notification-endpoint ${endpoint}`;
  });
  return `subscribe ${named(gone.map(endpointOf))} again (${such}), and ${CONFIRM}; or take it out of the policy`;
}

/** @param subscriptions of one topic that alarms tell */
export function judgeTopic(subscriptions: readonly FoundSubscription[]): Verdict {
  if (subscriptions.length === 0) {
    return { state: 'fail', found: 'nobody subscribes to it', advice: 'subscribe somebody to it' };
  }
  const [pending, gone] = [subscriptions.filter(isPending), subscriptions.filter(isGone)];
  const confirmed = subscriptions.length - pending.length - gone.length;
  const found = [
    ...(confirmed > 0 ? [counted(confirmed, 'confirmed subscription')] : []),
    ...(pending.length > 0 ? [`not confirmed: ${named(pending.map(endpointOf))}`] : []),
    ...(gone.length > 0 ? [`unsubscribed: ${named(gone.map(endpointOf))}`] : []),
  ].join('; ');
  const advice = [
    ...(pending.length > 0 ? [`${CONFIRM}, or have it sent again (docs/deployment.md)`] : []),
    ...(gone.length > 0 ? [subscribeAgain(gone)] : []),
  ].join('; ');
  if (advice === '') return { state: 'ok', found };
  return { state: confirmed === 0 ? 'fail' : 'warn', found, advice };
}

async function alarmsOf(owner: string): Promise<readonly FoundAlarm[]> {
  const client = awsClient(CloudWatchClient, { maxAttempts: 3 });
  const pages = await allPages('DescribeAlarms', (next, how) =>
    client.send(
      new DescribeAlarmsCommand({ AlarmTypes: ['MetricAlarm'], MaxRecords: 100, ...next }),
      how,
    ),
  );
  return pages
    .flatMap(({ MetricAlarms = [] }) => MetricAlarms)
    .filter(({ AlarmDescription = '' }) => AlarmDescription.startsWith(beginningOf(owner)));
}

async function lookAtTopic(arn: string): Promise<Check> {
  const check = `topic ${arn.split(':').at(-1)}`;
  if (!/^arn:[^:]+:sns:/.test(arn)) {
    return { check: arn, state: 'unknown', found: 'it is no topic, and is not looked at' };
  }
  const client = awsClient(SNSClient, { maxAttempts: 3 });
  try {
    const pages = await allPages(`ListSubscriptionsByTopic of ${arn}`, (next, how) =>
      client.send(new ListSubscriptionsByTopicCommand({ TopicArn: arn, ...next }), how),
    );
    const found = pages.flatMap(({ Subscriptions = [] }) => Subscriptions);
    return { check, ...judgeTopic(found) };
  } catch (error) {
    if (error instanceof Error && /NotFound/.test(error.name)) {
      const advice = 'name one that exists in deployment.alarms.topic, and deploy';
      return { check, state: 'fail', found: 'there is no such topic', advice };
    }
    return unseen(check, `sns:ListSubscriptionsByTopic on ${arn}`, error);
  }
}

/** Looks whether there are alarms, and whether somebody hears them. */
export const lookAtAlarms = (told: AlarmsWanted): Promise<readonly Check[]> =>
  lookedAt('alarms', 'cloudwatch:DescribeAlarms', async () => {
    const alarms = await alarmsOf(told.owner);
    const topics = new Set(
      alarms
        .filter(({ ActionsEnabled }) => ActionsEnabled !== false)
        .flatMap(({ AlarmActions = [] }) => AlarmActions),
    );
    return [...judgeAlarms(alarms, told), ...(await Promise.all([...topics].map(lookAtTopic)))];
  });
