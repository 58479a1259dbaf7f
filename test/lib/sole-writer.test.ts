import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { App } from 'aws-cdk-lib';
import { Template } from 'aws-cdk-lib/assertions';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { KeyturnStack } from '../../lib/keyturn-stack.ts';
import { SoleWriter } from '../../lib/sole-writer.ts';
import { applies, type Statement } from '../permissions/evaluate.ts';
import { resolve } from '../permissions/roles.ts';
import { writePolicy } from './synthesize.ts';

const ON_CALL = 'arn:aws:iam::111122223333:role/on-call';
const STRANGER = 'arn:aws:iam::111122223333:role/ci';

let folder: string;
let statements: readonly Statement[];
let template: Template;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'keyturn-'));
  const context = { 'aws:cdk:bundling-stacks': [] };
  const app = new App({ outdir: join(folder, 'cdk.out'), context });
  const stack = new KeyturnStack(app, 'Keyturn', { policy: writePolicy(folder) });
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
        ...context,
      },
    }),
  );
const tagging = (key: string) => ({ 'aws:TagKeys': [key] });

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

test('reading is not its business, and whoever deploys can take it off', () => {
  for (const verb of ['GetSecretValue', 'DescribeSecret', 'DeleteResourcePolicy']) {
    expect(isDenied(verb, STRANGER)).toBe(false);
  }
});
