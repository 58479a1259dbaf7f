const INSTANT = /\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?=Z)/g;

/** Numbers of this size are milliseconds since 1970 in the states of both servers. */
const isInstant = (value: number) => value > 1e12 && value < 1e13;

/**
 * A deep copy of plain data in which every instant is later by so many milliseconds (a whole number
 * of seconds): a state is restored at another time, since processes that stay warm know the time.
 */
export function shiftInstants<T>(value: T, by: number): T {
  return shift(value, by) as T;
}

function shift(value: unknown, by: number): unknown {
  if (typeof value === 'number') return isInstant(value) ? value + by : value;
  if (typeof value === 'string') return value.replace(INSTANT, (text) => later(text, by));
  if (Array.isArray(value)) return value.map((each) => shift(each, by));
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, each]) => [key, shift(each, by)]));
}

const later = (text: string, by: number) =>
  new Date(Date.parse(`${text}Z`) + by).toISOString().slice(0, 19);
