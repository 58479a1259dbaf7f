import { expect, test } from 'vitest';
import { parsePolicy } from '../../../functions/policy/parse-policy.ts';
import { formatPath } from '../../../functions/policy/policy-error.ts';
import { warningsOf } from '../../../functions/policy/warnings.ts';

const warnings = (rotateEvery: string, windows: readonly string[]) => {
  const telegraf = { permissions: { write: ['telemetry'] }, rotateEvery, windows };
  const cluster = { url: 'https://influxdb.example.com', managementToken: 'influxdb/management' };
  const defaults = { gracePeriod: '1h' };
  const found = warningsOf(parsePolicy({ owner: 'prod', cluster, defaults, tokens: { telegraf } }));
  return found.map(({ path, message }) => `${formatPath(path)}: ${message}`);
};

test.each([
  ['7d', ['Sun 02:00-05:00']],
  ['1w', ['Sat 22:00-04:00']],
  ['1d', ['daily 02:00-05:00']],
  ['1d', ['Mon-Fri 02:00-05:00', 'Sat,Sun 02:00-09:00']],
  ['12h', ['daily 02:00-03:00', 'daily 14:00-15:00']],
])(
  'warns that a rotation every %s may miss its window %j, and waits as long again',
  (every, windows) => {
    expect(warnings(every, windows)).toEqual([
      expect.stringMatching(/^tokens\.telegraf\.rotateEvery: \S+ is also the time from one window/),
    ]);
  },
);

test.each([
  ['6d', ['Sun 02:00-05:00']],
  ['14d', ['Sun 02:00-05:00']],
  ['7d', ['Mon-Fri 09:00-17:00']],
  ['7d', ['Mon,Thu 09:00-17:00']],
  ['20h', ['daily 02:00-05:00']],
  ['1d', ['daily 02:00-03:00', 'daily 14:00-15:00']],
  ['1d', ['daily 00:00-24:00']],
  ['1d', ['daily 02:00-02:00']],
  ['7d', []],
])(
  'does not warn of every %s in %j: a missed window is followed by another soon',
  (every, windows) => {
    expect(warnings(every, windows)).toEqual([]);
  },
);

test('names a time that is better', () => {
  expect(warnings('7d', ['Sun 02:00-05:00'])[0]).toMatch(
    /a rotation that is due a minute after its window waits 7d for the next one; choose a shorter time, such as 6d$/,
  );
  expect(warnings('1d', ['daily 02:00-05:00'])[0]).toMatch(/such as 20h$/);
});

test('warns of a partition template without a time, whose partitions are never compacted', () => {
  const tag = [{ type: 'tag', value: 'room' }];
  const timed = [...tag, { type: 'time', value: '%Y-%m' }];
  const found = warningsOf(
    parsePolicy({
      owner: 'prod',
      cluster: { url: 'https://influxdb.example.com', managementToken: 'influxdb/management' },
      tokens: { telegraf: { permissions: { write: ['telemetry'] } } },
      databases: [
        { name: 'timed', partitionTemplate: timed, tables: [{ name: 'cpu' }] },
        {
          name: 'timeless',
          partitionTemplate: tag,
          tables: [
            { name: 'cpu', partitionTemplate: timed },
            { name: 'mem', partitionTemplate: tag },
          ],
        },
        { match: '*' },
      ],
    }),
  );
  expect(found.map(({ path }) => formatPath(path))).toEqual([
    'databases[1].partitionTemplate',
    'databases[1].tables[1].partitionTemplate',
  ]);
  expect(found[0]?.message).toContain('add one, such as {type: time, value: "%Y-%m-%d"}');
});

const lifetimes = (own: object) => {
  const telegraf = { permissions: { write: ['telemetry'] }, ...own };
  const cluster = { url: 'https://influxdb.example.com', managementToken: 'influxdb/management' };
  const document = {
    owner: 'prod',
    cluster,
    allowGracePeriodUnderAnHour: true,
    tokens: { telegraf },
  };
  return warningsOf(parsePolicy(document)).map(
    ({ path, message }) => `${formatPath(path)}: ${message}`,
  );
};

test('warns of a grace period of nothing, in which consumers still send the token that was replaced', () => {
  expect(lifetimes({ gracePeriod: '0s' })).toEqual([
    expect.stringMatching(/^tokens\.telegraf\.gracePeriod: 0s takes .*choose the time after which/),
  ]);
  expect(lifetimes({ gracePeriod: '1m' })).toEqual([]);
});

test('warns of a quarantine that is longer than what is left of the life of a token then', () => {
  const short = { rotateEvery: '1d', gracePeriod: '2h', renewBefore: '6h', expiresAfter: '3d' };
  expect(lifetimes({ ...short, quarantine: '4d' })).toEqual([
    expect.stringMatching(
      /^tokens\.telegraf\.quarantine: 4d is longer than what expiresAfter \(3d\) leaves .* \(1d20h\)/,
    ),
  ]);
  expect(lifetimes({ ...short, quarantine: '44h' })).toEqual([]);
  expect(lifetimes({ ...short, quarantine: '45h' })).toHaveLength(1);
  expect(lifetimes({ quarantine: '58d' })).toEqual([]);
  expect(lifetimes({ quarantine: '59d' })).toHaveLength(1);
  expect(lifetimes({ expiresAfter: 'never', quarantine: '90d' })).toEqual([]);
  // It is rotated `renewBefore` its expiry at the latest.
  expect(lifetimes({ rotateEvery: '85d' })).toEqual([]);
});
