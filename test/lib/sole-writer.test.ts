import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { App, Aws, CfnParameter, CfnResource, Fn, Stack, type StackProps } from 'aws-cdk-lib';
import { Template } from 'aws-cdk-lib/assertions';
import {
  AccountPrincipal,
  AccountRootPrincipal,
  Group,
  PolicyStatement,
  Role,
  User,
} from 'aws-cdk-lib/aws-iam';
import { Key } from 'aws-cdk-lib/aws-kms';
import {
  CfnResourcePolicy,
  CfnRotationSchedule,
  type CfnSecret,
  Secret,
} from 'aws-cdk-lib/aws-secretsmanager';
import { StringParameter } from 'aws-cdk-lib/aws-ssm';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { Keyturn } from '../../lib/keyturn.ts';
import { KeyturnStack } from '../../lib/keyturn-stack.ts';
import { SoleWriter } from '../../lib/sole-writer.ts';
import { applies, type Statement } from '../permissions/evaluate.ts';
import { resolve } from '../permissions/roles.ts';
import { POLICY, writePolicy } from './synthesize.ts';

const ON_CALL = 'arn:aws:iam::111122223333:role/on-call';
const HOME = 'eu-west-1';
const STRANGER = 'arn:aws:iam::111122223333:role/ci';

let folder: string;
let statements: readonly Statement[];
let template: Template;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'keyturn-'));
  const context = { 'aws:cdk:bundling-stacks': [] };
  const app = new App({ outdir: join(folder, 'cdk.out'), context });
  const stack = new KeyturnStack(app, 'Keyturn', {
    policy: writePolicy(folder),
    env: { account: '111122223333', region: HOME },
  });
  const { keyturn } = stack;
  new SoleWriter(stack, 'Telegraf', {
    keyturn,
    secretId: 'keyturn/prod/telegraf',
    people: [ON_CALL],
  });
  template = Template.fromStack(stack);
  const [policy] = Object.values(template.findResources('AWS::SecretsManager::ResourcePolicy'));
  statements = resolve(policy?.Properties.ResourcePolicy.Statement) as readonly Statement[];
});
afterAll(() => rmSync(folder, { recursive: true }));

/** The role of a function as the template refers to it. */
const roleOf = (prefix: string) =>
  `<${Object.keys(template.findResources('AWS::IAM::Role')).find((id) => id.startsWith(prefix))}.Arn>`;

const isDenied = (verb: string, principal: string, context: Record<string, string[]> = {}) =>
  statements.some((statement) =>
    applies(statement, {
      action: `secretsmanager:${verb}`,
      resource: 'arn:aws:secretsmanager:eu-west-1:111122223333:secret:keyturn/prod/telegraf-AbCdEf',
      context: {
        'aws:PrincipalArn': principal,
        'aws:PrincipalIsAWSService': 'false',
        'aws:RequestedRegion': HOME,
        ...context,
      },
    }),
  );
const tagging = (key: string) => ({ 'aws:TagKeys': [key] });

test('people of another partition are refused, who could never write there', () => {
  const writtenIn = (region: string | undefined, ...people: string[]) => {
    const context = { 'aws:cdk:bundling-stacks': [] };
    const app = new App({ outdir: mkdtempSync(join(folder, 'out-')), context });
    const env = region === undefined ? {} : { account: '111122223333', region };
    const stack = new KeyturnStack(app, 'Keyturn', { policy: writePolicy(folder), env });
    const { keyturn } = stack;
    new SoleWriter(stack, 'Writer', { keyturn, secretId: 'keyturn/prod/telegraf', people });
  };
  const there = ON_CALL.replace('aws', 'aws-cn');
  expect(() => writtenIn('cn-north-1', there, ON_CALL)).toThrow(
    `SoleWriter's property people[1]: found "${ON_CALL}", expected somebody of the partition aws-cn, as the secret is, which nobody of another can write; write ${there}`,
  );
  expect(() => writtenIn(HOME, there)).toThrow(
    /^SoleWriter's property people\[0\]: .* partition aws,/,
  );
  const later = ON_CALL.replace('aws', Aws.PARTITION);
  expect(() => writtenIn('cn-north-1', there, later)).not.toThrow();
  expect(() => writtenIn(undefined, there, ON_CALL)).not.toThrow();
});

test('only Keyturn and the people named write the secret', () => {
  for (const verb of ['PutSecretValue', 'UpdateSecret', 'UpdateSecretVersionStage']) {
    expect(isDenied(verb, STRANGER)).toBe(true);
    expect(isDenied(verb, ON_CALL)).toBe(false);
    for (const role of ['KeyturnRotateRole', 'KeyturnReapRole', 'KeyturnRevokeRole']) {
      expect(isDenied(verb, roleOf(role))).toBe(false);
    }
  }
});

test("nobody else sets or removes Keyturn's tags; any other tag is free", () => {
  for (const verb of ['TagResource', 'UntagResource']) {
    for (const key of ['keyturn:hold', 'keyturn:owner', 'keyturn:cluster']) {
      expect(isDenied(verb, STRANGER, tagging(key))).toBe(true);
      expect(isDenied(verb, roleOf('KeyturnRevokeRole'), tagging(key))).toBe(false);
    }
    expect(isDenied(verb, STRANGER, tagging('cost-centre'))).toBe(false);
  }
});

test('its copy on a promoted replica lets the functions of that Region write', () => {
  const there = { 'aws:RequestedRegion': ['eu-central-1'] };
  for (const verb of ['PutSecretValue', 'UpdateSecret', 'UpdateSecretVersionStage']) {
    expect(isDenied(verb, STRANGER, there)).toBe(false);
  }
  expect(isDenied('TagResource', STRANGER, { ...tagging('keyturn:hold'), ...there })).toBe(false);
});

test('nobody but the people named ends or detaches a replica, whichever Region is asked', () => {
  for (const verb of ['RemoveRegionsFromReplication', 'StopReplicationToReplica']) {
    for (const region of [HOME, 'eu-central-1']) {
      const asked = { 'aws:RequestedRegion': [region] };
      expect(isDenied(verb, STRANGER, asked)).toBe(true);
      expect(isDenied(verb, roleOf('KeyturnRotateRole'), asked)).toBe(true);
      expect(isDenied(verb, ON_CALL, asked)).toBe(false);
    }
  }
});

test('the Region is that of the stack also where only the deployment knows it', () => {
  const app = new App({ context: { 'aws:cdk:bundling-stacks': [] } });
  const stack = new Stack(app, 'Anywhere');
  const keyturn = new Keyturn(stack, 'Keyturn', { policy: writePolicy(folder) });
  const secretId = 'keyturn/prod/telegraf';
  new SoleWriter(stack, 'Writer', { keyturn, secretId, people: [ON_CALL] });
  const text = JSON.stringify(Template.fromStack(stack).toJSON());
  expect(text).toContain('"StringEquals":{"aws:RequestedRegion":{"Ref":"AWS::Region"}}');
});

const A_ROLE = /expected the ARN of an IAM role or user, .* and not of all of them$/;
test.each([
  [
    { people: [] },
    /^SoleWriter's property people: found \[\], expected at least one .* promote a replica/,
  ],
  [{ people: ['*'] }, A_ROLE],
  [{ people: ['arn:aws:iam::111122223333:role/*'] }, A_ROLE],
  [{ people: ['arn:aws:iam::*:role/on-call'] }, A_ROLE],
  [{ people: ['arn:aws:sts::111122223333:assumed-role/on-call/ada'] }, A_ROLE],
  [{ people: ['on-call'] }, /^SoleWriter's property people\[0\]: found "on-call", expected/],
  [{ people: ON_CALL }, /^SoleWriter's property people: found ".*", expected a list/],
  [{ secretID: 'x' }, /^SoleWriter's property secretID: .*did you mean "secretId"\?$/],
  [
    { secretId: 'keyturn/prod/telegraff' },
    /^SoleWriter's property secretId: found "keyturn\/prod\/telegraff", expected a secret of .*, such as keyturn\/prod\/telegraf, .*\?$/,
  ],
  [
    { people: Array.from({ length: 160 }, (_, index) => `${ON_CALL}-of-team-${index}`) },
    /^SoleWriter's property people: found 160 ARNs, which make a resource policy of \d+ characters, expected at most 20480; name roles/,
  ],
  [{ keyturn: undefined }, /^SoleWriter's property keyturn: found nothing, expected a construct/],
])('what protects nothing, or nobody reads, is refused: %j', (wrong, message) => {
  const stack = new Stack(new App({ context: { 'aws:cdk:bundling-stacks': [] } }), 'Wrong');
  const keyturn = new Keyturn(stack, 'Keyturn', { policy: writePolicy(folder) });
  const props = { keyturn, secretId: 'keyturn/prod/telegraf', people: [ON_CALL], ...wrong };
  expect(() => new SoleWriter(stack, 'Writer', props as never)).toThrow(message);
});

test.each<[string, (home: KeyturnStack) => object, RegExp]>([
  [
    'a secret of CDK',
    ({ keyturn }) => ({ secretId: keyturn.secretOf('telegraf') }),
    /^SoleWriter's property secretId: found "construct Home\/Keyturn\/Secret-telegraf", expected the name or the ARN/,
  ],
  [
    'a stack',
    (home) => ({ keyturn: home }),
    /^SoleWriter's property keyturn: found "construct Home", expected a construct Keyturn$/,
  ],
  [
    'a list that only the deployment knows',
    (home) => ({
      people: new CfnParameter(home, 'People', { type: 'CommaDelimitedList' }).valueAsList,
    }),
    /^SoleWriter's property people: found a list that is known only at the deployment, expected .*; write its items, which may be tokens$/,
  ],
])('%s is refused in words', (_what, wrong, message) => {
  const app = new App({ context: { 'aws:cdk:bundling-stacks': [] } });
  const home = new KeyturnStack(app, 'Home', { policy: writePolicy(folder) });
  const { keyturn } = home;
  const props = { keyturn, secretId: 'keyturn/prod/telegraf', people: [ON_CALL], ...wrong(home) };
  expect(() => new SoleWriter(home, 'Writer', props as never)).toThrow(message);
});

describe('of somebody whose ARN only the deployment knows whole, what is known is judged:', () => {
  const { ACCOUNT_ID, PARTITION } = Aws;
  const given = (personOf: (stack: Stack) => string) => {
    const stack = new Stack(new App({ context: { 'aws:cdk:bundling-stacks': [] } }), 'Home');
    const keyturn = new Keyturn(stack, 'Keyturn', { policy: writePolicy(folder) });
    const people = [personOf(stack)];
    return () =>
      new SoleWriter(stack, 'Writer', { keyturn, secretId: 'keyturn/prod/telegraf', people });
  };
  const later = (stack: Stack) => new CfnParameter(stack, 'Later').valueAsString;
  const dynamic = (stack: Stack) =>
    StringParameter.fromStringParameterAttributes(stack, 'Dynamic', {
      parameterName: '/on-call',
      version: 3,
    }).stringValue;
  const roleIn = (stack: Stack) =>
    new Role(stack, 'Role', { assumedBy: new AccountRootPrincipal() });

  test.each<[string, (stack: Stack) => string, string]>([
    [
      'all roles',
      ({ account }) => `arn:aws:iam::${account}:role/*`,
      'arn:aws:iam::<AWS.AccountId>:role/*',
    ],
    ['all of its account', () => new AccountRootPrincipal().arn, '<TOKEN>'],
    [
      'a session',
      () => `arn:aws:sts::${ACCOUNT_ID}:assumed-role/x/y`,
      'arn:aws:sts::<AWS.AccountId>:assumed-role/x/y',
    ],
    [
      'a group',
      () => `arn:${PARTITION}:iam::${ACCOUNT_ID}:group/x`,
      'arn:<AWS.Partition>:iam::<AWS.AccountId>:group/x',
    ],
    [
      'a group of the app',
      (stack) => new Group(stack, 'Group').groupArn,
      '<Home/Group/Resource.Arn>',
    ],
    [
      'the name of a role of the app',
      (stack) => roleIn(stack).roleName,
      '<Home/Role/Resource.Ref>',
    ],
    ['any text of a parameter', (stack) => `role/${later(stack)}`, 'role/<Home/Later.Ref>'],
  ])('%s', (_what, personOf, shown) => {
    expect(given(personOf)).toThrow(
      `SoleWriter's property people[0]: found "${shown}", expected the ARN of an IAM role or user, `,
    );
  });

  test.each<[string, (stack: Stack) => string]>([
    ['a role', (stack) => roleIn(stack).roleArn],
    ['a user', (stack) => new User(stack, 'User').userArn],
    ['a role by its name', () => `arn:${PARTITION}:iam::${ACCOUNT_ID}:role/on-call`],
    [
      'roles by how their names begin',
      (stack) => `arn:aws:iam::${ACCOUNT_ID}:role/${later(stack)}-*`,
    ],
    ['whoever a parameter names', later],
    ['whoever CloudFormation looks up', dynamic],
    [
      'a role whose name CloudFormation looks up',
      (stack) => `arn:aws:iam::${ACCOUNT_ID}:role/${dynamic(stack)}`,
    ],
    [
      'whatever a parameter names of an account',
      (stack) => `arn:aws:iam::${ACCOUNT_ID}:${later(stack)}`,
    ],
  ])('%s is taken', (_what, personOf) => {
    expect(given(personOf)).not.toThrow();
  });
});

test('a second one of a secret is refused, because a secret has one resource policy', () => {
  const app = new App({ context: { 'aws:cdk:bundling-stacks': [] } });
  const stack = new Stack(app, 'Two');
  const keyturn = new Keyturn(stack, 'Keyturn', { policy: writePolicy(folder) });
  const props = { keyturn, secretId: 'keyturn/prod/telegraf', people: [ON_CALL] };
  new SoleWriter(stack, 'Writer', props);
  const secretId =
    'arn:aws:secretsmanager:eu-west-1:111122223333:secret:keyturn/prod/telegraf-AbCdEf';
  expect(() => new SoleWriter(stack, 'Other', { ...props, secretId })).toThrow(
    /expected a secret without a sole writer, and Two\/Writer is its: .* name all people there$/,
  );
  // The same policy once more, in a stage of its own.
  const other = new Keyturn(new Stack(app, 'Second'), 'Keyturn', { policy: writePolicy(folder) });
  new SoleWriter(stack, 'Third', { ...props, keyturn: other });
});

test('reading is not its business, and whoever deploys can take it off', () => {
  for (const verb of ['GetSecretValue', 'DescribeSecret', 'DeleteResourcePolicy']) {
    expect(isDenied(verb, STRANGER)).toBe(false);
  }
});

test.each([
  ['Region', { account: '111122223333', region: 'eu-central-1' }],
  ['account', { account: '444455556666', region: HOME }],
])(
  'a stack of another %s is refused, because no resource policy is written from there',
  (_, env) => {
    const app = new App({ context: { 'aws:cdk:bundling-stacks': [] } });
    const home = { account: '111122223333', region: HOME };
    const keyturn = new Keyturn(new Stack(app, 'Home', { env: home }), 'Keyturn', {
      policy: writePolicy(folder),
    });
    const props = { keyturn, secretId: 'keyturn/prod/telegraf', people: [ON_CALL] };
    expect(() => new SoleWriter(new Stack(app, 'Elsewhere', { env }), 'Writer', props)).toThrow(
      new RegExp(
        `^SoleWriter Elsewhere/Writer: found it in ${env.account}/${env.region}, expected 111122223333/${HOME}, `,
      ),
    );
    const beside = new Stack(app, 'Beside', { env: home });
    expect(() => new SoleWriter(beside, 'Writer', props)).not.toThrow();
    app.synth();
  },
);

describe('an ARN', () => {
  const made = (secretIdOf: (stack: Stack) => string, env?: StackProps['env']) => {
    const app = new App({ context: { 'aws:cdk:bundling-stacks': [] } });
    const stack = new Stack(app, 'Home', env && { env });
    const keyturn = new Keyturn(stack, 'Keyturn', { policy: writePolicy(folder) });
    const secretId = secretIdOf(stack);
    new SoleWriter(stack, 'Writer', { keyturn, secretId, people: [ON_CALL] });
    return { stack, keyturn };
  };
  const env = { account: '111122223333', region: HOME };
  const arn = (region: string, account: string, service = 'secretsmanager') =>
    `arn:aws:${service}:${region}:${account}:secret:keyturn/prod/telegraf-AbCdEf`;

  test.each([
    ['of another Region', () => arn('eu-central-1', env.account)],
    ['of another account', () => arn(HOME, '444455556666')],
    ['of another service', () => arn(HOME, env.account, 'kms')],
    [
      'of another Region, whose account CDK does not know',
      () => arn('eu-central-1', Aws.ACCOUNT_ID),
    ],
  ])('%s is refused', (_what, secretIdOf) => {
    expect(() => made(secretIdOf, env)).toThrow(
      /^SoleWriter's property secretId: found "arn:aws:.*", expected a secret of 111122223333\/eu-west-1, where Home\/Keyturn and its secrets are; write its name, or its ARN there$/,
    );
  });

  test('of its own place is taken, also where CDK knows no place', () => {
    expect(() => made(() => arn(HOME, env.account), env)).not.toThrow();
    expect(() => made(() => arn('eu-central-1', '444455556666'))).not.toThrow();
    expect(() => made(() => arn(Aws.REGION, Aws.ACCOUNT_ID), env)).not.toThrow();
  });

  const LOOKED_UP = '{{resolve:ssm:/on-call/secret:3}}';

  test('of which CloudFormation looks something up is judged by all else', () => {
    expect(() => made(() => arn(LOOKED_UP, env.account), env)).not.toThrow();
    expect(() => made(() => arn(HOME, LOOKED_UP), env)).not.toThrow();
    expect(() => made(() => arn(LOOKED_UP, '444455556666'), env)).toThrow(
      /expected a secret of 111122223333\/eu-west-1/,
    );
    expect(() => made(() => arn(LOOKED_UP, env.account).replace('telegraf', 'x'), env)).toThrow(
      /expected a secret of \S*keyturn\.yaml, such as/,
    );
  });

  test('that the app joins is judged, too', () => {
    const joined = (region: string) => () => Fn.join(':', arn(region, env.account).split(':'));
    expect(() => made(joined(HOME), env)).not.toThrow();
    expect(() => made(joined('eu-central-1'), env)).toThrow(
      /expected a secret of 111122223333\/eu-west-1/,
    );
  });

  test('that CDK writes claims its secret, as the name does', () => {
    const { stack, keyturn } = made(() => 'keyturn/prod/telegraf');
    const secretId = keyturn.secretOf('telegraf').secretArn;
    expect(() => new SoleWriter(stack, 'Other', { keyturn, secretId, people: [ON_CALL] })).toThrow(
      /expected a secret without a sole writer, and Home\/Writer is its/,
    );
  });
});

test('a secret whose name ends like an ARN of another one has a sole writer of its own', () => {
  const permissions = '{ permissions: { read: [telemetry] }';
  const entries = ['line/telegraf', 'line/telegraf-reader', 'line/telegraf-writer'].map(
    (secret, index) => `  line-${index}: ${permissions}, secret: ${secret} }\n`,
  );
  const stack = new KeyturnStack(new App({ context: { 'aws:cdk:bundling-stacks': [] } }), 'Own', {
    policy: writePolicy(folder, `${POLICY}${entries.join('')}`, 'line.yaml'),
  });
  const { keyturn } = stack;
  for (const token of ['line-0', 'line-1', 'line-2']) {
    const secretId = keyturn.secretOf(token).secretArn;
    new SoleWriter(stack, `Writer-${token}`, { keyturn, secretId, people: [ON_CALL] });
  }
  Template.fromStack(stack).resourceCountIs('AWS::SecretsManager::ResourcePolicy', 3);
});

test('of somebody who operates from another stack it may be in that stack', () => {
  const app = new App({ context: { 'aws:cdk:bundling-stacks': [] } });
  const { keyturn } = new KeyturnStack(app, 'Home', { policy: writePolicy(folder) });
  const theirs = new Stack(app, 'Theirs');
  const role = new Role(theirs, 'OnCall', { assumedBy: new AccountRootPrincipal() });
  keyturn.grantOperate(role).assertSuccess();
  const secretId = 'keyturn/prod/telegraf';
  new SoleWriter(theirs, 'Writer', { keyturn, secretId, people: [role.roleArn] });
  app.synth();
  Template.fromStack(theirs).resourceCountIs('AWS::SecretsManager::ResourcePolicy', 1);
});

describe('a resource policy beside it, of which a secret has one,', () => {
  const SECRET = 'keyturn/prod/telegraf';
  const env = { account: '111122223333', region: HOME };
  const theirs = new AccountPrincipal('444455556666');

  /** What synthesis says of what an app writes beside a sole writer, of the secret that it makes or only names. */
  const saidOf = (
    write: (secret: Secret, home: KeyturnStack) => void,
    secretIdOf: (secret: Secret) => string = ({ secretArn }) => secretArn,
  ): string => {
    const context = { 'aws:cdk:bundling-stacks': [] };
    const app = new App({ outdir: mkdtempSync(join(folder, 'out-')), context });
    const secrets = new Stack(app, 'Secrets', { env });
    const encryptionKey = new Key(secrets, 'Key');
    const secret = new Secret(secrets, 'Made', { secretName: SECRET, encryptionKey });
    const home = new KeyturnStack(app, 'Home', { policy: writePolicy(folder), env });
    write(secret, home);
    const secretId = secretIdOf(secret);
    try {
      new SoleWriter(home, 'Writer', { keyturn: home.keyturn, secretId, people: [ON_CALL] });
      app.synth();
    } catch (error) {
      return (error as Error).message;
    }
    return 'nothing';
  };
  const BY_CDK = {
    grantRead: (secret) => secret.grantRead(theirs),
    addToResourcePolicy: (secret) => {
      const actions = ['secretsmanager:GetSecretValue'];
      const statement = { actions, principals: [theirs], resources: ['*'] };
      secret.addToResourcePolicy(new PolicyStatement(statement));
    },
    denyAccountRootDelete: (secret) => secret.denyAccountRootDelete(),
  } satisfies Record<string, (secret: Secret) => void>;
  const refused = (path: string) =>
    new RegExp(
      `\\[Home/Writer\\] SoleWriter Home/Writer: found ${path} beside it, expected no other resource policy of its secret, which has one; take that away, which is also what addToResourcePolicy, denyAccountRootDelete, addRotationSchedule \\(write a CfnRotationSchedule in its place\\), and .*; or leave SoleWriter out, and give that policy its three statements by hand`,
    );

  test.each(Object.entries(BY_CDK))('is refused that CDK writes: %s', (_name, write) => {
    expect(saidOf(write)).toMatch(refused('Secrets/Made/Policy/Resource'));
    expect(saidOf(write, () => SECRET)).toMatch(refused('Secrets/Made/Policy/Resource'));
  });

  test('is refused that CDK writes with a schedule, which CfnRotationSchedule writes alone', () => {
    const madeIn = (home: Stack) => new Secret(home, 'Own', { secretName: SECRET });
    const byCdk = (_secret: Secret, home: KeyturnStack) => {
      const rotationLambda = home.keyturn.secretsManagerRotation.lambda;
      madeIn(home).addRotationSchedule('Schedule', { rotationLambda });
    };
    const alone = (_secret: Secret, home: KeyturnStack) => {
      const { secretArn: secretId } = madeIn(home);
      const { functionArn: rotationLambdaArn } = home.keyturn.secretsManagerRotation.lambda;
      const rotationRules = { scheduleExpression: 'rate(90 days)' };
      const given = { secretId, rotationLambdaArn, rotationRules };
      new CfnRotationSchedule(home, 'Schedule', given).node.addDependency(home.keyturn);
    };
    expect(saidOf(byCdk, () => SECRET)).toMatch(refused('Home/Own/Policy/Resource'));
    expect(saidOf(alone, () => SECRET)).toBe('nothing');
  });

  test('is refused also of a secret that the app makes without a class', () => {
    const made = (Name: string, home: KeyturnStack) =>
      new CfnResource(home, 'Generic', {
        type: 'AWS::SecretsManager::Secret',
        properties: { Name },
      }).ref;
    const write = (name: string) => (_secret: Secret, home: KeyturnStack) =>
      new CfnResourcePolicy(home, 'Mine', { secretId: made(name, home), resourcePolicy: {} });
    expect(saidOf(write(SECRET), () => SECRET)).toMatch(refused('Home/Mine'));
    expect(saidOf(write('others'), () => SECRET)).toBe('nothing');
  });

  test.each([
    ['name', SECRET],
    ['ARN', `arn:aws:secretsmanager:${HOME}:111122223333:secret:${SECRET}-AbCdEf`],
  ])('is refused that the app writes by %s', (_what, secretId) => {
    const write = (_secret: Secret, home: Stack) =>
      new CfnResourcePolicy(home, 'Mine', { secretId, resourcePolicy: {} });
    expect(saidOf(write)).toMatch(refused('Home/Mine'));
    expect(saidOf(write, () => secretId)).toMatch(refused('Home/Mine'));
  });

  test('is refused that the app writes without a class, and one that names no text is nobody’s', () => {
    const write = (SecretId: unknown) => (_secret: Secret, home: Stack) => {
      const type = 'AWS::SecretsManager::ResourcePolicy';
      new CfnResource(home, 'Mine', { type, properties: { SecretId, ResourcePolicy: {} } });
    };
    expect(saidOf(write(SECRET))).toMatch(refused('Home/Mine'));
    expect(saidOf(write({ 'Fn::ImportValue': 'Theirs' }))).toBe('nothing');
  });

  test('is refused by whichever reference to a secret, also of one whose name nobody knows', () => {
    const write = (secret: Secret) => {
      secret.denyAccountRootDelete();
      (secret.node.defaultChild as CfnSecret).name = undefined;
    };
    const secretIdOf = (secret: Secret) => secret.secretName;
    expect(saidOf(write)).toMatch(refused('Secrets/Made/Policy/Resource'));
    expect(saidOf(write, secretIdOf)).toMatch(refused('Secrets/Made/Policy/Resource'));
  });

  test('is taken of another secret, and of one of that name in another Region', () => {
    const others = (_secret: Secret, home: Stack) => {
      const there = new Stack(home.node.root as App, 'There', {
        env: { ...env, region: 'eu-central-1' },
      });
      new CfnResourcePolicy(there, 'Mine', { secretId: SECRET, resourcePolicy: {} });
      new CfnResourcePolicy(home, 'Mine', { secretId: `${SECRET}-AbCdEf`, resourcePolicy: {} });
      new Secret(home, 'Other').denyAccountRootDelete();
    };
    expect(saidOf(others)).toBe('nothing');
    expect(saidOf(others, () => SECRET)).toBe('nothing');
  });

  test('is not written by a second sole writer that names a secret of the app otherwise', () => {
    const first =
      (secretIdOf: (secret: Secret) => string) =>
      (secret: Secret, { keyturn }: KeyturnStack) =>
        new SoleWriter(keyturn, 'First', {
          keyturn,
          secretId: secretIdOf(secret),
          people: [ON_CALL],
        });
    const said = /expected a secret without a sole writer, and Home\/Keyturn\/First is its/;
    expect(saidOf(first(() => SECRET))).toMatch(said);
    expect(
      saidOf(
        first(({ secretArn }) => secretArn),
        () => SECRET,
      ),
    ).toMatch(said);
  });

  test('a secret whose name CloudFormation looks up is taken', () => {
    const named = ({ stack }: Secret) =>
      StringParameter.fromStringParameterAttributes(stack, 'Dynamic', {
        parameterName: '/secret',
        version: 3,
      }).stringValue;
    expect(saidOf(() => {}, named)).toBe('nothing');
  });

  test('nor by one of a secret of the app that is none of the policy, or elsewhere', () => {
    const rename = (name: string) => (secret: Secret) => {
      (secret.node.defaultChild as CfnSecret).name = name;
    };
    expect(saidOf(rename('keyturn/prod/telegraff'))).toMatch(
      /^SoleWriter's property secretId: found "<Secrets\/Made\/Resource\.Ref>", whose name is "keyturn\/prod\/telegraff", expected a secret of .*\?$/,
    );
    const elsewhere = ({ node, env: { account } }: Secret) => {
      const there = new Stack(node.root as App, 'There', {
        env: { account, region: 'eu-north-1' },
      });
      return new Secret(there, 'Made', { secretName: SECRET }).secretArn;
    };
    expect(saidOf(() => {}, elsewhere)).toMatch(
      /^SoleWriter's property secretId: found "<There\/Made\/Resource\.Ref>", expected a secret of 111122223333\/eu-west-1, /,
    );
  });
});
