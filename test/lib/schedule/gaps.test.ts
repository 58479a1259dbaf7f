import { expect, test } from 'vitest';
import { ExpressionError } from '../../../lib/schedule/cron.ts';
import { gapsOf, nextFiring } from '../../../lib/schedule/gaps.ts';

const HOUR = 60;
const DAY = 24 * HOUR;

/** The shortest gap, and the longest time from a firing to the first, the second and the third one after it, in minutes. */
test.each([
  ['rate(30 minutes)', 30, 30, 60, 90],
  ['rate(1 minute)', 1, 1, 2, 3],
  ['rate(1 hour)', HOUR, HOUR, 2 * HOUR, 3 * HOUR],
  ['rate(2 days)', 2 * DAY, 2 * DAY, 4 * DAY, 6 * DAY],
  ['cron(0/10 * * * ? *)', 10, 10, 20, 30],
  ['cron(5/20 * * * ? *)', 20, 20, 40, 60],
  ['cron(0,5,59 * * * ? *)', 1, 54, 59, HOUR],
  ['cron(0 3 * * ? *)', DAY, DAY, 2 * DAY, 3 * DAY],
  ['cron(0 9-17 ? * MON-FRI *)', HOUR, 64 * HOUR, 65 * HOUR, 66 * HOUR],
  ['cron(50 23 ? * SUN *)', 7 * DAY, 7 * DAY, 14 * DAY, 21 * DAY],
  ['cron(0 8 ? * 2,3 *)', DAY, 6 * DAY, 7 * DAY, 13 * DAY],
  ['cron(0 0 1 * ? *)', 28 * DAY, 31 * DAY, 62 * DAY, 92 * DAY],
  ['cron(0 3 * * ? 2031)', DAY, DAY, 2 * DAY, 3 * DAY],
  ['cron(30 2 1 1 ? *)', 365 * DAY, 365 * DAY, 365 * DAY, 365 * DAY],
])('%s', (expression, shortest, longestOfOne, longestOfTwo, longestOfThree) => {
  const gaps = { shortest, longestOfOne, longestOfTwo, longestOfThree };
  expect(gapsOf(expression, 'UTC')).toEqual(gaps);
});

test('the clock that goes forward brings two firings an hour closer', () => {
  expect(gapsOf('cron(0 1,4 * * ? *)', 'UTC').shortest).toBe(3 * HOUR);
  expect(gapsOf('cron(0 1,4 * * ? *)', 'Europe/Berlin').shortest).toBe(2 * HOUR);
  expect(gapsOf('cron(0 0/12 * * ? *)', 'Australia/Lord_Howe').shortest).toBe(11.5 * HOUR);
});

test('a time that does not exist is skipped, and no firing comes close to another for it', () => {
  const { shortest, longestOfThree } = gapsOf('cron(30 2 * * ? *)', 'Europe/Berlin');
  expect(shortest).toBe(DAY);
  expect(longestOfThree).toBe(4 * DAY - HOUR);
});

test('the clock that goes back keeps a schedule silent for an hour more', () => {
  expect(gapsOf('cron(0/10 * * * ? *)', 'Europe/Berlin')).toEqual({
    shortest: 10,
    longestOfOne: 70,
    longestOfTwo: 80,
    longestOfThree: 90,
  });
});

test.each([
  ['rate(0 minutes)', 'a number and minutes, hours or days, such as rate(30 minutes)'],
  ['rate(5 weeks)', 'a number and minutes, hours or days, such as rate(30 minutes)'],
  ['cron(bogus)', 'six fields: minutes, hours, day of the month, month, day of the week, year'],
  ['cron(* * * * * *)', '"?" as the day of the month or as the day of the week, not as both'],
  ['cron(0 24 * * ? *)', '0 to 23 as the hours instead of "24"'],
  ['cron(0 3 ? * 0 *)', '1 to 7 as the day of the week instead of "0"'],
  ['cron(0 3 ? JANUARY MON *)', '1 to 12 as the month instead of "JANUARY"'],
  ['cron(*/0 3 * * ? *)', 'a value, a range or a step as the minutes instead of "*/0"'],
  ['cron(0 3 * * ? 2020)', 'a schedule that fires at least once a year'],
  ['cron(0 3 30 2 ? *)', 'a schedule that fires at least once a year'],
  ['rate(400 days)', 'a schedule that fires at least once a year'],
  ['rate(99999999999999999999 days)', 'a schedule that fires at least once a year'],
  ['rate(1 minutes)', 'rate(1 minute)'],
  ['rate(1 hours)', 'rate(1 hour)'],
  ['rate(5 minute)', 'rate(5 minutes)'],
  ['cron(*/60 * * * ? *)', 'a step of 1 to 59 as the minutes instead of "*/60"'],
  ['cron(0 0/24 * * ? *)', 'a step of 1 to 23 as the hours instead of "0/24"'],
  ['cron(0 3 1/40 * ? *)', 'a step of 1 to 31 as the day of the month instead of "1/40"'],
  [
    'cron(0 3 ? * 2/2 *)',
    'days or ranges, without a step, as the day of the week instead of "2/2"',
  ],
  ['cron(0 3 * * ? 2030-2026)', 'the earlier one first as the year instead of "2030-2026"'],
  ['cron(0 3 ? * 2#1,2#3 *)', 'L, W or # alone as the day of the week instead of "2#1,2#3"'],
  ['cron(0 3 ? * FRIL,MON *)', 'L, W or # alone as the day of the week instead of "FRIL,MON"'],
  ['cron(0 3 15W,L * ? *)', 'L, W or # alone as the day of the month instead of "15W,L"'],
])('%s is refused, because EventBridge would refuse it or nothing would run', (wrong, expected) => {
  expect(() => gapsOf(wrong, 'UTC')).toThrow(new ExpressionError(expected));
});

const next = (expression: string, zone: string, after: string) => {
  const at = nextFiring(expression, zone, Date.parse(after));
  return at === undefined ? undefined : new Date(at).toISOString();
};

test.each([
  ['cron(0 3 * * ? *)', 'Europe/Berlin', '2026-01-31T01:59:00Z', '2026-01-31T02:00:00.000Z'],
  ['cron(0 3 * * ? *)', 'Europe/Berlin', '2026-01-31T02:00:00Z', '2026-02-01T02:00:00.000Z'],
  ['cron(0 3 * * ? *)', 'Europe/Berlin', '2026-07-01T02:00:00Z', '2026-07-02T01:00:00.000Z'],
  ['cron(0 1 * * ? *)', 'Pacific/Auckland', '2026-07-01T12:30:00Z', '2026-07-01T13:00:00.000Z'],
  ['cron(0 23 * * ? *)', 'America/Los_Angeles', '2031-01-02T06:00:00Z', '2031-01-02T07:00:00.000Z'],
  ['cron(0 0 29 2 ? *)', 'UTC', '2026-03-01T00:00:00Z', '2028-02-29T00:00:00.000Z'],
])('%s in %s fires next after %s at %s', (expression, zone, after, expected) => {
  expect(next(expression, zone, after)).toBe(expected);
});

test('when a rate fires next, and what is over, is not known', () => {
  expect(next('rate(1 hour)', 'UTC', '2026-03-01T00:00:00Z')).toBeUndefined();
  expect(next('cron(0 0 1 1 ? 2026)', 'UTC', '2026-03-01T00:00:00Z')).toBeUndefined();
});
