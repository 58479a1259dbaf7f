import {
  GetScheduleCommand,
  ResourceNotFoundException,
  SchedulerClient,
  type SchedulerClientConfig,
} from '@aws-sdk/client-scheduler';
import { awsCall, NO_RETRIES, withBounds } from '../aws-call.ts';
import { type ScheduleStatus, scheduleStatus } from './schedule-status.ts';

/** Reads what a schedule of the group `default` is like now, with one call. */
export type ReadSchedule = (name: string) => Promise<ScheduleStatus>;

/** The answer of a run waits for it, and can do without it. */
const TIMEOUT_MS = 3_000;

/**
 * This file is a bundle of its own, which only runs load that a person invokes (`#schedule-reader`): those
 * of a schedule need not parse the client.
 */
export function createScheduleReader(config: SchedulerClientConfig = {}): ReadSchedule {
  const client = withBounds(new SchedulerClient({ ...NO_RETRIES, ...config }));
  return async (name) => {
    try {
      const command = new GetScheduleCommand({ Name: name });
      const schedule = await awsCall(`GetSchedule of ${name}`, TIMEOUT_MS, (how) =>
        client.send(command, how),
      );
      return scheduleStatus(name, schedule);
    } catch (error) {
      if (error instanceof ResourceNotFoundException) return scheduleStatus(name, undefined);
      throw error;
    }
  };
}
