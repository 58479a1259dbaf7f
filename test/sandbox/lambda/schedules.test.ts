import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { readSchedules } from '../../../sandbox/lambda/schedules.ts';
import { POLICY, synthesize } from '../../lib/synthesize.ts';
import { start } from '../aws/start.ts';

const schedule = (State: string, ScheduleExpression = 'rate(30 minutes)') => ({
  Type: 'AWS::Scheduler::Schedule',
  Properties: {
    Name: `schedule-${State}`,
    FlexibleTimeWindow: { Mode: 'OFF' },
    ScheduleExpression,
    State,
    Target: {
      Arn: { 'Fn::GetAtt': ['Rotate1234', 'Arn'] },
      RoleArn: { 'Fn::GetAtt': ['Role1234', 'Arn'] },
      RetryPolicy: { MaximumRetryAttempts: 3 },
      Input:
        '{"scheduled":{"at":"<aws.scheduler.scheduled-time>","nextInSeconds":1800,"thirdInSeconds":5400}}',
    },
  },
});

function schedulesIn(Resources: object) {
  const folder = mkdtempSync(join(tmpdir(), 'keyturn-schedules-'));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  writeFileSync(join(folder, 'Stack.template.json'), JSON.stringify({ Resources }));
  return readSchedules(folder, 'Stack');
}

test('a firing has the input of the template, with the time for which it was scheduled', async () => {
  const { aws } = await start();
  const [on, off] = schedulesIn({ on: schedule('ENABLED'), off: schedule('DISABLED') });
  expect(on).toMatchObject({ logicalId: 'Rotate1234', periodMs: 1_800_000 });
  for (const each of [on, off]) if (each) aws.deploySchedule(each.definition);
  const instant = Date.UTC(2026, 2, 2, 12, 30);
  expect(aws.firing('schedule-ENABLED', instant)).toEqual({
    scheduled: { at: '2026-03-02T12:30:00Z', nextInSeconds: 1_800, thirdInSeconds: 5_400 },
  });
  expect(aws.firing('schedule-DISABLED', instant)).toBeUndefined();
  expect(aws.firing('nobody', instant)).toBeUndefined();
});

test('what a deploy makes has everything that the template says', async () => {
  const { aws } = await start();
  const [found] = schedulesIn({ on: schedule('ENABLED') });
  if (found) aws.deploySchedule(found.definition);
  expect(aws.state.schedules['default/schedule-ENABLED']).toMatchObject({
    State: 'ENABLED',
    ScheduleExpression: 'rate(30 minutes)',
    Target: {
      RoleArn: expect.stringContaining('Role1234'),
      RetryPolicy: { MaximumRetryAttempts: 3 },
    },
  });
});

test('a cron expression is refused, not taken for another period', () => {
  expect(() => schedulesIn({ on: schedule('ENABLED', 'cron(0 3 * * ? *)') })).toThrow(
    'expected rate(…)',
  );
});

test('the schedules of the stack itself can be deployed, fire with their own input, and stop', async () => {
  const { aws } = await start();
  const folder = mkdtempSync(join(tmpdir(), 'keyturn-schedules-'));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  synthesize(folder, POLICY.replace('cron(0/10 * * * ? *)', 'rate(10 minutes)'));
  const schedules = readSchedules(join(folder, 'cdk.out'), 'Keyturn-prod');
  for (const { definition } of schedules) aws.deploySchedule(definition);

  const names = schedules.map(({ definition }) => definition.Name).sort();
  expect(names).toEqual(['keyturn-prod-enforce', 'keyturn-prod-reap', 'keyturn-prod-rotate']);
  const instant = Date.UTC(2026, 2, 2, 12, 30);
  expect(aws.firing('keyturn-prod-rotate', instant)).toEqual({
    scheduled: { at: '2026-03-02T12:30:00Z', nextInSeconds: 600, thirdInSeconds: 1_800 },
  });
  for (const { definition } of schedules) {
    aws.deploySchedule({ ...definition, State: 'DISABLED' });
    expect(aws.firing(definition.Name, instant)).toBeUndefined();
  }
});
