import type { History, Step } from '../crash/history.ts';
import { promotedIn, short } from '../crash/invariants.ts';
import type { Terms } from '../crash/terms.ts';
import { isAlive, isExpired, type SeenSecret } from '../crash/view.ts';
import { DAY, HOUR, MINUTE } from '../world/policy.ts';
import type { Chance } from './chance.ts';

const DAYS = ['Sun', 'Mon', 'Tue', 'Wed', 'Thu', 'Fri', 'Sat'] as const;
const DAILY = DAYS.map((_, day) => day);
const WEEKDAYS = [1, 2, 3, 4, 5];

/** A weekly window; days are numbers, 0 is Sunday, hours those of the clock on the wall. */
interface Window {
  readonly days: readonly number[];
  readonly from: number;
  readonly to: number;
}

/** When tokens may be rotated that can wait. */
export interface Windows {
  readonly timeZone: string;
  readonly windows: readonly Window[];
}

const hoursOf = ({ from, to }: Window) => (to > from ? to - from : to - from + 24);

const WINDOWS: readonly (readonly Window[])[] = [
  [{ days: DAILY, from: 2, to: 5 }],
  [{ days: [0], from: 2, to: 6 }],
  [{ days: DAILY, from: 22, to: 4 }],
  [
    { days: [2], from: 1, to: 9 },
    { days: [4], from: 12, to: 20 },
  ],
  [{ days: WEEKDAYS, from: 8, to: 18 }],
  [{ days: [6], from: 20, to: 18 }],
];
/** A week until the next one, in which a token waits: the others live too briefly, and a synthesis refuses them. */
const SHORTEST_LIFE = 7 * DAY;

/** From one that was just missed to the next, which a change of the clock may skip. */
export const LONGEST_WAIT = 8 * DAY;

/** Of a life whose runs meet each of them. */
export function drawWindows(
  chance: Chance,
  { rotateMs, everyMs }: { readonly rotateMs: number; readonly everyMs: number },
): Windows | undefined {
  const fit = WINDOWS.filter((all) => all.every((each) => hoursOf(each) * HOUR > everyMs + HOUR));
  if (!chance.happens(0.35) || rotateMs < SHORTEST_LIFE || fit.length === 0) return undefined;
  return { timeZone: chance.pick(['UTC', 'Europe/Berlin']), windows: chance.pick(fit) };
}

/** `Mon,Tue 09:00-17:00`, as a policy writes it. */
export const textOf = ({ days, from, to }: Window): string => {
  const clock = (hours: number) => `${`${hours}`.padStart(2, '0')}:00`;
  return `${days.map((day) => DAYS[day]).join(',')} ${clock(from)}-${clock(to)}`;
};

/** Milliseconds since the last Sunday began, by the clock on the wall. */
function timeOfWeek(at: number, timeZone: string): number {
  const wall = Date.parse(`${new Date(at).toLocaleString('en-US', { timeZone })} UTC`);
  // The first of January 1970 was a Thursday.
  return (wall + 4 * DAY) % (7 * DAY);
}

export function isOpen({ timeZone, windows }: Windows, at: number): boolean {
  const now = timeOfWeek(at, timeZone);
  return windows.some((window) =>
    window.days.some((day) => {
      const since = now - day * DAY - window.from * HOUR;
      return (since + 7 * DAY) % (7 * DAY) < hoursOf(window) * HOUR;
    }),
  );
}

/** A run decides at its beginning, and lasts for a quarter of an hour at most. */
const LONGEST_RUN = 15 * MINUTE;

/** What else is known of a life. */
interface Pace {
  readonly windows: Windows;
  readonly renewBefore: number;
  readonly everyMs: number;
  /** Somebody asks for its rotation. */
  readonly isAskedFor: (secret: string) => boolean;
}

/** Whether consumers cannot wait for a window, or a person does not want to. */
function mayNotWait(
  { name, holders }: SeenSecret,
  { before, after }: Step,
  { history, terms, pace }: { history: History; terms: Terms; pace: Pace },
): boolean {
  const former = before.tokens.get(before.secrets.get(name)?.holders.AWSCURRENT ?? '');
  const next = after.tokens.get(holders.AWSCURRENT ?? '');
  if (!former || next?.marker.forced || pace.isAskedFor(name)) return true;
  if (!isAlive(former) || isExpired(former, before.at)) return true;
  // A token that a person made may do other things than the entry says, and then its consumers are refused.
  const needed = terms.grantsOf(name) ?? history.granted[former.id] ?? [];
  if (!terms.accepts(history.strings[former.id], needed)) return true;
  const lead = Math.max(pace.renewBefore, terms.gracePeriod + 3 * pace.everyMs + HOUR);
  return former.expiresAt !== undefined && former.expiresAt - lead - LONGEST_RUN <= before.at;
}

/** Policies promise it: what can wait is promoted within the windows alone. */
export function* promotionsOutside(
  history: History,
  step: Step,
  terms: Terms,
  pace: Pace,
): Generator<string> {
  const { at } = step.after;
  for (const secret of promotedIn(history, step)) {
    // A neighbour has no windows.
    if (!terms.listed.includes(secret.name)) continue;
    if (isOpen(pace.windows, at) || isOpen(pace.windows, at - LONGEST_RUN)) continue;
    if (mayNotWait(secret, step, { history, terms, pace })) continue;
    yield `windows: ${short(secret.holders.AWSCURRENT ?? '')} was promoted in ${secret.name} outside of them`;
  }
}
