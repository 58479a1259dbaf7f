import {
  type CreateScheduleCommandInput,
  Scheduler,
  type UpdateScheduleCommandInput,
} from '@aws-sdk/client-scheduler';
import { STS } from '@aws-sdk/client-sts';
import { expect, onTestFinished, test } from 'vitest';
import { refusal, start } from './start.ts';

const credentials = { accessKeyId: 'test', secretAccessKey: 'test' };

async function startScheduler() {
  const { aws, clock } = await start();
  const options = { endpoint: aws.url, region: aws.region, credentials, maxAttempts: 1 };
  const scheduler = new Scheduler(options);
  const sts = new STS(options);
  onTestFinished(() => {
    scheduler.destroy();
    sts.destroy();
  });
  return { aws, clock, scheduler, sts };
}

const Name = 'keyturn-prod-rotate';
const RoleArn = 'arn:aws:iam::123456789012:role/schedule';
const schedule: CreateScheduleCommandInput = {
  Name,
  Description: 'Keyturn (prod): rotate',
  ScheduleExpression: 'cron(0 3 * * ? *)',
  ScheduleExpressionTimezone: 'Europe/Berlin',
  StartDate: new Date('2026-01-01T00:00:00Z'),
  EndDate: new Date('2027-01-01T00:00:00Z'),
  FlexibleTimeWindow: { Mode: 'FLEXIBLE', MaximumWindowInMinutes: 15 },
  ActionAfterCompletion: 'DELETE',
  KmsKeyArn: 'arn:aws:kms:eu-west-1:123456789012:key/schedules',
  Target: {
    Arn: 'arn:aws:lambda:eu-west-1:123456789012:function:keyturn-prod-rotate',
    RoleArn,
    Input: '{"scheduled":{"at":"<aws.scheduler.scheduled-time>"}}',
    DeadLetterConfig: { Arn: 'arn:aws:sqs:eu-west-1:123456789012:failures' },
    RetryPolicy: { MaximumEventAgeInSeconds: 900, MaximumRetryAttempts: 3 },
  },
};
const NOON = Date.UTC(2026, 5, 1, 12);

test('a schedule is read as it was made, with when', async () => {
  const { clock, scheduler } = await startScheduler();
  const { ScheduleArn } = await scheduler.createSchedule(schedule);
  const { $metadata: _, ...found } = await scheduler.getSchedule({ Name });
  expect(found).toEqual({
    ...schedule,
    Arn: ScheduleArn,
    GroupName: 'default',
    State: 'ENABLED',
    CreationDate: new Date(clock.now()),
    LastModificationDate: new Date(clock.now()),
  });
  expect(ScheduleArn).toBe(
    'arn:aws:scheduler:eu-west-1:123456789012:schedule/default/keyturn-prod-rotate',
  );
});

test('an update replaces the whole schedule: what it leaves out is reset', async () => {
  const { aws, clock, scheduler } = await startScheduler();
  await scheduler.createSchedule(schedule);
  const made = clock.now();
  clock.advance(60_000);
  const least: UpdateScheduleCommandInput = {
    Name,
    ScheduleExpression: 'rate(1 hour)',
    FlexibleTimeWindow: { Mode: 'OFF' },
    Target: { Arn: 'arn:other', RoleArn },
  };
  await scheduler.updateSchedule(least);
  const { $metadata: _, Arn, ...found } = await scheduler.getSchedule({ Name });
  expect(found).toEqual({
    ...least,
    Target: {
      ...least.Target,
      RetryPolicy: { MaximumEventAgeInSeconds: 86_400, MaximumRetryAttempts: 185 },
    },
    ScheduleExpressionTimezone: 'UTC',
    State: 'ENABLED',
    ActionAfterCompletion: 'NONE',
    GroupName: 'default',
    CreationDate: new Date(made),
    LastModificationDate: new Date(clock.now()),
  });
  expect(aws.firing(Name, NOON)).toMatchObject({ source: 'aws.scheduler' });
});

test('a disabled schedule does not fire, nor does one outside of its dates', async () => {
  const { aws, scheduler } = await startScheduler();
  await scheduler.createSchedule(schedule);
  expect(aws.firing(Name, NOON)).toEqual({ scheduled: { at: '2026-06-01T12:00:00Z' } });
  expect(aws.firing(Name, Date.UTC(2025, 5, 1))).toBeUndefined();
  expect(aws.firing(Name, Date.UTC(2027, 5, 1))).toBeUndefined();
  await scheduler.updateSchedule({ ...schedule, State: 'DISABLED' });
  expect(aws.firing(Name, NOON)).toBeUndefined();
});

test('what is not there, there already, or wrong is refused as AWS does', async () => {
  const { scheduler } = await startScheduler();
  const missing = 'ResourceNotFoundException: Schedule keyturn-prod-rotate does not exist.';
  expect(await refusal(scheduler.getSchedule({ Name }))).toBe(missing);
  expect(await refusal(scheduler.updateSchedule(schedule))).toBe(missing);
  await scheduler.createSchedule(schedule);
  expect(await refusal(scheduler.createSchedule(schedule))).toMatch(/^ConflictException/);
  expect(await refusal(scheduler.getSchedule({ Name, GroupName: 'other' }))).toBe(missing);
  const long = { ...schedule, Description: 'x'.repeat(513) };
  expect(await refusal(scheduler.updateSchedule(long))).toMatch(
    /^ValidationException: .*length less than or equal to 512/,
  );
});

test('the interceptor knows schedules and callers by their server', async () => {
  const { aws, scheduler, sts } = await startScheduler();
  const seen: unknown[] = [];
  aws.intercept = (call, effect) => {
    seen.push([call.server, call.operation, call.subject]);
    return Promise.resolve(effect());
  };
  await refusal(scheduler.getSchedule({ Name }));
  expect((await sts.getCallerIdentity({})).Arn).toBe(
    'arn:aws:sts::123456789012:assumed-role/Operator/somebody',
  );
  expect(seen).toEqual([
    ['scheduler', 'GetSchedule', `default/${Name}`],
    ['sts', 'GetCallerIdentity', undefined],
  ]);
});
