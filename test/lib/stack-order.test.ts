import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { App, NestedStack, Stack, Stage } from 'aws-cdk-lib';
import { Annotations, Match, Template } from 'aws-cdk-lib/assertions';
import { type IVpc, Vpc } from 'aws-cdk-lib/aws-ec2';
import { AccountRootPrincipal, ManagedPolicy, PolicyStatement, Role } from 'aws-cdk-lib/aws-iam';
import { Alias, Key } from 'aws-cdk-lib/aws-kms';
import { Topic } from 'aws-cdk-lib/aws-sns';
import { Construct } from 'constructs';
import { afterAll, describe, expect, test } from 'vitest';
import { Keyturn } from '../../lib/keyturn.ts';
import type { KeyturnProps } from '../../lib/properties.ts';
import { CONTEXT, POLICY, permissionsOf, writePolicy } from './synthesize.ts';

const folder = mkdtempSync(join(tmpdir(), 'keyturn-order-'));
afterAll(() => rmSync(folder, { recursive: true }));

const newApp = () => new App({ context: CONTEXT });
const roleIn = (stack: Stack) => new Role(stack, 'Role', { assumedBy: new AccountRootPrincipal() });
const open = (stack: Stack, text = POLICY, file = 'keyturn.yaml') =>
  new Keyturn(stack, 'Keyturn', { policy: writePolicy(folder, text, file) });

test('a role may operate where the stack of Keyturn needs a group of other stacks', () => {
  const app = newApp();
  const platform = new Construct(app, 'Platform');
  roleIn(new Stack(platform, 'Network'));
  const home = new Stack(app, 'Home');
  home.node.addDependency(platform);
  const theirs = new Stack(app, 'Theirs');
  open(home).grantOperate(roleIn(theirs)).assertSuccess();
  app.synth();
  expect(permissionsOf(Template.fromStack(theirs), 'Role').join()).toContain('iam:PassRole on ');
});

test('a role of a stack within a group that Keyturn needs is refused in words', () => {
  const app = newApp();
  const platform = new Construct(app, 'Platform');
  const theirs = new Stack(platform, 'Theirs');
  const home = new Stack(app, 'Home');
  home.node.addDependency(platform);
  const keyturn = open(home);
  expect(() => keyturn.grantOperate(roleIn(theirs))).toThrow(
    'grantOperate: found Platform/Theirs/Role, whose stack Platform/Theirs the stack Home needs',
  );
});

test('of a role that nobody may change it is warned, wherever it is', () => {
  const app = newApp();
  const home = new Stack(app, 'Home');
  const there = new Stack(new Stage(app, 'Stage'), 'There');
  const arn = 'arn:aws:iam::111122223333:role/on-call';
  roleIn(there);
  const role = Role.fromRoleArn(there, 'Imported', arn, { mutable: false });
  const given = open(home).grantOperate(role);
  expect(given.success).toBe(false);
  const warnings = Annotations.fromStack(home).findWarning(
    '*',
    Match.stringLikeRegexp('nothing was given'),
  );
  expect(warnings).toHaveLength(1);
});

test('subnets of another stack are named as what the stack of Keyturn needs it for', () => {
  const app = newApp();
  const needed = new Stack(app, 'Network');
  const { privateSubnets: subnets } = new Vpc(needed, 'Vpc');
  const home = new Stack(app, 'Home');
  const vpc = Vpc.fromVpcAttributes(home, 'Vpc', {
    vpcId: 'vpc-0123456789abcdef0',
    availabilityZones: ['eu-west-1a'],
  });
  const keyturn = new Keyturn(home, 'Keyturn', {
    policy: writePolicy(folder),
    vpc,
    vpcSubnets: { subnets },
  });
  expect(() => keyturn.grantOperate(roleIn(needed))).toThrow(
    /^grantOperate: found Network\/Role, whose stack Network the stack Home needs for its vpcSubnets, expected/,
  );
});

test('an operator whose stack alone has a place is refused in words', () => {
  const env = { account: '111122223333', region: 'eu-west-1' };
  const operatedFrom = (home: object, theirs: object) => () => {
    const app = newApp();
    const keyturn = open(new Stack(app, 'Home', home));
    keyturn.grantOperate(roleIn(new Stack(app, 'Theirs', theirs))).assertSuccess();
    app.synth();
  };
  expect(operatedFrom({}, { env })).toThrow(
    /^grantOperate: found Theirs\/Role, whose stack Theirs is in 111122223333\/eu-west-1, expected one in the place of the stack Home, which CDK does not know: .*; give Home the env/,
  );
  expect(operatedFrom({ env: { region: env.region } }, { env })).toThrow(
    /^grantOperate: found Theirs\/Role, whose stack Theirs is in 111122223333\/eu-west-1, expected/,
  );
  for (const [home, theirs] of [
    [{}, {}],
    [{ env }, { env }],
    [{ env }, {}],
    [{ env: { region: env.region } }, { env: { region: env.region } }],
  ] as const) {
    expect(operatedFrom(home, theirs)).not.toThrow();
  }
});

describe('a role in the stack of the VPC, which the stack of Keyturn needs', () => {
  const inNeededStack = () => {
    const app = new App({ context: { 'aws:cdk:bundling-stacks': [] } });
    const needed = new Stack(app, 'Network');
    const stack = new Stack(app, 'Home');
    const keyturn = new Keyturn(stack, 'Keyturn', {
      policy: writePolicy(folder),
      vpc: new Vpc(needed, 'Vpc') as IVpc,
      encryptionKey: new Key(stack, 'Secrets'),
    });
    const role = new Role(needed, 'Role', { assumedBy: new AccountRootPrincipal() });
    return { app, needed, keyturn, role };
  };

  test('may read and revoke', () => {
    const { app, needed, keyturn, role } = inNeededStack();
    keyturn.grantRead('telegraf', role).assertSuccess();
    keyturn.grantRevoke(role).assertSuccess();
    app.synth();
    expect(permissionsOf(Template.fromStack(needed), 'Role')).toEqual([
      'kms:Decrypt on arn:aws:kms:here:key/*',
      'lambda:InvokeFunction on arn:aws:lambda:here:function:keyturn-prod-revoke',
      'lambda:InvokeFunction on arn:aws:lambda:here:function:keyturn-prod-revoke:*',
      'secretsmanager:DescribeSecret on arn:aws:secretsmanager:here:secret:keyturn/prod/telegraf-??????',
      'secretsmanager:GetSecretValue on arn:aws:secretsmanager:here:secret:keyturn/prod/telegraf-??????',
    ]);
  });

  test('is refused in words for what names a role of the stack of Keyturn', () => {
    const { keyturn, role } = inNeededStack();
    expect(() => keyturn.grantOperate(role)).toThrow(
      /^grantOperate: found Network\/Role, whose stack Network the stack Home needs for its vpc, expected .*; make the role in the stack Home/,
    );
  });

  test('may operate where the stack of Keyturn is nested in it', () => {
    const app = new App({ context: { 'aws:cdk:bundling-stacks': [] } });
    const parent = new Stack(app, 'Parent');
    const keyturn = new Keyturn(new NestedStack(parent, 'Nested'), 'Keyturn', {
      policy: writePolicy(folder),
      vpc: new Vpc(parent, 'Vpc') as IVpc,
    });
    const role = new Role(parent, 'Role', { assumedBy: new AccountRootPrincipal() });
    keyturn.grantOperate(role).assertSuccess();
    expect(() => app.synth()).not.toThrow();
  });

  test('may operate where that stack only imported what Keyturn got', () => {
    const app = new App({ context: { 'aws:cdk:bundling-stacks': [] } });
    const other = new Stack(app, 'Other');
    const arn = 'arn:aws:kms:eu-west-1:111122223333:key/0a1b2c3d-0000-4000-8000-000000000001';
    const keyturn = new Keyturn(new Stack(app, 'Home'), 'Keyturn', {
      policy: writePolicy(folder),
      encryptionKey: Key.fromKeyArn(other, 'Imported', arn),
    });
    const role = new Role(other, 'Role', { assumedBy: new AccountRootPrincipal() });
    keyturn.grantOperate(role).assertSuccess();
    expect(() => app.synth()).not.toThrow();
  });
});

test('a role may operate whose stack makes only an alias of the key that Keyturn got', () => {
  const app = new App({ context: CONTEXT });
  const other = new Stack(app, 'Other');
  const targetKey = new Key(new Stack(app, 'Keys'), 'Key');
  const keyturn = new Keyturn(new Stack(app, 'Home'), 'Keyturn', {
    policy: writePolicy(folder),
    encryptionKey: new Alias(other, 'Alias', { aliasName: 'alias/tokens', targetKey }),
  });
  keyturn.grantOperate(roleIn(other)).assertSuccess();
  app.synth();
  expect(permissionsOf(Template.fromStack(other), 'Role').join()).toContain('iam:PassRole on ');
});

describe('a role in a stack beside, as an app says which needs which', () => {
  const open = () => {
    const app = new App({ context: { 'aws:cdk:bundling-stacks': [] } });
    const [theirs, between, home] = ['Theirs', 'Between', 'Home'].map((id) => new Stack(app, id));
    const keyturn = new Keyturn(home as Stack, 'Keyturn', { policy: writePolicy(folder) });
    const role = new Role(theirs as Stack, 'Role', { assumedBy: new AccountRootPrincipal() });
    return { app, theirs, between, home, keyturn, role } as {
      readonly app: App;
      readonly theirs: Stack;
      readonly between: Stack;
      readonly home: Stack;
      readonly keyturn: Keyturn;
      readonly role: Role;
    };
  };

  test('may operate where its stack needs that of Keyturn, also through a third', () => {
    const { app, theirs, between, home, keyturn, role } = open();
    theirs.addDependency(between);
    between.addDependency(home);
    keyturn.grantOperate(role).assertSuccess();
    app.synth();
    expect(permissionsOf(Template.fromStack(theirs), 'Role').join()).toContain('iam:PassRole on ');
  });

  test.each<[string, (made: ReturnType<typeof open>) => void, string]>([
    [
      'the stack of Keyturn needs its stack',
      ({ home, theirs }) => home.addDependency(theirs),
      ', as the app says (addDependency)',
    ],
    [
      'the stack of Keyturn needs its stack through a third',
      ({ home, between, theirs }) => {
        home.addDependency(between);
        between.addDependency(theirs);
      },
      ' through Between',
    ],
    [
      'Keyturn needs something in its stack',
      ({ keyturn, theirs }) => keyturn.node.addDependency(new Key(theirs, 'Key')),
      ', as the app says (addDependency)',
    ],
  ])('is refused in words where %s, before or after the grant', (_why, need, words) => {
    const sentence = `grantOperate: found Theirs/Role, whose stack Theirs the stack Home needs${words}, expected one of a stack that it does not need`;
    const before = open();
    need(before);
    expect(() => before.keyturn.grantOperate(before.role)).toThrow(sentence);
    before.keyturn.grantRevoke(before.role).assertSuccess();
    before.app.synth();
    const after = open();
    after.keyturn.grantOperate(after.role);
    need(after);
    expect(() => after.app.synth()).toThrow(sentence);
  });

  test('may read and revoke, and not operate, where it is in another stage', () => {
    const { app, keyturn } = open();
    const there = new Stack(new Stage(app, 'Stage'), 'There');
    const role = new Role(there, 'Role', { assumedBy: new AccountRootPrincipal() });
    keyturn.grantRead('telegraf', role).assertSuccess();
    keyturn.grantRevoke(role).assertSuccess();
    expect(() => keyturn.grantOperate(role)).toThrow(
      /^grantOperate: found Stage\/There\/Role, which is in another stage than Home\/Keyturn, expected one of the same stage: .*; make the role in the stack Home, or in one of its stage$/,
    );
    app.synth();
    expect(permissionsOf(Template.fromStack(there), 'Role')).toHaveLength(5);
  });
});

const all = [new PolicyStatement({ actions: ['*'], resources: ['*'] })];

describe('a role in another Region, whose policy has the names of roles, and refers to no stack', () => {
  const account = '111122223333';
  const twoRegions = (options: { readonly crossRegionReferences?: boolean } = {}) => {
    const app = newApp();
    const theirs = new Stack(app, 'Theirs', { ...options, env: { account, region: 'us-east-1' } });
    const home = new Stack(app, 'Home', { ...options, env: { account, region: 'eu-central-1' } });
    const role = new Role(theirs, 'Role', {
      assumedBy: new AccountRootPrincipal(),
      roleName: 'on-call',
    });
    return { app, theirs, home, role };
  };
  const mayOperate = ({ app, theirs }: { readonly app: App; readonly theirs: Stack }) => {
    app.synth();
    expect(permissionsOf(Template.fromStack(theirs), 'Role').join()).toMatch(
      /iam:PassRole on arn:aws:iam::111122223333:role\//,
    );
  };

  test('may operate where the stack of Keyturn is deployed after its stack', () => {
    const made = twoRegions();
    made.home.addStackDependency(made.theirs);
    open(made.home).grantOperate(made.role).assertSuccess();
    mayOperate(made);
  });

  test('may operate where its stack makes the boundary of Keyturn', () => {
    const made = twoRegions();
    const boundary = new ManagedPolicy(made.theirs, 'Boundary', {
      managedPolicyName: 'developers',
      statements: all,
    });
    new Keyturn(made.home, 'Keyturn', { policy: writePolicy(folder), boundary })
      .grantOperate(made.role)
      .assertSuccess();
    mayOperate(made);
  });

  test('is refused in words where references cross Regions', () => {
    const { home, theirs, role } = twoRegions({ crossRegionReferences: true });
    home.addStackDependency(theirs);
    const keyturn = open(home);
    expect(() => keyturn.grantOperate(role)).toThrow(
      'grantOperate: found Theirs/Role, whose stack Theirs the stack Home needs',
    );
  });
});

test('a role may operate whose stack needs that of another account, whose topic is named', () => {
  const app = newApp();
  const region = 'eu-central-1';
  const theirs = new Stack(app, 'Theirs', { env: { account: '111122223333', region } });
  const shared = new Stack(app, 'Shared', { env: { account: '444455556666', region } });
  const home = new Stack(app, 'Home', { env: { account: '111122223333', region } });
  shared.addStackDependency(theirs);
  const alarmTopic = new Topic(shared, 'Topic', { topicName: 'on-call', enforceSSL: true });
  new Keyturn(home, 'Keyturn', { policy: writePolicy(folder), alarmTopic })
    .grantOperate(roleIn(theirs))
    .assertSuccess();
  app.synth();
  expect(permissionsOf(Template.fromStack(theirs), 'Role').join()).toContain('iam:PassRole on ');
});

describe('a role in a stack that is nested in that of Keyturn', () => {
  const inNested = (given: (nested: Stack) => Partial<KeyturnProps>) => {
    const app = newApp();
    const home = new Stack(app, 'Home');
    const nested = new NestedStack(home, 'Nested');
    const keyturn = new Keyturn(home, 'Keyturn', {
      policy: writePolicy(folder),
      ...given(nested),
    });
    return { app, nested, keyturn, role: roleIn(nested) };
  };

  test.each<[string, (nested: Stack) => Partial<KeyturnProps>]>([
    ['topic', (nested) => ({ alarmTopic: new Topic(nested, 'Topic') })],
    ['VPC', (nested) => ({ vpc: new Vpc(nested, 'Vpc') as IVpc })],
  ])('may operate where it makes the %s, which no role of a schedule needs', (_what, given) => {
    const { app, nested, keyturn, role } = inNested(given);
    keyturn.grantOperate(role).assertSuccess();
    app.synth();
    expect(permissionsOf(Template.fromStack(nested), 'Role').join()).toContain('iam:PassRole on ');
  });

  test('is refused in words where it makes the boundary, which these roles need', () => {
    const { keyturn, role } = inNested((nested) => ({
      boundary: new ManagedPolicy(nested, 'Boundary', { statements: all }),
    }));
    expect(() => keyturn.grantOperate(role)).toThrow(
      'grantOperate: found Home/Nested/Role, whose stack Home/Nested the stack Home needs for its boundary',
    );
  });
});
