import { DAY_MS, HOUR_MS, MINUTE_MS } from '../time.ts';

const UNIT_MS = { minute: MINUTE_MS, hour: HOUR_MS, day: DAY_MS } as const;
const RATE = /^rate\((\d+) (minute|hour|day)s?\)$/;

/** Milliseconds between two firings of `rate(30 minutes)`. Undefined: it is a cron expression. */
export function rateOf(expression: string): number | undefined {
  const [, count, unit] = RATE.exec(expression) ?? [];
  return count === undefined ? undefined : Number(count) * UNIT_MS[unit as keyof typeof UNIT_MS];
}
