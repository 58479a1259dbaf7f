import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { App, CfnParameter, CfnResource, Fn, Stack } from 'aws-cdk-lib';
import { CfnPolicy, PolicyStatement, Role, ServicePrincipal } from 'aws-cdk-lib/aws-iam';
import { CfnInclude } from 'aws-cdk-lib/cloudformation-include';
import { afterAll, expect, test } from 'vitest';
import { Keyturn } from '../../lib/keyturn.ts';
import { CONTEXT, writePolicy } from './synthesize.ts';

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
const POLICY = { PolicyName: 'own', PolicyDocument: DOCUMENT };

test.each<readonly [string, (stack: Stack) => void]>([
  [
    'a list joined from a parameter',
    (stack) => {
      const resources = [Fn.join('-', listIn(stack).valueAsList)];
      roleIn(stack).addToPolicy(new PolicyStatement({ actions: ['s3:GetObject'], resources }));
    },
  ],
  ['a policy under a condition', (stack) => include(stack, 'one', [sometimes(POLICY)])],
  ['all policies under a condition', (stack) => include(stack, 'all', sometimes([POLICY]))],
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
