import { Annotations, Aspects, type CfnResource, Stack } from 'aws-cdk-lib';
import { PolicyStatement, ServicePrincipal } from 'aws-cdk-lib/aws-iam';
import { type IKey, Key } from 'aws-cdk-lib/aws-kms';
import type { ITopic } from 'aws-cdk-lib/aws-sns';
import type { Construct, IConstruct } from 'constructs';
import { keyNamedIn } from './kms-key.ts';
import { areTogether, isOnePlace, placeOf } from './places.ts';
import { asKnown, isOfType, literalOf, propertyOf, resourceIn } from './references.ts';
import { writtenOut } from './written-out.ts';

const TOPIC = 'AWS::SNS::Topic';
const ALIAS = 'AWS::KMS::Alias';
const KEYS = ['AWS::KMS::Key', 'AWS::KMS::ReplicaKey'];

/** What CDK keeps in the app's context of keys that it has looked up by aliases that are AWS's own. */
const OWN_LOOKED_UP = /^key-provider:.*\baliasName=alias\/aws\//;

/** Ids of AWS's own keys, as far as the app has looked them up; of one that it has not found, CDK keeps another. */
const ownKeysOf = (scope: Construct): unknown[] =>
  Object.entries(scope.node.root.node.getAllContext())
    .filter(([name]) => OWN_LOOKED_UP.test(name))
    .map(([, found]) => Object(found).keyId)
    .filter((id) => id && id !== Key.DEFAULT_DUMMY_KEY_ID);

/** What the app makes of a topic, which it may give by its ARN. */
function madeOf(topic: ITopic): CfnResource | undefined {
  const { defaultChild: made } = topic.node;
  const isMade = made !== undefined && isOfType(made, TOPIC);
  return isMade ? made : resourceIn(topic, topic.topicArn, TOPIC);
}

/** The key of a topic that the app makes, as it is by now. */
const givenTo = (topic: CfnResource) => propertyOf(topic, 'KmsMasterKeyId');

/** The key of a topic, an id, an alias, or an ARN: as the template has it by now, or as the app says of one that is imported. */
function keyOf(topic: ITopic): string {
  const made = madeOf(topic);
  const key = Stack.of(made ?? topic).resolve(made ? givenTo(made) : topic.masterKey?.keyArn);
  return String(writtenOut(key ?? '', { known: {}, other: '' }));
}

/** The key of the app under which a topic of the app is by now, perhaps by an alias of the app. */
function madeKeyOf(topic: CfnResource): CfnResource | undefined {
  const key = givenTo(topic);
  const made = resourceIn(topic, key, ...KEYS);
  const alias = resourceIn(topic, key, ALIAS) ?? aliasNamed(topic, key);
  return made ?? (alias && resourceIn(alias, propertyOf(alias, 'TargetKeyId'), ...KEYS));
}

/** The alias of the app that a text names, alone or in an ARN: without a flag of newer CDKs, an app has no reference for it. */
function aliasNamed(topic: CfnResource, text: unknown): CfnResource | undefined {
  const named = keyNamedIn(asKnown(Stack.of(topic), text));
  if (!('alias' in named)) return undefined;
  const { alias, account } = named;
  const found = topic.node.root.node
    .findAll()
    .filter((each) => isOfType(each, ALIAS))
    .filter((each) => literalOf(Stack.of(each), propertyOf(each, 'AliasName')) === alias)
    .filter((each) => isOnePlace(placeOf({ account }), placeOf(Stack.of(each))) !== false);
  // Stacks whose place CDK does not know may have one each.
  return (
    found.find((each) => areTogether(each, topic)) ??
    found.find((each) => areTogether(each, topic) !== false)
  );
}

/**
 * Lets CloudWatch use the key of a topic, which aspects and overrides may put there; nothing happens to a key that the app imports.
 * Synthesis warns of one that does not in the end: a `CfnKey` or a `CfnReplicaKey`, whose policy is the app's alone, or one that came after
 * this.
 */
export function letAlarmsUseKey(scope: Construct, topic: ITopic): void {
  // Who may publish, the topic says.
  const useKey = new PolicyStatement({
    principals: [new ServicePrincipal('cloudwatch.amazonaws.com')],
    actions: ['kms:Decrypt', 'kms:GenerateDataKey*'],
    resources: ['*'],
  });
  topic.masterKey?.addToResourcePolicy(useKey, true);
  const made = madeOf(topic);
  if (!made) return;
  const visit = (node: IConstruct) => {
    const key = node === made ? madeKeyOf(made) : undefined;
    (key?.node.scope as Partial<IKey> | undefined)?.addToResourcePolicy?.(useKey, true);
  };
  // Behind those of the stacks around it, and of their priority, since one of a lower priority could not come behind it any more.
  Aspects.of(made).add({ visit });
  // What later ones have done is seen at the end.
  const validate = () => {
    const key = madeKeyOf(made);
    if (key) warnOfKey(scope, topic, key);
    return [];
  };
  scope.node.addValidation({ validate });
}

function warnOfKey(scope: Construct, topic: ITopic, key: CfnResource): void {
  const policy = JSON.stringify(Stack.of(key).resolve(key._toCloudFormation()));
  if (policy.includes('cloudwatch.amazonaws.com')) return;
  Annotations.of(scope).addWarningV2(
    'keyturn:alarmKey',
    `Keyturn's topic of alarms ${topic.node.path}: found it under ${key.node.path}, whose policy does not name cloudwatch.amazonaws.com, expected one that lets it use the key, or nobody is told of an alarm; allow it kms:Decrypt and kms:GenerateDataKey* there, or acknowledge this warning if the policy does so otherwise`,
  );
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
