import { CfnResource, Stack } from 'aws-cdk-lib';
import type { ITopic } from 'aws-cdk-lib/aws-sns';
import type { Construct } from 'constructs';
import { writtenOut } from './written-out.ts';

/** What CDK keeps in the app's context of keys that it has looked up by aliases that are AWS's own. */
const OWN_LOOKED_UP = /^key-provider:.*\baliasName=alias\/aws\//;

/** Ids of AWS's own keys, as far as the app has looked them up. */
const ownKeysOf = (scope: Construct): string[] =>
  Object.entries<{ readonly keyId?: string }>(scope.node.root.node.getAllContext())
    .filter(([name]) => OWN_LOOKED_UP.test(name))
    .flatMap(([, { keyId }]) => keyId ?? []);

/** The key of a topic that the app makes, as the template has it by now: an id, an alias, or an ARN. */
function keyOf(topic: ITopic): string {
  const { defaultChild: made } = topic.node;
  if (!made || !CfnResource.isCfnResource(made)) return '';
  const { Resources } = Stack.of(made).resolve(made._toCloudFormation());
  const [written] = Object.values<{ Properties?: Record<string, unknown> }>(Resources);
  return String(writtenOut(written?.Properties?.KmsMasterKeyId ?? '', { known: {}, other: '' }));
}

/**
 * Refuses topics of alarms that are under AWS's own key. Aspects and overrides may put one there after all else, so it is looked at the end
 * of synthesis.
 * https://docs.aws.amazon.com/sns/latest/dg/sns-key-management.html#compatibility-with-aws-services
 * @param topics by what they are, `property alarmTopic`
 */
export function refuseOwnKeys(
  scope: Construct,
  topics: Readonly<Record<string, ITopic | undefined>>,
): void {
  const isOwn = (key: string) =>
    /(?:^|[:/])alias\/aws\/[^/]+$/.test(key) || ownKeysOf(scope).some((id) => key.endsWith(id));
  const sentenceOf = ([whose, topic]: [string, ITopic | undefined]) =>
    topic && isOwn(keyOf(topic))
      ? `Keyturn's ${whose}: found ${topic.node.path} under AWS's own key (alias/aws/sns), expected one under a key of yours, or under none: CloudWatch may not publish under AWS's own, and nobody would be told of an alarm; take that key from the topic, also in aspects and overrides, or give as alarmTopic one with masterKey: new Key(this, 'AlarmKey')`
      : [];
  scope.node.addValidation({ validate: () => Object.entries(topics).flatMap(sentenceOf) });
}
