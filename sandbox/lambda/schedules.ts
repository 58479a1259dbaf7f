import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';
import type { ScheduleDefinition } from '../aws/schedules.ts';
import { type References, resolveIntrinsics } from './intrinsics.ts';

const templateSchema = z.object({
  Resources: z.record(
    z.string(),
    z.object({ Type: z.string(), Properties: z.record(z.string(), z.unknown()).optional() }),
  ),
});
const propertiesSchema = z.looseObject({
  Name: z.string(),
  ScheduleExpression: z.string(),
  FlexibleTimeWindow: z.looseObject({ Mode: z.enum(['OFF', 'FLEXIBLE']) }),
  State: z.enum(['ENABLED', 'DISABLED']).default('ENABLED'),
  Target: z.looseObject({
    Arn: z.object({ 'Fn::GetAtt': z.tuple([z.string(), z.string()]) }),
    RoleArn: z.unknown(),
    Input: z.string(),
    DeadLetterConfig: z.object({ Arn: z.unknown() }).optional(),
  }),
});

const UNIT_MS = { minute: 60_000, hour: 3_600_000, day: 86_400_000 } as const;

export interface FunctionSchedule {
  /** Logical id of the function that it invokes. */
  readonly logicalId: string;
  /** Of the template: a later UpdateSchedule does not change it. */
  readonly periodMs: number;
  /** What a deploy makes of it. */
  readonly definition: ScheduleDefinition;
}

function period(expression: string): number {
  const [, count, unit] = /^rate\((\d+) (minute|hour|day)s?\)$/.exec(expression) ?? [];
  if (count === undefined)
    throw new Error(
      `found the schedule ${expression}, expected rate(…): the sandbox runs no other`,
    );
  return Number(count) * UNIT_MS[unit as keyof typeof UNIT_MS];
}

/** The EventBridge schedules of a synthesized template, enabled or not. */
export function readSchedules(
  assemblyDirectory: string,
  stackName: string,
  references: References = {},
): FunctionSchedule[] {
  const file = join(assemblyDirectory, `${stackName}.template.json`);
  const { Resources } = templateSchema.parse(JSON.parse(readFileSync(file, 'utf8')));
  const resolve = (value: unknown) => resolveIntrinsics(value, references);
  return Object.values(Resources).flatMap(({ Type, Properties }) => {
    if (Type !== 'AWS::Scheduler::Schedule') return [];
    const { Target, ...properties } = propertiesSchema.parse(Properties);
    const { Arn, RoleArn, DeadLetterConfig, ...target } = Target;
    const [logicalId] = Arn['Fn::GetAtt'];
    const arns = {
      Arn: resolve(Arn),
      RoleArn: resolve(RoleArn),
      ...(DeadLetterConfig && { DeadLetterConfig: { Arn: resolve(DeadLetterConfig.Arn) } }),
    };
    const definition = { ...properties, Target: { ...target, ...arns } };
    return [{ logicalId, periodMs: period(properties.ScheduleExpression), definition }];
  });
}
