import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { rootCertificates } from 'node:tls';
import { App, type StackProps } from 'aws-cdk-lib';
import { Annotations, Match, Template } from 'aws-cdk-lib/assertions';
import { Vpc } from 'aws-cdk-lib/aws-ec2';
import { Key } from 'aws-cdk-lib/aws-kms';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { KeyturnStack } from '../../lib/keyturn-stack.ts';
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
let template: Template;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'keyturn-'));
  template = synthesize(folder);
});
afterAll(() => rmSync(folder, { recursive: true }));

/** Hashes change with every line of a function; the template should show the rest. */
const withoutHashes = (value: Template) =>
  JSON.parse(JSON.stringify(value.toJSON()).replaceAll(/[0-9a-f]{64}/g, '<hash>'));

test('shows every change of the template in review', () => {
  expect(withoutHashes(template)).toMatchSnapshot();
});

test('shows in cdk diff that the certificates of its authority are others, though their file keeps its name', () => {
  const policy = POLICY.replace('cluster: {', 'cluster: { ca: authority.pem,');
  const said = rootCertificates.slice(0, 2).map((pem) => {
    writeFileSync(join(folder, 'authority.pem'), pem);
    const functions = synthesize(folder, policy).findResources('AWS::Lambda::Function');
    return Object.values(functions).flatMap(({ Metadata }) => Metadata?.['cluster.ca'] ?? []);
  });
  const shown = { file: 'authority.pem', sha256: expect.stringMatching(/^[0-9a-f]{64}$/) };
  expect(said).toEqual([[shown], [shown]]);
  expect(said[0]).not.toEqual(said[1]);
  expect(JSON.stringify(template.toJSON())).not.toContain('cluster.ca');
});

test('has no reference in what people read of the policy: a token may be called as CloudFormation calls one', () => {
  const named = (name: string) => synthesize(folder, POLICY.replace('telegraf:', `${name}:`));
  const tokensIn = (made: Template) =>
    Object.values(made.findResources('AWS::Lambda::Function')).flatMap(({ Metadata }) =>
      Object.keys(Metadata?.policy?.tokens ?? {}),
    );
  expect(tokensIn(named('Ref'))).toEqual(['"Ref"', 'grafana']);
  expect(tokensIn(named('Reference'))).toEqual(['Reference', 'grafana']);
});

describe('a policy with which the template is larger than CloudFormation takes', () => {
  const synthesizeWith = (count: number, props: Partial<StackProps> = {}) => {
    const entries = Array.from({ length: count }, (_, index) => [
      `team-${index}-writer`,
      { permissions: { read: [`telemetry-${index}`], write: [`telemetry-${index}`] } },
    ]);
    const document = {
      owner: 'prod',
      cluster: { url: 'https://influxdb.example.com', managementToken: 'influxdb/management' },
      tokens: Object.fromEntries(entries),
    };
    const policy = writePolicy(folder, JSON.stringify(document), 'large.yaml');
    const app = new App({ outdir: mkdtempSync(join(folder, 'out-')), context: CONTEXT });
    new KeyturnStack(app, 'Large', { policy, ...props });
    return () => app.synth();
  };

  test('is refused at synthesis, with what to do', () => {
    expect(synthesizeWith(6_000)).toThrow(
      /large\.yaml: tokens: found 6,000, with which the template of Large has 1,1\d\d,\d{3} bytes, expected at most 1,000,000, .*; .*divide the file into 2 /,
    );
  }, 120_000);

  test('and taken where it is written in one line, or is smaller', () => {
    expect(synthesizeWith(6_000, { suppressTemplateIndentation: true })).not.toThrow();
    expect(synthesizeWith(5_000)).not.toThrow();
  }, 120_000);
});

test('keeps all secrets when the stack is removed, because none is in its template', () => {
  template.resourceCountIs('AWS::SecretsManager::Secret', 0);
});

test('says what becomes of the tokens then', () => {
  const sentence = (stack: Template) => stack.findOutputs('AfterDestroy').AfterDestroy?.Value;
  expect(sentence(template)).toMatch(/expire within 90d of their last rotation$/);
  const never = POLICY.replace('grafana: {', 'grafana: { expiresAfter: never,');
  expect(sentence(synthesize(folder, never))).toMatch(
    /within 90d.*; 1 of 2 never expire, if they were rotated since/,
  );
});

test('keeps its description where an app passes on that it has none', () => {
  const described = (description: string | undefined) => {
    const app = new App({ outdir: mkdtempSync(join(folder, 'out-')), context: CONTEXT });
    const props = { policy: writePolicy(folder), description } as KeyturnProps & StackProps;
    return new KeyturnStack(app, 'Described', props).templateOptions.description;
  };
  expect(described(undefined)).toBe('Keyturn: rotates InfluxDB database tokens (prod)');
  expect(described('Ours')).toBe('Ours');
});

describe('a role names what its function may do, and that alone:', () => {
  const own = 'arn:aws:secretsmanager:here:secret:keyturn/prod/*';
  const named = 'arn:aws:secretsmanager:here:secret:monitoring/grafana-??????';
  /** Of a name that no secret has, IAM is asked about the bare name. */
  const missing = 'arn:aws:secretsmanager:here:secret:monitoring/grafana';
  const management = 'arn:aws:secretsmanager:here:secret:influxdb/management-??????';
  const on = (arns: string[], verbs: string[]) =>
    verbs.flatMap((verb) => arns.map((arn) => `secretsmanager:${verb} on ${arn}`));
  const idOf = (type: string, prefix: string) =>
    Object.keys(template.findResources(type)).find((id) => id.startsWith(prefix));
  const least = (id: string) => [
    ...on([management], ['GetSecretValue']),
    'events:PutEvents on arn:aws:events:here:event-bus/default',
    `logs:CreateLogStream on <${idOf('AWS::Logs::LogGroup', id)}.Arn>`,
    `logs:PutLogEvents on <${idOf('AWS::Logs::LogGroup', id)}.Arn>`,
  ];
  const common = (id: string) => [...least(id), ...on(['*'], ['ListSecrets'])];

  /** For the secret that the policy names itself, which may be under a key of somebody else's choice. */
  const keysOfOthers = ['Decrypt', 'DescribeKey', 'GenerateDataKey', 'GetKeyPolicy'].map(
    (verb) => `kms:${verb} on arn:aws:kms:here:key/*`,
  );
  const readSchedule = (job: string) =>
    `scheduler:GetSchedule on arn:aws:scheduler:here:schedule/default/keyturn-prod-${job}`;

  test('rotate changes the secrets of its policy and deletes none', () => {
    const verbs = [
      'CreateSecret',
      'DescribeSecret',
      'GetResourcePolicy',
      'GetSecretValue',
      'ListSecretVersionIds',
      'PutSecretValue',
      'TagResource',
      'UpdateSecretVersionStage',
    ];
    const permissions = [
      ...common('KeyturnRotate'),
      ...keysOfOthers,
      readSchedule('rotate'),
      ...on([own, named], verbs),
      ...on([missing], ['DescribeSecret']),
    ];
    expect(permissionsOf(template, 'KeyturnRotateRole')).toEqual(permissions.sort());
  });

  test('reap reads no token, and deletes secrets under its own prefix alone', () => {
    const permissions = [
      ...common('KeyturnReap'),
      readSchedule('reap'),
      ...on([own, named], ['DescribeSecret', 'ListSecretVersionIds', 'UpdateSecretVersionStage']),
      ...on([own], ['DeleteSecret']),
    ];
    expect(permissionsOf(template, 'KeyturnReapRole')).toEqual(permissions.sort());
  });

  test('enforce knows the management token and nothing else of Secrets Manager', () => {
    const permissions = [...least('KeyturnEnforce'), readSchedule('enforce')];
    expect(permissionsOf(template, 'KeyturnEnforceRole')).toEqual(permissions.sort());
  });

  test('revoke holds and changes the secrets of its policy, and makes and deletes none', () => {
    const verbs = [
      'DescribeSecret',
      'GetResourcePolicy',
      'GetSecretValue',
      'ListSecretVersionIds',
      'PutSecretValue',
      'UpdateSecretVersionStage',
    ];
    const permissions = [
      ...common('KeyturnRevoke'),
      ...keysOfOthers,
      ...['rotate', 'reap', 'enforce'].map(readSchedule),
      ...on([own, named], [...verbs, 'TagResource', 'UntagResource']),
      ...on([missing], ['DescribeSecret']),
    ];
    expect(permissionsOf(template, 'KeyturnRevokeRole')).toEqual(permissions.sort());
  });

  test('Secrets Manager alone may invoke the function for its own rotation', () => {
    const permissions = Object.values(template.findResources('AWS::Lambda::Permission'));
    expect(permissions).toMatchObject([
      {
        Properties: {
          Principal: 'secretsmanager.amazonaws.com',
          SourceAccount: { Ref: 'AWS::AccountId' },
        },
      },
    ]);
  });
});

test('gives no role a managed policy', () => {
  for (const role of Object.values(template.findResources('AWS::IAM::Role'))) {
    expect(role.Properties).not.toHaveProperty('ManagedPolicyArns');
  }
});

test('runs on what is tested: Node.js 24 on arm64, with the SDK in the bundle', () => {
  template.hasResourceProperties('AWS::Lambda::Function', {
    Runtime: 'nodejs24.x',
    Architectures: ['arm64'],
    Handler: 'index.handler',
    MemorySize: 512,
    Timeout: 900,
    LoggingConfig: Match.objectLike({ LogFormat: 'JSON' }),
  });
});

test('keeps logs for three months, and beyond the stack unless its first deployment fails', () => {
  template.allResources('AWS::Logs::LogGroup', {
    DeletionPolicy: 'RetainExceptOnCreate',
    UpdateReplacePolicy: 'Retain',
    Properties: { RetentionInDays: 90 },
  });
});

test('says where the logs of each function are, under a name that it can be found by', () => {
  const groups = template.findResources('AWS::Logs::LogGroup');
  const told = Object.entries(template.findOutputs('*'))
    .filter(([id]) => id.endsWith('LogGroup'))
    .map(([id, { Value }]) => [id, groups[Value.Ref]?.Properties.LogGroupName]);
  expect(Object.fromEntries(told)).toEqual({
    RotateLogGroup: '/aws/lambda/keyturn-prod-rotate',
    ReapLogGroup: '/aws/lambda/keyturn-prod-reap',
    EnforceLogGroup: '/aws/lambda/keyturn-prod-enforce',
    RevokeLogGroup: '/aws/lambda/keyturn-prod-revoke',
    SecretsManagerRotationLogGroup: '/aws/lambda/keyturn-prod-secrets-manager-rotation',
  });
});

describe('schedules', () => {
  test('run when the policy says, in its time zone', () => {
    const berlin = { ScheduleExpressionTimezone: 'Europe/Berlin', State: 'ENABLED' };
    template.hasResourceProperties('AWS::Scheduler::Schedule', {
      ...berlin,
      ScheduleExpression: 'cron(0/10 * * * ? *)',
      FlexibleTimeWindow: { Mode: 'OFF' },
    });
    template.hasResourceProperties('AWS::Scheduler::Schedule', {
      ...berlin,
      ScheduleExpression: 'rate(1 hour)',
      FlexibleTimeWindow: { Mode: 'FLEXIBLE', MaximumWindowInMinutes: 15 },
    });
  });

  test('pause together', () => {
    const paused = synthesize(folder, POLICY.replace('schedules: {', 'schedules: { paused: true,'));
    paused.allResourcesProperties('AWS::Scheduler::Schedule', { State: 'DISABLED' });
  });

  test('may invoke their own function alone', () => {
    const target = Object.keys(template.findResources('AWS::Lambda::Function')).find((id) =>
      id.startsWith('KeyturnRotate'),
    );
    expect(permissionsOf(template, 'KeyturnRotateScheduleRole')).toContain(
      `lambda:InvokeFunction on <${target}.Arn>`,
    );
  });

  const inputs = (stack: Template) =>
    Object.fromEntries(
      Object.entries(stack.findResources('AWS::Scheduler::Schedule')).map(
        ([id, { Properties }]) => [
          /^Keyturn(Rotate|Reap|Enforce)/.exec(id)?.[1],
          JSON.parse(Properties.Target.Input),
        ],
      ),
    );

  test('tell each run when it was to begin, and when the next one may', () => {
    const scheduled = (nextInSeconds: number, thirdInSeconds: number) => ({
      scheduled: { at: '<aws.scheduler.scheduled-time>', nextInSeconds, thirdInSeconds },
    });
    expect(inputs(template)).toEqual({
      // Its time zone repeats an hour once a year, and EventBridge fires only in one of the two.
      Rotate: scheduled(600, 5_400),
      // An hour, less the fifteen minutes of its flexible window.
      Reap: scheduled(2_700, 11_700),
      Enforce: scheduled(2_700, 11_700),
    });
    const nightly = POLICY.replace('cron(0/10 * * * ? *)', '"cron(0 1,4 * * ? *)"');
    expect(inputs(synthesize(folder, nightly)).Rotate).toEqual(
      // From one to four, on the day that loses an hour; from four to one two days later, over one that repeats one.
      scheduled(7_200, 165_600),
    );
  });

  test('send what they cannot deliver to the only queue, which has an alarm', () => {
    const [queue, ...more] = Object.keys(template.findResources('AWS::SQS::Queue'));
    expect(more).toEqual([]);
    template.allResourcesProperties('AWS::Scheduler::Schedule', {
      Target: { DeadLetterConfig: { Arn: { 'Fn::GetAtt': [queue, 'Arn'] } } },
    });
  });

  test('are the only retry of their functions', () => {
    const configs = Object.values(template.findResources('AWS::Lambda::EventInvokeConfig'));
    const retries = configs.map(({ Properties }) => Properties.MaximumRetryAttempts).sort();
    expect(retries).toEqual([0, 0, 0, 1, 1]);
  });
});

describe('an event that is refused because it holds a token string', () => {
  test('is kept nowhere: no function has a destination or a dead-letter queue for events', () => {
    const configs = Object.values(template.findResources('AWS::Lambda::EventInvokeConfig'));
    for (const { Properties } of configs)
      expect(Properties).not.toHaveProperty('DestinationConfig');
    const functions = Object.values(template.findResources('AWS::Lambda::Function'));
    expect(functions).toHaveLength(5);
    for (const { Properties } of functions) {
      expect(Properties).not.toHaveProperty('DeadLetterConfig');
    }
  });
});

test('a warning about the policy is an annotation, which --strict takes for an error', () => {
  const weekly = POLICY.replace(
    'grafana: {',
    "grafana: { rotateEvery: 7d, windows: ['Sun 02:00-05:00'],",
  );
  const stack = new KeyturnStack(new App({ outdir: join(folder, 'warned') }), 'Warned', {
    policy: writePolicy(folder, weekly),
    alarmEmails: ['on-call@example.com'],
  });
  const warnings = Annotations.fromStack(stack).findWarning('*', Match.anyValue());
  expect(warnings.map(({ entry }) => entry.data)).toEqual([
    expect.stringMatching(
      /keyturn\.yaml:8: tokens\.grafana\.rotateEvery: 7d is also .* \[ack: keyturn:tokens\.grafana\.rotateEvery\]$/,
    ),
  ]);
});

describe('an encryption key', () => {
  const kmsStatements = (stack: Template) =>
    Object.values(stack.findResources('AWS::IAM::Policy'))
      .flatMap((policy) => policy.Properties.PolicyDocument.Statement)
      .filter(({ Action }) => [Action].flat().includes('kms:GenerateDataKey'));
  const onlyThrough = { 'kms:ViaService': expect.anything() };

  test('given as an ARN is used through Secrets Manager only', () => {
    const arn = 'arn:aws:kms:eu-west-1:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab';
    const [statement] = kmsStatements(synthesize(folder, `${POLICY}encryptionKey: ${arn}\n`));
    expect(statement.Resource).toBe(arn);
    expect(statement.Condition.StringEquals).toEqual(onlyThrough);
  });

  test('given as an alias is whichever key bears it', () => {
    const [statement] = kmsStatements(synthesize(folder, `${POLICY}encryptionKey: alias/tokens\n`));
    expect(statement.Condition['ForAnyValue:StringEquals']).toEqual({
      'kms:ResourceAliases': 'alias/tokens',
    });
  });

  test("given by the app outranks the policy's", () => {
    const stack = synthesize(folder, `${POLICY}encryptionKey: alias/tokens\n`, {
      encryptionKey: Key.fromKeyArn(
        anotherStack(folder),
        'Key',
        'arn:aws:kms:eu-west-1:111122223333:key/from-the-app',
      ),
    });
    expect(kmsStatements(stack)[0].Resource).toMatch(/from-the-app$/);
  });
});

test('runs in a VPC of the app, with a role that may join it', () => {
  const vpc = Vpc.fromVpcAttributes(anotherStack(folder), 'Vpc', {
    vpcId: 'vpc-0123456789abcdef0',
    availabilityZones: ['eu-west-1a'],
    privateSubnetIds: ['subnet-0123456789abcdef0'],
  });
  const inside = synthesize(folder, POLICY, { vpc });
  inside.allResourcesProperties('AWS::Lambda::Function', { VpcConfig: Match.anyValue() });
  expect(permissionsOf(inside, 'KeyturnRotateRole')).toContain('ec2:CreateNetworkInterface on *');
});

test('two policy files are two stacks in one app, each with its own policy in its functions', () => {
  const app = new App({ outdir: join(folder, 'two') });
  const stacks = ['north', 'south'].map((owner) => {
    const policy = writePolicy(folder, POLICY.replace('prod', owner), `${owner}.yaml`);
    return new KeyturnStack(app, owner, { policy });
  });
  const owners = stacks.map((stack) => {
    const [rotate] = Object.values(
      Template.fromStack(stack).findResources('AWS::Lambda::Function'),
    );
    const [hash] = rotate?.Properties.Code.S3Key.split('.') ?? [];
    const asset = join(app.outdir, `asset.${hash}`, 'policy.json');
    return JSON.parse(readFileSync(asset, 'utf8')).policy.owner;
  });
  expect(owners).toEqual(['north', 'south']);
});
