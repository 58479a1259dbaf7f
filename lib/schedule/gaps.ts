import { type Cron, ExpressionError, parseCron } from './cron.ts';

export const MINUTE_MS = 60_000;
export const DAY_MS = 24 * 60 * MINUTE_MS;
const MINUTES = { minute: 1, hour: 60, day: 24 * 60 };

/**
 * A cron expression is followed from here, or from its first year after it, for two years. A fixed year,
 * so that the same policy always gives the same template.
 */
const FIRST_YEAR = 2026;
const YEARS = 2;
export const FOLLOWED_MS = YEARS * 365 * DAY_MS;

const LONGEST_GAP_MINUTES = 366 * 24 * 60;
const YEARLY = 'a schedule that fires at least once a year';

/** How far apart the firings of a schedule are, in minutes. */
export interface Gaps {
  /** The shortest time from one firing to the next. */
  readonly shortest: number;
  /** The longest time from one firing to the next. */
  readonly longestOfOne: number;
  /** The longest time from one firing to the second one after it. */
  readonly longestOfTwo: number;
  /** The longest time from one firing to the third one after it. */
  readonly longestOfThree: number;
}

/** Minutes by which a zone is ahead of UTC. */
function offsetIn(timeZone: string): (instant: number) => number {
  const format = new Intl.DateTimeFormat('en-US', { timeZone, timeZoneName: 'longOffset' });
  return (instant) => {
    const [, sign, hours, minutes] =
      /GMT(?:([+-])(\d\d):(\d\d))?/.exec(format.format(instant)) ?? [];
    const ahead = Number(hours ?? 0) * 60 + Number(minutes ?? 0);
    return sign === '-' ? -ahead : ahead;
  };
}

/**
 * The instants of all firings from one midnight (UTC) to another, in order. When clocks go forward, a time that does not exist is skipped;
 * when they go back, a time that comes twice counts once.
 * https://docs.aws.amazon.com/scheduler/latest/UserGuide/schedule-types.html#daylist-savings-time
 */
function* firings(
  { minutes, years, firesOn }: Cron,
  timeZone: string,
  { start, end }: { readonly start: number; readonly end: number },
): Generator<number> {
  const offsetAt = offsetIn(timeZone);
  for (let day = start; day < end; day += DAY_MS) {
    const date = new Date(day);
    if (!years.has(date.getUTCFullYear()) || !firesOn(date)) continue;
    const before = offsetAt(day - DAY_MS);
    const after = offsetAt(day + 2 * DAY_MS);
    for (const minute of minutes) {
      const wall = day + minute * MINUTE_MS;
      if (before === after) yield wall - before * MINUTE_MS;
      else {
        // Of a time that comes twice, the one with the offset of before is the first.
        const possible = [before, after].map((offset) => wall - offset * MINUTE_MS);
        const real = possible.find((at) => at + offsetAt(at) * MINUTE_MS === wall);
        if (real !== undefined) yield real;
      }
    }
  }
}

/** The years in which the firings of a cron expression are compared. */
function yearsOf({ years }: Cron) {
  const from = [...years].filter((year) => year >= FIRST_YEAR).sort((a, b) => a - b)[0];
  return from === undefined
    ? { start: 0, end: 0 }
    : { start: Date.UTC(from, 0), end: Date.UTC(from + YEARS, 0) };
}

function gapsOfCron(fields: string, timeZone: string): Gaps {
  let shortest = Number.POSITIVE_INFINITY;
  let [ofOne, ofTwo, ofThree] = [0, 0, 0];
  let [third, second, last]: (number | undefined)[] = [];
  const cron = parseCron(fields);
  for (const at of firings(cron, timeZone, yearsOf(cron))) {
    if (last !== undefined) shortest = Math.min(shortest, at - last);
    ofOne = Math.max(ofOne, at - (last ?? at));
    ofTwo = Math.max(ofTwo, at - (second ?? last ?? at));
    ofThree = Math.max(ofThree, at - (third ?? second ?? last ?? at));
    [third, second, last] = [second, last, at];
  }
  if (shortest === Number.POSITIVE_INFINITY) {
    throw new ExpressionError(YEARLY);
  }
  return {
    shortest: shortest / MINUTE_MS,
    longestOfOne: ofOne / MINUTE_MS,
    longestOfTwo: ofTwo / MINUTE_MS,
    longestOfThree: ofThree / MINUTE_MS,
  };
}

/** Of crons: a policy asks a dozen times for the same, and each follows two years of firings, of which every minute may have one. */
const known = new Map<string, Gaps>();

/** The fields of a cron expression; undefined: it is none. */
const cronIn = (expression: string): string | undefined => /^cron\((.*)\)$/.exec(expression)?.[1];

/**
 * How far apart the firings of `rate(30 minutes)` or `cron(0 3 * * ? *)` are.
 * @throws ExpressionError
 */
export function gapsOf(expression: string, timeZone: string): Gaps {
  const [, kind, inside = ''] = /^(rate|cron)\((.*)\)$/.exec(expression) ?? [];
  if (kind === 'cron') {
    const key = `${timeZone} ${inside}`;
    const gaps = known.get(key) ?? gapsOfCron(inside, timeZone);
    known.set(key, gaps);
    return gaps;
  }
  const [, count, unit, plural] = /^([1-9]\d*) (minute|hour|day)(s?)$/.exec(inside) ?? [];
  if (kind === undefined || count === undefined) {
    throw new ExpressionError('a number and minutes, hours or days, such as rate(30 minutes)');
  }
  if ((count === '1') !== (plural === '')) {
    throw new ExpressionError(`rate(${count} ${unit}${count === '1' ? '' : 's'})`);
  }
  const minutes = Number(count) * MINUTES[unit as keyof typeof MINUTES];
  if (minutes > LONGEST_GAP_MINUTES) throw new ExpressionError(YEARLY);
  return {
    shortest: minutes,
    longestOfOne: minutes,
    longestOfTwo: 2 * minutes,
    longestOfThree: 3 * minutes,
  };
}

/**
 * When `cron(0 3 * * ? *)` fires next after an instant, within two years. Undefined: not then, or it is a rate,
 * whose firings count from an instant that only EventBridge knows.
 * @throws ExpressionError
 */
export function nextFiring(
  expression: string,
  timeZone: string,
  after: number,
): number | undefined {
  const fields = cronIn(expression);
  if (fields === undefined) return undefined;
  // A day earlier, because in some zones it is still the day before.
  const start = after - (after % DAY_MS) - DAY_MS;
  const end = start + 2 * 366 * DAY_MS;
  for (const at of firings(parseCron(fields), timeZone, { start, end })) {
    if (at > after) return at;
  }
  return undefined;
}

/**
 * Whether the years of a cron expression are over, so that it never fires again; a rate never is.
 * @throws ExpressionError
 */
export function isOver(expression: string, timeZone: string, now: number): boolean {
  const fields = cronIn(expression);
  if (fields === undefined || nextFiring(expression, timeZone, now) !== undefined) return false;
  return Math.max(...parseCron(fields).years) <= new Date(now).getUTCFullYear();
}

/**
 * The days on which a cron expression fires within two years, as midnights in UTC of their dates, and how many minutes after midnight,
 * by the clock on the wall. Undefined: it is a rate, which begins whenever it was deployed.
 * @throws ExpressionError
 */
export function firingDays(
  expression: string,
): { readonly days: readonly Date[]; readonly minutes: readonly number[] } | undefined {
  const fields = cronIn(expression);
  if (fields === undefined) return undefined;
  const cron = parseCron(fields);
  const { start, end } = yearsOf(cron);
  const days = Array.from(
    { length: (end - start) / DAY_MS },
    (_, index) => new Date(start + index * DAY_MS),
  );
  return {
    days: days.filter((day) => cron.years.has(day.getUTCFullYear()) && cron.firesOn(day)),
    minutes: cron.minutes,
  };
}

/** A rate of hours or days names no minute: many clusters need not start in the same minute. */
export const windowMinutes = (expression: string): number =>
  /^rate\(\d+ (?:hour|day)s?\)$/.test(expression) ? 15 : 0;

/** What a run may reckon with, in seconds after its schedule was to fire. */
export interface Firings {
  /** The least time to the next firing, by which the run ends. */
  readonly nextInSeconds: number;
  /** The most time to the third. */
  readonly thirdInSeconds: number;
}

/**
 * When a schedule fires again, whenever in the flexible window it does.
 * @throws ExpressionError
 */
export function firingsOf(expression: string, timeZone: string): Firings {
  const { shortest, longestOfThree } = gapsOf(expression, timeZone);
  const window = windowMinutes(expression);
  return {
    nextInSeconds: (shortest - window) * 60,
    thirdInSeconds: (longestOfThree + window) * 60,
  };
}

/** The most time to the next firing, in seconds. */
export const latestInSeconds = (expression: string, timeZone: string): number =>
  (gapsOf(expression, timeZone).longestOfOne + windowMinutes(expression)) * 60;
