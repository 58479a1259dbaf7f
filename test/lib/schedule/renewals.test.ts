import { expect, test } from 'vitest';
import { formatPath } from '../../../functions/policy/policy-error.ts';
import { scheduleMistakes } from '../../../lib/schedule/mistakes.ts';
import { windowWarnings } from '../../../lib/schedule/renewals.ts';
import { policyOf } from '../../functions/builders.ts';

const policy = (rotate: string, entry: object, more: object = {}) =>
  policyOf({ schedules: { rotate }, ...more }, entry);
const mistakes = (...given: Parameters<typeof policy>) =>
  scheduleMistakes(policy(...given)).map(({ path, message }) => `${formatPath(path)}: ${message}`);
const warnings = (...given: Parameters<typeof policy>) =>
  windowWarnings(policy(...given)).map(({ path, message }) => `${formatPath(path)}: ${message}`);

const hours = { rotateEvery: '6h', expiresAfter: '12h', gracePeriod: '1h', renewBefore: '2h' };
const days = { rotateEvery: '1d', expiresAfter: '3d', gracePeriod: '6h', renewBefore: '12h' };
const sundays = 'cron(0 3 ? * SUN *)';

test('refuses a schedule whose gaps let tokens expire before the second run that could replace them', () => {
  expect(mistakes('rate(1 day)', hours)).toEqual([
    'tokens.telegraf.expiresAfter: found 12h with rotateEvery 6h, renewBefore 2h, gracePeriod 1h and schedules.rotate "rate(1 day)": a token that may be replaced lives for 6h then, ' +
      'and two runs may take 2d25m (settle included), so it could expire before consumers have read its successor (gracePeriod); expected at least 2d1h25m: ' +
      'choose a renewBefore of that, or an expiresAfter of 2d7h25m, or a schedule that fires more often',
  ]);
  expect(mistakes(sundays, days)).toHaveLength(1);
  expect(mistakes('rate(2 hours)', hours)).toEqual([]);
  expect(mistakes('rate(3 hours)', hours)).toHaveLength(1);
  expect(mistakes('rate(2 hours)', { ...hours, rotateEvery: '11h' })).toHaveLength(1);
  expect(mistakes(sundays, {})).toEqual([]);
  expect(mistakes(sundays, { expiresAfter: 'never' })).toEqual([]);
  // Nights and weekends count: from Friday to Tuesday.
  const office = 'cron(0 9 ? * MON-FRI *)';
  expect(mistakes(office, { ...days, expiresAfter: '5d', renewBefore: '1d' })).toHaveLength(1);
  expect(mistakes(office, { ...days, expiresAfter: '6d', renewBefore: '1d' })).toEqual([]);
});

test('reckons with settle, and with the week for which a window may be waited for', () => {
  const short = { ...hours, windows: ['daily 02:00-05:00'] };
  const later = { ...hours, rotateEvery: '7h' };
  expect(mistakes('rate(1 hour)', later, { settle: '1h45m' })).toEqual([]);
  expect(mistakes('rate(1 hour)', later, { settle: '2h' }).join()).toContain('expiresAfter');
  expect(mistakes('rate(1 hour)', { ...short, renewBefore: '3h25m' })).toEqual([]);
  expect(mistakes('rate(1 hour)', { ...short, renewBefore: '3h' })).toHaveLength(1);
});

test.each([
  ['rate(12 hours)', { rotateEvery: '7d', gracePeriod: '2d' }, '3d25m', '10d25m'],
  ['rate(30 minutes)', { rotateEvery: '1d', gracePeriod: '6h' }, '8h', '1d8h'],
  ['rate(30 minutes)', { rotateEvery: '12h', gracePeriod: '6h' }, '7h10m', '19h10m'],
  [
    'rate(1 hour)',
    { rotateEvery: '7d', gracePeriod: '2d', windows: ['Sun 02:00-04:00'] },
    '2d2h25m',
    '16d2h25m',
  ],
  ['rate(30 minutes)', { rotateEvery: '30d', gracePeriod: '1h' }, '2d', '32d'],
  ['rate(1 day)', { rotateEvery: '30d', gracePeriod: '1h' }, '6d30m', '36d30m'],
] as const)(
  'refuses what cuts the grace period short, or tells nobody in time: %s %j',
  (rotate, entry, spare, expiresAfter) => {
    const { rotateEvery, gracePeriod } = entry;
    // Just what rotateEvery and gracePeriod need without any schedule.
    const bare = {
      ...entry,
      renewBefore: gracePeriod,
      expiresAfter: `${rotateEvery}${gracePeriod}`,
    };
    expect(mistakes(rotate, bare).join()).toContain(
      `expected at least ${spare}: choose a renewBefore of that, or an expiresAfter of ${expiresAfter}`,
    );
    expect(mistakes(rotate, { ...bare, expiresAfter })).toEqual([]);
    const longer = { ...bare, expiresAfter: `${expiresAfter}1d` };
    expect(mistakes(rotate, { ...longer, renewBefore: spare })).toEqual([]);
  },
);

test.each([
  ['cron(0 12 * * ? *)', '02:10-02:20', 'replaced only when 14d of its life are left'],
  ['cron(0/30 * * * ? *)', '02:10-02:20', 'replaced only when'],
  [sundays, 'Mon-Sat 02:00-05:00', 'replaced only when'],
  ['rate(30 minutes)', '02:10-02:20', 'may fire in none'],
  ['rate(1 day)', '02:00-05:00', 'may fire in none'],
])('warns that %s may never fire within %s', (rotate, window, words) => {
  const [warning, ...more] = warnings(rotate, { windows: [window] });
  expect(warning).toMatch(/^tokens\.telegraf\.windows: schedules\.rotate "/);
  expect(warning).toContain(words);
  expect(more).toEqual([]);
  expect(warnings(rotate, { windows: [window], expiresAfter: 'never' }).join()).toContain(
    'may never be replaced',
  );
});

test.each([
  ['rate(30 minutes)', '02:00-02:30'],
  ['rate(1 day)', 'Mon 00:00-24:00'],
  ['cron(10 2 * * ? *)', '02:10-02:20'],
  [sundays, 'Sat 22:00-04:00'],
])('says nothing of %s, which fires within %s', (rotate, window) => {
  expect(warnings(rotate, { windows: [window] })).toEqual([]);
  expect(warnings(rotate, { windows: [] })).toEqual([]);
});
