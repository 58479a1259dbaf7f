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
export const DURATION = /^(?:\d+(?:mo|[smhdwy]))+$/;
const PART = /(?<!\d)(\d+)(mo|[smhdwy])/g;

/** Milliseconds of a valid duration such as `30d`, `12h` or `1h30m`. */
export function toMilliseconds(text: string): number {
  let total = 0;
  for (const [, count, unit] of text.matchAll(PART)) {
    total += Number(count) * UNIT_MS[unit as keyof typeof UNIT_MS];
  }
  return total;
}

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
