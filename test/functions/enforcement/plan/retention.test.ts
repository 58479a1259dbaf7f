import { expect, test } from 'vitest';
import { databaseOf, kindsOf, planFor, textsOf } from './enforcement.ts';

const INT64_MAX = 9_223_372_036_854_775_807n;
const plan = (from: string, rule: object, more: object = {}) =>
  planFor({
    rules: [{ name: 'telemetry', ...rule }],
    databases: [databaseOf('telemetry', { retention: from })],
    ...more,
  });

test('refuses to shorten, saying what would vanish and how to approve, and applies all else', () => {
  const { actions, findings, refusals, limits } = plan('90d', { retention: '30d', maxTables: 600 });
  expect(actions).toEqual([expect.objectContaining({ field: 'maxTables', to: 600 })]);
  expect(findings).toEqual([
    {
      kind: 'RetentionRefused',
      database: 'telemetry',
      message:
        'retention telemetry 90d -> 30d (policy keyturn.yaml, rule 1) is refused: ' +
        'data older than 30d would disappear from queries at once (now 90d are kept), and ' +
        'the rule has no approval. To approve it until the end of a day, write in rule 1 of keyturn.yaml: ' +
        'approve: {shortenRetentionUntil: <date>}',
    },
  ]);
  expect(refusals).toEqual([]);
  expect(limits).toEqual([]);
});

test('refuses to leave infinity above all', () => {
  const { actions, findings } = plan('infinite', { retention: '10000d' });
  expect(actions).toEqual([]);
  expect(findings[0]?.message).toMatch(/older than 10000d .* \(now nothing expires\), and/);
});

test('lengthens without asking, to infinity as well', () => {
  expect(textsOf(plan('30d', { retention: 'infinite' }))).toEqual([
    'retention telemetry 30d -> infinite (policy keyturn.yaml, rule 1)',
  ]);
});

test('shortens under an approval in force, to the end of its date where the policy lives', () => {
  const approved = { retention: '30d', approve: { shortenRetentionUntil: '2026-03-02' } };
  const shortens = (at: string, timeZone: string) => {
    const { actions, findings } = plan('90d', approved, {
      at: Date.parse(at),
      more: { timeZone },
    });
    expect(actions.length + findings.length).toBe(1);
    return actions.length === 1;
  };
  expect(shortens('2026-03-02T12:00:00Z', 'UTC')).toBe(true);
  expect(shortens('2026-03-02T23:59:59Z', 'UTC')).toBe(true);
  expect(shortens('2026-03-03T00:00:00Z', 'UTC')).toBe(false);
  expect(shortens('2026-03-02T22:59:59Z', 'Europe/Berlin')).toBe(true);
  expect(shortens('2026-03-02T23:00:00Z', 'Europe/Berlin')).toBe(false);
  expect(shortens('2026-03-03T07:59:59Z', 'America/Los_Angeles')).toBe(true);
  expect(shortens('2027-01-01T00:00:00Z', 'UTC')).toBe(false);
});

test('says when an approval ran out', () => {
  const approve = { shortenRetentionUntil: '2026-03-01' };
  expect(plan('90d', { retention: '30d', approve }).findings[0]?.message).toContain(
    'its approval ended with 2026-03-01 (UTC)',
  );
});

test('counts approved shortening against the limit', () => {
  const approve = { shortenRetentionUntil: '2026-12-24' };
  const databases = Array.from({ length: 5 }, (_, n) => databaseOf(`db-${n}`));
  const rules = [{ match: '*', retention: { max: '7d' }, approve }];
  expect(planFor({ rules, databases })).toMatchObject({
    refusals: [{ counted: 5, allowed: 3, message: expect.stringContaining('5 databases') }],
  });
});

test('holds retention between bounds, infinity being the most', () => {
  const found = planFor({
    rules: [{ match: '*', retention: { min: '7d', max: '90d' } }],
    databases: ['1d', '7d', '30d', '90d', '91d', 'infinite'].map((retention) =>
      databaseOf(`keeps-${retention}`, { retention }),
    ),
  });
  expect(textsOf(found)).toEqual(['retention keeps-1d 1d -> 7d (policy keyturn.yaml, rule 1)']);
  expect(kindsOf(found)).toEqual(['RetentionRefused keeps-91d', 'RetentionRefused keeps-infinite']);
});

test('a minimum of infinity raises all, a maximum of infinity none', () => {
  const databases = [databaseOf('a', { retention: '1d' }), databaseOf('b')];
  const min = planFor({ rules: [{ match: '*', retention: { min: 'infinite' } }], databases });
  expect(textsOf(min)).toEqual(['retention a 1d -> infinite (policy keyturn.yaml, rule 1)']);
  const max = planFor({ rules: [{ match: '*', retention: { max: 'infinite' } }], databases });
  expect([...max.actions, ...max.findings]).toEqual([]);
});

test('tells periods apart by the nanosecond, up to the last of 64 bits', () => {
  const at = (retentionPeriod: bigint, retention: string) =>
    planFor({
      rules: [{ name: 'a', retention }],
      databases: [databaseOf('a', { retentionPeriod })],
    });
  const most = '106751d23h47m16s854775807ns';
  expect(textsOf(at(INT64_MAX, most))).toEqual([]);
  expect(textsOf(at(INT64_MAX - 1n, most))).toEqual([
    `retention a 106751d23h47m16s854775806ns -> ${most} (policy keyturn.yaml, rule 1)`,
  ]);
  expect(kindsOf(at(INT64_MAX, '106751d23h47m16s854775806ns'))).toEqual(['RetentionRefused a']);
  expect(kindsOf(at(0n, most))).toEqual(['RetentionRefused a']);
  expect(textsOf(at(INT64_MAX, 'infinite'))).toHaveLength(1);
  const odd = 9_007_199_254_740_993n; // 2 ** 53 + 1, which is no number
  expect(textsOf(at(odd, '104d5h59m59s254740993ns'))).toEqual([]);
});
