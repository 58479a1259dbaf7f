import { DAY_MS, MINUTE_MS } from '../time.ts';

/** In the order of the week; numbers count from here. */
export const DAYS = ['Sun', 'Mon', 'Tue', 'Wed', 'Thu', 'Fri', 'Sat'] as const;
type Day = (typeof DAYS)[number];
/** A weekly window for rotations; minutes count from midnight in the policy's time zone. */
export interface Window {
  readonly days: readonly Day[];
  readonly fromMinute: number;
  /** Not more than `fromMinute`: the window ends on the following day. */
  readonly toMinute: number;
}

const formatTime = (minute: number) =>
  [Math.floor(minute / 60), minute % 60].map((part) => String(part).padStart(2, '0')).join(':');

/** `Mon,Tue 09:00-17:00`: the same window, as a policy may write it. */
export function formatWindow({ days, fromMinute, toMinute }: Window): string {
  const on = days.length === DAYS.length ? 'daily' : days.join(',');
  return `${on} ${formatTime(fromMinute)}-${formatTime(toMinute)}`;
}

const MINUTES_OF_DAY = 24 * 60;
const LONGEST_STEP_MINUTES = 5;
/** More than any clock is put forward or back. */
const CLOCK_CHANGE_MS = 2 * 60 * MINUTE_MS;
/** Two weeks and a day: the clock, when it is put forward, may skip a window that opens once a week. */
const LONGEST_WAIT_MS = 15 * DAY_MS;

/** How many minutes a window is open. */
export const lengthOf = ({ fromMinute, toMinute }: Window): number =>
  toMinute > fromMinute ? toMinute - fromMinute : toMinute - fromMinute + MINUTES_OF_DAY;

/** A day of the week (0: Sunday), and minutes after midnight. */
type LocalTime = readonly [today: number, minute: number];

function localTime(timeZone: string): (instant: number) => LocalTime {
  const clock = new Intl.DateTimeFormat('en-US', {
    timeZone,
    weekday: 'short',
    hour: '2-digit',
    minute: '2-digit',
    hourCycle: 'h23',
  });
  return (instant) => {
    const parts = clock.formatToParts(instant);
    const part = (type: string) => parts.find((each) => each.type === type)?.value ?? '';
    const minute = Number(part('hour')) * 60 + Number(part('minute'));
    return [DAYS.indexOf(part('weekday') as Day), minute];
  };
}

/** Whether an instant is in one of the windows; without any window, always. */
function openAt(windows: readonly Window[], timeZone: string): (instant: number) => boolean {
  if (windows.length === 0) return () => true;
  const local = localTime(timeZone);
  return (instant) => isOpen(windows, ...local(instant));
}

/** How many minutes after a local time one of the windows is open, in steps, as long as nobody changes the clock. */
function minutesToNext(windows: readonly Window[], [today, now]: LocalTime, step: number): number {
  for (let waited = 0; waited < 7 * MINUTES_OF_DAY; waited += step) {
    const minute = now + waited;
    const day = (today + Math.floor(minute / MINUTES_OF_DAY)) % 7;
    if (isOpen(windows, day, minute % MINUTES_OF_DAY)) return waited;
  }
  return 0;
}

/** The first instant from `from` on that is in one of the windows, to five minutes; `from` itself without any window. */
export function nextWithin(windows: readonly Window[], timeZone: string, from: number): number {
  if (windows.length === 0) return from;
  // No step is longer than the shortest window, so that none is stepped over.
  const step = Math.min(LONGEST_STEP_MINUTES, ...windows.map(lengthOf));
  const local = localTime(timeZone);
  // Up to an hour or two before it, when the clock may have been changed, the calendar of the week is right.
  const waited = minutesToNext(windows, local(from), step) * MINUTE_MS;
  const begin = Math.max(0, waited - CLOCK_CHANGE_MS);
  const near = from + begin - (begin % (step * MINUTE_MS));
  for (let at = from; at < from + LONGEST_WAIT_MS; at += step * MINUTE_MS) {
    // An hour may come twice, and with it a window that was just over.
    if (at < near && at >= from + CLOCK_CHANGE_MS) at = near;
    if (isOpen(windows, ...local(at))) return at;
  }
  return from;
}

/** Whether `instant` is in one of the windows; without any window, always. */
export const withinWindows = (
  windows: readonly Window[],
  timeZone: string,
  instant: number,
): boolean => openAt(windows, timeZone)(instant);

/** Whether one of the windows is open on this day of the week (0: Sunday), so many minutes after midnight. */
export function isOpen(windows: readonly Window[], today: number, minute: number): boolean {
  const yesterday = DAYS[(today + 6) % 7] as Day;
  return windows.some(({ days, fromMinute, toMinute }) => {
    const startsToday = days.includes(DAYS[today] as Day) && minute >= fromMinute;
    if (toMinute > fromMinute) return startsToday && minute < toMinute;
    return startsToday || (days.includes(yesterday) && minute < toMinute);
  });
}
