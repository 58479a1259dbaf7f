import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { App, Stack } from 'aws-cdk-lib';
import { Template } from 'aws-cdk-lib/assertions';
import { AccountRootPrincipal, Role } from 'aws-cdk-lib/aws-iam';
import { Key } from 'aws-cdk-lib/aws-kms';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { Keyturn } from '../../lib/keyturn.ts';
import { permissionsOf, writePolicy } from './synthesize.ts';

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'keyturn-'));
});
afterAll(() => rmSync(folder, { recursive: true }));

/** A deployment, and somebody who may do nothing yet. */
function open() {
  const app = new App({
    outdir: mkdtempSync(join(folder, 'out-')),
    context: { 'aws:cdk:bundling-stacks': [] },
  });
  const stack = new Stack(app, 'Stack');
  const keyturn = new Keyturn(stack, 'Keyturn', {
    policy: writePolicy(folder),
    encryptionKey: new Key(stack, 'Secrets'),
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
    expect.stringMatching(/^kms:Decrypt on <Secrets\w+\.Arn>$/),
    `secretsmanager:DescribeSecret on ${secret}`,
    `secretsmanager:GetSecretValue on ${secret}`,
  ]);
  expect(keyturn.secretOf('grafana').secretName).toBe('monitoring/grafana');
});

test('a token that the policy does not have is refused by its name', () => {
  const { keyturn } = open();
  expect(() => keyturn.secretOf('telegraph')).toThrow(
    /^keyturn\.yaml: tokens: found no "telegraph", expected .*"?telegraf"?/,
  );
});

test('whoever may revoke may invoke that function alone', () => {
  const { keyturn, somebody, may } = open();
  keyturn.grantRevoke(somebody);
  expect(may()).toEqual([
    expect.stringMatching(/^lambda:InvokeFunction on <KeyturnRevokeFunction\w+\.Arn>$/),
    expect.stringMatching(/^lambda:InvokeFunction on <KeyturnRevokeFunction\w+\.Arn>:\*$/),
  ]);
});

test('an operator may invoke what the command line invokes, and pause and resume the schedules', () => {
  const { keyturn, somebody, may } = open();
  keyturn.grantOperate(somebody);
  const named = (line: string) =>
    line.replace(/[0-9A-F]{8}/g, '').replace(/<Keyturn(\w+?)\.Arn>/, '$1');
  const lines = may().map(named);
  const invoked = lines.filter((line) => line.startsWith('lambda:') && !line.endsWith(':*'));
  expect(invoked).toEqual(
    ['Enforce', 'Reap', 'Revoke', 'Rotate'].map(
      (each) => `lambda:InvokeFunction on ${each}Function`,
    ),
  );
  const jobs = ['Enforce', 'Reap', 'Rotate'];
  expect(lines.filter((line) => !line.startsWith('lambda:'))).toEqual([
    ...jobs.map((each) => `iam:PassRole on ${each}ScheduleRole`),
    ...jobs.map((each) => `scheduler:GetSchedule on ${each}Schedule`),
    ...jobs.map((each) => `scheduler:UpdateSchedule on ${each}Schedule`),
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
