import { expect, test } from 'vitest';
import { parseCron } from '../../../lib/schedule/cron.ts';

/** The dates in the first half of 2026 on which it fires. */
function datesOf(date: string, weekday: string, month = '1-6'): string[] {
  const { firesOn } = parseCron(`0 3 ${date} ${month} ${weekday} *`);
  return Array.from({ length: 181 }, (_, index) => new Date(Date.UTC(2026, 0, 1 + index)))
    .filter(firesOn)
    .map((day) => day.toISOString().slice(5, 10));
}

test.each([
  ['31', '?', ['01-31', '03-31', '05-31']],
  ['L', '?', ['01-31', '02-28', '03-31', '04-30', '05-31', '06-30']],
  ['LW', '?', ['01-30', '02-27', '03-31', '04-30', '05-29', '06-30']],
  ['1W', '?', ['01-01', '02-02', '03-02', '04-01', '05-01', '06-01']],
  ['30W', '?', ['01-30', '03-30', '04-30', '05-29', '06-30']],
  ['?', '6L', ['01-30', '02-27', '03-27', '04-24', '05-29', '06-26']],
  ['?', 'TUE#2', ['01-13', '02-10', '03-10', '04-14', '05-12', '06-09']],
  ['?', '3#5', ['03-31', '06-30']],
])('day of the month %s, day of the week %s', (date, weekday, dates) => {
  expect(datesOf(date, weekday)).toEqual(dates);
});

test('the months that it names, by number or name', () => {
  expect(datesOf('1', '?', 'FEB,4-5')).toEqual(['02-01', '04-01', '05-01']);
});

test('every minute of its hours, in order', () => {
  expect(parseCron('0/20,50 22-23,1 * * ? *').minutes).toEqual(
    [1, 22, 23].flatMap((hour) => [0, 20, 40, 50].map((minute) => hour * 60 + minute)),
  );
});

test('the years that it names', () => {
  expect([...parseCron('0 3 * * ? 2026-2030/2').years]).toEqual([2026, 2028, 2030]);
});
