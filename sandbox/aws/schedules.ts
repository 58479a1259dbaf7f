import { z } from 'zod';

/**
 * Members of CreateSchedule and UpdateSchedule, with the bounds and defaults of the Amazon EventBridge
 * Scheduler API Reference. What a request leaves out gets its default, whatever the schedule had before.
 */
export const scheduleSchema = z.object({
  Name: z
    .string()
    .min(1)
    .max(64)
    .regex(/^[0-9a-zA-Z-_.]+$/),
  GroupName: z.string().min(1).max(64).default('default'),
  Description: z.string().max(512).optional(),
  ScheduleExpression: z.string().min(1).max(256),
  ScheduleExpressionTimezone: z.string().min(1).max(50).default('UTC'),
  /** Seconds since 1970. */
  StartDate: z.number().optional(),
  EndDate: z.number().optional(),
  State: z.enum(['ENABLED', 'DISABLED']).default('ENABLED'),
  KmsKeyArn: z.string().min(1).max(2048).optional(),
  FlexibleTimeWindow: z.object({
    Mode: z.enum(['OFF', 'FLEXIBLE']),
    MaximumWindowInMinutes: z.number().min(1).max(1440).optional(),
  }),
  ActionAfterCompletion: z.enum(['NONE', 'DELETE']).default('NONE'),
  // Loose: the parameters of other targets than functions.
  Target: z.looseObject({
    Arn: z.string().min(1).max(1600),
    RoleArn: z.string().min(1).max(1600),
    Input: z.string().min(1).optional(),
    DeadLetterConfig: z.object({ Arn: z.string().optional() }).optional(),
    RetryPolicy: z
      .object({
        MaximumEventAgeInSeconds: z.number().min(60).max(86_400).default(86_400),
        MaximumRetryAttempts: z.number().min(0).max(185).default(185),
      })
      .default({ MaximumEventAgeInSeconds: 86_400, MaximumRetryAttempts: 185 }),
  }),
});

export type ScheduleDefinition = z.input<typeof scheduleSchema>;

/** Instants of the service are milliseconds since 1970, those of the definition seconds. */
export interface Schedule extends z.output<typeof scheduleSchema> {
  readonly createdAt: number;
  readonly modifiedAt: number;
}

/** Names are unique in their group. */
export const scheduleKey = (name: string, group = 'default') => `${group}/${name}`;

/** https://docs.aws.amazon.com/scheduler/latest/UserGuide/managing-schedule-context-attributes.html */
const SCHEDULED_TIME = '<aws.scheduler.scheduled-time>';

/**
 * The event with which a schedule invokes its function at this instant: its input with the context attributes
 * filled in. Undefined: it does not fire, because it is disabled, or not within its dates.
 */
export function firingOf(schedule: Schedule | undefined, instant: number): object | undefined {
  if (schedule?.State !== 'ENABLED') return undefined;
  const { StartDate = 0, EndDate = Number.POSITIVE_INFINITY, Target } = schedule;
  if (instant < StartDate * 1000 || instant > EndDate * 1000) return undefined;
  const time = `${new Date(instant).toISOString().slice(0, 19)}Z`;
  // A target without an input gets an event that says only that it was scheduled.
  if (Target.Input === undefined) {
    return { source: 'aws.scheduler', 'detail-type': 'Scheduled Event', time, detail: '{}' };
  }
  return JSON.parse(Target.Input.replaceAll(SCHEDULED_TIME, time));
}
