import { expect, test } from 'vitest';
import { effectNote } from '../../../../functions/enforcement/plan/describe-action.ts';
import { planOf, within } from '../../builders.ts';
import { databaseOf, kindsOf, planFor, textsOf } from './enforcement.ts';

test('plans a whole correction, in words that read well', () => {
  const plan = planFor({
    rules: [{ match: 'scratch-*' }, { name: 'telemetry', retention: '90d', maxTables: 1_000 }],
    databases: [databaseOf('telemetry', { retention: '30d' }), databaseOf('scratch-1')],
  });
  const about = { kind: 'change', database: 'telemetry', rule: 2, reason: 'Differs' };
  expect(plan).toEqual({
    ...planOf('enforce'),
    actions: [
      {
        ...about,
        field: 'maxTables',
        from: 500,
        to: 1_000,
      },
      {
        ...about,
        field: 'retention',
        from: '30d',
        to: '90d',
      },
    ],
  });
  expect(textsOf(plan)).toEqual([
    'maxTables telemetry 500 -> 1000 (policy keyturn.yaml, rule 2)',
    'retention telemetry 30d -> 90d (policy keyturn.yaml, rule 2)',
  ]);
});

test('plans nothing where everything is as declared', () => {
  const rules = [
    { name: 'telemetry', retention: '90d', maxTables: 500, maxColumnsPerTable: 200 },
    { match: '*', retention: { min: '1h', max: 'infinite' }, maxTables: { max: 500 } },
  ];
  const databases = [databaseOf('telemetry', { retention: '90d' }), databaseOf('other')];
  expect(planFor({ rules, databases })).toEqual(planOf('enforce'));
});

test('leaves alone what a rule does not declare', () => {
  const odd = databaseOf('telemetry', { retention: '7s', maxTables: 1, maxColumnsPerTable: 9 });
  const plan = planFor({ rules: [{ name: 'telemetry' }], databases: [odd] });
  expect({ ...plan, findings: [] }).toEqual(planOf('enforce'));
  expect(kindsOf(plan)).toEqual(['RetentionTooShort telemetry']);
});

test('the first rule that matches wins, and nothing is taken from those behind it', () => {
  const plan = planFor({
    rules: [
      { name: 'scratch-1', maxTables: 600 },
      { match: 'scratch-*', maxColumnsPerTable: 300 },
    ],
    databases: [databaseOf('scratch-1'), databaseOf('scratch-2')],
  });
  expect(textsOf(plan)).toEqual([
    'maxTables scratch-1 500 -> 600 (policy keyturn.yaml, rule 1)',
    'maxColumnsPerTable scratch-2 200 -> 300 (policy keyturn.yaml, rule 2)',
  ]);
});

test('moves a value outside its bounds to the nearest one, and no other', () => {
  const plan = planFor({
    rules: [{ match: '*', maxTables: { min: 100, max: 1_000 } }],
    databases: [10, 100, 500, 1_000, 5_000].map((n) => databaseOf(`db-${n}`, { maxTables: n })),
  });
  expect(plan.actions).toEqual([
    expect.objectContaining({ database: 'db-10', from: 10, to: 100, reason: 'BelowMinimum' }),
    expect.objectContaining({
      database: 'db-5000',
      from: 5_000,
      to: 1_000,
      reason: 'AboveMaximum',
    }),
  ]);
});

test('lowers a limit with a note of what the server does with existing tables', () => {
  const plan = planFor({
    rules: [{ name: 'a', maxTables: 100, maxColumnsPerTable: 100 }],
    databases: [databaseOf('a')],
  });
  expect(plan.actions.map((action) => action.kind === 'change' && effectNote(action))).toEqual([
    expect.stringContaining('existing tables stay'),
    expect.stringContaining('existing tables stay'),
  ]);
  expect(plan.limits).toEqual(within(1));
});

test('a plan that takes from more databases than its limit refuses itself', () => {
  const databases = Array.from({ length: 20 }, (_, n) => databaseOf(`db-${n}`));
  const lower = planFor({ rules: [{ match: '*', maxTables: { max: 100 } }], databases });
  expect(lower.refusals).toEqual([
    {
      hash: expect.stringMatching(/^[0-9a-f]{16}$/),
      message: '20 databases would be left with shorter retention or lower limits; the limit is 6',
      counted: 20,
      allowed: 6,
      actions: databases.map((_, index) => index),
    },
  ]);
  const raise = planFor({ rules: [{ match: '*', maxTables: { min: 600 } }], databases });
  expect(raise.actions).toHaveLength(20);
  expect(raise.refusals).toEqual([]);
  const none = { limits: { percent: 0, tokens: 0 } };
  const one = [{ name: 'db-1', maxTables: 100 }];
  expect(planFor({ rules: one, databases, more: none }).refusals).toMatchObject([
    { message: expect.stringMatching(/the limit is 0$/) },
  ]);
});

test('reports, under mode: report, and changes nothing', () => {
  const plan = planFor({
    rules: [
      { name: 'a', mode: 'report', retention: '30d', maxTables: 600, tables: [{ name: 'cpu' }] },
      { name: 'b', mode: 'report', ifMissing: 'create' },
      { match: 'c*', mode: 'report', maxTables: { max: 10 } },
    ],
    databases: [databaseOf('a'), databaseOf('c1')],
    tables: true,
  });
  expect(plan.actions).toEqual([]);
  expect([...plan.limits, ...plan.refusals]).toEqual([]);
  expect(plan.findings.map(({ message }) => message)).toEqual([
    'maxTables a 500 -> 600 (policy keyturn.yaml, rule 1) is not done, because the rule only reports',
    'retention a infinite -> 30d (policy keyturn.yaml, rule 1) is not done, because the rule only reports',
    'maxTables c1 500 -> 10 (policy keyturn.yaml, rule 3) is not done, because the rule only reports',
    'b (policy keyturn.yaml, rule 2) does not exist; it is not created, because the rule only reports',
  ]);
});

test('tells in one sentence which databases have no rule', () => {
  const databases = Array.from({ length: 25 }, (_, n) =>
    databaseOf(`db-${String(n).padStart(2, '0')}`),
  );
  const { actions, findings } = planFor({ rules: [{ name: 'db-00' }], databases });
  expect(actions).toEqual([]);
  expect(findings).toEqual([
    {
      kind: 'UnmanagedDatabases',
      message: expect.stringMatching(
        /^24 databases have no rule and are left alone: db-01, .*db-20, and 4 more$/,
      ),
    },
  ]);
});

test('names each database that keeps data for less than an hour, and tells whether a rule is about it', () => {
  const databases = [
    databaseOf('signals', { retention: '604800ns' }),
    databaseOf('reported', { retention: '59m' }),
    databaseOf('mended', { retention: '1s' }),
    databaseOf('hourly', { retention: '1h' }),
    databaseOf('infinite'),
  ];
  const rules = [
    { name: 'reported', retention: '7d', mode: 'report' },
    { name: 'mended', retention: '7d' },
  ];
  const plan = planFor({ databases, rules });
  expect(textsOf(plan)).toEqual(['retention mended 1s -> 7d (policy keyturn.yaml, rule 2)']);
  expect(kindsOf(plan)).toEqual([
    'DatabaseDrift reported',
    'RetentionTooShort reported',
    'UnmanagedDatabases',
    'UnmanagedTooShort signals',
  ]);
  expect(plan.findings[3]?.message).toMatch(
    /^signals keeps what is written for 604800ns, under an hour/,
  );
});

test('tells of rules that match nothing', () => {
  const plan = planFor({ rules: [{ name: 'telemetry' }, { match: 'sratch-*' }] });
  expect(kindsOf(plan)).toEqual(['DatabaseMissing telemetry', 'RuleWithoutDatabase']);
  expect(plan.findings[1]?.message).toBe(
    'sratch-* (policy keyturn.yaml, rule 2) matches no database',
  );
});

test('knows names with slashes and letters of any script', () => {
  const plan = planFor({
    rules: [
      { name: 'telegraf/autogen', maxTables: 600 },
      { match: 'Größe-*', maxTables: 600 },
    ],
    databases: [databaseOf('telegraf/autogen'), databaseOf('Größe-測'), databaseOf('größe-1')],
  });
  expect(plan.actions.map(({ database }) => database)).toEqual(['Größe-測', 'telegraf/autogen']);
  expect(kindsOf(plan)).toEqual(['UnmanagedDatabases']);
});

test('is the same plan, with the same hash, in whatever order the server lists', () => {
  const rules = [{ match: '*', maxTables: 600 }];
  const databases = ['a', 'b', 'c'].map((name) => databaseOf(name));
  expect(planFor({ rules, databases: databases.toReversed() })).toEqual(
    planFor({ rules, databases }),
  );
});

test('a refusal has the same hash under another rule number, and another for other effects', () => {
  const limits = { percent: 0, tokens: 0 };
  const hashOf = (rules: readonly object[], databases = [databaseOf('a')]) =>
    planFor({ rules, databases, more: { limits } }).refusals.map(({ hash }) => hash);
  const hash = hashOf([{ name: 'a', maxTables: 400 }]);
  expect(hash).toHaveLength(1);
  expect(hashOf([{ name: 'z' }, { name: 'a', maxTables: 400 }])).toEqual(hash);
  // Nor do actions beside it that take nothing away.
  expect(hashOf([{ name: 'a', maxTables: 400, maxColumnsPerTable: 300 }])).toEqual(hash);
  expect(hashOf([{ name: 'a', maxTables: 401 }])).not.toEqual(hash);
  expect(
    hashOf([{ name: 'a', maxTables: 400 }], [databaseOf('a', { maxTables: 600 })]),
  ).not.toEqual(hash);
});
