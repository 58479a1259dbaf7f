import type { DocumentMark } from '../policy/document-mark.ts';
import type { ScheduleStatus } from '../schedules/schedule-status.ts';
import { formatInstant } from '../time.ts';
import type { Scheduled } from './request.ts';

/** The answer of a run that a person invoked, and what its function's schedule is like meanwhile. */
export type AnswerByHand<T> = T & {
  readonly schedule: ScheduleStatus;
  /** Of the policy that was deployed with the function. */
  readonly policy?: DocumentMark | undefined;
};

/** The answer of a scheduled run that began when it should have been over. Nothing was read or changed. */
export interface LateAnswer {
  readonly late: true;
  /** When the schedule was to fire. */
  readonly at: string;
  /** By when the run had to be over. */
  readonly until: string;
  readonly message: string;
}

/** The next run does what this one would have done; there is nothing to repeat and nothing to repair. */
export function lateAnswer({ at }: Scheduled, end: number): LateAnswer {
  const planned = formatInstant(at);
  const until = formatInstant(end);
  const message = `the schedule was to fire at ${planned}; this run should have been over by ${until}, so it did nothing, and the next one does all that is left`;
  return { late: true, at: planned, until, message };
}
