import {
  GetScheduleCommand,
  ResourceNotFoundException,
  SchedulerClient,
  type SchedulerClientConfig,
} from '@aws-sdk/client-scheduler';
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
  const client = new SchedulerClient({
    maxAttempts: 1,
    requestHandler: {
      connectionTimeout: TIMEOUT_MS,
      requestTimeout: TIMEOUT_MS,
      throwOnRequestTimeout: true,
    },
    ...config,
  });
  return async (name) => {
    try {
      return scheduleStatus(name, await client.send(new GetScheduleCommand({ Name: name })));
    } catch (error) {
      if (error instanceof ResourceNotFoundException) return scheduleStatus(name, undefined);
      throw error;
    }
  };
}
