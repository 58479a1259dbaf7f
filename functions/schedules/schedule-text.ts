import type { ScheduleStatus } from './schedule-status.ts';

const BY_HAND = 'not by keyturn pause, but by schedules.paused in the policy or by hand';

/** `off since 2026-01-31T00:00:00Z by assumed-role/on-call/alice (a drill)` */
export function formatState({ state, since, by, reason, lastChanged }: ScheduleStatus): string {
  if (state === 'missing') return 'not there';
  if (state === 'unknown') return 'not known';
  if (state === 'on') return 'on';
  if (since !== undefined) return `off since ${since} by ${by}${reason ? ` (${reason})` : ''}`;
  return `off${lastChanged === undefined ? '' : `, at least since ${lastChanged}`}, ${BY_HAND}`;
}

/** What a person should know of a schedule that is not on; undefined: it is. */
function warningOf(status: ScheduleStatus): string | undefined {
  const { name, state } = status;
  if (state === 'on') return undefined;
  if (state === 'missing') {
    return `${name}: there is no such schedule in this account and Region, so it starts no run`;
  }
  if (state === 'unknown') return `${name}: not known whether this schedule is on`;
  const remedy = status.since === undefined ? '' : '; keyturn resume starts it';
  return `${name}: this schedule is ${formatState(status)}${remedy}`;
}

/** Of an answer; nothing if it says nothing, or only that it does not know. `keyturn status` says more. */
export const offNote = (status: ScheduleStatus | undefined): string | undefined =>
  status?.state === 'off' ? warningOf(status) : undefined;
