import { CfnResource, Stack } from 'aws-cdk-lib';
import { Key } from 'aws-cdk-lib/aws-kms';
import type { ITopic } from 'aws-cdk-lib/aws-sns';
import type { Construct } from 'constructs';
import { writtenOut } from './written-out.ts';

/** What CDK keeps in the app's context of keys that it has looked up by aliases that are AWS's own. */
const OWN_LOOKED_UP = /^key-provider:.*\baliasName=alias\/aws\//;

/** Ids of AWS's own keys, as far as the app has looked them up; of one that it has not found, CDK keeps another. */
const ownKeysOf = (scope: Construct): unknown[] =>
  Object.entries(scope.node.root.node.getAllContext())
    .filter(([name]) => OWN_LOOKED_UP.test(name))
    .map(([, found]) => Object(found).keyId)
    .filter((id) => id && id !== Key.DEFAULT_DUMMY_KEY_ID);

/** The key of a topic, an id, an alias, or an ARN: as the template has it by now, or as the app says of one that is imported. */
function keyOf(topic: ITopic): string {
  const { defaultChild: made } = topic.node;
  const stack = Stack.of(topic);
  const inTemplate = (resource: CfnResource) => {
    const { Resources } = stack.resolve(resource._toCloudFormation());
    const [written] = Object.values<{ Properties?: Record<string, unknown> }>(Resources);
    return written?.Properties?.KmsMasterKeyId;
  };
  const key =
    made && CfnResource.isCfnResource(made)
      ? inTemplate(made)
      : stack.resolve(topic.masterKey?.keyArn);
  return String(writtenOut(key ?? '', { known: {}, other: '' }));
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
    /(?:^|[:/])alias\/aws\/[^/]+$/.test(key) || ownKeysOf(scope).includes(key.split('/').at(-1));
  const sentenceOf = ([whose, topic]: [string, ITopic | undefined]) =>
    topic && isOwn(keyOf(topic))
      ? `Keyturn's ${whose}: found ${topic.node.path} under AWS's own key (alias/aws/sns), expected one under a key of yours, or under none: CloudWatch may not publish under AWS's own, and nobody would be told of an alarm; take that key from the topic, also in aspects and overrides, or give as alarmTopic one with masterKey: new Key(this, 'AlarmKey')`
      : [];
  scope.node.addValidation({ validate: () => Object.entries(topics).flatMap(sentenceOf) });
}
