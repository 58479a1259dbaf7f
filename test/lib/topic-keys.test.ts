import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import { App, Aspects, Aws, CfnResource, type IAspect, Stack, Stage } from 'aws-cdk-lib';
import { Template } from 'aws-cdk-lib/assertions';
import { CfnAlarm } from 'aws-cdk-lib/aws-cloudwatch';
import { Alias, CfnKey, CfnReplicaKey, type IKey, Key } from 'aws-cdk-lib/aws-kms';
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

  test('by an L1 of the app that is given by its ARN', () => {
    const given = (arnOf: (topic: CfnTopic) => string, kmsMasterKeyId: string) =>
      saidOf((stack) => {
        const made = new CfnTopic(stack, 'Made', { kmsMasterKeyId });
        return { alarmTopic: Topic.fromTopicArn(stack, 'OnCall', arnOf(made)) };
      });
    expect(given(({ ref }) => ref, 'alias/aws/sns')).toMatch(REFUSED);
    expect(given(({ attrTopicArn }) => attrTopicArn, 'alias/aws/sns')).toMatch(REFUSED);
    expect(given(({ ref }) => ref, 'alias/alarms')).toBe('nothing');
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

describe('a key of the app, under which a topic of alarms is, lets CloudWatch use it:', () => {
  const USE = {
    Action: ['kms:Decrypt', 'kms:GenerateDataKey*'],
    Effect: 'Allow',
    Principal: { Service: 'cloudwatch.amazonaws.com' },
    Resource: '*',
  };
  /** How often the keys of an app let CloudWatch use them, by their ids, and what synthesis warns of. */
  function usedIn(
    props: (stack: Stack) => Partial<KeyturnProps>,
    put: (topic: CfnTopic, keyArn: string) => void,
    keyOf: (stack: Stack) => Key | CfnKey | CfnReplicaKey = (stack) => new Key(stack, 'TheirKey'),
  ) {
    const app = new App({ outdir: mkdtempSync(join(folder, 'out-')), context: CONTEXT });
    const keys = new Stack(app, 'Keys', { env });
    const stack = new Stack(app, 'Mine', { env });
    const key = keyOf(keys);
    const keyArn = key instanceof Key ? key.keyArn : key.attrArn;
    const visit = (node: IConstruct) => {
      if (node instanceof CfnTopic) put(node, keyArn);
    };
    Aspects.of(app).add({ visit });
    new Keyturn(stack, 'North', { policy: writePolicy(folder), ...props(stack) });
    const { stacks } = app.synth();
    const [policy] = Object.values(Template.fromStack(keys).findResources('AWS::KMS::Key')).map(
      ({ Properties }) => Properties.KeyPolicy.Statement as readonly object[],
    );
    return {
      times: policy?.filter((each) => isDeepStrictEqual(each, USE)).length,
      said: stacks.flatMap(({ messages }) => messages.map(({ entry }) => String(entry.data))),
    };
  }
  const byAspect = (topic: CfnTopic, keyArn: string) => {
    topic.kmsMasterKeyId = keyArn;
  };
  const byOverride = (topic: CfnTopic, keyArn: string) =>
    topic.addPropertyOverride('KmsMasterKeyId', keyArn);
  /** The alias is known where the key is, and an aspect finds that in any order. */
  const byAliasOf = (key: () => Key): typeof byAspect => {
    let alias: Alias | undefined;
    return (topic) => {
      alias ??= key().addAlias('alias/theirs');
      topic.kmsMasterKeyId = alias.aliasName;
    };
  };
  const BY_ARN = (stack: Stack) => ({
    alarmTopic: Topic.fromTopicArn(stack, 'OnCall', new CfnTopic(stack, 'Made').ref),
  });

  test.each([
    ['an aspect', byAspect],
    ['an override', byOverride],
  ])('put there by %s', (_what, put) => {
    for (const props of [plain, EMAILS, BY_ARN]) expect(usedIn(props, put).times).toBe(1);
    expect(
      usedIn(
        under((stack) => new Key(stack, 'Former')),
        put,
      ).times,
    ).toBe(1);
  });

  test('by an alias of it', () => {
    let key: Key | undefined;
    const keyOf = (stack: Stack) => {
      key = new Key(stack, 'TheirKey');
      return key;
    };
    expect(
      usedIn(
        plain,
        byAliasOf(() => key as Key),
        keyOf,
      ).times,
    ).toBe(1);
  });

  test.each([
    ['its name', ({ aliasName }: Alias) => aliasName],
    ['its ARN', ({ aliasArn }: Alias) => aliasArn],
    ['its name, written out', () => 'alias/theirs'],
    ['its ARN, written out', () => 'arn:aws:kms:eu-west-1:111122223333:alias/theirs'],
  ])(
    'by an alias of it in an app of an older CDK, which has no references for them: %s',
    (_what, of) => {
      let alias: Alias | undefined;
      const keyOf = (stack: Stack) => {
        stack.node.setContext('@aws-cdk/aws-kms:aliasNameRef', false);
        const key = new Key(stack, 'TheirKey');
        alias = key.addAlias('alias/theirs');
        return key;
      };
      const put = (topic: CfnTopic) => {
        topic.kmsMasterKeyId = of(alias as Alias);
      };
      expect(usedIn(plain, put, keyOf).times).toBe(1);
      const other = (topic: CfnTopic) => {
        topic.kmsMasterKeyId = 'alias/others';
      };
      expect(usedIn(plain, other, keyOf).times).toBe(0);
    },
  );

  test('by its name alone, which an import has, or an aspect of all topics', () => {
    const aliased = (stack: Stack) => new Key(stack, 'TheirKey', { alias: 'alias/theirs' });
    const imported = (name: string) => under((stack) => Alias.fromAliasName(stack, 'Key', name));
    const byName = (topic: CfnTopic) => {
      topic.kmsMasterKeyId ??= 'alias/theirs';
    };
    expect(usedIn(EMAILS, byName, aliased).times).toBe(1);
    expect(usedIn(plain, byName, aliased).times).toBe(1);
    expect(usedIn(imported('alias/theirs'), () => {}, aliased).times).toBe(1);
    expect(usedIn(imported('alias/others'), () => {}, aliased).times).toBe(0);
    const ofOthers = 'arn:aws:kms:eu-west-1:444455556666:alias/theirs';
    const byArn = (topic: CfnTopic) => topic.addPropertyOverride('KmsMasterKeyId', ofOthers);
    expect(usedIn(plain, byArn, aliased).times).toBe(0);
  });

  test('by the name that each of two stages has, which are for two places', () => {
    const app = new App({ outdir: mkdtempSync(join(folder, 'out-')), context: CONTEXT });
    const stacks = ['Trial', 'Live'].map((id) => new Stack(new Stage(app, id), 'Mine'));
    for (const stack of stacks) new Key(stack, 'Key', { alias: 'alias/alarms' });
    const [, live] = stacks as [Stack, Stack];
    const alarmTopic = new Topic(live, 'OnCall');
    (alarmTopic.node.defaultChild as CfnTopic).kmsMasterKeyId = 'alias/alarms';
    new Keyturn(live, 'North', { policy: writePolicy(folder), alarmTopic });
    app.synth();
    const named = stacks.map((stack) =>
      JSON.stringify(Template.fromStack(stack).findResources('AWS::KMS::Key')).includes(
        'cloudwatch.amazonaws.com',
      ),
    );
    expect(named).toEqual([false, true]);
  });

  test('and no key that an override has taken from the topic again', () => {
    const taken = (topic: CfnTopic, keyArn: string) => {
      topic.kmsMasterKeyId = keyArn;
      topic.addPropertyDeletionOverride('KmsMasterKeyId');
    };
    expect(usedIn(plain, taken).times).toBe(0);
  });

  test('of a topic and of an alias that the app writes without a class', () => {
    const generic = (keyOf: (key: Key) => string) => {
      const key: Key[] = [];
      const keep = (stack: Stack) => {
        key.push(new Key(stack, 'TheirKey'));
        return key[0] as Key;
      };
      const given = (stack: Stack) => {
        const properties = { KmsMasterKeyId: keyOf(key[0] as Key) };
        const { ref } = new CfnResource(stack, 'Made', { type: 'AWS::SNS::Topic', properties });
        return { alarmTopic: Topic.fromTopicArn(stack, 'OnCall', ref) };
      };
      return usedIn(given, () => {}, keep).times;
    };
    const aliasOf = (key: Key) =>
      new CfnResource(key.stack, 'Alias', {
        type: 'AWS::KMS::Alias',
        properties: { AliasName: 'alias/theirs', TargetKeyId: key.keyId },
      });
    expect(generic(({ keyArn }) => keyArn)).toBe(1);
    expect(generic((key) => aliasOf(key).ref)).toBe(1);
    expect(generic((key) => aliasOf(key) && 'alias/theirs')).toBe(1);
    expect(generic(() => 'alias/theirs')).toBe(0);
  });

  test('though an aspect of the app comes from another one, while synthesis visits what is behind the topic', () => {
    let isAdded = false;
    const late = (topic: CfnTopic, keyArn: string) => {
      byAspect(topic, keyArn);
      const added = {
        visit: (node: IConstruct) => {
          if (isAdded || !(node instanceof CfnAlarm)) return;
          isAdded = true;
          Aspects.of(topic.stack).add({ visit: () => {} });
        },
      };
      Aspects.of(topic.stack).add(added);
    };
    expect(usedIn(EMAILS, late).times).toBe(1);
    expect(isAdded).toBe(true);
  });

  test.each<[string, (topic: CfnTopic, put: IAspect) => void]>([
    ['of the topic itself', (topic, put) => Aspects.of(topic).add(put)],
    [
      'that is to be the last',
      (topic, put) => Aspects.of(topic.stack).add(put, { priority: 1000 }),
    ],
    [
      'that another one brings while the topic is behind it',
      ({ stack }, put) => {
        const visit = (node: IConstruct) => {
          if (node instanceof CfnAlarm) Aspects.of(stack).add(put);
        };
        Aspects.of(stack).add({ visit });
      },
    ],
  ])('or synthesis warns of one that comes too late for that, by an aspect %s', (_what, add) => {
    let keyArn = '';
    const visit = (node: IConstruct) => {
      if (node instanceof CfnTopic) node.kmsMasterKeyId = keyArn;
    };
    const app = new App({ outdir: mkdtempSync(join(folder, 'out-')), context: CONTEXT });
    const stack = new Stack(app, 'Mine', { env });
    const alarmTopic = new Topic(stack, 'OnCall');
    keyArn = new Key(stack, 'LateKey').keyArn;
    new Keyturn(stack, 'North', { policy: writePolicy(folder), alarmTopic });
    add(alarmTopic.node.defaultChild as CfnTopic, { visit });
    const said = app
      .synth()
      .stacks.flatMap(({ messages }) => messages.map(({ entry }) => String(entry.data)));
    expect(said).toContainEqual(
      expect.stringMatching(
        /^Keyturn's topic of alarms Mine\/OnCall: found it under Mine\/LateKey/,
      ),
    );
  });

  test('and no other key of the app', () => {
    expect(usedIn(plain, () => {}).times).toBe(0);
    expect(
      usedIn(
        under((stack) => new Key(stack, 'Own')),
        () => {},
      ).times,
    ).toBe(0);
  });

  test('of an L1, whose policy nobody changes, synthesis warns', () => {
    const l1 =
      (...Statement: object[]) =>
      (stack: Stack) =>
        new CfnKey(stack, 'TheirKey', { keyPolicy: { Statement } });
    expect(usedIn(plain, byAspect, l1()).said).toContainEqual(
      expect.stringMatching(
        /^Keyturn's topic of alarms Mine\/OnCall: found it under Keys\/TheirKey, whose policy does not name cloudwatch\.amazonaws\.com, expected .*; allow it kms:Decrypt/,
      ),
    );
    const { said } = usedIn(plain, byAspect, l1(USE));
    expect(said).not.toContainEqual(expect.stringContaining('Keys/TheirKey'));
    const overridden = (stack: Stack) => {
      const key = l1()(stack);
      key.addPropertyOverride('KeyPolicy', { Statement: [USE] });
      return key;
    };
    expect(usedIn(plain, byAspect, overridden).said).not.toContainEqual(
      expect.stringContaining('Keys/TheirKey'),
    );
  });

  test('of a replica of a key, whose policy is its own, synthesis warns, too', () => {
    const replica =
      (...Statement: object[]) =>
      (stack: Stack) =>
        new CfnReplicaKey(stack, 'TheirKey', {
          primaryKeyArn: `arn:aws:kms:us-east-1:111122223333:key/mrk-${'0'.repeat(32)}`,
          keyPolicy: { Statement },
        });
    const warning = expect.stringMatching(
      /^Keyturn's topic of alarms Mine\/OnCall: found it under Keys\/TheirKey, whose policy does not name/,
    );
    expect(usedIn(plain, byAspect, replica()).said).toContainEqual(warning);
    expect(usedIn(plain, byAspect, replica(USE)).said).not.toContainEqual(warning);
  });
});
