import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  App,
  Aws,
  CfnParameter,
  Lazy,
  NestedStack,
  PermissionsBoundary,
  Stack,
  type StackProps,
} from 'aws-cdk-lib';
import { Annotations, Match, Template } from 'aws-cdk-lib/assertions';
import {
  SecurityGroup,
  Subnet,
  type SubnetConfiguration,
  SubnetFilter,
  type SubnetSelection,
  SubnetType,
  Vpc,
} from 'aws-cdk-lib/aws-ec2';
import { PermissionsBoundary as BoundaryOf, ManagedPolicy } from 'aws-cdk-lib/aws-iam';
import { Alias, type IKey, Key } from 'aws-cdk-lib/aws-kms';
import { RetentionDays } from 'aws-cdk-lib/aws-logs';
import { Topic } from 'aws-cdk-lib/aws-sns';
import { afterAll, beforeAll, describe, expect, onTestFinished, test, vi } from 'vitest';
import { Keyturn } from '../../lib/keyturn.ts';
import { KeyturnStack } from '../../lib/keyturn-stack.ts';
import { PolicyFileError } from '../../lib/policy-file.ts';
import type { KeyturnProps } from '../../lib/properties.ts';
import { CONTEXT, POLICY, writePolicy } from './synthesize.ts';

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'keyturn-'));
});
afterAll(() => rmSync(folder, { recursive: true }));

const PLACE = { account: '111122223333', region: 'eu-west-1' };
const GROUP = 'sg-0123456789abcdef0';
const KEY_ID = '1234abcd-12ab-34cd-56ef-1234567890ab';

type Props = (stack: Stack) => object;

/** An app of somebody's own, in JavaScript as in TypeScript: properties may be anything. */
function stackWith(props: Props, section: object = {}, env: StackProps['env'] = PLACE): Stack {
  const app = new App({ outdir: mkdtempSync(join(folder, 'out-')), context: CONTEXT });
  const stack = new Stack(app, 'Mine', { env });
  const policy = writePolicy(folder, `${POLICY}deployment: ${JSON.stringify(section)}\n`);
  new Keyturn(stack, 'Keyturn', { policy, ...props(stack) } as KeyturnProps);
  return stack;
}

function mistakeOf(props: Props, section?: object, env?: StackProps['env']): string {
  try {
    stackWith(props, section, env);
  } catch (error) {
    if (error instanceof PolicyFileError) return error.message.replaceAll(`${folder}/`, '');
    throw error;
  }
  return 'no mistake';
}

test.each([
  ['v20.19.0', /^found Node\.js v20\.19\.0, expected 22\.12 or newer: .*; install one from/],
  ['v22.9.0', /^found Node\.js v22\.9\.0, expected 22\.12 or newer: /],
  ['v22.12.0', undefined],
  ['v23.0.0', undefined],
  ['v24.1.0', undefined],
])('an app on Node.js %s is told whether that is one to deploy from', (version, told) => {
  vi.spyOn(process, 'version', 'get').mockReturnValue(version);
  onTestFinished(() => {
    vi.restoreAllMocks();
  });
  const found = Annotations.fromStack(stackWith(() => ({}))).findWarning('*', Match.anyValue());
  const said = found.filter(({ entry }) => String(entry.data).includes('Node.js'));
  expect(said.map(({ entry }) => String(entry.data))).toEqual(
    told ? [expect.stringMatching(told)] : [],
  );
});

const keyIn = (region: string, account = PLACE.account) =>
  `arn:aws:kms:${region}:${account}:key/${KEY_ID}`;
const topicIn = (region: string) => `arn:aws:sns:${region}:111122223333:on-call`;
const vpcOf = (stack: Stack, more: object = { privateSubnetIds: ['subnet-0123456789abcdef0'] }) =>
  Vpc.fromVpcAttributes(stack, 'Vpc', {
    vpcId: 'vpc-0123456789abcdef0',
    availabilityZones: ['eu-west-1a'],
    ...more,
  });

test.each([
  ['memory', 1024, 'memorySize'],
  ['reservedConcurrency', 5, 'reservedConcurrentExecutions'],
  ['permissionsBoundary', 'developers', 'boundary'],
  ['emails', ['on-call@example.com'], 'alarmEmails'],
  ['logs', { retention: '365d' }, 'logRetention or logKey'],
  ['schedules', { paused: true }, 'it in the policy file alone'],
])(
  'a name of the policy file (%s) is refused with the property that is meant',
  (name, value, property) => {
    expect(mistakeOf(() => ({ [name]: value }))).toBe(
      `Keyturn's property ${name}: found this name, which the policy file uses, expected ${property}`,
    );
  },
);

test('what names nothing of Keyturn nor of a stack is refused by the stack of Keyturn as well, before CDK reads it', () => {
  const made = (props: object) => () => {
    const app = new App({ outdir: mkdtempSync(join(folder, 'out-')), context: CONTEXT });
    return new KeyturnStack(app, 'Own', { policy: writePolicy(folder), ...props });
  };
  expect(made({ replicas: ['eu-central-1'] })).toThrow(PolicyFileError);
  expect(made({ permissionsBoundary: 'developers' })).toThrow(
    /^Keyturn's property permissionsBoundary: found this name, which the policy file uses, expected boundary$/,
  );
  expect(made({ stackNam: 'x', tags: new Map() })).toThrow(
    /^Keyturn's property stackNam: found this name.*\nKeyturn's property tags: found "Map"/,
  );
  const ofStack: StackProps = { description: 'x', stackName: 'own', crossRegionReferences: true };
  expect(made(ofStack)).not.toThrow();
});

test('subnets that CDK has selected are taken as they are', () => {
  const selected: Props = (stack) => {
    const vpc = vpcOf(stack);
    return { vpc, vpcSubnets: vpc.selectSubnets({ onePerAz: true }) };
  };
  expect(mistakeOf(selected)).toBe('no mistake');
});

test('a Region that CDK does not know is taken, and told of', () => {
  const told = (region: string) =>
    JSON.stringify(
      Annotations.fromStack(stackWith(() => ({ replicaRegions: [region] }))).findWarning(
        '*',
        Match.stringLikeRegexp('replicaRegions'),
      ),
    );
  expect(told('eu-west-11')).toMatch(
    /replicaRegions: found \\"eu-west-11\\", expected a Region that this version of CDK knows; did you mean \\"eu-west-1\\"\? /,
  );
  expect(told('eu-central-1')).toBe('[]');
});

test("CDK's own boundary of a stack is the stack's, and what else bears its name is not", () => {
  const env = PLACE;
  const stackWith = (permissionsBoundary: unknown) => {
    const app = new App({ context: { 'aws:cdk:bundling-stacks': [] } });
    const props = { env, policy: writePolicy(folder), permissionsBoundary };
    return new KeyturnStack(app, 'Bounded', props as never);
  };
  const template = Template.fromStack(stackWith(PermissionsBoundary.fromName('developers')));
  const roles = Object.values(template.findResources('AWS::IAM::Role'));
  expect(roles.length).toBeGreaterThan(7);
  for (const { Properties } of roles) {
    expect(JSON.stringify(Properties.PermissionsBoundary)).toContain(':policy/developers');
  }
  const wrong = (stack: Stack) => ({
    permissionsBoundary: ManagedPolicy.fromManagedPolicyName(stack, 'Managed', 'developers'),
  });
  expect(mistakeOf(wrong)).toMatch(/^Keyturn's property permissionsBoundary: found this name/);
});

test("a replica's key that CDK knows only at the deployment is taken, and its Region is checked all the same", () => {
  const replica = (region: string) => (stack: Stack) => ({
    replicaRegions: [
      { region, encryptionKey: new CfnParameter(stack, 'ReplicaKey').valueAsString },
    ],
  });
  expect(mistakeOf(replica('eu-central-1'))).toBe('no mistake');
  expect(mistakeOf(replica('Frankfurt'))).toMatch(/replicaRegions\[0\]\.region: found "Frankfurt"/);
});

test.each(['alarmEmails', 'replicaRegions'])(
  'a list that only the deployment knows (%s) is refused by the name of the property',
  (name) => {
    const list: Props = (stack) => ({
      [name]: new CfnParameter(stack, 'List', { type: 'CommaDelimitedList' }).valueAsList,
    });
    expect(mistakeOf(list)).toMatch(
      new RegExp(`^Keyturn's property ${name}: found a list that is known only at the deployment`),
    );
  },
);

test('termination protection that the policy file asks for, and an own stack lacks, is told of', () => {
  const warned = (env?: object) =>
    JSON.stringify(
      Annotations.fromStack(stackWith(() => ({}), env)).findWarning(
        '*',
        Match.stringLikeRegexp('terminationProtection'),
      ),
    );
  expect(warned({ terminationProtection: true })).toMatch(/terminationProtection: true/);
  expect(warned()).toBe('[]');
});

test('termination protection that an app asks of the construct, and its stack lacks, is refused', () => {
  const asked = () => ({ terminationProtection: true });
  expect(mistakeOf(asked)).toBe(
    "Keyturn's property terminationProtection: found true, and the stack Mine without it, expected it as a property of the stack, which alone can have it",
  );
  expect(mistakeOf(() => ({ terminationProtection: false }))).toBe('no mistake');
  const policy = writePolicy(folder);
  const app = new App({ outdir: mkdtempSync(join(folder, 'out-')), context: CONTEXT });
  const protectedStack = new Stack(app, 'Protected', { terminationProtection: true });
  expect(() => new Keyturn(protectedStack, 'Keyturn', { policy, ...asked() })).not.toThrow();
});

test('a nested stack is protected by the one that it is in', () => {
  const app = new App({ outdir: mkdtempSync(join(folder, 'out-')), context: CONTEXT });
  const policy = writePolicy(
    folder,
    `${POLICY}deployment: ${JSON.stringify({ terminationProtection: true })}\n`,
  );
  const warningsIn = (terminationProtection: boolean) => {
    const id = terminationProtection ? 'Protected' : 'Bare';
    const nested = new NestedStack(new Stack(app, id, { terminationProtection }), 'Nested');
    const keyturn = new Keyturn(nested, 'Keyturn', { policy });
    return JSON.stringify(keyturn.node.metadata.filter(({ type }) => type === 'aws:cdk:warning'));
  };
  expect(warningsIn(true)).not.toMatch(/terminationProtection/);
  expect(warningsIn(false)).toMatch(/terminationProtection/);
});

describe('a value is refused as the policy file refuses it', () => {
  test.each<[object, string]>([
    [{ replicaRegions: 'eu-central-1' }, 'replicaRegions: found "eu-central-1", expected a list'],
    [{ replicaRegions: ['Frankfurt'] }, 'replicaRegions[0]: found "Frankfurt", expected the name '],
    [{ memorySize: 128 }, 'memorySize: found 128, expected at least 512'],
    [{ memorySize: 10_241 }, 'memorySize: found 10241, expected at most 10240'],
    [{ memorySize: 512.5 }, 'memorySize: found 512.5, expected a whole number'],
    [{ memorySize: Number.NaN }, 'memorySize: found "NaN", expected a whole number'],
    [{ memorySize: Number.POSITIVE_INFINITY }, 'memorySize: found "Infinity", expected a whole n'],
    [{ tags: new Map([['team', 'plant']]) }, 'tags: found "Map", expected a mapping'],
    [{ replicaRegions: new Set(['eu-central-1']) }, 'replicaRegions: found "Set", expected a list'],
    [{ replicaRegions: ['eu-centrl-1'] }, 'replicaRegions[0]: found "eu-centrl-1", expected the n'],
    [{ replicaRegions: [{ region: 'eu-west' }] }, 'replicaRegions[0].region: found "eu-west", exp'],
    [
      { vpcSubnets: { subnetGroup: 'keyturn' } },
      'vpcSubnets.subnetGroup: unknown key; did you mean',
    ],
    [{ vpcSubnets: { subnets: ['subnet-0'] } }, 'vpcSubnets.subnets[0]: found "subnet-0", expecte'],
    [{ vpcSubnets: new Map() }, 'vpcSubnets: found "Map", expected a choice of subnets'],
    [
      { email: ['a@b.cc'] },
      'email: found this name, expected one of its properties; did you mean "',
    ],
    [{ deployment: { memory: 512 } }, 'deployment: found this name, which the policy file uses, e'],
    [{ owner: 'prod' }, 'owner: found this name, expected one of its properties; known here: poli'],
    [{ reservedConcurrentExecutions: 0 }, 'reservedConcurrentExecutions: found 0, expected at lea'],
    [{ logRetention: 2 }, "logRetention: found 2, expected one of CDK's RetentionDays"],
    [{ metrics: 'None' }, 'metrics: found "None", expected "full" or "alarms" or "none"'],
    [{ dashboard: 'no' }, 'dashboard: found "no", expected true or false'],
    [{ alarmOk: 0 }, 'alarmOk: found 0, expected true or false'],
    [{ alarmEmails: 'a@b.cc' }, 'alarmEmails: found "a@b.cc", expected a list'],
    [{ alarmEmails: ['nonsense'] }, 'alarmEmails[0]: found "nonsense", expected an e-mail address'],
    [{ alarmEmails: [''] }, 'alarmEmails[0]: found "", expected an e-mail address'],
    [{ tags: 'x,y' }, 'tags: found "x,y", expected a mapping'],
    [{ tags: { 'aws:x': 'y' } }, 'tags.aws:x: found this name, expected at most 128 letters'],
    [{ tags: { 'keyturn:owner': 'y' } }, 'tags.keyturn:owner: found this name, expected'],
    [{ tags: { team: '' } }, 'tags.team: found "", expected a text of 1 to 256 letters'],
    [{ tags: { a: 'x', A: 'y' } }, 'tags: found {"a":"x","A":"y"}, expected keys that differ in'],
    [
      { tags: Object.fromEntries(Array.from({ length: 60 }, (_, index) => [`k${index}`, 'v'])) },
      'expected at most 44 tags',
    ],
    [
      {
        tags: Object.fromEntries(Array.from({ length: 20 }, (_, i) => [`k${i}`, 'v'.repeat(250)])),
      },
      'expected tags of at most 2,048 bytes as JSON',
    ],
  ])('%#: %o', (props, expected) => {
    const mistake = mistakeOf(() => props);
    expect(mistake).toMatch(/^Keyturn's property /);
    expect(mistake).toContain(expected);
    expect(mistake.split('\n')).toHaveLength(1);
  });

  test('tags of the file and of the app together, as they will be', () => {
    expect(mistakeOf(() => ({ tags: { Team: 'x' } }), { tags: { team: 'y' } })).toMatch(
      /^Keyturn's property tags, with deployment\.tags of keyturn\.yaml: found .*, expected keys that differ in more than capital letters/,
    );
    const tags = (letter: string) =>
      Object.fromEntries(Array.from({ length: 25 }, (_, index) => [`${letter}${index}`, 'v']));
    expect(mistakeOf(() => ({ tags: tags('a') }), { tags: tags('b') })).toContain('at most 44');
    expect(mistakeOf(() => ({ tags: { team: 'x' } }), { tags: { team: 'y' } })).toBe('no mistake');
  });

  test('several at once, one line each', () => {
    const mistake = mistakeOf(() => ({ memorySize: 1, metrics: 'all', alarmTopic: 'on-call' }));
    expect(mistake.split('\n')).toHaveLength(3);
  });
});

describe('what is no construct of its kind is refused with what makes one:', () => {
  test.each<[string, Props, string]>([
    ['an ARN', () => ({ alarmTopic: topicIn('eu-west-1') }), 'Topic.fromTopicArn('],
    [
      'a key as topic',
      (stack) => ({ alarmTopic: new Key(stack, 'Key') }),
      'found "construct Mine/Key", ',
    ],
    ['a name', () => ({ boundary: 'developers' }), 'ManagedPolicy.fromManagedPolicyName('],
    ['an alias by its name', () => ({ encryptionKey: 'alias/x' }), 'Key.fromKeyArn('],
    [
      'an alias by the end of its name',
      (stack) => ({ encryptionKey: Alias.fromAliasName(stack, 'Alias', 'tokens') }),
      "or Alias.fromAliasName(stack, 'Alias', 'alias/tokens'), with alias/ in front",
    ],
    ['an ARN', () => ({ managementTokenKey: keyIn('eu-west-1') }), 'Key.fromKeyArn('],
    ['an ARN', () => ({ logKey: keyIn('eu-west-1') }), 'Key.fromKeyArn('],
    ['an id', () => ({ vpc: 'vpc-0123456789abcdef0' }), 'Vpc.fromLookup('],
    [
      'an id in a list',
      (stack) => ({ vpc: vpcOf(stack), securityGroups: [GROUP] }),
      'securityGroups[0]: found "sg-0123456789abcdef0", expected',
    ],
    [
      'what only looks like a topic',
      () => ({ alarmTopic: { topicArn: topicIn('eu-west-1') } as never }),
      'alarmTopic: found {"topicArn":"arn:aws:sns',
    ],
    [
      'what only looks like a VPC',
      () => ({ vpc: { vpcId: 'vpc-0123456789abcdef0' } as never }),
      'vpc: found {"vpcId":"vpc-0123456789abcdef0"}, expected a VPC of CDK',
    ],
    [
      'what only looks like a key',
      () => ({ logKey: { keyArn: keyIn('eu-west-1') } as never }),
      'logKey: found {"keyArn":',
    ],
    [
      'what only looks like a security group',
      (stack) => ({ vpc: vpcOf(stack), securityGroups: [{ securityGroupId: GROUP } as never] }),
      'securityGroups[0]: found {"securityGroupId":',
    ],
    ['nothing', () => ({ alarmTopic: null }), 'alarmTopic: found nothing, expected a topic'],
    [
      'a key within the place of replicas, as CDK takes it',
      (stack) => ({
        replicaRegions: [{ region: 'eu-north-1', encryptionKey: new Key(stack, 'Key') as never }],
      }),
      'replicaRegions[0].encryptionKey: found "construct Mine/Key", expected',
    ],
    [
      'a network within an object',
      (stack) => ({ vpc: { vpc: vpcOf(stack) } as never }),
      'vpc: found {"vpc":"construct Mine/',
    ],
    [
      'what makes a boundary',
      (stack) => ({ boundary: BoundaryOf.of(stack) as never }),
      'boundary: found "PermissionsBoundary", expected',
    ],
    ['a number of another kind', () => ({ memorySize: 512n as never }), 'memorySize: found "512n"'],
  ])('%s', (_title, props, expected) => {
    const mistake = mistakeOf(props);
    expect(mistake).toMatch(/^Keyturn's property \S+: found .*, expected /);
    expect(mistake).toContain(expected);
  });

  test.each<[string, Props, string]>([
    [
      'an ARN of an alias for the logs',
      (stack) => ({
        logKey: Key.fromKeyArn(stack, 'Key', 'arn:aws:kms:eu-west-1:111122223333:alias/x'),
      }),
      'logKey',
    ],
    [
      'a key for the logs that has no id',
      (stack) => ({
        logKey: Key.fromKeyArn(stack, 'Key', 'arn:aws:kms:eu-west-1:111122223333:key/nonsense'),
      }),
      'logKey',
    ],
    [
      'a policy of AWS by its name',
      (stack) => ({ boundary: ManagedPolicy.fromManagedPolicyName(stack, 'B', 'PowerUserAccess') }),
      'boundary',
    ],
    [
      'a path that is no name',
      (stack) => ({
        boundary: ManagedPolicy.fromManagedPolicyName(stack, 'B', 'policy/developers'),
      }),
      'boundary',
    ],
    [
      'a role',
      (stack) => ({
        boundary: ManagedPolicy.fromManagedPolicyArn(
          stack,
          'B',
          'arn:aws:iam::111122223333:role/x',
        ),
      }),
      'boundary',
    ],
    ['no subnets', (stack) => ({ vpc: vpcOf(stack), vpcSubnets: { subnets: [] } }), 'vpcSubnets'],
    [
      'a zone without subnets',
      (stack) => ({ vpc: vpcOf(stack), vpcSubnets: { availabilityZones: ['nope'] } }),
      'vpcSubnets',
    ],
    [
      'a security group twice',
      (stack) => {
        const group = SecurityGroup.fromSecurityGroupId(stack, 'Group', GROUP);
        return { vpc: vpcOf(stack), securityGroups: [group, group] };
      },
      'securityGroups',
    ],
    [
      'nothing in a list',
      (stack) => ({ vpc: vpcOf(stack), securityGroups: [undefined] }),
      'securityGroups[0]',
    ],
    ['a name that is almost one', () => ({ alarmEmail: ['a@b.cc'] }), 'alarmEmail'],
    ['no policy', () => ({ policy: undefined }), 'policy'],
    ['a policy that is no path', () => ({ policy: 3 }), 'policy'],
  ])('%s, which the policy file or AWS would refuse', (_title, props, property) => {
    const mistake = mistakeOf(props);
    expect(mistake).toContain(`Keyturn's property ${property}: found `);
    expect(mistake.split('\n')).toHaveLength(1);
  });

  test.each([
    [undefined, 'nothing'],
    [new URL('file:///app/keyturn.yaml'), '"URL"'],
    [{ owner: 'prod' }, '{"owner":"prod"}'],
  ])('what is no path of a policy file, and says what it is: %s', (policy, found) => {
    expect(mistakeOf(() => ({ policy }) as object)).toBe(
      `Keyturn's property policy: found ${found}, expected the path of a policy file, a text such as 'keyturn.yaml'`,
    );
  });

  test('a boundary of AWS, or of the app, is one', () => {
    const ofAws: Props = () => ({
      boundary: ManagedPolicy.fromAwsManagedPolicyName('PowerUserAccess'),
    });
    const made: Props = (stack) => ({ boundary: new ManagedPolicy(stack, 'Boundary') });
    const named: Props = (stack) => ({
      boundary: ManagedPolicy.fromManagedPolicyName(stack, 'B', 'team/developers'),
    });
    for (const props of [ofAws, made, named]) expect(mistakeOf(props)).toBe('no mistake');
  });

  test('a FIFO topic, which no alarm can tell anything, made or imported', () => {
    const made: Props = (stack) => ({ alarmTopic: new Topic(stack, 'Topic', { fifo: true }) });
    const imported: Props = (stack) => ({
      alarmTopic: Topic.fromTopicArn(stack, 'Topic', `${topicIn('eu-west-1')}.fifo`),
    });
    for (const props of [made, imported]) {
      expect(mistakeOf(props)).toMatch(/^Keyturn's property alarmTopic: .* not FIFO/);
    }
  });

  test('an alias for the logs, unless CDK knows its key, which is used then', () => {
    const byName: Props = (stack) => ({
      logKey: Alias.fromAliasName(stack, 'Alias', 'alias/logs') as IKey,
    });
    for (const env of [PLACE, undefined]) {
      expect(mistakeOf(byName, {}, env)).toMatch(/^Keyturn's property logKey: .* takes no alias/);
    }
    const stack = stackWith((stack) => ({
      logKey: new Alias(stack, 'Alias', {
        aliasName: 'alias/logs',
        targetKey: Key.fromKeyArn(stack, 'Key', keyIn('eu-west-1')),
      }),
    }));
    Template.fromStack(stack).allResourcesProperties('AWS::Logs::LogGroup', {
      KmsKeyId: keyIn('eu-west-1'),
    });
  });

  test("an alias of an AWS service, which no other service's secrets may be under", () => {
    const props: Props = (stack) => ({
      encryptionKey: Alias.fromAliasName(stack, 'Alias', 'alias/aws/s3') as IKey,
    });
    expect(mistakeOf(props)).toMatch(/^Keyturn's property encryptionKey: /);
  });

  test.each<[string, SubnetSelection | undefined]>([
    ['none', undefined],
    ['of a group', { subnetGroupName: 'keyturn' }],
    ['of a zone', { availabilityZones: ['eu-west-1a'] }],
    ['of a type', { subnetType: SubnetType.PRIVATE_ISOLATED }],
    ['by their ids', { subnetFilters: [SubnetFilter.byIds(['subnet-0123456789abcdef0'])] }],
  ])('a choice (%s) in a VPC that CDK has yet to look up', (_, vpcSubnets) => {
    const stack = stackWith((mine) => ({
      vpc: Vpc.fromLookup(mine, 'Vpc', { vpcName: 'prod' }),
      ...(vpcSubnets && { vpcSubnets }),
    }));
    const { missing } = (stack.node.root as App).synth().manifest;
    expect(missing?.map(({ provider }) => provider)).toEqual(['vpc-provider']);
  });

  test('groups or subnets without a VPC, and an empty list of groups', () => {
    const groups: Props = (stack) => ({
      securityGroups: [SecurityGroup.fromSecurityGroupId(stack, 'Group', GROUP)],
    });
    const subnets: Props = () => ({ vpcSubnets: { subnetGroupName: 'keyturn' } });
    for (const props of [groups, subnets]) {
      expect(mistakeOf(props)).toMatch(
        /^Keyturn's property (?:securityGroups|vpcSubnets): found no VPC beside it, expected one; give the property vpc as well, or write deployment\.vpc into keyturn\.yaml/,
      );
    }
    expect(mistakeOf((stack) => ({ vpc: vpcOf(stack), securityGroups: [] }))).toBe(
      "Keyturn's property securityGroups: found [], expected a list of one to five security groups of CDK",
    );
    const inFile = {
      vpc: { id: 'vpc-0123456789abcdef0', subnets: ['subnet-0123456789abcdef0'] },
    };
    expect(mistakeOf(groups, inFile)).toBe('no mistake');
  });

  test('a VPC, or a choice of its subnets, in which no function reaches anything', () => {
    const publicOnly = { publicSubnetIds: ['subnet-0123456789abcdef0'] };
    const expected =
      /^Keyturn's property (?:vpc|vpcSubnets): found .*, expected private ones, because Lambda gives a function no public address; /;
    expect(mistakeOf((stack) => ({ vpc: vpcOf(stack, publicOnly) }))).toMatch(expected);
    expect(mistakeOf((stack) => ({ vpc: vpcOf(stack, {}) }))).toMatch(expected);
    const chosen: Props = (stack) => ({
      vpc: vpcOf(stack, publicOnly),
      vpcSubnets: { subnetType: SubnetType.PUBLIC },
    });
    expect(mistakeOf(chosen)).toMatch(expected);
    const missing: Props = (stack) => ({
      vpc: vpcOf(stack),
      vpcSubnets: { subnetGroupName: 'keyturn' },
    });
    expect(mistakeOf(missing)).toMatch(expected);
    const typeless = { subnetType: 'Inside' as SubnetType };
    expect(mistakeOf((stack) => ({ vpc: vpcOf(stack), vpcSubnets: typeless }))).toMatch(
      /vpcSubnets: found subnets of a type "Inside", which CDK does not know, expected/,
    );
    const made = (stack: Stack, subnetConfiguration?: SubnetConfiguration[]) =>
      new Vpc(stack, 'Vpc', subnetConfiguration && { subnetConfiguration });
    const [name, PUBLIC] = ['Outside', SubnetType.PUBLIC];
    const ofApp: readonly [string, Props][] = [
      ['vpc', (stack) => ({ vpc: made(stack, [{ name, subnetType: PUBLIC }]) })],
      ['vpcSubnets', (stack) => ({ vpc: made(stack), vpcSubnets: { subnetType: PUBLIC } })],
      ['vpcSubnets', (stack) => ({ vpc: made(stack), vpcSubnets: { subnetGroupName: 'Public' } })],
      [
        'vpcSubnets',
        (stack) => {
          const vpc = made(stack);
          return { vpc, vpcSubnets: { subnets: vpc.publicSubnets } };
        },
      ],
    ];
    for (const [property, props] of ofApp) {
      for (const env of [PLACE, {}]) {
        expect(mistakeOf(props, undefined, env)).toMatch(
          new RegExp(
            `^Keyturn's property ${property}: found public subnets.*, expected private ones, because Lambda gives a function no public address; name some of them, or a VPC that has some, with a NAT gateway or VPC endpoints \\(docs/deployment\\.md\\)$`,
          ),
        );
      }
    }
    expect(mistakeOf((stack) => ({ vpc: made(stack) }))).toBe('no mistake');
    const zone = { availabilityZones: ['eu-west-1c'] };
    expect(mistakeOf((stack) => ({ vpc: made(stack), vpcSubnets: zone }))).toBe('no mistake');
    const named: Props = (stack) => ({
      vpc: vpcOf(stack, {}),
      vpcSubnets: { subnets: [Subnet.fromSubnetId(stack, 'Subnet', 'subnet-0123456789abcdef0')] },
    });
    expect(mistakeOf(named)).toBe('no mistake');
  });
});

describe('what is in another place than the stack is refused:', () => {
  const elsewhere = ({ node }: Stack) =>
    new Stack(node.root, 'Elsewhere', { env: { account: '999922223333', region: 'us-east-1' } });

  test.each<[string, Props, string]>([
    [
      'a topic by its ARN',
      (stack) => ({ alarmTopic: Topic.fromTopicArn(stack, 'Topic', topicIn('us-east-1')) }),
      `alarmTopic: found "${topicIn('us-east-1')}", expected a topic of this stack's Region, in which alone alarms tell; write one such as ${topicIn('eu-west-1')}`,
    ],
    [
      'a topic of another stack',
      (stack) => ({ alarmTopic: new Topic(elsewhere(stack), 'Topic') }),
      'alarmTopic: found "arn:aws:sns:us-east-1:999922223333:<name>", expected a topic of this stack\'s Region',
    ],
    [
      'a key for the logs',
      (stack) => ({ logKey: Key.fromKeyArn(stack, 'Key', keyIn('us-east-1')) }),
      `logKey: found "${keyIn('us-east-1')}", expected a key of this stack's account and Region, because CloudWatch Logs uses no key of another Region, and one of another account is that account's to take away; write a key such as ${keyIn('eu-west-1')}`,
    ],
    [
      'a key of another account for the logs, of another stack',
      (stack) => ({
        logKey: new Key(
          new Stack(stack.node.root, 'Theirs', {
            env: { account: '999922223333', region: 'eu-west-1' },
          }),
          'Key',
        ),
      }),
      'logKey: found "arn:aws:kms:eu-west-1:999922223333:key/<id>", expected a key of this stack\'s account and Region',
    ],
    [
      'a permissions boundary',
      (stack) => ({
        boundary: ManagedPolicy.fromManagedPolicyArn(
          stack,
          'Boundary',
          'arn:aws:iam::999922223333:policy/developers',
        ),
      }),
      'boundary: found "arn:aws:iam::999922223333:policy/developers", expected a managed policy of this stack\'s account',
    ],
    [
      'a permissions boundary of a partition that only the deployment knows',
      (stack) => ({
        boundary: ManagedPolicy.fromManagedPolicyArn(
          stack,
          'Boundary',
          `arn:${Aws.PARTITION}:iam::999922223333:policy/developers`,
        ),
      }),
      'boundary: found "arn:<AWS.Partition>:iam::999922223333:policy/developers", expected a managed policy of this stack\'s account, because a role takes no boundary of another; write one such as arn:<AWS.Partition>:iam::111122223333:policy/developers',
    ],
    [
      'a permissions boundary of another stack',
      (stack) => ({ boundary: new ManagedPolicy(elsewhere(stack), 'Boundary') }),
      'boundary: found "arn:aws:iam::999922223333:policy/<name>", expected a managed policy of this stack\'s account',
    ],
    [
      'a VPC',
      (stack) => ({ vpc: new Vpc(elsewhere(stack), 'Vpc') }),
      'vpc: found "arn:aws:ec2:us-east-1:999922223333:vpc/<id>", expected a VPC of this stack\'s Region',
    ],
  ])('%s', (_title, props, expected) => {
    expect(mistakeOf(props)).toContain(`Keyturn's property ${expected}`);
  });

  test('and so is an ARN of another partition, of the file or of the app', () => {
    const ofChina = topicIn('eu-west-1').replace('arn:aws:', 'arn:aws-cn:');
    expect(mistakeOf(() => ({}), { alarms: { topic: ofChina } })).toContain(
      `keyturn.yaml: deployment.alarms.topic: found "${ofChina}"`,
    );
    const props: Props = (stack) => ({ alarmTopic: Topic.fromTopicArn(stack, 'Topic', ofChina) });
    expect(mistakeOf(props)).toContain(`write one such as ${topicIn('eu-west-1')}`);
    const china = { account: '111122223333', region: 'cn-north-1' };
    const made: Props = (stack) => ({
      alarmTopic: new Topic(stack, 'Topic'),
      logKey: new Key(stack, 'Logs'),
      encryptionKey: new Key(stack, 'Secrets'),
      vpc: new Vpc(stack, 'Vpc'),
      boundary: ManagedPolicy.fromManagedPolicyName(stack, 'Boundary', 'developers'),
    });
    for (const env of [china, PLACE, undefined]) {
      expect(mistakeOf(made, {}, env)).toBe('no mistake');
    }
  });

  test('but not what the file says where the app says something else', () => {
    const props: Props = (stack) => ({
      alarmTopic: Topic.fromTopicArn(stack, 'Topic', topicIn('eu-west-1')),
    });
    expect(mistakeOf(props, { alarms: { topic: topicIn('us-east-1') } })).toBe('no mistake');
  });

  test("but not a boundary of AWS's own", () => {
    const boundary = ManagedPolicy.fromAwsManagedPolicyName('PowerUserAccess');
    expect(mistakeOf(() => ({ boundary }))).toBe('no mistake');
  });
});

test('what CDK knows only at the deployment is left to it', () => {
  const stack = stackWith((stack) => {
    const memory = new CfnParameter(stack, 'Memory', { type: 'Number' });
    const text = new CfnParameter(stack, 'Text');
    return {
      memorySize: memory.valueAsNumber,
      reservedConcurrentExecutions: Lazy.number({ produce: () => 5 }),
      alarmEmails: [text.valueAsString],
      alarmTopic: Topic.fromTopicArn(stack, 'Topic', text.valueAsString),
      logKey: Key.fromKeyArn(
        stack,
        'Key',
        `arn:aws:kms:eu-west-1:111122223333:key/${text.valueAsString}`,
      ),
      logRetention: memory.valueAsNumber as RetentionDays,
      tags: { team: text.valueAsString },
    };
  }, {});
  Template.fromStack(stack).allResourcesProperties('AWS::Lambda::Function', {
    MemorySize: { Ref: 'Memory' },
    ReservedConcurrentExecutions: 5,
    Tags: Match.arrayWith([{ Key: 'team', Value: { Ref: 'Text' } }]),
  });
});

test('what was right stays right: all properties at once, and none of them', () => {
  expect(
    mistakeOf((stack) => ({
      vpc: vpcOf(stack),
      vpcSubnets: { subnetType: SubnetType.PRIVATE_WITH_EGRESS },
      securityGroups: [SecurityGroup.fromSecurityGroupId(stack, 'Group', GROUP)],
      alarmTopic: Topic.fromTopicArn(stack, 'Topic', topicIn('eu-west-1')),
      alarmEmails: ['on-call@example.com'],
      alarmOk: false,
      encryptionKey: new Key(stack, 'Secrets'),
      managementTokenKey: Alias.fromAliasName(stack, 'Alias', 'alias/management') as IKey,
      logRetention: RetentionDays.INFINITE,
      logKey: new Key(stack, 'Logs'),
      boundary: ManagedPolicy.fromManagedPolicyName(stack, 'Boundary', 'developers'),
      tags: { team: 'plant' },
      replicaRegions: ['eu-central-1', { region: 'eu-north-1', encryptionKey: 'alias/tokens' }],
      memorySize: 1024,
      reservedConcurrentExecutions: 5,
      dashboard: false,
      metrics: 'alarms',
    })),
  ).toBe('no mistake');
  const nothing = Object.fromEntries(
    ['vpc', 'alarmTopic', 'alarmEmails', 'tags', 'memorySize', 'logRetention'].map((name) => [
      name,
      undefined,
    ]),
  );
  expect(mistakeOf(() => nothing)).toBe('no mistake');
  expect(mistakeOf(() => ({ alarmEmails: [] }), { alarms: { emails: ['a@b.cc'] } })).toBe(
    'no mistake',
  );
});

test('of a Region that only the deployment knows nothing is said', () => {
  const stack = stackWith((home) => {
    const second = new CfnParameter(home, 'Second', { default: 'eu-west-1' });
    return { replicaRegions: ['eu-west-3', second.valueAsString] };
  });
  const about = Match.stringLikeRegexp('replicaRegions');
  expect(Annotations.fromStack(stack).findWarning('*', about)).toEqual([]);
});
