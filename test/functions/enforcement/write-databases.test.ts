import { expect, test } from 'vitest';
import { passThrough } from '../../../sandbox/interception.ts';
import { against, answer, startEnforcing } from './enforcing.ts';

const DAY_NS = 86_400_000_000_000n;
const PATCH = 'PATCH /databases/{name}';

test('writes every field by a call of its own, and looks once more at the end', async () => {
  const { cluster, api, run, database, events } = await startEnforcing({
    match: '*',
    retention: { min: '30d' },
    maxTables: 600,
  });
  for (const name of ['a', 'b', 'c']) {
    await api.createDatabase({ name, retentionPeriod: DAY_NS });
  }
  expect(await run()).toEqual(
    ['a', 'b', 'c'].flatMap((name) => [
      `done maxTables ${name} 500 -> 600`,
      `done retention ${name} 1d -> 30d`,
    ]),
  );
  expect(database('a')).toMatchObject({ retentionPeriod: 30n * DAY_NS, maxTables: 600 });
  expect(cluster.state.calls).toEqual({
    'POST /databases 200': 3,
    'PATCH /databases/{name} 200': 6,
    'GET /databases 200': 3, // to plan, right before the first change, and behind the last
  });
  expect(events).toHaveLength(6);
  expect(events[0]).toEqual({
    type: 'Database Policy Enforced',
    detail: expect.objectContaining({ database: 'a', field: 'maxTables', from: 500, to: 600 }),
  });
  expect(await run()).toEqual([]);
});

test('keeps odd nanoseconds beyond what a number holds, and awkward names', async () => {
  const retention = '106751d23h47m16s854775807ns';
  const { api, run, database } = await startEnforcing(
    { name: 'telegraf/autogen', retention },
    { match: 'Größe*', retention },
  );
  for (const name of ['telegraf/autogen', 'Größe-測']) {
    await api.createDatabase({ name, retentionPeriod: DAY_NS });
  }
  await run();
  expect(database('telegraf/autogen')?.retentionPeriod).toBe(2n ** 63n - 1n);
  expect(database('Größe-測')?.retentionPeriod).toBe(2n ** 63n - 1n);
  expect(await run()).toEqual([]);
});

test('says what is half applied where a server takes a part, and the next run does the rest', async () => {
  const { cluster, api, run, events, told } = await startEnforcing({
    name: 'a',
    retention: '30d',
    maxTables: 600,
  });
  await api.createDatabase({ name: 'a', retentionPeriod: DAY_NS });
  let calls = 0;
  cluster.intercept = against(PATCH, (effect) =>
    calls++ === 0 ? answer(400, 'not now') : effect(),
  );
  expect(await run()).toEqual(['failed maxTables a 500 -> 600', 'done retention a 1d -> 30d']);
  const half = {
    database: 'a',
    done: ['retention a 1d -> 30d (policy keyturn.yaml, rule 1)'],
    open: ['maxTables a 500 -> 600 (policy keyturn.yaml, rule 1)'],
  };
  expect(told).toContainEqual({ message: 'half applied', details: half });
  expect(events).toContainEqual({
    type: 'Database Drift Detected',
    detail: { kind: 'HalfApplied', ...half },
  });
  expect(await run()).toEqual(['done maxTables a 500 -> 600']);
});

test('goes no further with a database of which the server changes more than it was asked', async () => {
  const { cluster, api, run, database } = await startEnforcing({
    match: '*',
    retention: '30d',
    maxTables: 600,
    maxColumnsPerTable: 300,
  });
  for (const name of ['a', 'b']) await api.createDatabase({ name, retentionPeriod: DAY_NS });
  cluster.intercept = against(PATCH, (effect) => {
    const reply = effect();
    const echo = JSON.parse(reply.body);
    if (echo.name !== 'a') return reply;
    // A missing retention period means infinite, as in the storage engine's own interface.
    database('a')!.retentionPeriod = 0n;
    return { ...reply, body: JSON.stringify({ ...echo, retentionPeriod: 0 }) };
  });
  expect(await run()).toEqual([
    'failed maxColumnsPerTable a 200 -> 300',
    'postponed maxTables a 500 -> 600',
    'postponed retention a 1d -> 30d',
    'done maxColumnsPerTable b 200 -> 300',
    'done maxTables b 500 -> 600',
    'done retention b 1d -> 30d',
  ]);
});

test('believes the listing where an answer is lost', async () => {
  const { cluster, api, run, database } = await startEnforcing({ name: 'a', maxTables: 600 });
  await api.createDatabase({ name: 'a' });
  cluster.intercept = against(PATCH, (effect) => {
    effect();
    return 'reset';
  });
  expect(await run()).toEqual(['done maxTables a 500 -> 600']);
  expect(database('a')?.maxTables).toBe(600);
});

test('waits for a server that lists from a cache', async () => {
  const { cluster, api, run, naps } = await startEnforcing({ name: 'a', maxTables: 600 });
  await api.createDatabase({ name: 'a' });
  let stale: ReturnType<Parameters<typeof against>[1]>;
  let listings = 0;
  cluster.intercept = against('GET /databases', (effect) => {
    listings += 1;
    if (listings === 1) stale = effect();
    return listings <= 4 ? stale : effect();
  });
  expect(await run()).toEqual(['done maxTables a 500 -> 600']);
  expect(naps).toEqual([1_000, 2_000]);
});

test('never calls done what is not listed, and the next run finds it done', async () => {
  const { cluster, api, run, events } = await startEnforcing({ name: 'a', maxTables: 600 });
  await api.createDatabase({ name: 'a' });
  let stale: ReturnType<Parameters<typeof against>[1]> | undefined;
  cluster.intercept = against('GET /databases', (effect) => (stale ??= effect()));
  expect(await run()).toEqual(['failed maxTables a 500 -> 600']);
  expect(await run()).toEqual(['failed maxTables a 500 -> 600']);
  expect(events).toEqual([]);
  cluster.intercept = passThrough;
  expect(await run()).toEqual([]);
});

test('leaves what somebody changed since the plan, and takes nothing back', async () => {
  const { api, run, plan, database } = await startEnforcing({ match: '*', retention: '30d' });
  for (const name of ['a', 'b', 'c']) {
    await api.createDatabase({ name, retentionPeriod: DAY_NS });
  }
  const old = await plan(false);
  await api.updateDatabase('a', { retentionPeriod: 90n * DAY_NS });
  await api.updateDatabase('b', { retentionPeriod: 30n * DAY_NS });
  await api.deleteDatabase('c');
  expect(await run({ plan: Promise.resolve(old) })).toEqual([
    'skipped retention a 1d -> 30d',
    'lost retention b 1d -> 30d',
    'skipped retention c 1d -> 30d',
  ]);
  expect(database('a')?.retentionPeriod).toBe(90n * DAY_NS);
});

test('two runs at once end where one would', async () => {
  const { api, run, database } = await startEnforcing(
    { name: 'a', retention: '30d', maxTables: 600 },
    { name: 'b', ifMissing: 'create', tables: [{ name: 'cpu' }] },
  );
  await api.createDatabase({ name: 'a', retentionPeriod: DAY_NS });
  const both = await Promise.all([run(), run()]);
  expect(both.flat().filter((line) => line.startsWith('failed'))).toEqual([]);
  expect(database('a')).toMatchObject({ retentionPeriod: 30n * DAY_NS, maxTables: 600 });
  expect(database('b')?.tables.map(({ name }) => name)).toEqual(['cpu']);
  expect(await run()).toEqual([]);
});
