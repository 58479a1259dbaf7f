import * as z from 'zod/mini';
import { DAY_MS, HOUR_MS, MINUTE_MS } from '../time.ts';

const UNIT_MS = { s: 1_000, m: MINUTE_MS, h: HOUR_MS, d: DAY_MS, w: 7 * DAY_MS } as const;
const DURATION = /^(?:\d+[smhdw])+$/;
const EXPECTED = 'a duration such as 30d, 12h or 1h30m';
const PART = /(\d+)([smhdw])/g;

/** Milliseconds of a valid duration such as `30d`, `12h` or `1h30m`. */
function toMilliseconds(text: string): number {
  let total = 0;
  for (const [, count, unit] of text.matchAll(PART)) {
    total += Number(count) * UNIT_MS[unit as keyof typeof UNIT_MS];
  }
  return total;
}

/** A length of time in a policy: `30d`, `12h`, `90s`, `1h30m`. The output is milliseconds. */
export const durationSchema = z.pipe(
  z.string(EXPECTED).check(z.regex(DURATION, EXPECTED)),
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
