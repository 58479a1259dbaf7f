/** An expression that EventBridge Scheduler would refuse; the message says what was expected. */
export class ExpressionError extends Error {
  override readonly name = 'ExpressionError';
}

/** When a cron expression fires, by the clock on the wall of its time zone. */
export interface Cron {
  /** Minutes after midnight, in ascending order: the same ones on every day on which it fires. */
  readonly minutes: readonly number[];
  readonly years: ReadonlySet<number>;
  /** `day` is midnight, in UTC, of the date in question. */
  firesOn(day: Date): boolean;
}

interface Field {
  readonly name: string;
  readonly first: number;
  readonly last: number;
  /** Whether the first number follows upon the last, so that a range may go beyond it: `FRI-MON`. */
  readonly wraps: boolean;
  /** Names for the numbers from `first` on. */
  readonly names?: readonly string[];
}

const MINUTES: Field = { name: 'minutes', first: 0, last: 59, wraps: true };
const HOURS: Field = { name: 'hours', first: 0, last: 23, wraps: true };
const DATES: Field = { name: 'day of the month', first: 1, last: 31, wraps: true };
const MONTHS: Field = {
  name: 'month',
  first: 1,
  last: 12,
  wraps: true,
  names: ['JAN', 'FEB', 'MAR', 'APR', 'MAY', 'JUN', 'JUL', 'AUG', 'SEP', 'OCT', 'NOV', 'DEC'],
};
const WEEKDAYS: Field = {
  name: 'day of the week',
  first: 1,
  last: 7,
  wraps: true,
  names: ['SUN', 'MON', 'TUE', 'WED', 'THU', 'FRI', 'SAT'],
};
const YEARS: Field = { name: 'year', first: 1970, last: 2199, wraps: false };

function numberIn(text: string, { name, first, last, names = [] }: Field): number {
  const named = names.indexOf(text.toUpperCase());
  const value = named < 0 ? Number(/^\d+$/.exec(text)?.[0] ?? Number.NaN) : first + named;
  if (value >= first && value <= last) return value;
  throw new ExpressionError(`${first} to ${last} as the ${name} instead of "${text}"`);
}

/** The numbers of one part between commas: `*`, `5`, `1-5`, `FRI-MON`, `0/10`, `8-18/2`. */
function rangeIn(text: string, field: Field): readonly number[] {
  const [, all, from, to, step] = /^(?:(\*)|(\w+)(?:-(\w+))?)(?:\/([1-9]\d*))?$/.exec(text) ?? [];
  if (all === undefined && from === undefined) {
    throw new ExpressionError(
      `a value, a range or a step as the ${field.name} instead of "${text}"`,
    );
  }
  const size = field.last - field.first + 1;
  const longestStep = Math.min(field.last, size);
  if (Number(step ?? 1) > longestStep) {
    throw new ExpressionError(
      `a step of 1 to ${longestStep} as the ${field.name} instead of "${text}"`,
    );
  }
  const start = from === undefined ? field.first : numberIn(from, field);
  const openEnd = to === undefined && step !== undefined ? field.last : start;
  const end = all === undefined ? (to === undefined ? openEnd : numberIn(to, field)) : field.last;
  if (end < start && !field.wraps) {
    throw new ExpressionError(`the earlier one first as the ${field.name} instead of "${text}"`);
  }
  const length = ((end - start + size) % size) + 1;
  const every = Number(step ?? 1);
  return Array.from(
    { length: Math.ceil(length / every) },
    (_, index) => field.first + ((start - field.first + index * every) % size),
  );
}

const partsOf = (text: string) => text.split(',');
const valuesIn = (text: string, field: Field): ReadonlySet<number> =>
  new Set(partsOf(text).flatMap((part) => rangeIn(part, field)));
const ascending = (values: ReadonlySet<number>) => [...values].sort((a, b) => a - b);

type DayRule = (date: number, weekday: number, daysInMonth: number) => boolean;

/** The day from Monday to Friday that is nearest to a date, within the month. */
function nearestWorkday(wanted: number, weekdayOf: (date: number) => number, last: number): number {
  const weekday = weekdayOf(wanted);
  if (weekday === 7) return wanted === 1 ? 3 : wanted - 1;
  if (weekday === 1) return wanted === last ? wanted - 2 : wanted + 1;
  return wanted;
}

function dateRule(part: string): DayRule {
  if (part === 'L') return (date, _weekday, last) => date === last;
  const workday = /^(?:L|(\d+))W$/.exec(part);
  if (!workday) {
    const dates = new Set(rangeIn(part, DATES));
    return (date) => dates.has(date);
  }
  const fixed = workday[1] === undefined ? undefined : numberIn(workday[1], DATES);
  return (date, weekday, last) => {
    const wanted = fixed ?? last;
    const weekdayOf = (other: number) => ((((weekday - 1 + other - date) % 7) + 7) % 7) + 1;
    return wanted <= last && date === nearestWorkday(wanted, weekdayOf, last);
  };
}

function weekdayRule(part: string): DayRule {
  if (part === 'L') return (_date, weekday) => weekday === WEEKDAYS.last;
  const [, lastOf] = /^(\w+)L$/.exec(part) ?? [];
  if (lastOf !== undefined) {
    const wanted = numberIn(lastOf, WEEKDAYS);
    return (date, weekday, last) => weekday === wanted && date > last - 7;
  }
  const [, nthOf, nth] = /^(\w+)#([1-5])$/.exec(part) ?? [];
  if (nthOf !== undefined) {
    const wanted = numberIn(nthOf, WEEKDAYS);
    return (date, weekday) => weekday === wanted && Math.ceil(date / 7) === Number(nth);
  }
  const weekdays = new Set(rangeIn(part, WEEKDAYS));
  return (_date, weekday) => weekdays.has(weekday);
}

/** `L`, `W` and `#` stand alone, and days of the week have no steps: neither is documented, and EventBridge refuses some. */
function rulesOf(text: string, field: Field, rule: (part: string) => DayRule): readonly DayRule[] {
  const parts = partsOf(text);
  if (parts.length > 1 && parts.some((part) => /#|^L$|^LW$|\d[LW]$|^[A-Z]{3}L$/i.test(part))) {
    throw new ExpressionError(`L, W or # alone as the ${field.name} instead of "${text}"`);
  }
  if (field === WEEKDAYS && text.includes('/')) {
    throw new ExpressionError(
      `days or ranges, without a step, as the ${field.name} instead of "${text}"`,
    );
  }
  return parts.map(rule);
}

function dayRules(date: string, weekday: string): readonly DayRule[] {
  if ((date === '?') === (weekday === '?')) {
    throw new ExpressionError('"?" as the day of the month or as the day of the week, not as both');
  }
  return date === '?' ? rulesOf(weekday, WEEKDAYS, weekdayRule) : rulesOf(date, DATES, dateRule);
}

/**
 * Reads the six fields of `cron(0 3 ? * MON-FRI *)`.
 * https://docs.aws.amazon.com/scheduler/latest/UserGuide/schedule-types.html#cron-based
 * @throws ExpressionError
 */
export function parseCron(fields: string): Cron {
  const [minute = '', hour = '', date = '', month = '', weekday = '', year, ...more] = fields
    .trim()
    .split(/\s+/);
  if (year === undefined || more.length > 0) {
    throw new ExpressionError(
      'six fields: minutes, hours, day of the month, month, day of the week, year',
    );
  }
  const minutes = ascending(valuesIn(minute, MINUTES));
  const months = valuesIn(month, MONTHS);
  const rules = dayRules(date, weekday);
  return {
    minutes: ascending(valuesIn(hour, HOURS)).flatMap((each) =>
      minutes.map((at) => each * 60 + at),
    ),
    years: valuesIn(year, YEARS),
    firesOn(day) {
      const last = new Date(Date.UTC(day.getUTCFullYear(), day.getUTCMonth() + 1, 0)).getUTCDate();
      return (
        months.has(day.getUTCMonth() + 1) &&
        rules.some((fits) => fits(day.getUTCDate(), day.getUTCDay() + 1, last))
      );
    },
  };
}
