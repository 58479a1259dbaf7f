import { Annotations, ArnFormat, Aspects, Stack, Token } from 'aws-cdk-lib';
import { PolicyStatement, ServicePrincipal } from 'aws-cdk-lib/aws-iam';
import { type ITopic, Topic } from 'aws-cdk-lib/aws-sns';
import { EmailSubscription } from 'aws-cdk-lib/aws-sns-subscriptions';
import type { Construct } from 'constructs';
import type { Deployment } from './deployment.ts';
import { letAlarmsUseKey, refuseOwnKeys } from './topic-keys.ts';

export interface RecipientProps {
  /**
   * Receives every alarm, in place of the policy's topic; absent in both: alarms only change their state. CloudWatch may publish to a
   * topic that an app makes; the policy of any other one, and of its key, must say so already.
   * @example Topic.fromTopicArn(stack, 'OnCall', 'arn:aws:sns:eu-west-1:111122223333:on-call')
   */
  readonly alarmTopic?: ITopic;
  /**
   * These receive every alarm too, in place of the policy's addresses. Each must confirm its subscription once.
   * @example ['on-call@example.com']
   */
  readonly alarmEmails?: readonly string[];
  /**
   * Whether the all-clear is told as well; absent: as the policy says, which is yes if it says nothing.
   * @example false
   */
  readonly alarmOk?: boolean;
}

/** Who is told of alarms. */
export interface Recipients {
  readonly topics: readonly ITopic[];
  readonly ok: boolean;
  /** The topic of the addresses, if there are any: others may subscribe to it. */
  readonly made?: Topic;
}

/** CloudWatch, for alarms of this stack's account and Region. */
function alarmsOf(scope: Construct): ServicePrincipal {
  const { account } = Stack.of(scope);
  const alarms = Stack.of(scope).formatArn({
    service: 'cloudwatch',
    resource: 'alarm',
    resourceName: '*',
    arnFormat: ArnFormat.COLON_RESOURCE_NAME,
  });
  return new ServicePrincipal('cloudwatch.amazonaws.com', {
    conditions: {
      ArnLike: { 'aws:SourceArn': alarms },
      StringEquals: { 'aws:SourceAccount': account },
    },
  });
}

/** A topic for addresses. It is not encrypted: under AWS's own key CloudWatch could not publish to it. */
function topicFor(scope: Construct, emails: readonly string[], owner: string): Topic {
  const topic = new Topic(scope, 'AlarmTopic', {
    displayName: `Keyturn (${owner})`,
    enforceSSL: true,
  });
  // A policy takes the place of the one that every topic has at first, which lets the whole account in.
  topic.grantPublish(alarmsOf(scope));
  for (const email of emails) topic.addSubscription(new EmailSubscription(email));
  return topic;
}

/** Of another account, a topic without a policy lets no alarm in. CDK makes nothing for one that is imported, whose policy nobody sees. */
function warnOfOwnAlone(scope: Construct, topic: ITopic): void {
  const { account } = topic.env;
  const { account: home } = Stack.of(scope);
  const isMade = topic.node.defaultChild !== undefined;
  if (!isMade || [account, home].some((each) => Token.isUnresolved(each)) || account === home)
    return;
  Annotations.of(scope).addWarningV2(
    'keyturn:alarmTopic',
    `Keyturn's property alarmTopic: found a topic of account ${account} without a policy, expected one that lets alarms of account ${home} publish: without, it lets in its own account alone, and nobody is told of an alarm. Give the topic a policy (enforceSSL: true, or topic.addToResourcePolicy), to which Keyturn adds what its alarms need; if a TopicPolicy of yours says it already, acknowledge this warning`,
  );
}

/**
 * Lets alarms tell a topic of the app; nothing happens to what the app imports. A topic without a policy lets them in by itself, with
 * all else that its account sends it, which a policy for alarms would end: so they go into one that is there, whenever it is made.
 */
function letAlarmsTell(scope: Construct, topic: ITopic): void {
  const publish = new PolicyStatement({
    principals: [alarmsOf(scope)],
    actions: ['sns:Publish'],
    resources: [topic.topicArn],
  });
  Aspects.of(topic).add({
    visit(node) {
      const policy = topic.node.tryFindChild('Policy');
      if (node === policy) topic.addToResourcePolicy(publish);
      if (node === topic && !policy) warnOfOwnAlone(scope, topic);
    },
  });
}

/** No mail server that people use tells capital letters apart, and nobody needs an alarm twice. */
function eachOnce(emails: readonly string[]): string[] {
  const small = emails.map((email) => email.toLowerCase());
  return emails.filter((_email, index) => small.indexOf(small[index] ?? '') === index);
}

/** What the app says, and else the policy file. */
export function recipientsOf(
  scope: Construct,
  given: RecipientProps,
  written: Deployment['alarms'],
  owner: string,
): Recipients {
  if (given.alarmTopic) letAlarmsTell(scope, given.alarmTopic);
  const named =
    given.alarmTopic ??
    (written?.topic === undefined
      ? undefined
      : Topic.fromTopicArn(scope, 'NamedAlarmTopic', written.topic));
  const emails = eachOnce(given.alarmEmails ?? written?.emails ?? []);
  const made = emails.length > 0 ? topicFor(scope, emails, owner) : undefined;
  for (const topic of [given.alarmTopic, made]) if (topic) letAlarmsUseKey(scope, topic);
  refuseOwnKeys(scope, { 'property alarmTopic': given.alarmTopic, 'topic for e-mail': made });
  return {
    topics: [named, made].filter((topic) => topic !== undefined),
    ok: given.alarmOk ?? written?.ok ?? true,
    ...(made && { made }),
  };
}
