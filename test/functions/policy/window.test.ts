import { expect, test } from 'vitest';
import { windowSchema } from '../../../functions/policy/schemas/window.ts';
import { nextWithin, withinWindows } from '../../../functions/policy/window.ts';

const open = (windows: readonly string[], instant: string, timeZone = 'UTC') =>
  withinWindows(
    windows.map((each) => windowSchema.parse(each)),
    timeZone,
    Date.parse(instant),
  );

/** 2026-03-02 is a Monday. */
test.each([
  ['Mon-Fri 09:00-17:00', '2026-03-02T08:59:59Z', false],
  ['Mon-Fri 09:00-17:00', '2026-03-02T09:00:00Z', true],
  ['Mon-Fri 09:00-17:00', '2026-03-06T16:59:59Z', true],
  ['Mon-Fri 09:00-17:00', '2026-03-06T17:00:00Z', false],
  ['Mon-Fri 09:00-17:00', '2026-03-07T12:00:00Z', false],
  ['Sat,Sun 22:00-04:00', '2026-03-07T21:59:59Z', false],
  ['Sat,Sun 22:00-04:00', '2026-03-07T22:00:00Z', true],
  ['Sat,Sun 22:00-04:00', '2026-03-07T03:59:59Z', false],
  ['Sat,Sun 22:00-04:00', '2026-03-09T03:59:59Z', true],
  ['Sat,Sun 22:00-04:00', '2026-03-09T04:00:00Z', false],
  ['Fri-Mon 00:00-24:00', '2026-03-02T23:59:59Z', true],
  ['Fri-Mon 00:00-24:00', '2026-03-03T00:00:00Z', false],
  ['Sun 12:00-12:00', '2026-03-02T11:59:59Z', true],
  ['Sun 12:00-12:00', '2026-03-02T12:00:00Z', false],
  ['daily 02:00-05:00', '2026-03-04T04:59:59Z', true],
  ['02:00-05:00', '2026-03-04T05:00:00Z', false],
])('%s at %s: %s', (window, instant, expected) => {
  expect(open([window], instant)).toBe(expected);
});

test('is always open without windows, and in any of several', () => {
  expect(open([], '2026-03-02T12:00:00Z')).toBe(true);
  const both = ['Mon 01:00-02:00', 'Mon 12:00-13:00'];
  expect(open(both, '2026-03-02T12:30:00Z')).toBe(true);
  expect(open(both, '2026-03-02T02:30:00Z')).toBe(false);
});

test('counts in the time zone of the policy, over its day', () => {
  const tokyo = (instant: string) => open(['Mon 09:00-10:00'], instant, 'Asia/Tokyo');
  expect(tokyo('2026-03-02T00:00:00Z')).toBe(true);
  expect(tokyo('2026-03-02T09:30:00Z')).toBe(false);
  const auckland = (instant: string) => open(['Mon 00:00-01:00'], instant, 'Pacific/Auckland');
  expect(auckland('2026-03-01T11:00:00Z')).toBe(true);
  const kolkata = (instant: string) => open(['Mon 05:30-06:00'], instant, 'Asia/Kolkata');
  expect(kolkata('2026-03-02T00:00:00Z')).toBe(true);
});

test('follows the clock on the wall when it is put forward', () => {
  const berlin = (instant: string) => open(['Sun 02:00-03:30'], instant, 'Europe/Berlin');
  expect(berlin('2026-03-29T00:59:59Z')).toBe(false);
  expect(berlin('2026-03-29T01:00:00Z')).toBe(true);
  expect(berlin('2026-03-29T01:29:59Z')).toBe(true);
  expect(berlin('2026-03-29T01:30:00Z')).toBe(false);
});

test('opens a week later where the clock, put forward, skips it', () => {
  const windows = [windowSchema.parse('Sun 02:00-03:00')];
  const next = (from: string) =>
    new Date(nextWithin(windows, 'Europe/Berlin', Date.parse(from))).toISOString();
  expect(next('2026-03-22T02:00:00Z')).toBe('2026-04-05T00:00:00.000Z');
  expect(next('2026-03-29T02:00:00Z')).toBe('2026-04-05T00:00:00.000Z');
});

test('opens again within the hour that comes twice', () => {
  const windows = [windowSchema.parse('Sun 02:00-02:30')];
  const from = Date.parse('2026-10-25T00:31:00Z');
  const next = nextWithin(windows, 'Europe/Berlin', from);
  expect(new Date(next).toISOString()).toBe('2026-10-25T01:01:00.000Z');
});

test('is open in both of the hours that come twice when it is put back', () => {
  const berlin = (instant: string) => open(['Sun 02:00-03:00'], instant, 'Europe/Berlin');
  expect(berlin('2026-10-25T00:30:00Z')).toBe(true);
  expect(berlin('2026-10-25T01:30:00Z')).toBe(true);
  expect(berlin('2026-10-25T02:00:00Z')).toBe(false);
});

test.each([
  'Mon-Fri',
  '9:00-17:00',
  '25:00-26:00',
  '22:00-24:30',
  'mon 09:00-10:00',
  'Mon–Fri 09:00-10:00',
  'Mon 09:00-10:60',
  'Mon,09:00-10:00',
  '',
])('refuses "%s"', (text) => {
  expect(windowSchema.safeParse(text).success).toBe(false);
});
