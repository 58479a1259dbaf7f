import { expect, test } from 'vitest';
import { createRuntime } from '../../../functions/runtime.ts';
import { TokenValue } from '../../../functions/token-value.ts';
import type { Reply } from '../../../sandbox/interception.ts';
import { heard } from '../../crash/alarms.ts';
import { openMoved } from '../../world/moved.ts';
import { openWorldForTest } from '../../world/open-world.ts';
import { DAY, HOUR, MINUTE, policyWith, TELEGRAF, writer } from '../../world/policy.ts';
import type { World } from '../../world/world.ts';
import { policyOf } from '../builders.ts';

const fleet = Object.fromEntries(['a', 'b', 'c', 'd', 'e'].map((name) => [name, writer]));

test('a run ends with what it measured, and one line for each kind of action', async () => {
  const world = await openWorldForTest(policyWith({ telegraf: writer }));
  await world.rotate();
  expect(world.metrics()).toEqual([
    {
      'Owner=prod OwnedTokens': 0,
      'Owner=prod OverdueTokens': 0,
      'Owner=prod UnusableTokens': 0,
      'Owner=prod DeletedSecrets': 0,
      'Owner=prod LongHolds': 0,
      'Owner=prod TokensNearExpiry': 0,
      'Owner=prod RefusedPlans': 0,
      'Owner=prod FailedActions': 0,
    },
    { 'Owner=prod Action=rotate Actions': 1 },
  ]);
  await world.wait(DAY);
  await world.rotate();
  expect(world.metrics().at(-1)).toMatchObject({
    'Owner=prod OwnedTokens': 1,
    'Owner=prod RunwayDays': 89,
    'Owner=prod OldestTokenDays': 1,
  });
});

const wanting = (metrics: string) => policyWith({ telegraf: writer }, { deployment: { metrics } });

test('only what alarms look at becomes a metric where nobody wants more, and the log has it all', async () => {
  const world = await openWorldForTest(wanting('alarms'));
  await world.rotate();
  expect(world.metrics()).toEqual([
    {
      'Owner=prod OverdueTokens': 0,
      'Owner=prod UnusableTokens': 0,
      'Owner=prod DeletedSecrets': 0,
      'Owner=prod LongHolds': 0,
      'Owner=prod TokensNearExpiry': 0,
      'Owner=prod RefusedPlans': 0,
    },
  ]);
  expect(measuredIn(world)).toMatchObject([
    { OwnedTokens: 0, OverdueTokens: 0, FailedActions: 0 },
    { Action: 'rotate', Actions: 1 },
  ]);
});

test('nothing becomes a metric where nobody wants any, and the log has it all', async () => {
  const world = await openWorldForTest(wanting('none'));
  await world.rotate();
  expect(world.metrics()).toEqual([]);
  expect(measuredIn(world)).toMatchObject([
    { OwnedTokens: 0, OverdueTokens: 0, FailedActions: 0 },
    { Action: 'rotate', Actions: 1 },
  ]);
});

const measuredIn = (world: World) =>
  world
    .lines()
    .map((line) => JSON.parse(line))
    .filter(({ message }) => message === 'measured');

test('what was measured is written before the answer is looked through', async () => {
  const done: string[] = [];
  const { run } = createRuntime({
    policy: policyOf(),
    log: { info() {}, warn() {}, error() {} },
    writeMetrics: () => done.push('measured'),
    managementToken: new TokenValue('management'),
  });
  await run({ getRemainingTimeInMillis: () => MINUTE }, ({ measure }) => {
    measure({ failedActions: 0 });
    return Promise.resolve({
      get answer() {
        return done.push('looked through');
      },
    });
  });
  expect(done).toEqual(['measured', 'looked through']);
});

test('a refused plan is counted, and none of its actions', async () => {
  const world = await openWorldForTest(policyWith(fleet));
  await world.rotate();
  for (const { id } of world.tokens()) await world.people.deleteToken(id);
  const before = world.metrics().length;
  await world.rotate();
  const [refused, ...more] = world.metrics().slice(before);
  expect(refused).toMatchObject({
    'Owner=prod RefusedPlans': 1,
    'Owner=prod UnusableTokens': 5,
  });
  expect(more).toEqual([]);
});

test('what nobody knows counts as unusable, and what the run has mended does not', async () => {
  const world = await openWorldForTest(policyWith({ telegraf: writer, grafana: writer }));
  await world.rotate();
  await world.people.saveValue(TELEGRAF, 'CHANGE_ME');
  await world.rotate();
  expect(world.metrics().at(-1)).toMatchObject({ 'Owner=prod UnusableTokens': 1 });
  await world.rotate({ tokens: ['telegraf'], force: true });
  const [mended] = world.metrics().slice(-2);
  expect(mended).toMatchObject({ 'Owner=prod UnusableTokens': 0 });
});

/** What takes from consumers what works, between two runs. */
const OUTAGES: Readonly<Record<string, (world: World, first?: string) => Promise<void>>> = {
  'somebody deletes the token': async (world) => {
    await world.people.deleteToken(world.holders(TELEGRAF).AWSCURRENT);
  },
  'somebody makes a placeholder current that was put long ago': (world) =>
    world.people.makeCurrent(TELEGRAF, 'placeholder-of-the-old-days-0123456789'),
  'somebody goes back to a quarantined token': (world, first) =>
    world.people.makeCurrent(TELEGRAF, first),
};

/** Both schedules by default. */
async function passHours(world: World, hours: number) {
  const runs: { at: number; lines: readonly string[]; error?: object }[] = [];
  for (let count = 0; count < 2 * hours; count += 1) {
    await world.wait(30 * MINUTE);
    const from = world.lines().length;
    const { error } = await world.rotate();
    runs.push({ at: world.clock.now(), lines: world.lines(from), ...(error && { error }) });
  }
  return runs;
}

test.each([...Object.keys(OUTAGES), 'nothing happens'])(
  'on the default schedule an alarm tells of an outage that the next run ends, where %s',
  async (what) => {
    const world = await openWorldForTest(policyWith({ telegraf: writer, grafana: writer }));
    const first = await world.rotate().then(() => world.labels(TELEGRAF).AWSCURRENT);
    const old = 'placeholder-of-the-old-days-0123456789';
    await world.people.putVersion(TELEGRAF, old, 'CHANGE_ME', 'mine');
    await world.wait(HOUR);
    await world.rotate({ tokens: ['telegraf'], force: true });
    for (let days = 0; days < 4; days += 1) {
      await world.wait(DAY);
      await world.reap();
    }
    const before = await passHours(world, 2);
    await OUTAGES[what]?.(world, first);
    const isOut = !world.accepts(world.string(TELEGRAF));
    const after = await passHours(world, 3);
    expect(world.accepts(world.string(TELEGRAF))).toBe(true);
    expect(isOut).toBe(what !== 'nothing happens');
    expect(heard([...before, ...after])).toEqual(isOut ? ['MendedOutages'] : []);
  },
);

test('an outage that a person ordered, and lifted, sounds no alarm', async () => {
  const world = await openWorldForTest(policyWith({ telegraf: writer, grafana: writer }));
  const before = await passHours(world, 2);
  const order = { token: 'telegraf', reason: 'leaked' };
  await world.revoke({ ...order, way: 'delete' });
  await world.revoke({ ...order, way: 'lift' });
  expect(world.accepts(world.string(TELEGRAF))).toBe(false);
  const after = await passHours(world, 2);
  expect(world.accepts(world.string(TELEGRAF))).toBe(true);
  expect(heard([...before, ...after])).toEqual([]);
});

const throttled = {
  status: 400,
  body: '{"__type":"ThrottlingException","Message":"Rate exceeded"}',
};

/** What fails once AWSCURRENT is moved. */
const FAILING: Readonly<Record<string, readonly [operation: string, Reply]>> = {
  'the hold cannot be read': ['DescribeSecret', throttled],
  'the old token cannot be marked': ['PATCH /tokens/{id}', { status: 503, body: '{}' }],
};

test.each(Object.keys(FAILING))(
  'an alarm tells of an outage that a run ended, though %s after the promotion',
  async (what) => {
    const [operation, reply] = FAILING[what] ?? [];
    const world = await openWorldForTest(policyWith({ telegraf: writer }));
    await world.rotate();
    await world.wait(91 * DAY);
    expect(world.accepts(world.string(TELEGRAF))).toBe(false);
    let isPromoted = false;
    world.intercept((call, effect) => {
      if (isPromoted && reply && call.operation === operation) return Promise.resolve(reply);
      isPromoted ||= call.operation === 'UpdateSecretVersionStage';
      return Promise.resolve(effect());
    });
    const during = await passHours(world, 0.5);
    expect(during).toMatchObject([{ error: expect.anything() }]);
    world.intercept();
    expect(world.accepts(world.string(TELEGRAF))).toBe(true);
    expect(heard([...during, ...(await passHours(world, 2))])).toEqual(['MendedOutages']);
  },
);

/** Its token was deleted by an order that was lifted since, and no run has been there. */
async function openLifted(): Promise<World> {
  const world = await openWorldForTest(policyWith({ telegraf: writer, grafana: writer }));
  await passHours(world, 2);
  const order = { token: 'telegraf', reason: 'leaked' };
  await world.revoke({ ...order, way: 'delete' });
  await world.revoke({ ...order, way: 'lift' });
  return world;
}

test.each(['a deletion was lifted', 'the cluster was moved'])(
  'an outage of whoever goes back to a dead token after %s sounds the alarm',
  async (what) => {
    const isMove = what === 'the cluster was moved';
    const world = isMove ? await openMoved() : await openLifted();
    await passHours(world, 3);
    const [dead] = Object.keys(world.aws.state.secrets[TELEGRAF]?.versions ?? {});
    await world.people.makeCurrent(TELEGRAF, dead);
    expect(world.accepts(world.string(TELEGRAF))).toBe(false);
    expect(heard(await passHours(world, 2))).toEqual(['MendedOutages']);
  },
);

test('an accident of the same day as an approved move to another cluster alarms, where that has the token', async () => {
  const world = await openWorldForTest(policyWith({ telegraf: writer }));
  await world.rotate();
  await world.wait(HOUR);
  await world.people.tag(TELEGRAF, { 'keyturn:cluster': 'https://old.example.com' });
  const { result } = await world.rotate({ dryRun: true });
  await world.rotate({ approve: result.plan.refusals[0].hash });
  expect(world.tags(TELEGRAF)).not.toHaveProperty('keyturn:moved');
  await world.people.deleteToken(world.holders(TELEGRAF).AWSCURRENT);
  const after = await passHours(world, 2);
  expect(world.accepts(world.string(TELEGRAF))).toBe(true);
  expect(heard(after)).toEqual(['MendedOutages']);
});

test('what an order replaced at once, before the cluster accepted the new token, sounds no alarm when it does', async () => {
  const world = await openWorldForTest(policyWith({ telegraf: writer }));
  await world.rotate();
  const before = await passHours(world, 1);
  const order = { token: 'telegraf', reason: 'leaked', way: 'replace', immediately: true };
  world.intercept((call, effect) =>
    Promise.resolve(call.server === 'data-plane' ? { status: 401, body: '' } : effect()),
  );
  await world.revoke(order);
  world.intercept();
  expect((await world.rotate({ dryRun: true })).result.entries).toMatchObject([
    { condition: 'refused' },
  ]);
  const after = await passHours(world, 2);
  expect((await world.rotate()).result.entries).toMatchObject([{ condition: 'works' }]);
  expect(heard([...before, ...after])).toEqual([]);
});

test('going back to a token that worked until it was replaced sounds no alarm, whatever it was when it came out of quarantine', async () => {
  const world = await openWorldForTest(policyWith({ telegraf: writer }));
  await world.rotate();
  const first = world.labels(TELEGRAF).AWSCURRENT;
  const byName = { tokens: ['telegraf'], force: true };
  await world.wait(HOUR);
  await world.rotate(byName);
  for (let days = 0; days < 4; days += 1) {
    await world.wait(DAY);
    await world.reap();
  }
  await world.people.makeCurrent(TELEGRAF, first);
  await world.rotate(byName);
  expect(world.labels(TELEGRAF).AWSPREVIOUS).toBe(first);
  await passHours(world, 2);
  const before = await passHours(world, 1);
  await world.people.makeCurrent(TELEGRAF, first);
  expect(world.accepts(world.string(TELEGRAF))).toBe(true);
  expect(heard([...before, ...(await passHours(world, 2))])).toEqual([]);
});

test('failures are counted beside what was done', async () => {
  const world = await openWorldForTest(policyWith({ telegraf: writer, grafana: writer }));
  await world.people.createSecret(TELEGRAF, 'theirs', { 'keyturn:owner': 'other' });
  await world.rotate();
  expect(world.metrics()).toMatchObject([
    { 'Owner=prod FailedActions': 1 },
    { 'Owner=prod Action=rotate Actions': 1 },
  ]);
});

test('the databases that differ from their rules and are left so', async () => {
  const databases = [
    { name: 'quality', mode: 'report', maxTables: 7, maxColumnsPerTable: 9 },
    { name: 'telemetry', maxTables: 700 },
  ];
  const world = await openWorldForTest(policyWith({ telegraf: writer }, { databases }));
  await world.enforce();
  expect(world.metrics()).toMatchObject([
    { 'Owner=prod DriftedDatabases': 1 },
    { 'Owner=prod Action=change Actions': 1 },
  ]);
});

test.each([
  ['2026-03-12T12:00:00Z', 10],
  ['2026-03-01T00:00:00Z', -1.5],
  ['soon', undefined],
])('the management token, where its secret says %s', async (expiresAt, days) => {
  const world = await openWorldForTest(policyWith({ telegraf: writer }));
  const token = world.cluster.managementToken;
  const SecretString = JSON.stringify({ token, expiresAt });
  await world.people.saveValue('influxdb/management', SecretString);
  await world.reap();
  expect(world.metrics()[0]?.['Owner=prod ManagementTokenDays']).toBe(days);
});

test('events that EventBridge never takes are counted, and fail nothing', async () => {
  const world = await openWorldForTest(policyWith({ telegraf: writer }));
  world.aws.intercept = ({ server }, effect) =>
    Promise.resolve(server === 'events' ? { status: 500, body: '{}' } : effect());
  const { error } = await world.rotate();
  expect(error).toBeUndefined();
  expect(world.metrics().at(-1)).toEqual({ 'Owner=prod LostEvents': 1 });
});

/** EventBridge takes nothing for so many minutes. */
function stopBus(world: World, minutes: number): number {
  const begun = world.clock.now();
  world.aws.intercept = ({ server }, effect) => {
    const isDown = server === 'events' && world.clock.now() < begun + minutes * MINUTE;
    return Promise.resolve(isDown ? { status: 500, body: '{}' } : effect());
  };
  return begun;
}

test('the events of a scheduled run outlast a bus that is down for minutes', async () => {
  const world = await openWorldForTest(policyWith({ telegraf: writer }));
  const begun = stopBus(world, 5);
  const at = `${new Date(begun).toISOString().slice(0, 19)}Z`;
  const { error } = await world.rotate({
    scheduled: { at, nextInSeconds: 1_800, thirdInSeconds: 5_400 },
  });
  expect(error).toBeUndefined();
  expect(world.events('Token Rotated')).toHaveLength(1);
  expect(JSON.stringify(world.metrics())).not.toContain('LostEvents');
});

test('the events of a scheduled run are given up before its schedule fires again', async () => {
  const world = await openWorldForTest(policyWith({ telegraf: writer }));
  const begun = stopBus(world, 60);
  const at = `${new Date(begun).toISOString().slice(0, 19)}Z`;
  await world.rotate({ scheduled: { at, nextInSeconds: 600, thirdInSeconds: 1_800 } });
  expect(world.clock.now() - begun).toBeGreaterThan(9 * MINUTE);
  expect(world.clock.now() - begun).toBeLessThan(10 * MINUTE);
  expect(world.metrics().at(-1)).toEqual({ 'Owner=prod LostEvents': 1 });
});

test('an order answers within seconds though the bus is down, and its lost events are counted', async () => {
  const world = await openWorldForTest(policyWith({ telegraf: writer, grafana: writer }));
  await world.rotate();
  const order = { token: 'telegraf', reason: 'leaked', way: 'freeze' };
  const usual = world.save();
  const took = async () => {
    const begun = world.clock.now();
    const { result } = await world.revoke(order);
    expect(result?.confirmed).toBe(true);
    return world.clock.now() - begun;
  };
  const calm = await took();
  await world.restore(usual);
  stopBus(world, 60);
  expect((await took()) - calm).toBeLessThanOrEqual(10_500);
  expect(world.metrics().at(-1)).toEqual({ 'Owner=prod LostEvents': 1 });
});

test('events that EventBridge takes in the end are not lost', async () => {
  const world = await openWorldForTest(policyWith({ telegraf: writer }));
  world.aws.intercept = ({ server }, effect) => {
    const isFirst = world.aws.state.calls.PutEvents === 1;
    return Promise.resolve(server === 'events' && isFirst ? 'reset' : effect());
  };
  await world.rotate();
  expect(world.events('Token Rotated')).toHaveLength(1);
  expect(JSON.stringify(world.metrics())).not.toContain('LostEvents');
});
