import { expect, test } from 'vitest';
import { DAY, HOUR, MINUTE, NOW } from '../../builders.ts';
import { databaseOf, kindsOf, planFor, textsOf } from './enforcement.ts';

const room = [{ type: 'tag', value: 'room' }] as const;
const declared = { name: 'telemetry', partitionTemplate: room, tables: [{ name: 'cpu' }] };

test('reports a declared database that is missing, rather than block its undelete', () => {
  const plan = planFor({ rules: [declared], tables: true });
  expect(plan.actions).toEqual([]);
  expect(plan.findings).toEqual([
    {
      kind: 'DatabaseMissing',
      database: 'telemetry',
      message:
        'telemetry (policy keyturn.yaml, rule 1) does not exist; ' +
        'it is created only with ifMissing: create, which would prevent undeleting one of that name',
    },
  ]);
});

test('creates it where the rule says so, with its template, its limits and its tables', () => {
  const rule = { ...declared, ifMissing: 'create', retention: '90d', maxTables: 700 };
  const plan = planFor({ rules: [rule] });
  expect(plan).toMatchObject({
    actions: [
      {
        kind: 'create-database',
        reason: 'DatabaseMissing',
        fields: { retention: '90d', maxTables: 700 },
        partitionTemplate: 'tag "room"',
      },
      { kind: 'create-table', table: 'cpu' },
    ],
    findings: [],
    limits: [],
    refusals: [],
  });
  expect(textsOf(plan)).toEqual([
    'create database telemetry with retention 90d, maxTables 700, partitioned by tag "room" (policy keyturn.yaml, rule 1)',
    'create table cpu in telemetry unless it exists (policy keyturn.yaml, rule 1)',
  ]);
});

test('reports a partition template that cannot be changed, with both values', () => {
  const buckets = [{ type: 'bucket', value: { tagName: 'id', numberOfBuckets: 8 } }] as const;
  const drift = (partitionTemplate?: typeof buckets | typeof room) =>
    planFor({
      rules: [{ name: 'telemetry', partitionTemplate: room }],
      databases: [databaseOf('telemetry', { ...(partitionTemplate && { partitionTemplate }) })],
    });
  expect(kindsOf(drift(buckets))).toEqual(['PartitionTemplateDiffers telemetry']);
  expect(drift(buckets).findings[0]?.message).toMatch(
    /^partition template telemetry bucket "id" of 8 -> tag "room" \(policy keyturn.yaml, rule 1\) cannot be/,
  );
  expect(drift().findings[0]?.message).toContain('(the server shows none: its default)');
  expect(kindsOf(drift(room))).toEqual([]);
  expect(drift(buckets).actions).toEqual([]);
});

/** How often a day each database's tables come up, when runs are so far apart. */
function turns(schedule: string, everyMs: number): number[] {
  const rules = Array.from({ length: 12 }, (_, n) => ({
    name: `db-${n}`,
    tables: [{ name: 'cpu' }],
  }));
  const databases = rules.map(({ name }) => databaseOf(name));
  const counts = new Map<string, number>();
  const midnight = NOW - (NOW % DAY);
  for (let at = midnight; at < midnight + DAY; at += everyMs) {
    const { actions } = planFor({
      rules,
      databases,
      at,
      more: { schedules: { enforce: schedule } },
    });
    for (const { database } of actions) counts.set(database, (counts.get(database) ?? 0) + 1);
  }
  return rules.map(({ name }) => counts.get(name) ?? 0);
}

test('creates the tables of a database that exists once a day, however often it runs', () => {
  const once = Array.from({ length: 12 }, () => 1);
  expect(turns('rate(1 hour)', HOUR)).toEqual(once);
  expect(turns('rate(10 minutes)', 10 * MINUTE)).toEqual(once);
  expect(turns('rate(1 day)', DAY)).toEqual(once);
  expect(turns('cron(0 3 * * ? *)', DAY)).toEqual(once);
});

test('creates them now when asked', () => {
  const databases = [databaseOf('telemetry')];
  const rules = [{ name: 'telemetry', tables: [{ name: 'cpu' }, { name: 'mem' }] }];
  expect(textsOf(planFor({ rules, databases, tables: true }))).toHaveLength(2);
});
