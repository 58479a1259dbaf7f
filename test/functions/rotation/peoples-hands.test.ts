import { expect, test } from 'vitest';
import { openWorldForTest } from '../../world/open-world.ts';
import { DAY, HOUR, MINUTE, policyWith, TELEGRAF, writer } from '../../world/policy.ts';
import type { World } from '../../world/world.ts';

const GRAFANA = 'keyturn/prod/grafana';
const entries = { telegraf: writer };
const two = { telegraf: writer, grafana: writer };
const force = { tokens: ['telegraf'], force: true };
const WRITE = [{ action: 'write', resource: 'telemetry' }];

/** What an alarm looks at: the last value of a metric that one of the functions has measured. */
const measured = (world: World, name: string): unknown =>
  world.metrics().findLast((each) => `Owner=prod ${name}` in each)?.[`Owner=prod ${name}`];

/** Two runs of `rotate`, so that what is armed settles, and one of `reap`. */
async function runAll(world: World): Promise<void> {
  await world.rotate();
  await world.wait(10 * MINUTE);
  await world.rotate();
  await world.reap();
}

/** A person mints a token and puts it into a secret, as the form of the secret asks. */
async function putByHand({ people, value }: World, secret = TELEGRAF): Promise<string> {
  const { accessToken } = await people.mint({ description: 'by hand', permissions: WRITE });
  const text = { ...JSON.parse(value(secret)), token: accessToken };
  await people.saveValue(secret, JSON.stringify(text));
  return accessToken;
}

test('a secret that a person saved as it is serves its consumers for months, rotates, and alarms nobody', async () => {
  const world = await openWorldForTest(policyWith(entries));
  await world.rotate();
  await world.people.saveValue(TELEGRAF, world.value(TELEGRAF));
  for (let day = 0; day < 95; day += 1) {
    await runAll(world);
    expect(world.accepts(world.string(TELEGRAF))).toBe(true);
    const alarms = ['UnusableTokens', 'OverdueTokens', 'TokensNearExpiry', 'FailedActions'];
    expect(alarms.map((name) => measured(world, name))).toEqual([0, 0, 0, 0]);
    await world.wait(DAY - 10 * MINUTE);
  }
  expect(world.events('Token Rotated')).toHaveLength(1 + 3);
}, 300_000);

test('an old value that a person pasted back is recognised, and its token is not retired while it is in use', async () => {
  const world = await openWorldForTest(policyWith(entries));
  await world.rotate();
  const [pasted, string] = [world.value(TELEGRAF), world.string(TELEGRAF)];
  await world.rotate(force);
  await world.wait(2 * DAY);
  await world.reap();
  await world.people.saveValue(TELEGRAF, pasted);
  for (let day = 0; day < 12; day += 1) {
    await runAll(world);
    expect([world.string(TELEGRAF), world.accepts(string)]).toEqual([string, true]);
    expect(measured(world, 'UnusableTokens')).toBe(0);
    await world.wait(DAY);
  }
  // The other one was retired meanwhile.
  expect(world.tokens(TELEGRAF).map(({ id }) => id)).toEqual([world.holders(TELEGRAF).AWSCURRENT]);
});

test('after a string that nobody knew for ten days, every token that consumers may have keeps its whole grace period', async () => {
  const world = await openWorldForTest(policyWith(entries));
  await world.rotate();
  const first = world.string(TELEGRAF);
  await world.rotate(force);
  const second = world.string(TELEGRAF);
  const byHand = await putByHand(world);
  for (let day = 0; day < 10; day += 1) {
    await runAll(world);
    expect([first, second, byHand].map((each) => world.accepts(each))).toEqual([true, true, true]);
    await world.wait(DAY);
  }
  await world.rotate(force);
  for (let hour = 0; hour < 23; hour += 1) {
    await world.reap();
    expect([first, second, byHand].map((each) => world.accepts(each))).toEqual([true, true, true]);
    await world.wait(HOUR);
  }
  expect(world.accepts(world.string(TELEGRAF))).toBe(true);
});

test('tokens made by hand in four of twelve secrets alarm at once, and keep no other from its rotation', async () => {
  const names = [...'abcdefghijkl'];
  const lifetimes = { rotateEvery: '10d', expiresAfter: '30d', renewBefore: '10d' };
  const fleet = Object.fromEntries(names.map((name) => [name, { ...writer, ...lifetimes }]));
  const world = await openWorldForTest(policyWith(fleet));
  const secretOf = (name: string) => `keyturn/prod/${name}`;
  await world.rotate();
  for (const name of names.slice(0, 4)) await putByHand(world, secretOf(name));
  await world.rotate();
  expect(measured(world, 'UnusableTokens')).toBe(4);
  const before = names.map((name) => world.string(secretOf(name)));
  await world.wait(9 * DAY);
  for (let run = 0; run < 4; run += 1) {
    const { error } = await world.rotate();
    expect(error).toBeUndefined();
    await world.wait(DAY);
  }
  const after = names.map((name) => world.string(secretOf(name)));
  expect(after.filter((each) => before.includes(each))).toEqual([]);
  expect(after.every((each) => world.accepts(each))).toBe(true);
  expect(measured(world, 'UnusableTokens')).toBe(0);
});

test('a placeholder over the current string is alarmed, and replaced within hours where another string is accepted', async () => {
  const world = await openWorldForTest(policyWith(two));
  await world.rotate();
  await world.people.saveValue(TELEGRAF, 'CHANGE_ME');
  await world.rotate();
  expect(world.value(TELEGRAF)).toBe('CHANGE_ME');
  expect(measured(world, 'UnusableTokens')).toBe(1);
  await world.wait(2 * HOUR);
  const { result } = await world.rotate();
  expect(result.outcomes).toMatchObject([{ action: { reason: 'Missing' }, result: 'done' }]);
  expect(world.accepts(world.string(TELEGRAF))).toBe(true);
  expect(measured(world, 'UnusableTokens')).toBe(0);
  expect(
    world.events('Token Rotated').filter(({ detail }) => Object(detail).secret === GRAFANA),
  ).toHaveLength(1);
});

test('a placeholder in a tagged container that never had a token is mended likewise', async () => {
  const world = await openWorldForTest(policyWith(two));
  await world.people.createSecret(TELEGRAF, 'CHANGE_ME', { 'keyturn:owner': 'prod' });
  await world.rotate();
  expect(measured(world, 'UnusableTokens')).toBe(1);
  await world.wait(2 * HOUR);
  await world.rotate();
  expect(world.accepts(world.string(TELEGRAF))).toBe(true);
});

test('a refused string with none to compare it with stays, and alarms until somebody mends it', async () => {
  const world = await openWorldForTest(policyWith(entries));
  await world.rotate();
  await world.people.saveValue(TELEGRAF, 'CHANGE_ME');
  for (let day = 0; day < 3; day += 1) {
    await world.wait(DAY);
    await runAll(world);
    expect(measured(world, 'UnusableTokens')).toBe(1);
    expect(world.value(TELEGRAF)).toBe('CHANGE_ME');
  }
  await world.rotate(force);
  expect(world.accepts(world.string(TELEGRAF))).toBe(true);
});

test('a token is renewed with what it has, though a database of its other permission was deleted', async () => {
  const tokens = { telegraf: { permissions: { read: ['quality'], write: ['telemetry'] } } };
  const world = await openWorldForTest(policyWith(tokens, { databases: [{ name: 'telemetry' }] }));
  await world.rotate();
  const first = world.string(TELEGRAF);
  await world.people.deleteDatabase('quality');
  for (let day = 0; day < 95; day += 5) {
    await world.wait(5 * DAY);
    await runAll(world);
    expect(world.accepts(world.string(TELEGRAF))).toBe(true);
  }
  expect(world.string(TELEGRAF)).not.toBe(first);
  const current = world
    .tokens(TELEGRAF)
    .find(({ id }) => id === world.holders(TELEGRAF).AWSCURRENT);
  expect(current?.permissions).toHaveLength(2);
});

test.each([
  ['Missing', 0],
  ['Forced', 31 * DAY],
  ['Expired', 91 * DAY],
])(
  'a rotation by name is not repeated within 15 minutes, whatever made the first one due: %s',
  async (reason, age) => {
    const world = await openWorldForTest(policyWith(entries));
    if (age > 0) await world.rotate();
    await world.wait(age);
    const { result } = await world.rotate(force);
    expect(result.outcomes).toMatchObject([{ action: { reason }, result: 'done' }]);
    const { AWSCURRENT } = world.labels(TELEGRAF);
    await world.wait(13 * MINUTE);
    const again = await world.rotate(force);
    expect(again.result.outcomes).toEqual([]);
    expect(world.labels(TELEGRAF)).toMatchObject({ AWSCURRENT });
    await world.wait(3 * MINUTE);
    await world.rotate(force);
    expect(world.labels(TELEGRAF).AWSCURRENT).not.toBe(AWSCURRENT);
  },
);

/** Every night somebody does something, and an hour later `rotate` runs. Resolves to what was seen each night. */
async function nightly(
  world: World,
  { nights, act }: { readonly nights: number; readonly act: () => Promise<unknown> },
): Promise<readonly { readonly tokens: number; readonly overdue: unknown }[]> {
  const seen = [];
  for (let night = 0; night < nights; night += 1) {
    await act();
    await world.wait(HOUR);
    await world.rotate();
    seen.push({ tokens: world.tokens(TELEGRAF).length, overdue: measured(world, 'OverdueTokens') });
    await world.wait(30 * MINUTE);
    await world.reap();
    await world.wait(DAY - HOUR - 30 * MINUTE);
  }
  return seen;
}

const atThree = { schedules: { rotate: 'cron(0 3 * * ? *)' } };

test('a secret that is saved before every run rotates: the token that waits gets AWSPENDING back', async () => {
  const world = await openWorldForTest(policyWith(entries, atThree));
  await world.rotate();
  const first = world.string(TELEGRAF);
  await world.wait(26 * DAY);
  const save = () => world.people.saveValue(TELEGRAF, world.value(TELEGRAF));
  const seen = await nightly(world, { nights: 6, act: save });
  expect(world.string(TELEGRAF)).not.toBe(first);
  expect(world.accepts(world.string(TELEGRAF))).toBe(true);
  // One successor, and none in vain.
  expect(Math.max(...seen.map(({ tokens }) => tokens))).toBe(2);
  expect(seen.every(({ overdue }) => overdue === 0)).toBe(true);
});

test('a secret whose other key is changed before every run mints one token while a window is waited for, and loses no change', async () => {
  const weekly = { ...writer, windows: ['Sun 02:00-04:00'] };
  const world = await openWorldForTest(policyWith({ telegraf: weekly }));
  await world.rotate();
  const first = world.string(TELEGRAF);
  // A Tuesday.
  await world.wait(29 * DAY);
  const text = () => JSON.parse(world.value(TELEGRAF));
  let heartbeat = 0;
  const beat = async (wait: number) => {
    heartbeat += 1;
    await world.people.saveValue(TELEGRAF, JSON.stringify({ ...text(), heartbeat }));
    await world.rotate();
    await world.wait(wait);
  };
  while (world.clock.now() < Date.UTC(2026, 3, 4, 20)) await beat(6 * HOUR);
  expect([world.string(TELEGRAF), world.tokens(TELEGRAF).length]).toEqual([first, 2]);
  while (world.clock.now() < Date.UTC(2026, 3, 5, 4)) await beat(HOUR);
  expect(world.string(TELEGRAF)).not.toBe(first);
  expect(text().heartbeat).toBe(heartbeat);
});

test('a rotation whose tokens all lose AWSPENDING, for whatever reason, is reported late', async () => {
  const world = await openWorldForTest(policyWith(entries, atThree));
  await world.rotate();
  await world.wait(26 * DAY);
  const first = world.string(TELEGRAF);
  const takeOff = async () => {
    if (world.labels(TELEGRAF).AWSPENDING) await world.people.takeOff(TELEGRAF, 'AWSPENDING');
  };
  const seen = await nightly(world, { nights: 12, act: takeOff });
  expect(world.string(TELEGRAF)).toBe(first);
  expect(seen.at(-1)?.overdue).toBe(1);
  expect(seen.slice(0, 5).map(({ overdue }) => overdue)).toEqual([0, 0, 0, 0, 0]);
});

/** A person freezes a token, and later takes away by hand what holds it. */
async function openWithoutHold(): Promise<World> {
  const world = await openWorldForTest(policyWith(entries));
  await world.rotate();
  await world.wait(2 * HOUR);
  await world.revoke({ way: 'freeze', token: 'telegraf', reason: 'odd writes' });
  await world.people.untag(TELEGRAF, ['keyturn:hold']);
  await world.people.takeOff(TELEGRAF, 'keyturn-hold-freeze');
  return world;
}

test('a frozen token that got its permissions back by hand, and is on no hold, is rotated and retired as usual', async () => {
  const world = await openWithoutHold();
  const { AWSCURRENT: frozen } = world.holders(TELEGRAF);
  await runAll(world);
  expect(measured(world, 'UnusableTokens')).toBe(1);
  await world.people.changeToken(frozen, { permissions: WRITE });
  for (let day = 0; day < 45; day += 1) {
    await world.wait(DAY - 10 * MINUTE);
    await runAll(world);
    expect(world.accepts(world.string(TELEGRAF))).toBe(true);
    expect(['UnusableTokens', 'OverdueTokens'].map((each) => measured(world, each))).toEqual([
      0, 0,
    ]);
  }
  expect(world.events('Token Rotated')).toHaveLength(1 + 1);
  expect(world.tokens().map(({ id }) => id)).not.toContain(frozen);
}, 300_000);

test.each(['a scheduled run', 'a rotation by name'])(
  'whoever goes back to a frozen token that was quarantined, and gives its permissions back by hand, keeps it through %s',
  async (what) => {
    const world = await openWithoutHold();
    const { AWSCURRENT: frozen } = world.holders(TELEGRAF);
    const { AWSCURRENT: version } = world.labels(TELEGRAF);
    const string = world.string(TELEGRAF);
    const markerOf = () => world.tokens().find(({ id }) => id === frozen)?.marker;
    await world.people.changeToken(frozen, { permissions: WRITE });
    await world.rotate(force);
    for (let days = 0; days < 4; days += 1) {
      await world.wait(DAY + HOUR);
      await world.reap();
    }
    expect(markerOf()).toHaveProperty('quarantined');
    await world.people.makeCurrent(TELEGRAF, version);
    await world.people.changeToken(frozen, { permissions: WRITE });
    if (what === 'a scheduled run') await runAll(world);
    else await world.rotate(force);
    expect(world.string(TELEGRAF) === string).toBe(what === 'a scheduled run');
    for (let hours = 0; hours < 23; hours += 1) {
      await world.wait(HOUR);
      await runAll(world);
      expect(measured(world, 'UnusableTokens')).toBe(0);
      expect(world.accepts(string)).toBe(true);
    }
    expect(markerOf()).not.toHaveProperty('quarantined');
  },
);
