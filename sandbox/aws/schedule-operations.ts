import type { z } from 'zod';
import { AwsError, notFound } from './aws-error.ts';
import { type Operation, operation } from './request.ts';
import { type Schedule, scheduleKey, scheduleSchema } from './schedules.ts';
import { own, type Store } from './store.ts';

const named = scheduleSchema.pick({ Name: true, GroupName: true });

const arnOf = ({ region, accountId }: Store, { Name, GroupName }: z.infer<typeof named>) =>
  `arn:aws:scheduler:${region}:${accountId}:schedule/${GroupName}/${Name}`;

function find(store: Store, { Name, GroupName }: z.infer<typeof named>): Schedule {
  const found = own(store.state.schedules, scheduleKey(Name, GroupName));
  if (found === undefined) throw notFound(`Schedule ${Name} does not exist.`);
  return found;
}

function save(store: Store, schedule: Schedule): void {
  const key = scheduleKey(schedule.Name, schedule.GroupName);
  store.update({ schedules: { ...store.state.schedules, [key]: schedule } });
}

const createSchedule = operation(scheduleSchema, (store, definition) => {
  const { Name, GroupName } = definition;
  if (own(store.state.schedules, scheduleKey(Name, GroupName)) !== undefined)
    throw new AwsError('ConflictException', `Schedule ${Name} already exists.`);
  const now = store.now();
  save(store, { ...definition, createdAt: now, modifiedAt: now });
  return { ScheduleArn: arnOf(store, definition) };
});

const getSchedule = operation(named, (store, name) => {
  const { createdAt, modifiedAt, ...definition } = find(store, name);
  return {
    Arn: arnOf(store, name),
    ...definition,
    CreationDate: createdAt / 1000,
    LastModificationDate: modifiedAt / 1000,
  };
});

/** Replaces the whole schedule: nothing of the former one is left but when it was created. */
const updateSchedule = operation(scheduleSchema, (store, definition) => {
  const { createdAt } = find(store, definition);
  save(store, { ...definition, createdAt, modifiedAt: store.now() });
  return { ScheduleArn: arnOf(store, definition) };
});

/** By the methods of `/schedules/{Name}`. */
export const scheduleOperations = {
  GET: ['GetSchedule', getSchedule],
  POST: ['CreateSchedule', createSchedule],
  PUT: ['UpdateSchedule', updateSchedule],
} as const satisfies Record<string, readonly [string, Operation]>;

/** The HTTP status of a refusal, by which REST clients tell errors apart too. */
export const statusOf = ({ code }: AwsError): number => {
  if (code === 'ResourceNotFoundException') return 404;
  return code === 'ConflictException' ? 409 : 400;
};
