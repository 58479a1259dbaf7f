import {
  GetScheduleCommand,
  ResourceNotFoundException,
  SchedulerClient,
  type SchedulerClientConfig,
} from '@aws-sdk/client-scheduler';
import { awsCall, awsClient } from '../aws-call.ts';
import { type ScheduleStatus, scheduleStatus } from './schedule-status.ts';

export interface ScheduleReader {
  /** Reads what a schedule of the group `default` is like now, with one call. */
  read(name: string): Promise<ScheduleStatus>;
  /** Cuts the connections that are open; the next call makes new ones. */
  disconnect(): void;
}

/** The answer of a run waits for it, and can do without it. */
const TIMEOUT_MS = 3_000;

/**
 * This file is a bundle of its own, which only runs load that a person invokes (`#schedule-reader`): those
 * of a schedule need not parse the client.
 */
export function createScheduleReader(config: SchedulerClientConfig = {}): ScheduleReader {
  const client = awsClient(SchedulerClient, config);
  return {
    async read(name) {
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
    },
    disconnect: () => client.destroy(),
  };
}
