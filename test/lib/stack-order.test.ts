import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { App, NestedStack, Stack, Stage } from 'aws-cdk-lib';
import { Annotations, Match, Template } from 'aws-cdk-lib/assertions';
import { AccountRootPrincipal, Role } from 'aws-cdk-lib/aws-iam';
import { Construct } from 'constructs';
import { afterAll, expect, test } from 'vitest';
import { Keyturn } from '../../lib/keyturn.ts';
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

test('two deployments of one stack and those nested in it have different owners and secrets', () => {
  const open2 = (text: string, make: (stack: Stack) => readonly [Stack, Stack]) => {
    const [one, other] = make(new Stack(newApp(), 'Home'));
    open(one);
    return () => open(other, text, 'other.yaml');
  };
  const places: readonly ((stack: Stack) => readonly [Stack, Stack])[] = [
    (stack) => [stack, new NestedStack(stack, 'Inside')],
    (stack) => [new NestedStack(stack, 'One'), new NestedStack(stack, 'Other')],
  ];
  for (const make of places) {
    expect(open2(POLICY, make)).toThrow('owner: found "prod", which is also the owner of');
    expect(open2(POLICY.replace('owner: prod', 'owner: test'), make)).toThrow(
      'tokens.grafana.secret: found "monitoring/grafana", which is also that of "grafana" in',
    );
  }
});
