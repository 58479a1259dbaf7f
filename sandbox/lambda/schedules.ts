import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';

const templateSchema = z.object({
  Resources: z.record(
    z.string(),
    z.object({ Type: z.string(), Properties: z.record(z.string(), z.unknown()).optional() }),
  ),
});
const scheduleSchema = z.object({
  ScheduleExpression: z.string(),
  State: z.string().default('ENABLED'),
  Target: z.object({
    Arn: z.object({ 'Fn::GetAtt': z.tuple([z.string(), z.string()]) }),
    Input: z.string(),
  }),
});

const UNIT_MS = { minute: 60_000, hour: 3_600_000, day: 86_400_000 } as const;

export interface FunctionSchedule {
  /** Logical id of the function that it invokes. */
  readonly logicalId: string;
  readonly periodMs: number;
  /** The event of a firing at this instant: the template's input with its context attributes filled in. */
  eventAt(instant: number): unknown;
}

/** https://docs.aws.amazon.com/scheduler/latest/UserGuide/managing-schedule-context-attributes.html */
const SCHEDULED_TIME = '<aws.scheduler.scheduled-time>';

function period(expression: string): number {
  const [, count, unit] = /^rate\((\d+) (minute|hour|day)s?\)$/.exec(expression) ?? [];
  if (count === undefined)
    throw new Error(
      `found the schedule ${expression}, expected rate(…): the sandbox runs no other`,
    );
  return Number(count) * UNIT_MS[unit as keyof typeof UNIT_MS];
}

/** The enabled EventBridge schedules of a synthesized template. */
export function readSchedules(assemblyDirectory: string, stackName: string): FunctionSchedule[] {
  const file = join(assemblyDirectory, `${stackName}.template.json`);
  const { Resources } = templateSchema.parse(JSON.parse(readFileSync(file, 'utf8')));
  return Object.values(Resources).flatMap(({ Type, Properties }) => {
    if (Type !== 'AWS::Scheduler::Schedule') return [];
    const { ScheduleExpression, State, Target } = scheduleSchema.parse(Properties);
    if (State !== 'ENABLED') return [];
    const [logicalId] = Target.Arn['Fn::GetAtt'];
    const eventAt = (instant: number): unknown => {
      const at = `${new Date(instant).toISOString().slice(0, 19)}Z`;
      return JSON.parse(Target.Input.replaceAll(SCHEDULED_TIME, at));
    };
    return [{ logicalId, periodMs: period(ScheduleExpression), eventAt }];
  });
}
