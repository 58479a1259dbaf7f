import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { App, CfnParameter, CfnResource, Fn, Stack } from 'aws-cdk-lib';
import { Annotations, Match, Template } from 'aws-cdk-lib/assertions';
import {
  AccountRootPrincipal,
  CfnPolicy,
  Group,
  ManagedPolicy,
  PolicyDocument,
  PolicyStatement,
  PrincipalWithConditions,
  Role,
  ServicePrincipal,
  User,
} from 'aws-cdk-lib/aws-iam';
import { CfnInclude } from 'aws-cdk-lib/cloudformation-include';
import { afterAll, describe, expect, test } from 'vitest';
import { Keyturn } from '../../lib/keyturn.ts';
import { CONTEXT, POLICY, writePolicy } from './synthesize.ts';

const folder = mkdtempSync(join(tmpdir(), 'keyturn-room-'));
afterAll(() => rmSync(folder, { recursive: true }));

const roleIn = (stack: Stack) =>
  new Role(stack, 'Reader', { assumedBy: new ServicePrincipal('lambda.amazonaws.com') });
const DOCUMENT = {
  Version: '2012-10-17',
  Statement: [{ Effect: 'Allow', Action: 's3:GetObject', Resource: '*' }],
};
const listIn = (stack: Stack) =>
  new CfnParameter(stack, 'List', { type: 'CommaDelimitedList', default: 'a,b' });

function include(stack: Stack, name: string, policies: unknown): void {
  const templateFile = join(folder, `${name}.json`);
  const trust = {
    Effect: 'Allow',
    Action: 'sts:AssumeRole',
    Principal: { Service: 'lambda.amazonaws.com' },
  };
  const AssumeRolePolicyDocument = { Version: '2012-10-17', Statement: [trust] };
  const Properties = { AssumeRolePolicyDocument, Policies: policies };
  writeFileSync(
    templateFile,
    JSON.stringify({
      Conditions: { Sometimes: { 'Fn::Equals': ['a', 'a'] } },
      Resources: { Included: { Type: 'AWS::IAM::Role', Properties } },
    }),
  );
  new CfnInclude(stack, 'Include', { templateFile });
}
const sometimes = (value: unknown) => ({ 'Fn::If': ['Sometimes', value, { Ref: 'AWS::NoValue' }] });
const INLINE = { PolicyName: 'own', PolicyDocument: DOCUMENT };

test.each<readonly [string, (stack: Stack) => void]>([
  [
    'a list joined from a parameter',
    (stack) => {
      const resources = [Fn.join('-', listIn(stack).valueAsList)];
      roleIn(stack).addToPolicy(new PolicyStatement({ actions: ['s3:GetObject'], resources }));
    },
  ],
  ['a policy under a condition', (stack) => include(stack, 'one', [sometimes(INLINE)])],
  ['all policies under a condition', (stack) => include(stack, 'all', sometimes([INLINE]))],
  [
    'roles from a parameter',
    (stack) => {
      const roles = listIn(stack).valueAsList;
      new CfnPolicy(stack, 'P', { policyName: 'p', policyDocument: DOCUMENT, roles });
    },
  ],
  [
    'a resource without a class of its own',
    (stack) => {
      const properties = { PolicyDocument: DOCUMENT };
      new CfnResource(stack, 'Generic', { type: 'AWS::IAM::ManagedPolicy', properties });
    },
  ],
])('a grant does not keep an app from its synthesis that has %s', (_what, add) => {
  const app = new App({ outdir: mkdtempSync(join(folder, 'out-')), context: CONTEXT });
  const home = new Stack(app, 'Home');
  const keyturn = new Keyturn(home, 'Keyturn', { policy: writePolicy(folder) });
  const stack = new Stack(app, 'Other');
  add(stack);
  const reader = new Role(home, 'Role', {
    assumedBy: new ServicePrincipal('lambda.amazonaws.com'),
  });
  keyturn.grantRead('telegraf', reader);
  expect(app.synth().stacks).toHaveLength(2);
});

const ROLE_HERE = 'arn:aws:iam::111122223333:role/reader';

test.each([
  ['a user', 4, 11, (stack: Stack) => new User(stack, 'Reader')],
  ['a managed policy', 12, 40, (stack: Stack) => new ManagedPolicy(stack, 'Reader')],
  ['a group', 10, 27, (stack: Stack) => new Group(stack, 'Reader')],
  ['an imported role', 40, 60, (stack: Stack) => Role.fromRoleArn(stack, 'Reader', ROLE_HERE)],
])('synthesis says where %s gets more than IAM takes of its policies', (_what, few, many, make) => {
  const warningsOf = (count: number) => {
    const app = new App({
      context: { 'aws:cdk:bundling-stacks': [], '@aws-cdk/aws-iam:minimizePolicies': true },
    });
    const stack = new Stack(app, 'Home', { env: { account: '111122223333', region: 'eu-west-1' } });
    const names = Array.from({ length: count }, (_each, index) => `token-${index}`);
    const text = names
      .map((name) => `  ${name}: { permissions: { read: [telemetry] } }\n`)
      .join('');
    const policy = writePolicy(folder, `${POLICY.split('  telegraf')[0]}${text}`);
    const keyturn = new Keyturn(stack, 'Keyturn', { policy });
    const reader = make(stack);
    for (const name of names) keyturn.grantRead(name, reader);
    const found = Annotations.fromStack(stack).findWarning(
      '*',
      Match.stringLikeRegexp('what IAM takes'),
    );
    return found.length;
  };
  expect([warningsOf(few), warningsOf(many)]).toEqual([0, 1]);
});

describe('the room of IAM is measured in the template', () => {
  const HERE = { env: { account: '111122223333', region: 'eu-west-1' } };
  /** An app, and deployments of many tokens in it. */
  const many = (count: number) => {
    const app = new App({
      context: { 'aws:cdk:bundling-stacks': [], '@aws-cdk/aws-iam:minimizePolicies': true },
    });
    const names = Array.from({ length: count }, (_each, index) => `token-${index}`);
    const text = names
      .map((name) => `  ${name}: { permissions: { read: [telemetry] } }\n`)
      .join('');
    const deployed = (owner: string) => {
      const stack = new Stack(app, `Home-${owner}`, HERE);
      const all = `${POLICY.split('  telegraf')[0]}${text}`.replace('prod', owner);
      const policy = writePolicy(folder, all, `${owner}.yaml`);
      return { stack, keyturn: new Keyturn(stack, 'Keyturn', { policy }) };
    };
    const warnings = () =>
      app.node
        .findAll()
        .filter((each) => Stack.isStack(each))
        .flatMap((stack) =>
          Annotations.fromStack(stack).findWarning('*', Match.stringLikeRegexp('what IAM takes')),
        );
    return { app, names, deployed, warnings };
  };

  test('what an operator and whoever gives orders get counts, too', () => {
    const { deployed, warnings } = many(1);
    const { stack, keyturn } = deployed('prod');
    const user = new User(stack, 'Reader');
    keyturn.grantOperate(user);
    expect(warnings()).toEqual([]);
    const both = many(1);
    const { stack: third, keyturn: another } = both.deployed('prod');
    const reader = new User(third, 'Reader');
    another.grantOperate(reader);
    another.grantRead('token-0', reader);
    expect(both.warnings()).toHaveLength(1);
    const more = many(1);
    const other = more.deployed('prod');
    const filled = new User(other.stack, 'Reader');
    filled.addToPolicy(
      new PolicyStatement({ actions: ['s3:*'], resources: [`arn:aws:s3:::${'x'.repeat(1_000)}`] }),
    );
    other.keyturn.grantOperate(filled);
    expect(more.warnings()).toHaveLength(1);
  });

  test('two deployments that let one role read are counted together', () => {
    for (const [owners, found] of [
      [['prod'], 0],
      [['prod', 'test'], 1],
    ] as const) {
      const { app, names, deployed, warnings } = many(35);
      const there = new Stack(app, 'There', HERE);
      const reader = Role.fromRoleArn(there, 'Reader', ROLE_HERE);
      for (const { keyturn } of owners.map(deployed)) {
        for (const name of names) keyturn.grantRead(name, reader);
      }
      expect(warnings()).toHaveLength(found);
    }
  });

  test('a name in two stacks is not one role where nobody knows their accounts', () => {
    const app = new App({ context: CONTEXT });
    for (const owner of ['prod', 'test']) {
      const stack = new Stack(app, owner);
      const tokens = Array.from({ length: 30 }, (_each, index) => `token-${index}`);
      const entries = tokens.map((name) => `  ${name}: { permissions: { read: [telemetry] } }\n`);
      const text = `${POLICY.split('  telegraf')[0]}${entries.join('')}`.replace('prod', owner);
      const keyturn = new Keyturn(stack, 'Keyturn', {
        policy: writePolicy(folder, text, `${owner}.yaml`),
      });
      const reader = Role.fromRoleName(stack, 'Reader', 'app');
      for (const name of tokens) keyturn.grantRead(name, reader);
    }
    const found = app.node
      .findAll()
      .filter((each) => Stack.isStack(each))
      .flatMap((stack) =>
        Annotations.fromStack(stack).findWarning('*', Match.stringLikeRegexp('what IAM takes')),
      );
    expect(found).toEqual([]);
  });

  test('a role that is imported into two stacks is one', () => {
    const { names, deployed, warnings } = many(35);
    for (const { stack, keyturn } of ['prod', 'test'].map(deployed)) {
      const reader = Role.fromRoleArn(stack, 'Reader', ROLE_HERE);
      for (const name of names) keyturn.grantRead(name, reader);
    }
    expect(JSON.stringify(warnings())).toMatch(
      /Keyturn's grants: found about 1\d,\d+ bytes of rights for Home-test\/Reader, .* at most 10,240/,
    );
  });

  test("a role of the app's own is divided by CDK, also behind conditions", () => {
    const { names, deployed, warnings } = many(120);
    const { stack, keyturn } = deployed('prod');
    const role = new Role(stack, 'Reader', { assumedBy: new AccountRootPrincipal() });
    const reader = new PrincipalWithConditions(role, { Bool: { 'aws:SecureTransport': 'true' } });
    for (const name of names) keyturn.grantRead(name, reader).assertSuccess();
    expect(warnings()).toEqual([]);
    const divided = Template.fromStack(stack).findResources('AWS::IAM::ManagedPolicy');
    expect(Object.keys(divided).filter((id) => id.startsWith('Reader')).length).toBeGreaterThan(0);
  });

  test.each([
    ['inlinePolicies', 1],
    ['managedPolicies', 0],
  ])('a role of the app that has much as %s is told of what helps: %i', (as, told) => {
    const { names, deployed, warnings } = many(45);
    const { stack, keyturn } = deployed('prod');
    const resources = Array.from(
      { length: 130 },
      (_, n) => `arn:aws:s3:::a-bucket-of-the-plant-${n}/*`,
    );
    const statements = [new PolicyStatement({ actions: ['s3:GetObject'], resources })];
    const role = new Role(stack, 'Reader', {
      assumedBy: new AccountRootPrincipal(),
      ...(as === 'inlinePolicies'
        ? { inlinePolicies: { buckets: new PolicyDocument({ statements }) } }
        : { managedPolicies: [new ManagedPolicy(stack, 'Buckets', { statements })] }),
    });
    for (const name of names) keyturn.grantRead(name, role).assertSuccess();
    const helps = 'put what it has as inlinePolicies into managed ones';
    expect(warnings().map((each) => JSON.stringify(each).includes(helps))).toEqual(
      Array.from({ length: told }, () => true),
    );
  });
});
