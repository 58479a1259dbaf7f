import { expect, test } from 'vitest';
import { openWorldForTest } from '../../world/open-world.ts';
import { HOUR, policyWith, writer } from '../../world/policy.ts';
import type { World } from '../../world/world.ts';

const DAY_NS = 86_400_000_000_000n;
const governed = (databases: object[], more: object = {}) =>
  policyWith({ telegraf: writer }, { databases, ...more });
const database = ({ cluster }: World, name: string) =>
  cluster.state.databases.find((each) => each.name === name);
const calls = ({ cluster }: World, operation: string) =>
  Object.entries(cluster.state.calls)
    .filter(([key]) => key.startsWith(operation))
    .reduce((sum, [, count]) => sum + count, 0);

const telemetry = { name: 'telemetry', retention: '90d', maxTables: 700 };

test('answers a dry run with the plan, and neither changes nor tells anything', async () => {
  const world = await openWorldForTest(governed([telemetry]));
  const { result } = await world.enforce({ dryRun: true });
  expect(result).toEqual({
    plan: expect.objectContaining({
      job: 'enforce',
      actions: [expect.objectContaining({ field: 'maxTables', from: 500, to: 700 })],
      findings: [
        expect.objectContaining({ kind: 'RetentionRefused', database: 'telemetry' }),
        expect.objectContaining({ kind: 'UnmanagedDatabases' }),
      ],
    }),
    schedule: { name: 'keyturn-prod-enforce', state: 'on' },
    managementToken: { by: 'secret' },
    policy: { hash: expect.stringMatching(/^[0-9a-f]{12}$/), parts: expect.any(Object) },
  });
  expect(database(world, 'telemetry')).toMatchObject({ maxTables: 500, retentionPeriod: 0n });
  expect(world.events()).toEqual([]);
});

test('corrects one thing and refuses another, and tells of both', async () => {
  const world = await openWorldForTest(governed([telemetry]));
  expect(await world.enforce()).toMatchObject({ result: { outcomes: [{ result: 'done' }] } });
  expect(database(world, 'telemetry')).toMatchObject({ maxTables: 700, retentionPeriod: 0n });
  expect(world.events().map(({ detailType, detail }) => [detailType, detail])).toEqual([
    [
      'Database Drift Detected',
      {
        owner: 'prod',
        drifted: 1,
        refused: 1,
        findings: [expect.objectContaining({ kind: 'RetentionRefused' })],
      },
    ],
    [
      'Database Policy Enforced',
      expect.objectContaining({
        field: 'maxTables',
        to: 700,
        text: 'maxTables telemetry 500 -> 700 (policy keyturn.yaml, rule 1)',
      }),
    ],
  ]);
});

test('shortens under an approval, and not once it ran out', async () => {
  const approve = { shortenRetentionUntil: '2026-03-02' };
  const world = await openWorldForTest(governed([{ ...telemetry, approve }]));
  await world.enforce();
  expect(database(world, 'telemetry')?.retentionPeriod).toBe(90n * DAY_NS);
  await world.wait(12 * HOUR);
  await world.people.changeDatabase('telemetry', { retentionPeriod: 0 });
  await world.enforce();
  expect(database(world, 'telemetry')?.retentionPeriod).toBe(0n);
});

test('refuses what takes away more than the limit, and applies the rest of the plan at once', async () => {
  const rules = [{ match: '*', maxTables: { max: 100 }, maxColumnsPerTable: { min: 250 } }];
  const world = await openWorldForTest(governed(rules, { limits: { percent: 0, tokens: 1 } }));
  const { error } = await world.enforce();
  expect(error).toMatchObject({
    errorType: 'PlanRefusedError',
    errorMessage: expect.stringContaining('2 databases would be left with shorter retention'),
  });
  for (const name of ['telemetry', 'quality']) {
    expect(database(world, name)).toMatchObject({ maxTables: 500, maxColumnsPerTable: 250 });
  }
  expect(world.events('Plan Refused')).toHaveLength(1);
  const [, approve] = /\{"approve": "(\w+)"\}/.exec(error?.errorMessage ?? '') ?? [];
  expect(await world.enforce({ approve })).not.toHaveProperty('error');
  expect(database(world, 'quality')).toMatchObject({ maxTables: 100, maxColumnsPerTable: 250 });
});

test('fails without touching anything when the clocks are far apart', async () => {
  const world = await openWorldForTest(governed([telemetry]));
  world.intercept((call, effect) => {
    const reply = effect();
    if (call.server !== 'management-api') return Promise.resolve(reply);
    const date = new Date(Date.UTC(2026, 2, 1)).toUTCString();
    return Promise.resolve({ ...reply, headers: { ...reply.headers, date } });
  });
  expect(await world.enforce()).toMatchObject({ error: { errorType: 'ObservationError' } });
  expect(calls(world, 'PATCH')).toBe(0);
});

test('refuses an event that it does not know', async () => {
  const world = await openWorldForTest(governed([telemetry]));
  expect(await world.enforce({ databases: ['telemetry'] })).toMatchObject({
    error: { errorType: 'RequestError' },
  });
});

test('holds a thousand databases with three listings and one call for each difference', async () => {
  const approve = { shortenRetentionUntil: '2026-12-24' };
  const world = await openWorldForTest(
    governed([
      { match: 'keep/*', retention: 'infinite' },
      { match: 'scratch-*', retention: { max: '7d' }, maxTables: { min: 600 }, approve },
      { name: 'telemetry', ifMissing: 'create' },
    ]),
  );
  const state = world.cluster.state;
  for (let n = 0; n < 1_000; n += 1) {
    const name = n < 500 ? `keep/${n}` : n < 900 ? `scratch-${n}` : `other-${n}`;
    const retentionPeriod = n % 2 === 0 ? 30n * DAY_NS : 5n * DAY_NS;
    const limits = { maxTables: 500, maxColumnsPerTable: 200 };
    state.databases.push({ id: 10_000 + n, name, retentionPeriod, ...limits, tables: [] });
  }
  const { result, error } = await world.enforce();
  expect(error).toBeUndefined();
  // 500 to infinity, 400 to more tables, 200 to a shorter retention: under 30 % of 1,002.
  expect(result.outcomes).toHaveLength(1_100);
  expect(result.plan.limits).toMatchObject([{ counted: 200, allowed: 300 }]);
  expect(new Set(result.outcomes.map(({ result }: { result: string }) => result))).toEqual(
    new Set(['done']),
  );
  expect(calls(world, 'PATCH')).toBe(1_100);
  expect(calls(world, 'GET /databases')).toBeLessThanOrEqual(5);
  const other = state.databases.filter(({ name }) => name.startsWith('other-'));
  expect(other.filter(({ retentionPeriod }) => retentionPeriod === 30n * DAY_NS)).toHaveLength(50);
  expect(calls(world, 'DELETE')).toBe(0);
  expect(await world.enforce()).toMatchObject({ result: { plan: { actions: [] } } });
}, 60_000);

test('runs beside rotate and reap', async () => {
  const world = await openWorldForTest(governed([telemetry]));
  const answers = await Promise.all([
    world.enforce(),
    world.rotate(),
    world.reap(),
    world.enforce(),
  ]);
  for (const answer of answers) expect(answer).not.toHaveProperty('error');
  expect(database(world, 'telemetry')?.maxTables).toBe(700);
  expect(world.tokens()).toHaveLength(1);
});

test('says in its event what lowering a limit means for what is there', async () => {
  const world = await openWorldForTest(governed([{ name: 'telemetry', maxTables: 400 }]));
  await world.enforce();
  expect(world.events('Database Policy Enforced').map(({ detail }) => detail)).toEqual([
    expect.objectContaining({
      text: 'maxTables telemetry 500 -> 400 (policy keyturn.yaml, rule 1)',
      note: expect.stringContaining('existing tables stay'),
    }),
  ]);
});
