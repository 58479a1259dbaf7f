import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { readPolicyFile } from '../../lib/policy-file.ts';
import { POLICY, writePolicy } from './synthesize.ts';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'keyturn-'));
});
afterEach(() => rmSync(folder, { recursive: true }));

const mistakeIn = (text: string): string => {
  try {
    readPolicyFile(writePolicy(folder, text));
  } catch (error) {
    return (error as Error).message.replaceAll(`${folder}/`, '');
  }
  return 'no mistake';
};

test('reads the example at the root of the repository', () => {
  const { policy } = readPolicyFile('keyturn.yaml');
  expect(policy.tokens.map(({ secret }) => secret)).toEqual([
    'keyturn/example/telegraf',
    'monitoring/grafana',
  ]);
});

describe('a mistake names file, line, key, what was found and what was expected:', () => {
  test('a value', () => {
    expect(mistakeIn(POLICY.replace('Europe/Berlin', 'Middle/Earth'))).toBe(
      'keyturn.yaml:4: timeZone: found "Middle/Earth", expected a time zone such as Europe/Berlin',
    );
  });

  test('a misspelt key', () => {
    expect(mistakeIn(POLICY.replace('secret:', 'secert:'))).toMatch(
      /^keyturn\.yaml:8: tokens\.grafana\.secert: unknown key.*"secret"/,
    );
  });

  test('a missing key, at the closest thing around it', () => {
    expect(mistakeIn(POLICY.replace(', managementToken: influxdb/management', ''))).toMatch(
      /^keyturn\.yaml:3: cluster\.managementToken: found nothing, expected/,
    );
  });

  test('a schedule so rare that no alarm could tell whether it stopped', () => {
    const rare = (expression: string) => mistakeIn(POLICY.replace('rate(1 hour)', expression));
    expect(rare('rate(30 days)')).toBe(
      'keyturn.yaml:5: schedules.reap: found "rate(30 days)", with 30d between two firings, expected at most 7d, because CloudWatch looks back no further, so that no alarm could tell a schedule that stopped from one that waits; choose rate(7 days) or a more frequent one: a run changes only what is due (for tokens, rotateEvery says when)',
    );
    expect(rare('"cron(0 3 1 * ? *)"')).toMatch(/with 31d1h between two firings, expected at most/);
    expect(rare('"cron(0 3 * JAN-NOV ? *)"')).toMatch(/with 32d between two firings/);
    expect(rare('rate(8 days)')).toMatch(/with 8d between two firings/);
    // Once a year there is an hour more between two Sundays.
    for (const weekly of ['rate(7 days)', '"cron(0 3 ? * SUN *)"']) {
      expect(rare(weekly)).toBe('no mistake');
    }
  });

  test('a schedule that leaves a run no time', () => {
    expect(mistakeIn(POLICY.replace('cron(0/10 * * * ? *)', 'rate(1 minute)'))).toBe(
      'keyturn.yaml:5: schedules.rotate: found "rate(1 minute)", with 1m between two firings, expected at least 5m, because a run ends before the next one begins; choose rate(5 minutes) or a rarer one',
    );
    expect(mistakeIn(POLICY.replace('cron(0/10 * * * ? *)', '"cron(0,58 * * * ? *)"'))).toMatch(
      /with 2m between two firings/,
    );
    expect(mistakeIn(POLICY.replace('rate(1 hour)', 'rate(4 minutes)'))).toMatch(
      /^keyturn\.yaml:5: schedules\.reap: found "rate\(4 minutes\)", with 4m/,
    );
    expect(mistakeIn(POLICY.replace('cron(0/10 * * * ? *)', 'rate(5 minutes)'))).toBe('no mistake');
  });

  test('a schedule that EventBridge would refuse', () => {
    expect(mistakeIn(POLICY.replace('cron(0/10 * * * ? *)', 'cron(0/10 * * * *)'))).toBe(
      'keyturn.yaml:5: schedules.rotate: found "cron(0/10 * * * *)", expected six fields: minutes, hours, day of the month, month, day of the week, year',
    );
  });

  test('a rule in a list', () => {
    expect(
      mistakeIn(`${POLICY}databases:\n  - name: one\n  - name: two\n    maxTables: 0\n`),
    ).toMatch(/^keyturn\.yaml:12: databases\[1\]\.maxTables: found 0/);
  });

  test('several at once, one line each', () => {
    const text = POLICY.replace('Europe/Berlin', 'x').replace('owner: prod', 'owner: "?"');
    expect(mistakeIn(text).split('\n')).toHaveLength(2);
  });

  test('YAML that does not parse', () => {
    expect(mistakeIn(POLICY.replace('owner: prod', 'owner: [prod'))).toMatch(
      /^keyturn\.yaml:\d+: /,
    );
  });

  test('a key given twice', () => {
    expect(mistakeIn(`${POLICY}owner: other\n`)).toMatch(
      /^keyturn\.yaml:9: Map keys must be unique/,
    );
  });

  test('an empty file', () => {
    expect(mistakeIn('')).toMatch(/^keyturn\.yaml:1: \(the whole file\): /);
  });
});

test('a file that cannot be read is named', () => {
  expect(() => readPolicyFile(join(folder, 'absent.yaml'))).toThrow(
    /absent\.yaml: cannot read the policy file/,
  );
});

test("reads the cluster's certificate authority beside the policy", () => {
  writeFileSync(join(folder, 'authority.pem'), 'PEM');
  const file = writePolicy(folder, POLICY.replace('cluster: {', 'cluster: { ca: authority.pem,'));
  expect(readPolicyFile(file).ca).toBe('PEM');
});
