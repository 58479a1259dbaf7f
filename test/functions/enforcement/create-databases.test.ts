import { expect, test } from 'vitest';
import { passThrough } from '../../../sandbox/interception.ts';
import { against, answer, startEnforcing } from './enforcing.ts';

const DAY_NS = 86_400_000_000_000n;
const room = [{ type: 'tag', value: 'room' }] as const;
const rule = {
  name: 'telemetry',
  ifMissing: 'create',
  retention: '90d',
  maxTables: 700,
  partitionTemplate: room,
  tables: [{ name: 'cpu', partitionTemplate: room }, { name: 'mem' }],
};
const all = (result: string) => [
  `${result} create database telemetry with retention 90d, maxTables 700, partitioned by tag "room"`,
  `${result} create table cpu in telemetry unless it exists`,
  `${result} create table mem in telemetry unless it exists`,
];

test('creates a database and its tables with their templates', async () => {
  const { run, database, events } = await startEnforcing(rule);
  expect(await run()).toEqual(all('done'));
  expect(database('telemetry')).toMatchObject({
    retentionPeriod: 90n * DAY_NS,
    maxTables: 700,
    partitionTemplate: room,
    tables: [{ name: 'cpu', partitionTemplate: room }, { name: 'mem' }],
  });
  expect(events.map(({ type }) => type)).toEqual(Array(3).fill('Database Policy Enforced'));
  expect(await run()).toEqual([]);
});

test('sets at once what the server did not take with the database', async () => {
  const { cluster, run, database } = await startEnforcing(rule);
  cluster.intercept = against('POST /databases', (effect) => {
    const reply = effect();
    database('telemetry')!.retentionPeriod = 0n;
    return { ...reply, body: JSON.stringify({ ...JSON.parse(reply.body), retentionPeriod: 0 }) };
  });
  expect(await run()).toEqual(all('done'));
  expect(database('telemetry')).toMatchObject({ retentionPeriod: 90n * DAY_NS, maxTables: 700 });
});

test('yields to whoever creates it meanwhile, and corrects that in the next run', async () => {
  const { api, run, plan, cluster } = await startEnforcing({
    name: 'telemetry',
    ifMissing: 'create',
    maxTables: 700,
  });
  const old = await plan(false);
  let stale: ReturnType<Parameters<typeof against>[1]> | undefined;
  cluster.intercept = against('GET /databases', (effect) => (stale ??= effect()));
  await api.listDatabases();
  await api.createDatabase({ name: 'telemetry' });
  expect(await run({ plan: Promise.resolve(old) })).toEqual([
    'lost create database telemetry with maxTables 700',
  ]);
  cluster.intercept = passThrough;
  expect(await run()).toEqual(['done maxTables telemetry 500 -> 700']);
});

test('goes on behind a lost answer', async () => {
  const { cluster, run, database } = await startEnforcing(rule);
  cluster.intercept = (call, effect) => {
    const reply = effect();
    const lost = call.operation.startsWith('POST') && reply.status === 200;
    return Promise.resolve(lost ? 'reset' : reply);
  };
  expect(await run()).toEqual([
    all('done')[0],
    ...all('skipped').slice(1), // the second call learned that there is one
  ]);
  expect(database('telemetry')?.tables).toHaveLength(2);
});

test('creates no table where the database could not be made, and all of it next time', async () => {
  const { cluster, run, database } = await startEnforcing(rule);
  cluster.intercept = against('POST /databases', () => answer(500, 'no catalog'));
  expect(await run()).toEqual([all('failed')[0], ...all('postponed').slice(1)]);
  expect(database('telemetry')).toBeUndefined();
  cluster.intercept = passThrough;
  expect(await run()).toEqual(all('done'));
});

test('says so when the server partitions otherwise than asked', async () => {
  const { cluster, run } = await startEnforcing(rule);
  cluster.intercept = against('POST /databases', (effect) => {
    const reply = effect();
    const partitionTemplate = [{ type: 'tag', value: 'floor' }];
    return { ...reply, body: JSON.stringify({ ...JSON.parse(reply.body), partitionTemplate }) };
  });
  expect((await run())[0]).toBe(all('failed')[0]);
});

test('takes a table that exists for done, and finishes what a crash left', async () => {
  const { api, run, database } = await startEnforcing(rule);
  await api.createDatabase({ name: 'telemetry', retentionPeriod: 90n * DAY_NS, maxTables: 700 });
  await api.createTable('telemetry', { name: 'mem' });
  expect(await run({ tables: true })).toEqual([
    'done create table cpu in telemetry unless it exists',
    'skipped create table mem in telemetry unless it exists',
  ]);
  expect(
    database('telemetry')
      ?.tables.map(({ name }) => name)
      .sort(),
  ).toEqual(['cpu', 'mem']);
});
