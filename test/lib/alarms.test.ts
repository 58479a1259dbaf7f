import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { App, Aspects, Annotations as CdkAnnotations, Stack } from 'aws-cdk-lib';
import { Annotations, Match } from 'aws-cdk-lib/assertions';
import { Alarm } from 'aws-cdk-lib/aws-cloudwatch';
import { SnsAction } from 'aws-cdk-lib/aws-cloudwatch-actions';
import { Topic } from 'aws-cdk-lib/aws-sns';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { wantedAlarms } from '../../lib/alarm-texts.ts';
import { Keyturn } from '../../lib/keyturn.ts';
import { readDeployedPolicyFile } from '../../lib/policy-file.ts';
import { anotherStack, CONTEXT, POLICY, synthesize, writePolicy } from './synthesize.ts';

interface AlarmProperties {
  readonly AlarmDescription: string;
  readonly MetricName: string;
  readonly Period: number;
  readonly EvaluationPeriods: number;
  readonly TreatMissingData: string;
  readonly AlarmActions?: readonly string[];
}

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'keyturn-'));
});
afterAll(() => rmSync(folder, { recursive: true }));

/** Alarms by their construct ids, such as `RotateFailed`. */
function alarmsOf(...[policy, props]: [string?, Parameters<typeof synthesize>[2]?]) {
  const found = synthesize(folder, policy, props).findResources('AWS::CloudWatch::Alarm');
  return Object.fromEntries(
    Object.entries(found).map(([id, { Properties }]) => [
      id.replace(/^Keyturn/, '').slice(0, -8),
      Properties as AlarmProperties,
    ]),
  );
}

test('every alarm names a heading of the runbook that describes it, investigates and resolves', () => {
  const runbook = readFileSync('docs/runbook.md', 'utf8').split(/^## /m).slice(1);
  const sections = new Map(runbook.map((text) => [text.split('\n')[0], text]));
  const alarms = Object.values(alarmsOf());
  expect(alarms.length).toBeGreaterThan(0);
  for (const { AlarmDescription } of alarms) {
    const section = sections.get(/See "(.+)" in/.exec(AlarmDescription)?.[1] ?? '');
    expect(section).toMatch(/Description.*Investigation.*Resolution/s);
  }
});

test.each([[''], ['deployment: { metrics: none }\n'], ['deployment: { metrics: alarms }\n']])(
  'doctor asks for the alarms that the stack makes, and for no others (%j)',
  (more) => {
    const file = join(folder, 'wanted.yaml');
    const text = `${POLICY}${more}`;
    writeFileSync(file, text);
    const { policy, deployment } = readDeployedPolicyFile(file);
    const wanted = wantedAlarms(policy, deployment.metrics);
    const made = Object.entries(alarmsOf(text)).map(([name, each]) => [
      name,
      each.AlarmDescription,
    ]);
    expect(wanted.map(({ name, description }) => [name, description]).sort()).toEqual(made.sort());
  },
);

const everyFiveMinutes = POLICY.replace('cron(0/10 * * * ? *)', 'rate(5 minutes)');

test('silence is an alarm: a schedule that should have begun three runs by now', () => {
  const { RotateNotRunning, ReapNotRunning } = alarmsOf(everyFiveMinutes);
  expect(RotateNotRunning).toMatchObject({
    Namespace: 'Keyturn',
    MetricName: 'ScheduledRuns',
    Dimensions: [
      { Name: 'Function', Value: 'rotate' },
      { Name: 'Owner', Value: 'prod' },
    ],
    Period: 300,
    EvaluationPeriods: 3,
    TreatMissingData: 'breaching',
  });
  expect(ReapNotRunning).toMatchObject({ Period: 3600, EvaluationPeriods: 3 });
});

test.each([
  ['rate(2 days)', 86_400, 6],
  ['rate(7 days)', 86_400, 7],
  ['cron(0 * * * ? *)', 4_800, 3],
  ['cron(0 3 * * ? *)', 86_400, 4],
  ['cron(0 9-17 ? * MON-FRI *)', 80_400, 3],
])(
  '%s is watched within what CloudWatch allows, and no night or weekend is silence',
  (expression, Period, EvaluationPeriods) => {
    const { ReapNotRunning } = alarmsOf(POLICY.replace('rate(1 hour)', expression));
    expect(ReapNotRunning).toMatchObject({ Period, EvaluationPeriods });
  },
);

test('a paused stack is not told that it does not run', () => {
  const paused = alarmsOf(POLICY.replace('schedules: {', 'schedules: { paused: true,'));
  expect(Object.keys(paused)).toEqual(expect.arrayContaining(['RotateFailed', 'PlanRefused']));
  expect(Object.keys(paused).filter((id) => id.endsWith('NotRunning'))).toEqual([]);
});

test('an OAuth client has no management token that could near its end, and the dashboard shows none', () => {
  const oauth =
    'oauth: {tokenUrl: https://login.example.com/token, clientId: keyturn, clientSecret: influxdb/oauth}';
  const policy = POLICY.replace('managementToken: influxdb/management', oauth);
  expect(policy).not.toBe(POLICY);
  const [before, after] = [alarmsOf(), alarmsOf(policy)];
  const { ManagementTokenNearExpiry, ...others } = before;
  expect(ManagementTokenNearExpiry).toBeDefined();
  expect(Object.keys(after)).toEqual(Object.keys(others));
  const shown = (text?: string) =>
    JSON.stringify(
      synthesize(folder, text, { dashboard: true }).findResources('AWS::CloudWatch::Dashboard'),
    );
  expect(shown()).toContain('ManagementTokenDays');
  expect(shown(policy)).not.toContain('ManagementTokenDays');
});

test('one failure is no alarm if the next firing comes within an hour; of a daily run it is', () => {
  const { RotateFailed, ReapFailed } = alarmsOf(everyFiveMinutes);
  for (const alarm of [RotateFailed, ReapFailed]) {
    expect(alarm).toMatchObject({ EvaluationPeriods: 3, DatapointsToAlarm: 2 });
  }
  // Each period has a run in it, however late in its flexible window of a quarter of an hour.
  expect([RotateFailed?.Period, ReapFailed?.Period]).toEqual([6 * 60, 76 * 60]);
  const daily = alarmsOf(POLICY.replace('rate(1 hour)', 'rate(1 day)')).ReapFailed;
  expect(daily).toMatchObject({ EvaluationPeriods: 1 });
  expect(daily).not.toHaveProperty('DatapointsToAlarm');
});

test('every function has an alarm on its errors, and one without a schedule on what Lambda dropped', () => {
  const alarms = alarmsOf();
  const named = (end: string) => Object.keys(alarms).filter((id) => id.endsWith(end));
  expect(named('Failed').sort()).toEqual([
    'EnforceFailed',
    'ReapFailed',
    'RevokeFailed',
    'RotateFailed',
    'SecretsManagerRotationFailed',
  ]);
  expect(named('Dropped').sort()).toEqual(['RevokeDropped', 'SecretsManagerRotationDropped']);
  for (const id of ['RevokeFailed', 'RevokeDropped']) {
    expect(alarms[id]).toMatchObject({
      Namespace: 'AWS/Lambda',
      MetricName: id === 'RevokeFailed' ? 'Errors' : 'AsyncEventsDropped',
      Statistic: 'Sum',
      Threshold: 1,
      EvaluationPeriods: 1,
      TreatMissingData: 'notBreaching',
    });
  }
});

test('a state lasts until a run sees it mended, and must be bad in every run of an hour', () => {
  const alarms = alarmsOf();
  for (const id of ['RotationOverdue', 'TokenNearExpiry', 'DatabaseDrift']) {
    expect(alarms[id]).toMatchObject({
      Namespace: 'Keyturn',
      Dimensions: [{ Name: 'Owner', Value: 'prod' }],
      Statistic: 'Minimum',
      Period: 3600,
      Threshold: 1,
      TreatMissingData: 'ignore',
    });
  }
});

test('one refused plan, unconfirmed revocation or lost event is an alarm; none is none', () => {
  const alarms = alarmsOf();
  for (const id of ['OutageMended', 'PlanRefused', 'RevocationUnconfirmed', 'EventsLost']) {
    expect(alarms[id]).toMatchObject({
      Statistic: 'Sum',
      EvaluationPeriods: 2,
      DatapointsToAlarm: 1,
      TreatMissingData: 'notBreaching',
    });
  }
});

test('one invocation that waits in the failure queue is an alarm, though it was there for a moment', () => {
  expect(alarmsOf().Undelivered).toMatchObject({
    Namespace: 'AWS/SQS',
    MetricName: 'ApproximateNumberOfMessagesVisible',
    Statistic: 'Maximum',
    Threshold: 1,
    EvaluationPeriods: 1,
  });
});

test('the management token is told of two weeks ahead, where its secret has a date', () => {
  expect(alarmsOf().ManagementTokenNearExpiry).toMatchObject({
    MetricName: 'ManagementTokenDays',
    Statistic: 'Minimum',
    ComparisonOperator: 'LessThanThreshold',
    Threshold: 14,
    TreatMissingData: 'notBreaching',
  });
});

test('all of them tell the topic', () => {
  const arn = 'arn:aws:sns:eu-west-1:111122223333:on-call';
  const alarmTopic = Topic.fromTopicArn(anotherStack(folder), 'OnCall', arn);
  for (const { AlarmActions } of Object.values(alarmsOf(POLICY, { alarmTopic }))) {
    expect(AlarmActions).toEqual([arn]);
  }
});

const ARN = 'arn:aws:sns:eu-west-1:111122223333:on-call';
const onCall = (stack: Stack) => Topic.fromTopicArn(stack, 'OnCall', ARN);
const EMAILS = 'deployment: { alarms: { emails: [on-call@example.com] } }';

test.each<[string, number, string, (stack: Stack) => object, (keyturn: Keyturn) => void]>([
  ['by nobody', 1, '', () => ({}), () => undefined],
  [
    'by nobody any more, whom the file names',
    1,
    EMAILS,
    () => ({ alarmEmails: [] }),
    () => undefined,
  ],
  ['by the file', 0, EMAILS, () => ({}), () => undefined],
  ['by an address of the app', 0, '', () => ({ alarmEmails: ['a@example.com'] }), () => undefined],
  ['by a topic of the app', 0, '', (stack) => ({ alarmTopic: onCall(stack) }), () => undefined],
  ['by nobody, who wants no metrics', 0, '', () => ({ metrics: 'none' }), () => undefined],
  [
    'by actions that the app gives to an alarm',
    0,
    '',
    () => ({}),
    (keyturn) => keyturn.alarms[0]?.addAlarmAction(new SnsAction(onCall(Stack.of(keyturn)))),
  ],
  [
    'by actions that an aspect of the app gives to all alarms',
    0,
    '',
    () => ({}),
    (keyturn) => {
      const action = new SnsAction(onCall(Stack.of(keyturn)));
      Aspects.of(keyturn.node.root).add({
        visit: (node) => {
          if (node instanceof Alarm) node.addAlarmAction(action);
        },
      });
    },
  ],
  [
    'by nobody, as the app acknowledges',
    0,
    '',
    () => ({}),
    (keyturn) => CdkAnnotations.of(keyturn).acknowledgeWarning('keyturn:deployment.alarms'),
  ],
])(
  'whether alarms are heard is judged when the app is made: %s',
  (_who, warned, more, props, act) => {
    const app = new App({ outdir: mkdtempSync(join(folder, 'heard-')), context: CONTEXT });
    const stack = new Stack(app, 'Mine');
    const policy = writePolicy(folder, `${POLICY}${more}\n`);
    act(new Keyturn(stack, 'Keyturn', { policy, ...props(stack) }));
    const found = Annotations.fromStack(stack).findWarning(
      '*',
      Match.stringLikeRegexp(
        '^.*/keyturn.yaml: deployment.alarms: found nobody whom alarms tell, .* \\[ack: keyturn:deployment.alarms\\]$',
      ),
    );
    expect(found.map(({ id }) => id)).toEqual(Array(warned).fill('/Mine/Keyturn'));
  },
);
