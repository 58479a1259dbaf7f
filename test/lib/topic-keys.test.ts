import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { App, Aspects, Aws, Stack } from 'aws-cdk-lib';
import { Alias, type IKey, Key } from 'aws-cdk-lib/aws-kms';
import { CfnTopic, Topic } from 'aws-cdk-lib/aws-sns';
import type { IConstruct } from 'constructs';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { Keyturn } from '../../lib/keyturn.ts';
import type { KeyturnProps } from '../../lib/properties.ts';
import { CONTEXT, writePolicy } from './synthesize.ts';

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'keyturn-'));
});
afterAll(() => rmSync(folder, { recursive: true }));

const KEY_ID = '01234567-0123-0123-0123-0123456789ab';
const LOOKED_UP = (alias: string) => ({
  [`key-provider:account=111122223333:aliasName=${alias}:region=eu-west-1`]: { keyId: KEY_ID },
});
const env = { account: '111122223333', region: 'eu-west-1' };

/** What synthesis says, and of what it asks the CLI to look up. */
function saidOf(
  props: (stack: Stack) => Partial<KeyturnProps>,
  { aspect, context = {} }: { aspect?: (topic: CfnTopic) => void; context?: object } = {},
): string {
  const app = new App({
    outdir: mkdtempSync(join(folder, 'out-')),
    context: { ...CONTEXT, ...context },
  });
  const stack = new Stack(app, 'Mine', { env });
  const policy = writePolicy(folder);
  new Keyturn(stack, 'North', { policy, ...props(stack) });
  const visit = (node: IConstruct) => {
    if (node instanceof CfnTopic) aspect?.(node);
  };
  Aspects.of(app).add({ visit });
  try {
    app.synth();
  } catch (error) {
    return (error as Error).message;
  }
  return 'nothing';
}

const under = (masterKey?: (stack: Stack) => IKey) => (stack: Stack) => ({
  alarmTopic: new Topic(stack, 'OnCall', masterKey && { masterKey: masterKey(stack) }),
});
const plain = under();
const EMAILS = () => ({ alarmEmails: ['on-call@example.com'] });
const lookedUp = (aliasName: string) =>
  under((stack) => Key.fromLookup(stack, 'Key', { aliasName }));
const REFUSED =
  /^Validation failed with the following errors:\s+\[Mine\/North\] Keyturn's property alarmTopic: found Mine\/OnCall under AWS's own key \(alias\/aws\/sns\), expected one under a key of yours, or under none: .* nobody would be told of an alarm; /;

describe("a topic under AWS's own key is refused, to which no alarm could tell anything:", () => {
  test('by its masterKey', () => {
    const imported = (name: string) => under((stack) => Alias.fromAliasName(stack, 'Key', name));
    expect(saidOf(imported('alias/aws/sns'))).toMatch(REFUSED);
    expect(saidOf(imported('alias/alarms'))).toBe('nothing');
    expect(saidOf(plain)).toBe('nothing');
  });

  test.each([
    'alias/aws/sns',
    `arn:aws:kms:eu-west-1:111122223333:alias/aws/sns`,
    `arn:${Aws.PARTITION}:kms:${Aws.REGION}:${Aws.ACCOUNT_ID}:alias/aws/sns`,
  ])('by an aspect that gives it %s', (name) => {
    const aspect = (topic: CfnTopic) => {
      topic.kmsMasterKeyId ??= name;
    };
    expect(saidOf(plain, { aspect })).toMatch(REFUSED);
    expect(saidOf(EMAILS, { aspect })).toMatch(
      /\[Mine\/North\] Keyturn's topic for e-mail: found Mine\/North\/AlarmTopic under AWS's own key/,
    );
    expect(
      saidOf(
        under((stack) => new Key(stack, 'Key')),
        { aspect },
      ),
    ).toBe('nothing');
  });

  test('by an override', () => {
    const aspect = (topic: CfnTopic) =>
      topic.addPropertyOverride('KmsMasterKeyId', 'alias/aws/sns');
    expect(saidOf(plain, { aspect })).toMatch(REFUSED);
    const taken = (topic: CfnTopic) => topic.addPropertyDeletionOverride('KmsMasterKeyId');
    const imported = under((stack) => Alias.fromAliasName(stack, 'Key', 'alias/aws/sns'));
    expect(saidOf(imported, { aspect: taken })).toBe('nothing');
  });

  test('by a look-up, as soon as CDK knows the key', () => {
    const context = { ...LOOKED_UP('alias/aws/sns') };
    expect(saidOf(lookedUp('alias/aws/sns'), { context })).toMatch(REFUSED);
    expect(saidOf(lookedUp('alias/aws/sns'))).toBe('nothing');
    const ours = { ...LOOKED_UP('alias/alarms') };
    expect(saidOf(lookedUp('alias/alarms'), { context: ours })).toBe('nothing');
  });

  test('by what the app says of an imported one', () => {
    const imported = (keyOf: (stack: Stack) => string) => (stack: Stack) => {
      const keyArn = keyOf(stack);
      const topicArn = 'arn:aws:sns:eu-west-1:111122223333:on-call';
      return { alarmTopic: Topic.fromTopicAttributes(stack, 'OnCall', { topicArn, keyArn }) };
    };
    const key = (resource: string) =>
      imported(() => `arn:${Aws.PARTITION}:kms:eu-west-1:111122223333:${resource}`);
    expect(saidOf(key('alias/aws/sns'))).toMatch(REFUSED);
    expect(saidOf(key('alias/alarms'))).toBe('nothing');
    const found = imported(
      (stack) => Key.fromLookup(stack, 'Key', { aliasName: 'alias/aws/sns' }).keyArn,
    );
    expect(saidOf(found, { context: LOOKED_UP('alias/aws/sns') })).toMatch(REFUSED);
    expect(saidOf(key(`key/${KEY_ID}`))).toBe('nothing');
  });

  test.each([
    ['nothing at all', null],
    ['an error', { $providerError: 'no such key' }],
    ['an empty id', { keyId: '' }],
    ['what CDK has in place of a key that is not there', { keyId: Key.DEFAULT_DUMMY_KEY_ID }],
  ])('by no look-up that found %s', (_what, found) => {
    const [name = ''] = Object.keys(LOOKED_UP('alias/aws/ebs'));
    const context = { [name]: found };
    expect(saidOf(plain, { context })).toBe('nothing');
    const optional = under((stack) =>
      Key.fromLookup(stack, 'Key', { aliasName: 'alias/alarms', returnDummyKeyOnMissing: true }),
    );
    expect(saidOf(optional, { context })).toBe('nothing');
  });
});
