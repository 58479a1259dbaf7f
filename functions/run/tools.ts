import type { DataPlane } from '../data-plane/data-plane.ts';
import type { Measure } from '../environment.ts';
import type { Publish } from '../events/events.ts';
import type { OwnWritesApi } from '../management-api/management-api.ts';
import type { DocumentMark } from '../policy/document-mark.ts';
import type { Policy } from '../policy/policy.ts';
import type { Timing } from '../retry.ts';
import type { ScheduleStatus } from '../schedules/schedule-status.ts';
import type { ReadKeyPolicy, Secrets } from '../secrets-manager/secrets.ts';

export interface Log {
  info(message: string, details: object): void;
  warn(message: string, details: object): void;
  error(
    message: string,
    details: { readonly error: unknown; readonly [key: string]: unknown },
  ): void;
}

/** The tools of a run, made by `runtime.ts`. */
export interface RunTools extends Timing {
  readonly policy: Policy;
  readonly api: OwnWritesApi;
  readonly secrets: Secrets;
  /** The policy of a KMS key. */
  readonly keyPolicy: ReadKeyPolicy;
  readonly dataPlane: DataPlane;
  readonly publish: Publish;
  readonly measure: Measure;
  readonly log: Log;
  /** Of the policy that was deployed with the function. Undefined: nobody compares it. */
  policyMark(): DocumentMark | undefined;
  /** What the owner's schedules are like now. Takes three seconds at most and never rejects. */
  askSchedules(): Promise<readonly ScheduleStatus[]>;
  /** The instant by which this run must end. */
  readonly deadline: number;
  /** How long after a firing the schedule of `rotate` fires again, at most. Absent: nobody told. */
  readonly nextRunMs?: number | undefined;
  /** How long after a firing the schedule of `rotate` fires for the third time, at most. Absent: nobody told. */
  readonly thirdRunMs?: number | undefined;
}

/** The tools after both systems were observed. */
export interface Tools extends RunTools {
  /** The Management API's time: ages are counted by it, and markers get it. */
  apiNow(): number;
}
