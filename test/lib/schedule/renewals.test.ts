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
    'tokens.telegraf.expiresAfter: found 12h with rotateEvery 6h, renewBefore 2h and schedules.rotate "rate(1 day)": a token that may be replaced lives for 6h then, ' +
      'and two runs may take 2d25m (settle included), so it could expire before them; expected no less than that: a schedule that fires more often, or a longer expiresAfter or renewBefore',
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
  expect(mistakes('rate(1 hour)', later, { settle: '2h' })).toEqual([]);
  expect(mistakes('rate(1 hour)', later, { settle: '3h' }).join()).toContain('expiresAfter');
  expect(mistakes('rate(1 hour)', { ...short, renewBefore: '3h' })).toEqual([]);
  expect(mistakes('rate(1 hour)', { ...short, renewBefore: '2h' })).toHaveLength(1);
});

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
