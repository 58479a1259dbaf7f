import { expect, test } from 'vitest';
import { formatPath } from '../../../functions/policy/policy-error.ts';
import { scheduleMistakes, scheduleWarnings } from '../../../lib/schedule/mistakes.ts';
import { NOW, policyOf } from '../../functions/builders.ts';

const policy = (rotate: string, entry: object, more: object = {}) =>
  policyOf({ schedules: { rotate }, ...more }, entry);
const mistakes = (...given: Parameters<typeof policy>) =>
  scheduleMistakes(policy(...given), NOW).map(
    ({ path, message }) => `${formatPath(path)}: ${message}`,
  );

const hours = { rotateEvery: '6h', expiresAfter: '12h', gracePeriod: '1h', renewBefore: '2h' };
const days = { rotateEvery: '1d', expiresAfter: '3d', gracePeriod: '6h', renewBefore: '12h' };
const sundays = 'cron(0 3 ? * SUN *)';

test('refuses a schedule whose gaps let tokens expire before the second run that could replace them', () => {
  expect(mistakes('rate(1 day)', hours)).toEqual([
    'tokens.telegraf.expiresAfter: found 12h with rotateEvery 6h, renewBefore 2h, gracePeriod 1h and schedules.rotate "rate(1 day)": a token that may be replaced lives for 6h then, ' +
      'and two runs may take 2d25m (settle included), so it could expire before consumers have read its successor (gracePeriod); expected at least 2d1h25m: ' +
      'choose an expiresAfter of 2d7h25m, or a schedule that fires more often',
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
      `expected at least ${spare}: choose an expiresAfter of ${expiresAfter}, or a schedule`,
    );
    expect(mistakes(rotate, { ...bare, expiresAfter })).toEqual([]);
    const longer = { ...bare, expiresAfter: `${expiresAfter}1d` };
    expect(mistakes(rotate, { ...longer, renewBefore: spare })).toEqual([]);
  },
);

test('names no renewBefore that would itself be refused', () => {
  const weekly = { rotateEvery: '7d', gracePeriod: '2d', windows: ['Sun 02:00-04:00'] };
  const found = { ...weekly, renewBefore: '2d', expiresAfter: '16d' };
  expect(mistakes('rate(1 hour)', found).join()).toContain(
    'expected at least 2d2h25m: choose a renewBefore of that, or an expiresAfter of 16d2h25m',
  );
  expect(mistakes('rate(1 hour)', { ...found, renewBefore: '2d2h25m' })).toEqual([]);
  expect(mistakes('rate(1 hour)', { ...found, expiresAfter: '9d' }).join()).toContain(
    'expected at least 2d2h25m: choose an expiresAfter of 16d2h25m, or a schedule',
  );
});

test('refuses a rotateEvery that no token reaches, because it is renewed before', () => {
  const late = { rotateEvery: '80d', windows: ['Sat 02:00-04:00'] };
  expect(mistakes('rate(30 minutes)', late)).toEqual([
    'tokens.telegraf.rotateEvery: found 80d, which is never reached: a token is renewed at 76d, within its windows or not, because renewBefore (14d) of expiresAfter (90d) is left then; ' +
      'choose a rotateEvery of 76d at most, an expiresAfter of 94d at least, or a shorter renewBefore',
  ]);
  for (const remedy of [
    { rotateEvery: '76d' },
    { expiresAfter: '94d' },
    { renewBefore: '10d' },
    { expiresAfter: 'never' },
  ]) {
    expect(mistakes('rate(30 minutes)', { ...late, ...remedy })).toEqual([]);
  }
});

test('reckons with runs that seldom meet the windows', () => {
  // The 15th of a month is a Monday every few months; without windows, two months are enough.
  const monthly = { rotateEvery: '30d', expiresAfter: '200d', gracePeriod: '1d' };
  const mondays = { ...monthly, windows: ['Mon 02:00-04:00'] };
  expect(mistakes('cron(0 3 15 * ? *)', monthly)).toEqual([]);
  expect(mistakes('cron(0 3 15 * ? *)', mondays).join()).toMatch(
    /^tokens\.telegraf\.expiresAfter: found 200d .*lives for 14d then, .*expected at least 63d10m: choose a renewBefore of that/,
  );
  expect(mistakes('cron(0 3 15 * ? *)', { ...mondays, renewBefore: '63d10m' })).toEqual([]);
});

test.each([
  ['cron(0 12 * * ? *)', '02:10-02:20', 'daily 02:10-02:20', 'never fires in it'],
  ['cron(0/30 * * * ? *)', '02:10-02:20', 'daily 02:10-02:20', 'never fires in it'],
  ['cron(0 3 * * ? *)', 'Mon-Wed 09:00-17:00', 'Mon,Tue,Wed 09:00-17:00', 'never fires in it'],
  [sundays, 'Mon-Sat 02:00-05:00', 'Mon,Tue,Wed,Thu,Fri,Sat 02:00-05:00', 'never fires in it'],
  ['rate(30 minutes)', '02:10-02:20', 'daily 02:10-02:20', 'may never fire in it'],
  ['rate(1 day)', '02:00-24:00', 'daily 02:00-24:00', 'may never fire in it'],
])('refuses that %s is to fire within %s, which it never does', (rotate, window, shown, words) => {
  const sentence = `tokens.telegraf.windows[0]: found "${shown}", but schedules.rotate "${rotate}" ${words}`;
  for (const expiresAfter of ['never', '365d']) {
    const [mistake, ...more] = mistakes(rotate, { windows: [window], expiresAfter });
    expect(mistake?.startsWith(sentence)).toBe(true);
    expect(mistake).toContain('; choose ');
    expect(more).toEqual([]);
  }
});

test('refuses one dead window beside others in which runs promote tokens', () => {
  const windows = ['Sun 02:00-04:00', 'Mon 09:00-17:00'];
  expect(mistakes(sundays, { windows }).join()).toMatch(
    /^tokens\.telegraf\.windows\[1\]: found "Mon 09:00-17:00"/,
  );
});

test.each([
  ['rate(30 minutes)', '02:00-02:30'],
  ['rate(1 day)', 'Mon 00:00-24:00'],
  ['cron(10 2 * * ? *)', '02:10-02:20'],
  [sundays, 'Sat 22:00-04:00'],
])('says nothing of %s, which fires within %s', (rotate, window) => {
  expect(mistakes(rotate, { windows: [window] })).toEqual([]);
  expect(mistakes(rotate, { windows: [] })).toEqual([]);
});

test.each(['cron(0 3 * * ? 2031)', 'cron(0 3 * * ? 2199)'])(
  'refuses %s, which does not fire within a year',
  (rotate) => {
    expect(scheduleMistakes(policy(rotate, {}), Date.UTC(2027, 0))).toEqual([
      {
        path: ['schedules', 'rotate'],
        message: `found "${rotate}", expected a schedule that fires within a year from now; write * as the year`,
      },
    ]);
  },
);

test('warns of a schedule that is over, and keeps nobody from reading a policy that was deployed', () => {
  const over = policy('cron(0 3 * * ? 2026)', {});
  for (const now of [Date.UTC(2027, 0), Date.UTC(2026, 11, 31, 4)]) {
    expect(scheduleMistakes(over, now)).toEqual([]);
    expect(scheduleWarnings(over, now)).toEqual([
      {
        path: ['schedules', 'rotate'],
        message: 'found "cron(0 3 * * ? 2026)", which never fires again; write * as the year',
      },
    ]);
  }
  expect(scheduleWarnings(over, Date.UTC(2026, 11, 31, 2))).toEqual([]);
});

test('warns of a schedule that is so rare that no alarm tells when it stopped', () => {
  const now = Date.UTC(2026, 0);
  const rare = (reap: string) =>
    scheduleWarnings(
      {
        ...policy('rate(1 hour)', {}),
        schedules: { rotate: 'rate(1 hour)', reap, enforce: 'rate(1 hour)', paused: false },
      },
      now,
    );
  expect(rare('rate(30 days)')).toEqual([
    {
      path: ['schedules', 'reap'],
      message:
        'found "rate(30 days)", with 30d between two firings: CloudWatch looks back seven days at most, so no alarm tells whether it stopped; choose rate(7 days) or a more frequent one: a run changes only what is due (for tokens, rotateEvery says when)',
    },
  ]);
  expect(rare('cron(0 3 1 * ? *)')).toHaveLength(1);
  // Once a year there is an hour more between two Sundays.
  for (const weekly of ['rate(7 days)', 'cron(0 3 ? * SUN *)']) expect(rare(weekly)).toEqual([]);
});

test('warns of tokens that live too briefly for three firings, of which a slow cluster needs each', () => {
  const now = Date.UTC(2026, 0);
  const warned = (rotate: string, lifetimes: object) => {
    const read = policy(rotate, lifetimes);
    expect(scheduleMistakes(read, now)).toEqual([]);
    return scheduleWarnings(read, now).map(({ path, message }) => `${path.join('.')}: ${message}`);
  };
  const tuesdayAndThursday = 'cron(0 3 ? * TUE,THU *)';
  const brief = { rotateEvery: '2d', gracePeriod: '6h', renewBefore: '2d' };
  expect(warned(tuesdayAndThursday, { ...brief, expiresAfter: '9d12h' })).toEqual([
    'tokens.telegraf.expiresAfter: found 9d12h with rotateEvery 2d and schedules.rotate "cron(0 3 ? * TUE,THU *)", of which three firings may be 12d apart: on a cluster that needs longer for a new token than a run waits (activationTimeout 5m), consumers are refused from its expiry to the third; choose an expiresAfter of 12d10m, or a schedule that fires more often',
  ]);
  expect(warned(tuesdayAndThursday, { ...brief, expiresAfter: '12d10m' })).toEqual([]);
  expect(warned(tuesdayAndThursday, { ...brief, rotateEvery: '5d', expiresAfter: '13d' })).toEqual(
    [],
  );
});
