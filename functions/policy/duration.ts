import * as z from 'zod/mini';
import { DAY_MS, HOUR_MS, MINUTE_MS } from '../time.ts';

/** A month has 30 days and a year 365, as in a retention period (retention.ts). */
const UNIT_MS = {
  s: 1_000,
  m: MINUTE_MS,
  h: HOUR_MS,
  d: DAY_MS,
  w: 7 * DAY_MS,
  mo: 30 * DAY_MS,
  y: 365 * DAY_MS,
} as const;
const DURATION = /^(?:\d+(?:mo|[smhdwy]))+$/;
const EXPECTED = 'a duration such as 30d, 12h or 1h30m';
const PART = /(?<!\d)(\d+)(mo|[smhdwy])/g;

/** A century: servers that count nanoseconds in 64 bits know no instant after 2262. */
const LONGEST_MS = 100 * UNIT_MS.y;

/** Milliseconds of a valid duration such as `30d`, `12h` or `1h30m`. */
function toMilliseconds(text: string): number {
  let total = 0;
  for (const [, count, unit] of text.matchAll(PART)) {
    total += Number(count) * UNIT_MS[unit as keyof typeof UNIT_MS];
  }
  return total;
}

/** A length of time in a policy: `30d`, `12h`, `90s`, `1h30m`, `1y`. The output is milliseconds. */
export const durationSchema = z.pipe(
  z.string(EXPECTED).check(
    z.regex(DURATION, { error: EXPECTED, abort: true }),
    z.refine(
      (text) => toMilliseconds(text) <= LONGEST_MS,
      'a duration of at most 36500d (a hundred years)',
    ),
  ),
  z.transform(toMilliseconds),
);

/** `30d`, `1d12h`, `0s`: the shortest text that the policy accepts for so many milliseconds. */
export function formatDuration(milliseconds: number): string {
  let rest = Math.round(milliseconds / 1_000) * 1_000;
  let text = '';
  for (const unit of ['d', 'h', 'm', 's'] as const) {
    const count = Math.floor(rest / UNIT_MS[unit]);
    if (count > 0) text += `${count}${unit}`;
    rest -= count * UNIT_MS[unit];
  }
  return text || '0s';
}
