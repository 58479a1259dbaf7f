import { globSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { App, Stack } from 'aws-cdk-lib';
import { Annotations, Match, Template } from 'aws-cdk-lib/assertions';
import {
  AccountPrincipal,
  AccountRootPrincipal,
  AnyPrincipal,
  ArnPrincipal,
  Group,
  type IGrantable,
  type IPrincipal,
  OrganizationPrincipal,
  PrincipalWithConditions,
  Role,
  ServicePrincipal,
  SessionTagsPrincipal,
  UnknownPrincipal,
  User,
} from 'aws-cdk-lib/aws-iam';
import { Key } from 'aws-cdk-lib/aws-kms';
import { Function as LambdaFunction } from 'aws-cdk-lib/aws-lambda';
import { Construct } from 'constructs';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { Keyturn } from '../../lib/keyturn.ts';
import type { KeyturnProps } from '../../lib/properties.ts';
import { isAllowed } from '../permissions/evaluate.ts';
import { statementsOf } from '../permissions/roles.ts';
import { POLICY, permissionsOf, writePolicy } from './synthesize.ts';

const ROLE_HERE = 'arn:aws:iam::111122223333:role/reader';

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'keyturn-'));
});
afterAll(() => rmSync(folder, { recursive: true }));

/** Of an app that has CDK twice. */
function anotherUnknownPrincipal(): typeof UnknownPrincipal {
  const require = createRequire(import.meta.url);
  const file = join(require.resolve('aws-cdk-lib/aws-iam'), '../lib/unknown-principal.js');
  const { [file]: first } = require.cache;
  delete require.cache[file];
  const { UnknownPrincipal: another } = require(file);
  if (first) require.cache[file] = first;
  expect(another).not.toBe(UnknownPrincipal);
  return another;
}

/** A deployment, and somebody who may do nothing yet. */
function open(props: Partial<KeyturnProps> = {}) {
  const app = new App({
    outdir: mkdtempSync(join(folder, 'out-')),
    context: { 'aws:cdk:bundling-stacks': [] },
  });
  const stack = new Stack(app, 'Stack');
  const keyturn = new Keyturn(stack, 'Keyturn', {
    policy: writePolicy(folder),
    encryptionKey: new Key(stack, 'Secrets'),
    ...props,
  });
  const somebody = new Role(stack, 'Somebody', { assumedBy: new AccountRootPrincipal() });
  const template = () => Template.fromStack(stack);
  return { keyturn, somebody, template, may: () => permissionsOf(template(), 'Somebody') };
}

test('a consumer may read the secret of its token, and no other', () => {
  const { keyturn, somebody, may } = open();
  keyturn.grantRead('telegraf', somebody);
  keyturn.grantRead('telegraf', somebody);
  const secret = 'arn:aws:secretsmanager:here:secret:keyturn/prod/telegraf-??????';
  expect(may()).toEqual([
    'kms:Decrypt on arn:aws:kms:here:key/*',
    `secretsmanager:DescribeSecret on ${secret}`,
    `secretsmanager:GetSecretValue on ${secret}`,
  ]);
  expect(keyturn.secretOf('grafana').secretName).toBe('monitoring/grafana');
});

test.each([
  ['in a known place', { env: { account: '111122223333', region: 'eu-west-1' } }, true],
  ['whose place CDK does not know', {}, true],
  ['of an app without the flags of today', {}, false],
])('a role may read two hundred secrets, in a stack %s', (_where, props, minimize) => {
  const app = new App({
    context: { 'aws:cdk:bundling-stacks': [], '@aws-cdk/aws-iam:minimizePolicies': minimize },
  });
  const stack = new Stack(app, 'Stack', props);
  const names = Array.from({ length: 200 }, (_each, index) => `token-of-team-${index}`);
  const text = names.map((name) => `  ${name}: { permissions: { read: [telemetry] } }\n`).join('');
  const policy = writePolicy(folder, `${POLICY.split('  telegraf')[0]}${text}`);
  const encryptionKey = Key.fromKeyArn(
    stack,
    'Secrets',
    'arn:aws:kms:eu-west-1:111122223333:key/0a1b2c3d-0000-4000-8000-000000000001',
  );
  const keyturn = new Keyturn(stack, 'Keyturn', { policy, encryptionKey });
  const role = new Role(stack, 'Reader', { assumedBy: new AccountRootPrincipal() });
  for (const name of names) keyturn.grantRead(name, role).assertSuccess();
  const template = Template.fromStack(stack);
  const policiesOf = (type: string) =>
    Object.entries(template.findResources(`AWS::IAM::${type}`)).filter(([id]) =>
      id.startsWith('Reader'),
    );
  // As IAM counts them, with the references written out.
  const written = (document: unknown) =>
    JSON.stringify(document).replaceAll(/\{"Fn::Join":\["",\[(.*?)\]\]\}/g, (_all, parts: string) =>
      parts
        .replaceAll('","', '')
        .replaceAll(
          /",\{"Ref":"AWS::(\w+)"\},"/g,
          (_ref, name) =>
            ({ Partition: 'aws', AccountId: '111122223333', URLSuffix: 'amazonaws.com' })[
              name as string
            ] ?? 'ap-southeast-1',
        ),
    );
  const [inline, managed] = ['Policy', 'ManagedPolicy'].map((type) =>
    policiesOf(type).map(([, { Properties }]) => written(Properties.PolicyDocument)),
  );
  expect(managed?.length).toBeLessThanOrEqual(10);
  for (const each of managed ?? []) expect(each.length).toBeLessThanOrEqual(6_144);
  expect(inline?.join('').length).toBeLessThanOrEqual(10_240);
  const all = [...(inline ?? []), ...(managed ?? [])].join('');
  for (const name of names) {
    // Once to read it, and once to decrypt it.
    expect(all.split(`:secret:keyturn/prod/${name}-??????"`)).toHaveLength(3);
  }
});

test.each([
  [
    'imported as immutable',
    (stack: Stack) => Role.fromRoleArn(stack, 'Fixed', ROLE_HERE, { mutable: false }),
  ],
  [
    'imported by its name as immutable',
    (stack: Stack) => Role.fromRoleName(stack, 'Fixed', 'reader', { mutable: false }),
  ],
  [
    'without updates of its policy',
    (stack: Stack) =>
      new Role(stack, 'Fixed', { assumedBy: new AccountRootPrincipal() }).withoutPolicyUpdates(),
  ],
  [
    'that leaves grants to resources',
    (stack: Stack) =>
      new Role(stack, 'Fixed', { assumedBy: new AccountRootPrincipal() }).withoutPolicyUpdates({
        addGrantsToResources: true,
      }),
  ],
  [
    'without updates of its policy, behind conditions and tags',
    (stack: Stack) =>
      new SessionTagsPrincipal(
        new PrincipalWithConditions(
          new Role(stack, 'Fixed', {
            assumedBy: new AccountRootPrincipal(),
          }).withoutPolicyUpdates(),
          { Bool: { 'aws:SecureTransport': 'true' } },
        ),
      ),
  ],
  [
    'imported into a stack of another account',
    (stack: Stack) =>
      Role.fromRoleArn(
        new Stack(stack.node.root as App, 'There', {
          env: { account: '999922223333', region: 'eu-west-1' },
        }),
        'Fixed',
        ROLE_HERE,
      ),
  ],
  [
    'made in a stack of another account',
    (stack: Stack) =>
      new Role(
        new Stack(stack.node.root as App, 'There', {
          env: { account: '999922223333', region: 'eu-west-1' },
        }),
        'Fixed',
        { assumedBy: new AccountRootPrincipal() },
      ),
  ],
])('a role %s gets nothing, and synthesis says so', (_what, make) => {
  const app = new App({ context: { 'aws:cdk:bundling-stacks': [] } });
  const env = { account: '111122223333', region: 'eu-west-1' };
  const stack = new Stack(app, 'Home', { env });
  const keyturn = new Keyturn(stack, 'Keyturn', { policy: writePolicy(folder) });
  const role = make(stack);
  const given = [
    keyturn.grantRead('telegraf', role),
    keyturn.grantRevoke(role),
    keyturn.grantOperate(role),
  ];
  expect(given.map(({ success }) => success)).toEqual([false, false, false]);
  const warnings = JSON.stringify(Annotations.fromStack(stack).findWarning('*', Match.anyValue()));
  for (const method of ['grantRead', 'grantRevoke', 'grantOperate']) {
    expect(warnings).toMatch(new RegExp(`${method}: found .*(?:Fixed|999922223333).* expected `));
  }
  for (const each of app.node.findAll().filter((found) => Stack.isStack(found))) {
    const policies = Template.fromStack(each as Stack).findResources('AWS::IAM::Policy');
    expect(Object.keys(policies).filter((id) => id.includes('Fixed'))).toEqual([]);
  }
});

test('a function that was imported without its role gets nothing, and synthesis says so, and what its role needs', () => {
  const app = new App({ context: { 'aws:cdk:bundling-stacks': [] } });
  const stack = new Stack(app, 'Home', { env: { account: '111122223333', region: 'eu-west-1' } });
  const keyturn = new Keyturn(stack, 'Keyturn', { policy: writePolicy(folder) });
  const consumer = LambdaFunction.fromFunctionName(stack, 'Imported', 'consumer');
  const tokens = ['telegraf', 'grafana'];
  expect(tokens.map((token) => keyturn.grantRead(token, consumer).success)).toEqual([false, false]);
  const warnings = JSON.stringify(Annotations.fromStack(stack).findWarning('*', Match.anyValue()));
  expect(warnings).toMatch(/grantRead: found Home\/Imported, expected .*: nothing was given/);
  for (const secret of ['keyturn/prod/telegraf', 'monitoring/grafana']) {
    expect(warnings.includes(`:secret:${secret}-??????`)).toBe(true);
  }
});

test('the report of roles that others make names every token that each is to read', () => {
  const outdir = mkdtempSync(join(folder, 'reported-'));
  const app = new App({ outdir, context: { 'aws:cdk:bundling-stacks': [] } });
  const names = Array.from({ length: 9 }, (_each, index) => `token-${index}`);
  const text = names.map((name) => `  ${name}: { permissions: { read: [telemetry] } }\n`).join('');
  const policy = writePolicy(folder, `${POLICY.split('  telegraf')[0]}${text}`);
  const keyturn = new Keyturn(new Stack(app, 'Home'), 'Keyturn', { policy });
  const there = new Stack(app, 'There');
  Role.customizeRoles(there, { usePrecreatedRoles: { 'There/Reader': 'reader' } });
  const role = new Role(there, 'Reader', { assumedBy: new AccountRootPrincipal() });
  for (const name of names) keyturn.grantRead(name, role);
  app.synth();
  const [file = ''] = globSync(join(outdir, '*iam-policy-report.json'));
  const report = readFileSync(file, 'utf8');
  for (const name of names) {
    // Once to read it, and once to decrypt it.
    expect(report.split(`:secret:keyturn/prod/${name}-??????`)).toHaveLength(3);
  }
});

test('a condition that the app adds to what one token is given stays with that token', () => {
  const { keyturn, somebody, template } = open();
  const [first] = ['telegraf', 'grafana'].map((token) => keyturn.grantRead(token, somebody));
  for (const each of first?.principalStatements ?? []) {
    each.addCondition('IpAddress', { 'aws:SourceIp': '10.0.0.0/8' });
  }
  keyturn.grantRead('telegraf', somebody);
  const statements = Object.entries(template().findResources('AWS::IAM::Policy')).flatMap(
    ([id, { Properties }]) =>
      id.startsWith('Somebody') ? Properties.PolicyDocument.Statement : [],
  );
  const narrowed = statements
    .map((each) => JSON.stringify(each))
    .filter((each) => each.includes('IpAddress'));
  expect(narrowed.join()).toContain('keyturn/prod/telegraf');
  expect(narrowed.join()).not.toContain('monitoring/grafana');
  // Who gives it again, without a condition, gives it.
  const others = statements
    .map((each) => JSON.stringify(each))
    .filter((each) => !narrowed.includes(each));
  expect(others.join()).toContain('keyturn/prod/telegraf');
});

test.each([
  ['another copy of CDK', anotherUnknownPrincipal],
  ['a CDK whose classes a bundler renamed', () => class t extends UnknownPrincipal {}],
])('what %s imported without its role gets nothing, as of this one', (_whose, classOf) => {
  const { keyturn, template } = open();
  const resource = new Construct(Stack.of(keyturn), 'Imported');
  const grantPrincipal = new (classOf())({ resource });
  const imported = Object.assign(resource, { grantPrincipal });
  expect(keyturn.grantRead('telegraf', imported).success).toBe(false);
  expect(JSON.stringify(template())).not.toContain('keyturn/prod/telegraf-');
  Annotations.fromStack(Stack.of(keyturn)).hasWarning(
    '*',
    Match.stringLikeRegexp(
      '^grantRead: found Stack/Imported, .*: nothing was given, .*without its role',
    ),
  );
});

test("an app's own principal is not taken for one without a role", () => {
  const { keyturn, somebody, may } = open();
  const { policyFragment, assumeRoleAction } = somebody;
  const own = {
    resource: somebody,
    policyFragment,
    assumeRoleAction,
    addToPrincipalPolicy: somebody.addToPrincipalPolicy.bind(somebody),
  };
  const grantPrincipal = Object.assign(own, { grantPrincipal: own as unknown as IPrincipal });
  keyturn.grantRead('telegraf', grantPrincipal as unknown as IGrantable).assertSuccess();
  expect(may().join()).toContain('keyturn/prod/telegraf-');
});

describe('a consumer in another Region', () => {
  const HOME = 'eu-west-1';
  const KEY = 'arn:aws:kms:eu-north-1:111122223333:key/01234567-0123-0123-0123-0123456789ab';
  const replicaRegions = [
    'eu-central-1',
    { region: 'eu-north-1', encryptionKey: KEY },
    { region: 'eu-south-1', encryptionKey: 'alias/tokens' },
  ];
  const WITH_ADOPTED = `${POLICY}  adopted: { permissions: { read: [telemetry] }, adopt: { tokenId: 0a1b2c3d-0000-4000-8000-000000000000 } }\n`;
  /** What it may do, if the consumer's stack is there, as a statement of its role has it. */
  function granted(
    region: string | undefined,
    home: string | undefined,
    token = 'telegraf',
    consumer: (role: Role) => IGrantable = (role) => role,
  ) {
    const app = new App({ context: { 'aws:cdk:bundling-stacks': [] } });
    const account = '111122223333';
    const at = (where?: string) => (where === undefined ? {} : { env: { account, region: where } });
    const stack = new Stack(app, 'Home', at(home));
    const keyturn = new Keyturn(stack, 'Keyturn', {
      policy: writePolicy(folder, WITH_ADOPTED),
      replicaRegions,
    });
    const there = new Stack(app, 'There', at(region));
    const role = new Role(there, 'Consumer', { assumedBy: new AccountRootPrincipal() });
    keyturn.grantRead(token, consumer(role)).assertSuccess();
    const [policy] = Object.values(Template.fromStack(there).findResources('AWS::IAM::Policy'));
    return {
      lines: permissionsOf(Template.fromStack(there), 'Consumer'),
      statements: statementsOf(Template.fromStack(there), 'Consumer'),
      conditions: JSON.stringify(
        policy?.Properties.PolicyDocument.Statement.map(
          ({ Condition }: { Condition?: object }) => Condition,
        ),
      ),
    };
  }
  const secretIn = (region: string) =>
    `arn:aws:secretsmanager:${region}:111122223333:secret:keyturn/prod/telegraf-??????`;
  /** The key is any one of that Region: test/permissions/keys.test.ts shows for what alone. */
  const reads = (region: string) => [
    `kms:Decrypt on arn:aws:kms:${region}:111122223333:key/*`,
    ...['DescribeSecret', 'GetSecretValue'].map(
      (verb) => `secretsmanager:${verb} on ${secretIn(region)}`,
    ),
  ];

  test('may read the replica there, and nothing in the home Region', () => {
    expect(granted('eu-central-1', HOME).lines).toEqual(reads('eu-central-1'));
    expect(granted(HOME, HOME).lines).toEqual(reads('eu-west-1'));
  });

  test('is where its role is, also behind conditions', () => {
    const behind = (role: Role) => new PrincipalWithConditions(role, {});
    expect(granted('eu-central-1', HOME, 'telegraf', behind).lines).toEqual(reads('eu-central-1'));
  });

  test('may use the key of the replica through Secrets Manager of that Region alone', () => {
    const { lines, conditions } = granted('eu-north-1', HOME);
    expect(lines.sort()).toEqual([`kms:Decrypt on ${KEY}`, ...reads('eu-north-1')].sort());
    expect(conditions).toMatch(/secretsmanager\.eu-north-1\./);
    expect(conditions).not.toMatch(/secretsmanager\.eu-west-1\./);
    const byAlias = granted('eu-south-1', HOME);
    expect(byAlias.lines).toContainEqual(expect.stringMatching(/^kms:Decrypt on .*:eu-south-1:/));
    expect(byAlias.conditions).toContain('"kms:ResourceAliases":"alias/tokens"');
  });

  test.each(['eu-central-1', 'eu-north-1'])(
    'goes on reading a replica in %s under a key that was named before, and nothing else with that key',
    (region) => {
      const { statements } = granted(region, HOME);
      const may = (secret: string, via: string, keyRegion = region) =>
        isAllowed(statements, {
          action: 'kms:Decrypt',
          resource: `arn:aws:kms:${keyRegion}:111122223333:key/former`,
          context: {
            'kms:ViaService': `secretsmanager.${via}.amazonaws.com`,
            'kms:EncryptionContext:SecretARN': secret,
          },
        });
      // Nobody has seen which of the two AWS names.
      const [there, home] = [region, HOME].map((each) =>
        secretIn(each).replace('??????', 'AbCdEf'),
      );
      expect([may(String(there), region), may(String(home), region)]).toEqual([true, true]);
      expect(may(String(there), HOME)).toBe(false);
      expect(may(String(home), HOME, HOME)).toBe(false);
      expect(may(String(there).replace('telegraf', 'grafana'), region)).toBe(false);
    },
  );

  test('is refused where no replica is, by its path and Region', () => {
    expect(() => granted('us-east-1', HOME)).toThrow(
      /^grantRead: found There\/Consumer in us-east-1, expected a consumer in eu-west-1, eu-central-1, eu-north-1, eu-south-1, .*secretOf\('telegraf'\)\.grantRead\(…\), and kms:Decrypt with the key that the secret is under, /,
    );
  });

  test.each(['grafana', 'adopted'])(
    'is told who replicates a secret that Keyturn does not: %s',
    (token) => {
      const refused = () => granted('us-east-1', HOME, token);
      expect(refused).toThrow(
        /^grantRead: found There\/Consumer in us-east-1, expected a consumer in eu-west-1, where the secret of "\w+" is, or in eu-central-1, eu-north-1, eu-south-1, if whoever made it replicated it there; /,
      );
      expect(refused).toThrow(
        /; Keyturn replicates only secrets that it made .*replicate-secret-to-regions.*, and then name us-east-1 in replicaRegions; or, .*secretOf\('\w+'\)/,
      );
      expect(() => granted('us-east-1', HOME)).not.toThrow(/whoever made/);
    },
  );

  test('is taken for one of the same Region where CDK does not know one of the two', () => {
    expect(granted(undefined, HOME).lines).toEqual(reads('eu-west-1'));
    const [key, first] = granted('eu-central-1', undefined).lines;
    expect(key).toBe('kms:Decrypt on arn:aws:kms:here:key/*');
    expect(first).toMatch(/^secretsmanager:DescribeSecret on arn:aws:secretsmanager:here:secret:/);
  });
});

test('a role of another account gets a warning with what its grant lacks, and one of this account none', () => {
  const app = new App({ context: { 'aws:cdk:bundling-stacks': [] } });
  const env = { account: '111122223333', region: 'eu-west-1' };
  const stack = new Stack(app, 'Home', { env });
  const keyturn = new Keyturn(stack, 'Keyturn', { policy: writePolicy(folder) });
  const warnings = () => Annotations.fromStack(stack).findWarning('*', Match.anyValue());
  const theirs = (account: string) =>
    Role.fromRoleArn(stack, `Role${account}`, `arn:aws:iam::${account}:role/reader`);
  const before = warnings().length;
  keyturn.grantRead('telegraf', theirs('111122223333')).assertSuccess();
  expect(warnings()).toHaveLength(before);
  const given = keyturn.grantRead('telegraf', theirs('999922223333'));
  expect(() => given.assertSuccess()).toThrow(/^grantRead: found 999922223333 .*telegraf/);
  expect(JSON.stringify(warnings())).toMatch(
    /grantRead: found 999922223333 .*telegraf.*resource policy of the secret.*customer managed key/,
  );
});

test.each(['grantOperate', 'grantRevoke'] as const)(
  '%s gives a role of another account nothing that it could use, and says so',
  (method) => {
    const app = new App({ context: { 'aws:cdk:bundling-stacks': [] } });
    const env = { account: '111122223333', region: 'eu-west-1' };
    const stack = new Stack(app, 'Home', { env });
    const keyturn = new Keyturn(stack, 'Keyturn', { policy: writePolicy(folder) });
    const roleOf = (account: string) =>
      Role.fromRoleArn(stack, `Role${account}`, `arn:aws:iam::${account}:role/on-call`);
    keyturn[method](roleOf('111122223333')).assertSuccess();
    const given = keyturn[method](roleOf('999922223333'));
    expect(given.success).toBe(false);
    expect(() => given.assertSuccess()).toThrow(`${method}: found 999922223333 as the account`);
    const warnings = Annotations.fromStack(stack).findWarning('*', Match.anyValue());
    expect(JSON.stringify(warnings)).toMatch(
      new RegExp(`${method}: found 999922223333 .*expected 111122223333: .*a role of account`),
    );
  },
);

test.each(['a user', 'a group'])(
  '%s of another account gives the one of the same name in this account nothing',
  (kind) => {
    const app = new App({ context: { 'aws:cdk:bundling-stacks': [] } });
    const env = { account: '111122223333', region: 'eu-west-1' };
    const stack = new Stack(app, 'Home', { env });
    const keyturn = new Keyturn(stack, 'Keyturn', { policy: writePolicy(folder) });
    const account = 'arn:aws:iam::999922223333';
    const theirs =
      kind === 'a user'
        ? User.fromUserArn(stack, 'Theirs', `${account}:user/alice`)
        : Group.fromGroupArn(stack, 'Theirs', `${account}:group/alice`);
    for (const given of [
      keyturn.grantRead('telegraf', theirs),
      keyturn.grantRevoke(theirs),
      keyturn.grantOperate(theirs),
    ]) {
      expect(given.success).toBe(false);
    }
    expect(JSON.stringify(Template.fromStack(stack).toJSON())).not.toContain('alice');
  },
);

test("a role of a stack in another Region may operate: its policy names what is in the construct's", () => {
  const app = new App({ context: { 'aws:cdk:bundling-stacks': [] } });
  const account = '111122223333';
  const stack = new Stack(app, 'Home', { env: { account, region: 'eu-west-1' } });
  const there = new Stack(app, 'There', { env: { account, region: 'us-east-1' } });
  const keyturn = new Keyturn(stack, 'Keyturn', { policy: writePolicy(folder) });
  const role = new Role(there, 'OnCall', { assumedBy: new AccountRootPrincipal() });
  keyturn.grantOperate(role).assertSuccess();
  app.synth();
  const policies = Template.fromStack(there).findResources('AWS::IAM::Policy');
  const text = JSON.stringify(policies);
  for (const job of ['rotate', 'reap', 'enforce', 'revoke']) {
    expect(text).toContain(`:lambda:eu-west-1:${account}:function:keyturn-prod-${job}`);
  }
  const passed = [...text.matchAll(/:iam::\d+:role\/([\w-]+)/g)].map(([, name]) => name);
  const made = Object.values(Template.fromStack(stack).findResources('AWS::IAM::Role'));
  const names = made.flatMap(({ Properties: { RoleName: name = [] } }) => name);
  expect(names).toHaveLength(3);
  expect(passed.sort()).toEqual(names.sort());
});

test('a grant to nobody is refused in words', () => {
  const { keyturn } = open();
  for (const method of ['grantRevoke', 'grantOperate'] as const) {
    expect(() => keyturn[method](undefined as never)).toThrow(
      `${method}: found nobody as the argument, expected who is to`,
    );
  }
  expect(() => keyturn.grantRead('telegraf', undefined as never)).toThrow(
    /^grantRead: found nobody as the second argument, expected who is to read the secret/,
  );
});

test('a token that the policy does not have is refused by its name', () => {
  const { keyturn } = open();
  expect(() => keyturn.secretOf('telegraph')).toThrow(
    /keyturn\.yaml: tokens: found no "telegraph", expected .*"?telegraf"?/,
  );
});

test('whoever asks for no name of a token is told those that there are', () => {
  const { keyturn } = open();
  expect(() => keyturn.secretOf(undefined as unknown as string)).toThrow(
    /keyturn\.yaml: tokens: found no "undefined", expected .*; known here: telegraf, grafana$/,
  );
});

test('so it does where secrets are under the key of AWS', () => {
  const { keyturn, somebody } = open({ encryptionKey: undefined } as object);
  for (const nobody of [
    new ServicePrincipal('glue.amazonaws.com'),
    new AccountPrincipal('999922223333'),
    new ArnPrincipal('arn:aws:iam::111122223333:user/alice'),
  ]) {
    expect(() => keyturn.grantRead('telegraf', nobody).assertSuccess()).toThrow();
  }
  expect(keyturn.grantRead('telegraf', somebody).success).toBe(true);
});

test.each([
  [[], /found none, expected types/],
  [['Token rotated'], /found "Token rotated", .*did you mean "Token Rotated"/],
])('a pattern that would never fire is refused: %j', (types, message) => {
  const { keyturn } = open();
  expect(() => keyturn.eventPattern({ types } as object)).toThrow(message);
});

test.each([['Plan Refused'], ['Database Policy Enforced'], ['Database Drift Detected']] as const)(
  'a pattern for one token refuses a type whose events name no secret: %s',
  (type) => {
    const { keyturn } = open();
    const types = ['Token Rotated', type] as const;
    expect(() => keyturn.eventPattern({ token: 'telegraf', types })).toThrow(
      `eventPattern: types: found "${type}" beside a token, expected types whose events name a secret`,
    );
    expect(keyturn.eventPattern({ types }).detailType).toEqual(types);
  },
);

test.each([
  [{ tokens: 'telegraf' }, /^eventPattern: tokens: found this name, .*did you mean "token"\?$/],
  [
    { type: 'Token Rotated', owner: 'prod' },
    /^eventPattern: type: .*"types"\?\neventPattern: owner: found this name/,
  ],
  [{ types: 'Token Rotated' }, /^eventPattern: types: found "Token Rotated", expected a list/],
  [{ token: 7 }, /^eventPattern: token: found 7, expected a text/],
  ['telegraf', /^eventPattern: found "telegraf", expected a mapping/],
])('what a pattern in JavaScript says and nobody reads is refused: %j', (choice, message) => {
  const { keyturn } = open();
  expect(() => keyturn.eventPattern(choice as never)).toThrow(message);
});

test('a grant says whether all of it was given: who has no policy of its own gets nothing', () => {
  const { keyturn, somebody } = open();
  for (const nobody of [
    new ServicePrincipal('glue.amazonaws.com'),
    new AccountPrincipal('999922223333'),
  ]) {
    const given = keyturn.grantRead('telegraf', nobody);
    expect(given.success).toBe(false);
    expect(() => given.assertSuccess()).toThrow(
      /^grantRead: found .*, expected .*: (?:nothing was given|this stack)/,
    );
    expect(keyturn.grantOperate(nobody).success).toBe(false);
  }
  expect(keyturn.grantRead('telegraf', somebody).success).toBe(true);
  expect(keyturn.grantRevoke(somebody).success).toBe(true);
  expect(keyturn.grantOperate(somebody).success).toBe(true);
});

test.each([
  ['a service', new ServicePrincipal('glue.amazonaws.com')],
  ['an account', new AccountPrincipal('999922223333')],
  ['the account of the stack', new AccountRootPrincipal()],
  ['an organisation', new OrganizationPrincipal('o-1234567890')],
  ['everybody', new AnyPrincipal()],
])('%s gets nothing, and no function lets it in: synthesis says so', (_who, nobody) => {
  const { keyturn, template } = open();
  const permissions = () => template().findResources('AWS::Lambda::Permission');
  expect(keyturn.grantRead('telegraf', nobody).success).toBe(false);
  expect(keyturn.grantRevoke(nobody).success).toBe(false);
  expect(keyturn.grantOperate(nobody).success).toBe(false);
  const callers = Object.values(permissions()).map(({ Properties }) => Properties.Principal);
  expect(callers).toEqual(['secretsmanager.amazonaws.com']);
  const warnings = JSON.stringify(
    Annotations.fromStack(Stack.of(keyturn)).findWarning('*', Match.anyValue()),
  );
  for (const method of ['grantRead', 'grantRevoke', 'grantOperate']) {
    expect(warnings).toMatch(new RegExp(`${method}: found \\w+Principal.*, expected .* a role`));
  }
});

test('whoever may revoke may invoke that function alone', () => {
  const { keyturn, somebody, may } = open();
  keyturn.grantRevoke(somebody);
  expect(may()).toEqual([
    'lambda:InvokeFunction on arn:aws:lambda:here:function:keyturn-prod-revoke',
    'lambda:InvokeFunction on arn:aws:lambda:here:function:keyturn-prod-revoke:*',
  ]);
});

test('an operator may invoke what the command line invokes, and pause and resume the schedules', () => {
  const { keyturn, somebody, may } = open();
  keyturn.grantOperate(somebody);
  const roles = (line: string) => line.replace(/<Keyturn(\w+?)[0-9A-F]{8}\.Arn>/, '$1');
  const lines = may().map(roles);
  const jobs = ['enforce', 'reap', 'rotate'];
  const [functions, schedules, logs] = [
    'lambda:here:function:',
    'scheduler:here:schedule/default/',
    'logs:here:log-group:/aws/lambda/',
  ].map((each) => `arn:aws:${each}keyturn-prod-`);
  expect(lines).toEqual([
    ...['Enforce', 'Reap', 'Rotate'].map((each) => `iam:PassRole on ${each}ScheduleRole`),
    ...['enforce', 'reap', 'revoke', 'rotate'].flatMap((each) => [
      `lambda:InvokeFunction on ${functions}${each}`,
      `lambda:InvokeFunction on ${functions}${each}:*`,
    ]),
    `logs:FilterLogEvents on ${logs}*`,
    ...jobs.map((each) => `scheduler:GetSchedule on ${schedules}${each}`),
    ...jobs.map((each) => `scheduler:UpdateSchedule on ${schedules}${each}`),
  ]);
});

test('each alarm can be given an action', () => {
  const { keyturn, template } = open();
  const onCall = 'arn:aws:sns:eu-central-1:111122223333:on-call';
  for (const alarm of keyturn.alarms) {
    alarm.addAlarmAction({ bind: () => ({ alarmActionArn: onCall }) });
  }
  template().allResourcesProperties('AWS::CloudWatch::Alarm', { AlarmActions: [onCall] });
});

test('a metric for alarms of one’s own is that of this deployment, and only one that is wanted', () => {
  const { keyturn } = open();
  const metric = keyturn.metric('runwayDays', { statistic: 'Minimum' });
  expect(metric).toMatchObject({
    namespace: 'Keyturn',
    metricName: 'RunwayDays',
    statistic: 'Minimum',
    dimensions: { Owner: 'prod' },
  });
  expect(metric.period.toHours()).toBe(1);
  expect(() => keyturn.metric('runaway' as never)).toThrow(
    'Keyturn\'s metric: found "runaway", expected one of ownedTokens, overdueTokens,',
  );
  const { keyturn: few } = open({ metrics: 'alarms' });
  expect(few.metric('unusableTokens').metricName).toBe('UnusableTokens');
  expect(() => few.metric('runwayDays')).toThrow(
    /found "runwayDays", expected one of .*, with metrics: alarms \(.*\); write metrics: full$/,
  );
  expect(() => open({ metrics: 'none' }).keyturn.metric('unusableTokens')).toThrow(
    /found "unusableTokens", expected no metric to be asked for, with metrics: none \(.*\); write metrics: alarms or full$/,
  );
});

test('a rule looks at the events of a token, or at all', () => {
  const { keyturn } = open();
  expect(keyturn.eventPattern()).toEqual({ source: ['keyturn'], detail: { owner: ['prod'] } });
  const pattern = keyturn.eventPattern({ token: 'grafana', types: ['Token Rotated'] });
  expect(pattern).toEqual({
    source: ['keyturn'],
    detailType: ['Token Rotated'],
    detail: { owner: ['prod'], secret: ['monitoring/grafana'] },
  });
  expect(() => keyturn.eventPattern({ token: 'grafena' })).toThrow('did you mean "grafana"');
});
