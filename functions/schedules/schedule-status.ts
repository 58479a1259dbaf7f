import { type PauseNote, readPauseNote } from './pause-note.ts';

/**
 * `off`: it is there and does not fire. `missing`: there is no such schedule in this account and Region.
 * `unknown`: it could not be read.
 */
export type ScheduleState = 'on' | 'off' | 'missing' | 'unknown';

/** What an answer says of the schedule of a function. */
export interface ScheduleStatus extends Partial<Omit<PauseNote, 'at'>> {
  readonly name: string;
  readonly state: ScheduleState;
  /** When `keyturn pause` stopped it; with `by` and `reason`. Absent while it is off: something else did. */
  readonly since?: string;
  /** When anything of it was last changed, while it is off: it has been off at least since then, and may have been on until then. */
  readonly lastChanged?: string;
}

/** The part of GetSchedule's answer that the status is read from. */
export interface FoundSchedule {
  readonly State?: string | undefined;
  readonly Description?: string | undefined;
  readonly LastModificationDate?: Date | undefined;
}

/** @param found undefined: there is no such schedule */
export function scheduleStatus(name: string, found: FoundSchedule | undefined): ScheduleStatus {
  if (!found) return { name, state: 'missing' };
  if (found.State === 'ENABLED') return { name, state: 'on' };
  if (found.State !== 'DISABLED') return { name, state: 'unknown' };
  const { note } = readPauseNote(found.Description);
  const changed = found.LastModificationDate?.toISOString();
  return {
    name,
    state: 'off',
    ...(note && { since: note.at, by: note.by, reason: note.reason }),
    ...(changed !== undefined && { lastChanged: `${changed.slice(0, 19)}Z` }),
  };
}
