import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { App, Stack } from 'aws-cdk-lib';
import { Annotations, Match, Template } from 'aws-cdk-lib/assertions';
import {
  type ISecurityGroup,
  type IVpc,
  Port,
  SecurityGroup,
  Subnet,
  Vpc,
} from 'aws-cdk-lib/aws-ec2';
import { ManagedPolicy, PolicyStatement, ServicePrincipal } from 'aws-cdk-lib/aws-iam';
import { Alias, type IKey, Key } from 'aws-cdk-lib/aws-kms';
import { RetentionDays } from 'aws-cdk-lib/aws-logs';
import { Topic, TopicPolicy } from 'aws-cdk-lib/aws-sns';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { parse } from 'zod/mini';
import { ACTIONS_METRIC, isMetric, METRICS, RUNS_METRIC } from '../../functions/environment.ts';
import { deploymentHashes, deploymentSchema, RETENTION_DAYS } from '../../lib/deployment.ts';
import { Keyturn } from '../../lib/keyturn.ts';
import { KeyturnStack } from '../../lib/keyturn-stack.ts';
import { markOf, readPolicyFile } from '../../lib/policy-file.ts';
import type { KeyturnProps } from '../../lib/properties.ts';
import {
  anotherStack,
  CONTEXT,
  POLICY,
  permissionsOf,
  synthesize,
  writePolicy,
} from './synthesize.ts';

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'keyturn-'));
});
afterAll(() => rmSync(folder, { recursive: true }));

const withDeployment = (section: object) => `${POLICY}deployment: ${JSON.stringify(section)}\n`;
const stackOf = (section: object, props: Partial<KeyturnProps> = {}) =>
  synthesize(folder, withDeployment(section), props);

const VPC = 'vpc-0123456789abcdef0';
const SUBNETS = ['subnet-0123456789abcdef0', 'subnet-0123456789abcdef1'];
const GROUP = 'sg-0123456789abcdef0';
const PLACE = { account: '111122223333', region: 'eu-west-1' };
const TOPIC = 'arn:aws:sns:eu-west-1:111122223333:on-call';
const APP_KEY = 'arn:aws:kms:eu-west-1:111122223333:key/mrk-1234abcd12ab34cd56ef1234567890ab';
const LOG_KEY = 'arn:aws:kms:eu-west-1:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab';

describe('a VPC by its id', () => {
  test('has all functions in the subnets that are named, behind one group that lets nothing in', () => {
    const template = stackOf({ vpc: { id: VPC, subnets: SUBNETS } });
    template.resourceCountIs('AWS::EC2::SecurityGroup', 1);
    const [group] = Object.keys(template.findResources('AWS::EC2::SecurityGroup'));
    template.allResourcesProperties('AWS::Lambda::Function', {
      VpcConfig: {
        SubnetIds: SUBNETS,
        SecurityGroupIds: [{ 'Fn::GetAtt': [group, 'GroupId'] }],
      },
    });
    template.hasResourceProperties('AWS::EC2::SecurityGroup', {
      VpcId: VPC,
      SecurityGroupIngress: Match.absent(),
    });
    expect(template.findOutputs('SecurityGroup')).toMatchObject({
      SecurityGroup: { Value: { 'Fn::GetAtt': [group, 'GroupId'] } },
    });
    for (const role of ['Rotate', 'Reap', 'Enforce', 'Revoke', 'SecretsManagerRotation']) {
      expect(permissionsOf(template, `Keyturn${role}Role`)).toContain(
        'ec2:CreateNetworkInterface on *',
      );
    }
  });

  test('uses the security groups that are named, and makes none', () => {
    const template = stackOf({ vpc: { id: VPC, subnets: SUBNETS, securityGroups: [GROUP] } });
    template.resourceCountIs('AWS::EC2::SecurityGroup', 0);
    template.allResourcesProperties('AWS::Lambda::Function', {
      VpcConfig: { SecurityGroupIds: [GROUP] },
    });
  });

  test('brings no warning, which a strict synthesis would refuse', () => {
    const app = new App({ outdir: join(folder, 'warnings'), context: CONTEXT });
    const policy = writePolicy(
      folder,
      withDeployment({ vpc: { id: VPC, subnets: SUBNETS }, alarms: { emails: ['a@example.com'] } }),
    );
    const stack = new KeyturnStack(app, 'Keyturn-prod', { policy });
    expect(Annotations.fromStack(stack).findWarning('*', Match.anyValue())).toEqual([]);
  });
});

describe('a VPC by its tags', () => {
  const section = { vpc: { tags: { Name: 'prod' } } };
  const known = {
    vpcId: VPC,
    vpcCidrBlock: '10.0.0.0/16',
    availabilityZones: [],
    subnetGroups: [
      {
        name: 'Private',
        type: 'Private',
        subnets: SUBNETS.map((subnetId, index) => ({
          subnetId,
          cidr: `10.0.${index}.0/24`,
          availabilityZone: `eu-west-1${'ab'[index]}`,
          routeTableId: 'rtb-0123456789abcdef0',
        })),
      },
    ],
  };
  const lookedUp =
    'vpc-provider:account=111122223333:filter.tag:Name=prod:region=eu-west-1:returnAsymmetricSubnets=true';

  function assemblyOf(context: object, env?: typeof PLACE) {
    const app = new App({
      outdir: mkdtempSync(join(folder, 'looked-up-')),
      context: { ...CONTEXT, ...context },
    });
    const policy = writePolicy(folder, withDeployment(section));
    new KeyturnStack(app, 'Keyturn-prod', { policy, ...(env && { env }) });
    return app.synth();
  }

  test('is asked for when the app runs for the first time, which nothing refuses', () => {
    expect(assemblyOf({}, PLACE).manifest.missing).toMatchObject([
      { provider: 'vpc-provider', props: { ...PLACE, filter: { 'tag:Name': 'prod' } } },
    ]);
  });

  test('has all functions in its private subnets once it is known', () => {
    const assembly = assemblyOf({ [lookedUp]: known }, PLACE);
    expect(assembly.manifest.missing).toBeUndefined();
    Template.fromJSON(assembly.stacks[0]?.template).allResourcesProperties(
      'AWS::Lambda::Function',
      { VpcConfig: { SubnetIds: SUBNETS, SecurityGroupIds: [Match.anyValue()] } },
    );
  });

  test('is refused if it has no private subnets', () => {
    const [group] = known.subnetGroups;
    const publicOnly = { ...known, subnetGroups: [{ ...group, name: 'Public', type: 'Public' }] };
    for (const found of [publicOnly, { ...known, subnetGroups: [] }]) {
      expect(() => assemblyOf({ [lookedUp]: found }, PLACE)).toThrow(
        'keyturn.yaml: deployment.vpc: found public subnets alone, or none, expected private ones, because Lambda gives a function no public address; name some of them, or a VPC that has some, with a NAT gateway or VPC endpoints (docs/deployment.md)',
      );
    }
  });

  test('is refused where nobody knows the account and Region', () => {
    expect(() => assemblyOf({})).toThrow(
      'keyturn.yaml: deployment.vpc.tags: found no account and Region for this stack, expected both, because CDK looks the VPC up in them; run cdk with AWS credentials and a Region (AWS_PROFILE, AWS_REGION)',
    );
  });
});

describe('alarms', () => {
  const alarmsOf = (template: Template) =>
    Object.values(template.findResources('AWS::CloudWatch::Alarm')).map(
      ({ Properties }) => Properties,
    );

  test('tell a topic that exists, and tell it of the all-clear', () => {
    const alarms = alarmsOf(stackOf({ alarms: { topic: TOPIC } }));
    expect(alarms.length).toBeGreaterThan(20);
    for (const { AlarmActions, OKActions } of alarms) {
      expect([AlarmActions, OKActions]).toEqual([[TOPIC], [TOPIC]]);
    }
  });

  test('tell nobody of the all-clear who does not want it', () => {
    for (const alarm of alarmsOf(stackOf({ alarms: { topic: TOPIC, ok: false } }))) {
      expect(alarm.AlarmActions).toEqual([TOPIC]);
      expect(alarm).not.toHaveProperty('OKActions');
    }
  });

  test('tell nobody where nobody is named', () => {
    for (const alarm of alarmsOf(synthesize(folder))) {
      expect(alarm).not.toHaveProperty('AlarmActions');
      expect(alarm).not.toHaveProperty('OKActions');
    }
  });

  test('tell addresses through a topic to which the alarms of this account alone may publish', () => {
    const template = stackOf({
      alarms: { topic: TOPIC, emails: ['a@example.com', 'b@example.com', 'A@example.com'] },
    });
    const [made] = Object.keys(template.findResources('AWS::SNS::Topic'));
    const subscribed = Object.values(template.findResources('AWS::SNS::Subscription'));
    expect(subscribed.map(({ Properties }) => [Properties.Protocol, Properties.Endpoint])).toEqual([
      ['email', 'a@example.com'],
      ['email', 'b@example.com'],
    ]);
    template.hasResourceProperties('AWS::SNS::TopicPolicy', {
      Topics: [{ Ref: made }],
      PolicyDocument: {
        Statement: [
          Match.objectLike({
            Effect: 'Deny',
            Condition: { Bool: { 'aws:SecureTransport': 'false' } },
          }),
          Match.objectLike({
            Effect: 'Allow',
            Action: 'sns:Publish',
            Principal: { Service: 'cloudwatch.amazonaws.com' },
            Condition: {
              ArnLike: { 'aws:SourceArn': Match.anyValue() },
              StringEquals: { 'aws:SourceAccount': { Ref: 'AWS::AccountId' } },
            },
          }),
        ],
      },
    });
    for (const { AlarmActions } of alarmsOf(template)) {
      expect(AlarmActions).toEqual([TOPIC, { Ref: made }]);
    }
    expect(template.findOutputs('AlarmTopic')).toMatchObject({
      AlarmTopic: { Value: { Ref: made } },
    });
  });
});

describe('a topic that the app makes', () => {
  type Made = (stack: Stack) => Topic;
  /** What the policies of the topic and of its key allow CloudWatch. */
  function allowed(make: Made, then: (topic: Topic, stack: Stack) => void = () => undefined) {
    const app = new App({ outdir: mkdtempSync(join(folder, 'topic-')), context: CONTEXT });
    const stack = new Stack(app, 'Mine');
    const alarmTopic = make(stack);
    const policy = writePolicy(folder);
    new Keyturn(stack, 'North', { policy, alarmTopic });
    then(alarmTopic, stack);
    const template = Template.fromStack(stack);
    const of = (type: string, key: string) =>
      Object.values(template.findResources(type))
        .flatMap(({ Properties }) => Properties[key].Statement)
        .filter(({ Principal }) => Principal.Service === 'cloudwatch.amazonaws.com');
    return {
      topic: of('AWS::SNS::TopicPolicy', 'PolicyDocument'),
      key: of('AWS::KMS::Key', 'KeyPolicy'),
      policies: Object.keys(template.findResources('AWS::SNS::TopicPolicy')).length,
    };
  }
  const publish = {
    Effect: 'Allow',
    Action: 'sns:Publish',
    Condition: {
      ArnLike: { 'aws:SourceArn': expect.anything() },
      StringEquals: { 'aws:SourceAccount': { Ref: 'AWS::AccountId' } },
    },
  };

  test('lets alarms in where a policy of its own has taken the place of the one that lets all in', () => {
    expect(allowed((stack) => new Topic(stack, 'T', { enforceSSL: true })).topic).toMatchObject([
      publish,
    ]);
    const later = allowed(
      (stack) => new Topic(stack, 'T'),
      (topic) => topic.grantPublish(new ServicePrincipal('budgets.amazonaws.com')),
    );
    expect(later.topic).toMatchObject([publish]);
  });

  test('gets no policy if it has none: it lets the alarms of its account in, and whatever else relies on that', () => {
    expect(allowed((stack) => new Topic(stack, 'T'))).toEqual({ topic: [], key: [], policies: 0 });
  });

  test('and a warning if it is of another account, whose topic lets in that account alone', () => {
    const warningsOf = (topicProps: object, account: string) => {
      const app = new App({ outdir: mkdtempSync(join(folder, 'theirs-')), context: CONTEXT });
      const central = new Stack(app, 'Central', { env: { ...PLACE, account } });
      const stack = new Stack(app, 'Mine', { env: PLACE });
      const alarmTopic = new Topic(central, 'OnCall', { topicName: 'on-call', ...topicProps });
      new Keyturn(stack, 'Keyturn', { policy: writePolicy(folder), alarmTopic });
      app.synth();
      const found = Annotations.fromStack(stack).findWarning(
        '*',
        Match.stringLikeRegexp('alarmTopic'),
      );
      const policies = Template.fromStack(central).findResources('AWS::SNS::TopicPolicy');
      return { warnings: found.length, policies: JSON.stringify(policies) };
    };
    expect(warningsOf({}, '999922223333')).toMatchObject({ warnings: 1 });
    expect(warningsOf({}, PLACE.account)).toMatchObject({ warnings: 0 });
    const secured = warningsOf({ enforceSSL: true }, '999922223333');
    expect(secured.warnings).toBe(0);
    expect(secured.policies).toContain(`"aws:SourceAccount":"${PLACE.account}"`);
  });

  test('and no second one beside one that the app makes itself, which must let them in', () => {
    const beside = allowed(
      (stack) => new Topic(stack, 'T'),
      (topic, stack) => {
        const own = new TopicPolicy(stack, 'Own', { topics: [topic] });
        own.document.addStatements(
          new PolicyStatement({
            principals: [new ServicePrincipal('budgets.amazonaws.com')],
            actions: ['sns:Publish'],
            resources: [topic.topicArn],
          }),
        );
      },
    );
    expect(beside.policies).toBe(1);
  });

  test('lets CloudWatch use its key, if the app made that as well', () => {
    const withKey = (masterKey: (stack: Stack) => IKey) =>
      allowed((stack) => new Topic(stack, 'T', { masterKey: masterKey(stack) })).key;
    expect(withKey((stack) => new Key(stack, 'Key'))).toMatchObject([
      { Effect: 'Allow', Action: ['kms:Decrypt', 'kms:GenerateDataKey*'], Resource: '*' },
    ]);
    expect(withKey((stack) => Key.fromKeyArn(stack, 'Key', LOG_KEY))).toEqual([]);
    expect(withKey((stack) => Alias.fromAliasName(stack, 'Key', 'alias/alarms'))).toEqual([]);
  });
});

test('logs stay as long as the policy says, under its key', () => {
  stackOf({ logs: { retention: '1y', key: LOG_KEY } }).allResourcesProperties(
    'AWS::Logs::LogGroup',
    { RetentionInDays: 365, KmsKeyId: LOG_KEY },
  );
  stackOf({ logs: { retention: 'forever' } }).allResourcesProperties('AWS::Logs::LogGroup', {
    RetentionInDays: Match.absent(),
  });
});

test('CloudWatch may use a key that the app makes, for the logs of this stack alone', () => {
  const app = new App({ outdir: join(folder, 'own-key'), context: CONTEXT });
  const stack = new Stack(app, 'Mine');
  const logKey = new Key(stack, 'Logs', { enableKeyRotation: true });
  new Keyturn(stack, 'Keyturn', { policy: writePolicy(folder), logKey });
  const template = Template.fromStack(stack);
  const [key] = Object.keys(template.findResources('AWS::KMS::Key'));
  template.allResourcesProperties('AWS::Logs::LogGroup', {
    KmsKeyId: { 'Fn::GetAtt': [key, 'Arn'] },
  });
  template.hasResourceProperties('AWS::KMS::Key', {
    KeyPolicy: {
      Statement: Match.arrayWith([
        Match.objectLike({
          Effect: 'Allow',
          Principal: {
            Service: {
              'Fn::Join': ['', ['logs.', { Ref: 'AWS::Region' }, '.', { Ref: 'AWS::URLSuffix' }]],
            },
          },
          Condition: {
            ArnLike: {
              'kms:EncryptionContext:aws:logs:arn': {
                'Fn::Join': ['', Match.arrayWith([':log-group:/aws/lambda/keyturn-prod-*'])],
              },
            },
          },
        }),
      ]),
    },
  });
});

test('every retention that CDK knows may be written, and no other', () => {
  const known = Object.values(RetentionDays).filter((value) => typeof value === 'number');
  expect(RETENTION_DAYS).toEqual(known.filter((days) => days !== RetentionDays.INFINITE));
});

test('every role has the permissions boundary, by its name or its ARN', () => {
  stackOf({ permissionsBoundary: 'developers' }).allResourcesProperties('AWS::IAM::Role', {
    PermissionsBoundary: {
      'Fn::Join': ['', Match.arrayWith([':policy/developers'])],
    },
  });
  const arn = 'arn:aws:iam::111122223333:policy/teams/developers';
  stackOf({ permissionsBoundary: arn }).allResourcesProperties('AWS::IAM::Role', {
    PermissionsBoundary: arn,
  });
});

describe('tags', () => {
  const tags = { team: 'plant', 'cost-center': '0042' };
  /** CloudFormation knows no tags of these. */
  const WITHOUT_TAGS = [
    'AWS::IAM::ManagedPolicy',
    'AWS::IAM::Policy',
    'AWS::Lambda::EventInvokeConfig',
    'AWS::Lambda::Permission',
    'AWS::SNS::Subscription',
    'AWS::SNS::TopicPolicy',
    'AWS::SQS::QueuePolicy',
    'AWS::Scheduler::Schedule',
  ];
  const everything = {
    vpc: { id: VPC, subnets: SUBNETS },
    alarms: { emails: ['a@example.com'] },
    tags,
  };

  test('are on every resource that can bear some', () => {
    const { Resources } = stackOf(everything).toJSON() as {
      Resources: Record<string, { Type: string; Properties: { Tags?: object[] } }>;
    };
    for (const [id, { Type, Properties }] of Object.entries(Resources)) {
      if (WITHOUT_TAGS.includes(Type)) continue;
      expect([id, Properties.Tags]).toEqual([
        id,
        [
          { Key: 'cost-center', Value: '0042' },
          { Key: 'team', Value: 'plant' },
        ],
      ]);
    }
  });

  test('reach the function that creates secrets, and no other', () => {
    const functions = Object.values(stackOf(everything).findResources('AWS::Lambda::Function'));
    const told = functions.map(({ Properties }) => [
      Properties.FunctionName,
      Properties.Environment.Variables.KEYTURN_SECRET_TAGS,
    ]);
    expect(Object.fromEntries(told)).toEqual({
      'keyturn-prod-rotate': JSON.stringify(tags),
      'keyturn-prod-reap': undefined,
      'keyturn-prod-enforce': undefined,
      'keyturn-prod-revoke': undefined,
      'keyturn-prod-secrets-manager-rotation': undefined,
    });
  });
});

test('memory, reserved concurrency and termination protection are as the policy says', () => {
  stackOf({ memory: 1024, reservedConcurrency: 5 }).allResourcesProperties(
    'AWS::Lambda::Function',
    { MemorySize: 1024, ReservedConcurrentExecutions: 5 },
  );
  const protectedBy = (section: object, props: object = {}) => {
    const app = new App({ outdir: mkdtempSync(join(folder, 'protected-')), context: CONTEXT });
    const policy = writePolicy(folder, withDeployment(section));
    return new KeyturnStack(app, 'Keyturn-prod', { policy, ...props }).terminationProtection;
  };
  expect(protectedBy({})).toBe(false);
  expect(protectedBy({ terminationProtection: true })).toBe(true);
  expect(protectedBy({ terminationProtection: true }, { terminationProtection: undefined })).toBe(
    true,
  );
  expect(protectedBy({ terminationProtection: true }, { terminationProtection: false })).toBe(
    false,
  );
});

test('what changes in the section is told to one function, by which the command line knows the file', () => {
  const functionsIn = (section: object) => {
    const resources = stackOf(section).findResources('AWS::Lambda::Function');
    const file = readPolicyFile(join(folder, 'keyturn.yaml'));
    return { functions: Object.entries(resources), mark: markOf(file).deployment };
  };
  const told = ({ functions }: ReturnType<typeof functionsIn>) =>
    functions.flatMap(([id, { Properties }]) => {
      const variable = Properties.Environment.Variables.KEYTURN_DEPLOYMENT;
      return variable === undefined ? [] : [[id.replace(/Function.*/, ''), JSON.parse(variable)]];
    });
  const before = functionsIn({});
  const after = functionsIn({ alarms: { emails: ['on-call@example.com'] }, dashboard: true });
  expect(before.mark).toEqual({});
  expect(Object.keys(after.mark ?? {})).toEqual(['alarms']);
  for (const each of [before, after]) {
    expect(told(each)).toEqual([[expect.stringMatching(/Rotate$/), each.mark]]);
  }
});

const subnets = ['subnet-0123456789abcdef0', 'subnet-0123456789abcdef1'];
test.each<[string, object, object]>([
  ['every default', {}, { memory: 512, metrics: 'full', logs: { retention: '2160h' }, alarms: {} }],
  [
    'a default beside a key',
    { logs: { key: LOG_KEY } },
    { logs: { key: LOG_KEY, retention: '90d' } },
  ],
  ['sections that are empty', {}, { tags: {}, logs: {} }],
  [
    'another form',
    { replicaRegions: ['eu-north-1'] },
    { replicaRegions: [{ region: 'eu-north-1' }] },
  ],
  [
    'another order',
    { vpc: { id: 'vpc-0123456789abcdef0', subnets } },
    { vpc: { id: 'vpc-0123456789abcdef0', subnets: subnets.toReversed() } },
  ],
])('whoever writes %s changes nothing of what is told', (_what, one, other) => {
  const hashes = (section: object) => deploymentHashes(parse(deploymentSchema, section));
  expect(hashes(other)).toEqual(hashes(one));
});

test('a dashboard is made unless nobody wants one', () => {
  stackOf({}).resourceCountIs('AWS::CloudWatch::Dashboard', 1);
  stackOf({ dashboard: false }).resourceCountIs('AWS::CloudWatch::Dashboard', 0);
});

describe('metrics', () => {
  const alarmedIn = (template: Template) =>
    Object.values(template.findResources('AWS::CloudWatch::Alarm'))
      .filter(({ Properties }) => Properties.Namespace === 'Keyturn')
      .map(({ Properties }) => Properties.MetricName as string);
  const names = [...Object.values(METRICS), ACTIONS_METRIC, RUNS_METRIC].map(({ name }) => name);
  const dashboardOf = (template: Template) =>
    JSON.stringify(template.findResources('AWS::CloudWatch::Dashboard'));
  const toldIn = (template: Template) =>
    Object.values(template.findResources('AWS::Lambda::Function')).map(
      ({ Properties }) => Properties.Environment.Variables.KEYTURN_METRICS,
    );

  test('of alarms are those that some alarm looks at, and the dashboard shows no other', () => {
    const template = stackOf({ metrics: 'alarms' });
    const alarmed = new Set(alarmedIn(template));
    expect(new Set(names.filter((name) => isMetric('alarms', name)))).toEqual(alarmed);
    expect(alarmed).toEqual(new Set(alarmedIn(synthesize(folder))));
    const dashboard = dashboardOf(template);
    expect(names.filter((name) => dashboard.includes(name) && !alarmed.has(name))).toEqual([]);
    expect(dashboard).toContain('OverdueTokens');
    expect(toldIn(template)).toEqual(Array(5).fill('alarms'));
  });

  test('of none are missed by no alarm and by no dashboard, and what does not run still rings', () => {
    const template = stackOf({ metrics: 'none' });
    expect(alarmedIn(template)).toEqual([]);
    expect(names.filter((name) => dashboardOf(template).includes(name))).toEqual([]);
    const silent = Object.entries(template.findResources('AWS::CloudWatch::Alarm')).filter(([id]) =>
      id.includes('NotRunning'),
    );
    expect(
      silent.map(([, { Properties }]) => [Properties.Namespace, Properties.MetricName]),
    ).toEqual(Array(3).fill(['AWS/Lambda', 'Invocations']));
    expect(toldIn(template)).toEqual(Array(5).fill('none'));
  });

  test('are all where nobody says otherwise', () => {
    expect(toldIn(stackOf({}))).toEqual(Array(5).fill(undefined));
    expect(toldIn(stackOf({ metrics: 'none' }, { metrics: 'full' }))).toEqual(
      Array(5).fill(undefined),
    );
  });
});

test('no change of the section changes what the functions are made of', () => {
  const assetsOf = (section: object) => {
    const app = new App({
      outdir: mkdtempSync(join(folder, 'assets-')),
      context: { ...CONTEXT, 'aws:cdk:bundling-stacks': ['**'] },
    });
    const policy = writePolicy(folder, withDeployment(section));
    const template = Template.fromStack(new KeyturnStack(app, 'Keyturn-prod', { policy }));
    return Object.values(template.findResources('AWS::Lambda::Function')).map(
      ({ Properties }) => Properties.Code.S3Key,
    );
  };
  const changed = { alarms: { emails: ['a@example.com'] }, tags: { team: 'plant' }, memory: 1024 };
  expect(assetsOf(changed)).toEqual(assetsOf({}));
}, 60_000);

test('the group of all functions is let into one of another stack, which Keyturn needs for its VPC, without a warning', () => {
  const app = new App({ outdir: mkdtempSync(join(folder, 'net-')), context: CONTEXT });
  const [net, home] = ['Net', 'Home'].map((id) => new Stack(app, id, { env: PLACE }));
  const vpc = new Vpc(net as Stack, 'Vpc') as IVpc;
  const group = new SecurityGroup(net as Stack, 'Cluster', { vpc });
  const keyturn = new Keyturn(home as Stack, 'Keyturn', { policy: writePolicy(folder), vpc });
  const [ours] = keyturn.rotate.lambda.connections.securityGroups;
  group.addIngressRule(ours as ISecurityGroup, Port.tcp(443), 'Keyturn', true);
  const { stacks } = app.synth();
  const warnings = stacks.flatMap(({ messages }) => messages.map(({ entry }) => entry.data));
  expect(JSON.stringify(warnings)).not.toMatch(/gress/);
  const rules = Template.fromStack(home as Stack).findResources('AWS::EC2::SecurityGroupIngress');
  expect(Object.values(rules).map(({ Properties }) => Properties)).toEqual([
    expect.objectContaining({ FromPort: 443, ToPort: 443, IpProtocol: 'tcp' }),
  ]);
  expect(JSON.stringify(rules)).toMatch(/"GroupId":\{[^}]*Cluster/);
});

test('what an app says goes before what the policy says', () => {
  const app = anotherStack(folder);
  const template = stackOf(
    {
      vpc: { id: VPC, subnets: SUBNETS },
      alarms: { topic: TOPIC, emails: ['a@example.com'], ok: true },
      logs: { retention: '30d', key: LOG_KEY },
      permissionsBoundary: 'developers',
      tags: { team: 'plant', stage: 'test' },
      memory: 1024,
      reservedConcurrency: 5,
      dashboard: true,
    },
    {
      vpc: Vpc.fromVpcAttributes(app, 'Vpc', {
        vpcId: 'vpc-0123456789abcdef9',
        availabilityZones: ['eu-west-1a'],
      }),
      vpcSubnets: { subnets: [Subnet.fromSubnetId(app, 'Subnet', 'subnet-0123456789abcdef9')] },
      securityGroups: [SecurityGroup.fromSecurityGroupId(app, 'Group', 'sg-0123456789abcdef9')],
      alarmTopic: Topic.fromTopicArn(app, 'Topic', `${TOPIC}-of-the-app`),
      alarmEmails: ['b@example.com'],
      alarmOk: false,
      logRetention: RetentionDays.ONE_WEEK,
      logKey: Key.fromKeyArn(app, 'Key', APP_KEY),
      boundary: ManagedPolicy.fromManagedPolicyArn(
        app,
        'Boundary',
        'arn:aws:iam::111122223333:policy/of-the-app',
      ),
      tags: { team: 'app' },
      memorySize: 2048,
      reservedConcurrentExecutions: 7,
      dashboard: false,
    },
  );
  template.allResourcesProperties('AWS::Lambda::Function', {
    MemorySize: 2048,
    ReservedConcurrentExecutions: 7,
    VpcConfig: {
      SubnetIds: ['subnet-0123456789abcdef9'],
      SecurityGroupIds: ['sg-0123456789abcdef9'],
    },
    Tags: [
      { Key: 'stage', Value: 'test' },
      { Key: 'team', Value: 'app' },
    ],
  });
  template.allResourcesProperties('AWS::Logs::LogGroup', {
    RetentionInDays: 7,
    KmsKeyId: APP_KEY,
  });
  template.allResourcesProperties('AWS::CloudWatch::Alarm', {
    AlarmActions: [`${TOPIC}-of-the-app`, Match.anyValue()],
    OKActions: Match.absent(),
  });
  template.allResourcesProperties('AWS::SNS::Subscription', { Endpoint: 'b@example.com' });
  template.allResourcesProperties('AWS::IAM::Role', {
    PermissionsBoundary: 'arn:aws:iam::111122223333:policy/of-the-app',
  });
  template.resourceCountIs('AWS::CloudWatch::Dashboard', 0);
});

describe('what is in another place than the stack is refused:', () => {
  const refusalOf = (section: object) => {
    const app = new App({ outdir: mkdtempSync(join(folder, 'elsewhere-')), context: CONTEXT });
    const policy = writePolicy(folder, withDeployment(section));
    try {
      new KeyturnStack(app, 'Keyturn-prod', { policy, env: PLACE });
    } catch (error) {
      return (error as Error).message.replaceAll(`${folder}/`, '');
    }
    return undefined;
  };

  test('a topic of another Region', () => {
    expect(refusalOf({ alarms: { topic: TOPIC.replace('eu-west-1', 'us-east-1') } })).toBe(
      `keyturn.yaml: deployment.alarms.topic: found "${TOPIC.replace('eu-west-1', 'us-east-1')}", expected a topic of this stack's Region, in which alone alarms tell; write one such as ${TOPIC}`,
    );
    expect(refusalOf({ alarms: { topic: TOPIC.replace('1111', '9999') } })).toBeUndefined();
  });

  test('a key of another Region or account for the logs', () => {
    for (const key of [
      LOG_KEY.replace('eu-west-1', 'us-east-1'),
      LOG_KEY.replace('111122223333', '999922223333'),
    ]) {
      expect(refusalOf({ logs: { key } })).toBe(
        `keyturn.yaml: deployment.logs.key: found "${key}", expected a key of this stack's account and Region, because CloudWatch Logs uses no key of another Region, and one of another account is that account's to take away; write a key such as ${LOG_KEY}`,
      );
    }
    expect(refusalOf({ logs: { key: LOG_KEY } })).toBeUndefined();
  });

  test("a permissions boundary of another account, but for AWS's own", () => {
    const arn = 'arn:aws:iam::999922223333:policy/developers';
    expect(refusalOf({ permissionsBoundary: arn })).toMatch(
      /deployment\.permissionsBoundary: found .*write one such as arn:aws:iam::111122223333:policy\/developers$/,
    );
    const ofAws = 'arn:aws:iam::aws:policy/PowerUserAccess';
    expect(refusalOf({ permissionsBoundary: ofAws })).toBeUndefined();
  });
});

test.each([
  ['1GB', 512],
  ['1024 MB', 1024],
  ['20480', 10_240],
])('of a number of another form it names one that is taken: %s', (memory, example) => {
  const read = (found: unknown) => () =>
    readPolicyFile(writePolicy(folder, withDeployment({ memory: found })));
  expect(read(memory)).toThrow(`without a unit, such as ${example}`);
  expect(read(example)).not.toThrow();
});
