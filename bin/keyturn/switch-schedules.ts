import { redact } from '../../functions/credentials.ts';
import { SCHEDULED, scheduleName } from '../../functions/environment.ts';
import type { Policy } from '../../functions/policy/policy.ts';
import {
  type PauseNote,
  readPauseNote,
  withPauseNote,
} from '../../functions/schedules/pause-note.ts';
import { type ScheduleStatus, scheduleStatus } from '../../functions/schedules/schedule-status.ts';
import { CommandError } from './failure.ts';
import type { Change, Found, Scheduler } from './scheduler.ts';

/** `pause` stops schedules, `resume` starts them. */
export type Way = 'pause' | 'resume';

/** `unchanged`: it was as it should be. `failed`: it is not, or that was not seen. */
export type SwitchResult = 'stopped' | 'started' | 'unchanged' | 'missing' | 'failed';

/** A schedule of the owner, and what AWS says of it. */
export interface Seen {
  readonly status: ScheduleStatus;
  readonly found?: Found | undefined;
  /** Why it could not be read. */
  readonly error?: unknown;
}

/** What became of it. */
export interface Switched extends Seen {
  readonly result: SwitchResult;
  /** It was stopped, and its description has no room for the note of who did it. */
  readonly unnoted?: true;
}

async function look(name: string, scheduler: Scheduler): Promise<Seen> {
  try {
    const found = await scheduler.get(name);
    return { status: scheduleStatus(name, found), found };
  } catch (error) {
    return { status: { name, state: 'unknown' }, error };
  }
}

/**
 * The schedules of an owner, whom their names give.
 * @throws CommandError if there is none; the error of AWS if none can be read
 */
export async function lookAtAll({ owner }: Policy, scheduler: Scheduler): Promise<readonly Seen[]> {
  const names = SCHEDULED.map((job) => scheduleName(owner, job));
  const seen = await Promise.all(names.map((name) => look(name, scheduler)));
  if (seen.every(({ status }) => status.state === 'missing')) {
    throw new CommandError(
      `found none of the schedules ${names.join(', ')} in this account and Region, expected those of the stack; ` +
        'check AWS_PROFILE, AWS_REGION and the policy’s owner. A stack of version 0.1.0 has schedules of other names: deploy it again first',
    );
  }
  if (seen.every(({ status }) => status.state === 'unknown')) throw seen[0]?.error;
  return seen;
}

const STATE = { pause: 'DISABLED', resume: 'ENABLED' } as const;

/** Whether anything is left to do; of what could not be read, yes. */
export function isToDo({ status, found }: Seen, way: Way): boolean {
  if (status.state === 'missing') return false;
  if (!found || found.State !== STATE[way]) return true;
  // Somebody started it by hand, and its description still says that it is off.
  return way === 'resume' && readPauseNote(found.Description).note !== undefined;
}

function changeOf(found: Found, note: PauseNote | undefined): Change {
  const { text } = readPauseNote(found.Description);
  const Description = (note && withPauseNote(text, note)) ?? (text || undefined);
  return { State: note ? 'DISABLED' : 'ENABLED', Description };
}

/** @param note who stops it and why; absent: start it */
async function switchOne(
  { status: { name } }: Seen,
  note: PauseNote | undefined,
  scheduler: Scheduler,
): Promise<Switched> {
  const way: Way = note ? 'pause' : 'resume';
  // Once more: since the confirmation, a deploy or another person may have changed it.
  const seen = await look(name, scheduler);
  const { status, found } = seen;
  if (!isToDo(seen, way)) {
    return { ...seen, result: status.state === 'missing' ? 'missing' : 'unchanged' };
  }
  if (!found) return { ...seen, result: 'failed' };
  const wasRight = found.State === STATE[way];
  try {
    const now = await scheduler.change(found, changeOf(found, note));
    const done = { status: scheduleStatus(name, now), found: now };
    if (wasRight) return { ...done, result: 'unchanged' };
    if (!note) return { ...done, result: 'started' };
    const unnoted = done.status.since === undefined;
    return { ...done, result: 'stopped', ...(unnoted && { unnoted }) };
  } catch (error) {
    // What it is now, as far as anybody can see, beside why that is not what was asked for.
    return { ...(await look(name, scheduler)), result: 'failed', error };
  }
}

/**
 * Every schedule by itself: one that fails stops no other.
 * @param patiently waits for the work, or fails where nobody waits any more
 */
export const switchAll = (
  seen: readonly Seen[],
  note: PauseNote | undefined,
  scheduler: Scheduler,
  patiently: <T>(work: () => Promise<T>) => Promise<T>,
): Promise<readonly Switched[]> =>
  Promise.all(
    seen.map((each) =>
      patiently(() => switchOne(each, note, scheduler)).catch(
        (error: unknown): Switched => ({
          status: { name: each.status.name, state: 'unknown' },
          result: 'failed',
          error,
        }),
      ),
    ),
  );

/** For people. */
export const messageOf = (error: unknown): string =>
  redact(error instanceof Error ? error.message : String(error));
