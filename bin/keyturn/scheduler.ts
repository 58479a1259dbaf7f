import { setTimeout as sleep } from 'node:timers/promises';
import { isDeepStrictEqual } from 'node:util';
import {
  GetScheduleCommand,
  type GetScheduleOutput,
  ResourceNotFoundException,
  SchedulerClient,
  type ScheduleState,
  UpdateScheduleCommand,
} from '@aws-sdk/client-scheduler';
import { GetCallerIdentityCommand, STSClient } from '@aws-sdk/client-sts';
import { awsCall, awsClient } from '../../functions/aws-call.ts';

/** What EventBridge Scheduler says of one schedule. */
export type Found = GetScheduleOutput;
/** The two fields that change. */
export interface Change {
  readonly State: ScheduleState;
  readonly Description: string | undefined;
}

export interface Scheduler {
  /** Undefined: there is no such schedule. */
  get(name: string): Promise<Found | undefined>;
  /**
   * Changes these two fields and no other, and has then seen it.
   * @throws Error if it was not seen
   */
  change(found: Found, change: Change): Promise<Found>;
}

/** For one call, with the repetitions that the SDK makes of it. */
const PATIENCE_MS = 30_000;
const REPEATING = { maxAttempts: 3 };
/** A read may show what was there before a write. */
const LOOKS = 5;
const BETWEEN_LOOKS_MS = 1_000;

/** The fields that UpdateSchedule takes: it resets those that a request leaves out. */
function fieldsOf(found: Found) {
  const { Arn, CreationDate, LastModificationDate, ...fields } = found;
  return fields;
}

/** All fields but those that are changed here. */
function untouched(found: Found) {
  const { State, Description, ...others } = fieldsOf(found);
  return others;
}

/** What is there is what was asked for; an empty description and none are the same. */
const has = ({ State, Description = '' }: Found, change: Change) =>
  State === change.State && Description === (change.Description ?? '');

export function createScheduler(): Scheduler {
  const client = awsClient(SchedulerClient, REPEATING);

  async function get(name: string): Promise<Found | undefined> {
    try {
      const command = new GetScheduleCommand({ Name: name });
      const { $metadata, ...found } = await awsCall(`GetSchedule of ${name}`, PATIENCE_MS, (how) =>
        client.send(command, how),
      );
      return found;
    } catch (error) {
      if (error instanceof ResourceNotFoundException) return undefined;
      throw error;
    }
  }

  async function seen(name: string, change: Change): Promise<Found | undefined> {
    for (let look = 1; ; look += 1) {
      const now = await get(name);
      if (now && has(now, change)) return now;
      if (look === LOOKS) return undefined;
      await sleep(BETWEEN_LOOKS_MS);
    }
  }

  return {
    get,
    async change(found, change) {
      const { Name = '', ScheduleExpression, Target, FlexibleTimeWindow } = found;
      const required = { Name, ScheduleExpression, Target, FlexibleTimeWindow };
      const command = new UpdateScheduleCommand({ ...fieldsOf(found), ...required, ...change });
      try {
        await awsCall(`UpdateSchedule of ${Name}`, PATIENCE_MS, (how) => client.send(command, how));
      } catch (error) {
        // The answer may be lost, and the change made.
        const now = await get(Name).catch(() => undefined);
        if (!now || !has(now, change)) throw error;
      }
      const now = await seen(Name, change);
      if (!now) throw new Error(`the change was sent, and not seen within ${LOOKS} seconds`);
      if (!isDeepStrictEqual(untouched(now), untouched(found))) {
        throw new Error(
          'other fields of it are not as they were before; compare the schedule with the stack (detect drift)',
        );
      }
      return now;
    },
  };
}

/** The end of the caller's ARN, such as `assumed-role/on-call/alice`. */
export async function callerName(): Promise<string> {
  const client = awsClient(STSClient, REPEATING);
  const { Arn = '' } = await awsCall('GetCallerIdentity', PATIENCE_MS, (how) =>
    client.send(new GetCallerIdentityCommand({}), how),
  );
  return Arn.split(':').slice(5).join(':');
}
