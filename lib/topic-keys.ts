import { Annotations, Aspects, type CfnResource, Stack } from 'aws-cdk-lib';
import { PolicyStatement, ServicePrincipal } from 'aws-cdk-lib/aws-iam';
import { type CfnAlias, type CfnKey, type IKey, Key } from 'aws-cdk-lib/aws-kms';
import type { CfnTopic, ITopic } from 'aws-cdk-lib/aws-sns';
import type { Construct, IConstruct } from 'constructs';
import { asKnown, isOfType, literalOf, referencesIn } from './references.ts';
import { writtenOut } from './written-out.ts';

/** What CDK keeps in the app's context of keys that it has looked up by aliases that are AWS's own. */
const OWN_LOOKED_UP = /^key-provider:.*\baliasName=alias\/aws\//;

/** Ids of AWS's own keys, as far as the app has looked them up; of one that it has not found, CDK keeps another. */
const ownKeysOf = (scope: Construct): unknown[] =>
  Object.entries(scope.node.root.node.getAllContext())
    .filter(([name]) => OWN_LOOKED_UP.test(name))
    .map(([, found]) => Object(found).keyId)
    .filter((id) => id && id !== Key.DEFAULT_DUMMY_KEY_ID);

/** What the app makes of a topic, which it may give by its ARN. */
function madeOf(topic: ITopic): CfnTopic | undefined {
  const referred = referencesIn(topic, topic.topicArn).map(({ target }) => target);
  return [topic.node.defaultChild, ...referred].find(
    (each): each is CfnTopic => each !== undefined && isOfType(each, 'AWS::SNS::Topic'),
  );
}

/** The key of a topic, an id, an alias, or an ARN: as the template has it by now, or as the app says of one that is imported. */
function keyOf(topic: ITopic): string {
  const made = madeOf(topic);
  const stack = Stack.of(made ?? topic);
  const inTemplate = (resource: CfnResource) => {
    const { Resources } = stack.resolve(resource._toCloudFormation());
    const [written] = Object.values<{ Properties?: Record<string, unknown> }>(Resources);
    return written?.Properties?.KmsMasterKeyId;
  };
  const key = made ? inTemplate(made) : stack.resolve(topic.masterKey?.keyArn);
  return String(writtenOut(key ?? '', { known: {}, other: '' }));
}

/** The key of the app under which a topic of the app is by now. */
function madeKeyOf(topic: CfnTopic): CfnKey | undefined {
  const { rawOverrides } = topic as unknown as { readonly rawOverrides?: Overrides };
  const key = rawOverrides?.Properties?.KmsMasterKeyId ?? topic.kmsMasterKeyId;
  return madeKeyIn(topic, key);
}

/** The key of the app that a value names, perhaps by an alias of the app. */
function madeKeyIn(scope: IConstruct, key: unknown): CfnKey | undefined {
  for (const { target } of referencesIn(scope, key)) {
    if (isOfType(target, 'AWS::KMS::Key')) return target as CfnKey;
    if (isOfType(target, 'AWS::KMS::Alias'))
      return madeKeyIn(target, (target as CfnAlias).targetKeyId);
  }
  const alias = typeof key === 'string' ? aliasNamed(scope, key) : undefined;
  return alias && madeKeyIn(alias, alias.targetKeyId);
}

/** The alias of the app that a text names, alone or in an ARN: an app with the flags of an older CDK has no reference for it. */
function aliasNamed(scope: IConstruct, text: string): CfnAlias | undefined {
  const home = Stack.of(scope);
  const name = asKnown(home, text).split(':').at(-1);
  return scope.node.root.node
    .findAll()
    .filter((each): each is CfnAlias => isOfType(each, 'AWS::KMS::Alias'))
    .filter((each) => Stack.of(each).environment === home.environment)
    .find((each) => literalOf(Stack.of(each), each.aliasName) === name);
}

/** What CDK keeps of overrides to itself. */
interface Overrides {
  readonly Properties?: Readonly<Record<string, unknown>>;
}

/**
 * Lets CloudWatch use the key of a topic, which aspects and overrides may put there; nothing happens to a key that the app imports.
 * Synthesis warns of one that does not in the end: a `CfnKey`, whose policy is the app's alone, or one that came after this.
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

function warnOfKey(scope: Construct, topic: ITopic, key: CfnKey): void {
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
