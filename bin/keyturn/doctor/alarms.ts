import { CloudWatchClient, DescribeAlarmsCommand } from '@aws-sdk/client-cloudwatch';
import { ListSubscriptionsByTopicCommand, SNSClient } from '@aws-sdk/client-sns';
import { awsClient } from '../../../functions/aws-call.ts';
import type { Check, Verdict } from '../../../functions/examination/check.ts';
import { counted } from '../../../functions/run/counted.ts';
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

/** As lib/alarms.ts describes the alarms of an owner: their names are CloudFormation's. */
const beginningOf = (owner: string) => `Keyturn (${owner}): `;

const nameOf = ({ AlarmName = 'an alarm without a name' }: FoundAlarm) => AlarmName;

const tellsNobody = ({ AlarmActions = [], ActionsEnabled }: FoundAlarm) =>
  AlarmActions.length === 0 || ActionsEnabled === false;

/**
 * @param alarms those of the owner
 * @param isDeclared whether the policy says whom they tell
 */
export function judgeAlarms(
  alarms: readonly FoundAlarm[],
  { owner, isDeclared }: { readonly owner: string; readonly isDeclared: boolean },
): readonly Check[] {
  if (alarms.length === 0) {
    const found = `found none whose description begins with "${beginningOf(owner)}"`;
    return [{ check: 'alarms', state: 'fail', found, advice: 'deploy the stack (npx cdk deploy)' }];
  }
  const ringing = alarms.filter(({ StateValue }) => StateValue === 'ALARM');
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
    {
      check: 'alarms',
      ...(ringing.length === 0
        ? { state: 'ok', found: `${counted(alarms.length, 'alarm')}, none of them rings` }
        : {
            state: 'warn',
            found: `${ringing.length} of ${alarms.length} ring: ${named(ringing.map(nameOf))}`,
            advice: 'their descriptions name their headings in docs/runbook.md',
          }),
    },
    { check: 'who is told', ...recipients },
  ];
}

/** AWS has this in place of an ARN until somebody follows the link. */
const isPending = ({ SubscriptionArn = '' }: FoundSubscription) =>
  !SubscriptionArn.startsWith('arn:');

/** @param subscriptions of one topic that alarms tell */
export function judgeTopic(subscriptions: readonly FoundSubscription[]): Verdict {
  const pending = subscriptions.filter(isPending);
  const confirmed = subscriptions.length - pending.length;
  const waiting = `not confirmed: ${named(pending.map(({ Endpoint = 'an address' }) => Endpoint))}`;
  const confirm =
    'follow the link in the message "AWS Notification - Subscription Confirmation", or have it sent again (docs/deployment.md)';
  if (subscriptions.length === 0) {
    return { state: 'fail', found: 'nobody subscribes to it', advice: 'subscribe somebody to it' };
  }
  if (confirmed === 0) return { state: 'fail', found: waiting, advice: confirm };
  const found = `${counted(confirmed, 'confirmed subscription')}`;
  return pending.length === 0
    ? { state: 'ok', found }
    : { state: 'warn', found: `${found}; ${waiting}`, advice: confirm };
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
export const lookAtAlarms = (owner: string, isDeclared: boolean): Promise<readonly Check[]> =>
  lookedAt('alarms', 'cloudwatch:DescribeAlarms', async () => {
    const alarms = await alarmsOf(owner);
    const topics = new Set(
      alarms
        .filter(({ ActionsEnabled }) => ActionsEnabled !== false)
        .flatMap(({ AlarmActions = [] }) => AlarmActions),
    );
    return [
      ...judgeAlarms(alarms, { owner, isDeclared }),
      ...(await Promise.all([...topics].map(lookAtTopic))),
    ];
  });
