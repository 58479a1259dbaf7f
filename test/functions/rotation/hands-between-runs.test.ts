import { describe, expect, test } from 'vitest';
import { denied, disturb, faults } from '../../world/faults.ts';
import { openWorldForTest } from '../../world/open-world.ts';
import { DAY, HOUR, MINUTE, policyWith, TELEGRAF, writer } from '../../world/policy.ts';
import type { World } from '../../world/world.ts';

const GRAFANA = 'keyturn/prod/grafana';
const named = { tokens: ['telegraf'], force: true };

const current = (world: World, secret = TELEGRAF) => world.holders(secret).AWSCURRENT;
const metric = ({ metrics }: Pick<World, 'metrics'>, name: string) =>
  metrics().findLast((each) => `Owner=prod ${name}` in each)?.[`Owner=prod ${name}`];

test('a token that a person rolled back to for days keeps its grace once it is replaced again', async () => {
  const world = await openWorldForTest(policyWith({ telegraf: writer }));
  await world.rotate();
  const [first, firstVersion] = [world.string(TELEGRAF), world.labels(TELEGRAF).AWSCURRENT];
  await world.rotate(named);
  const second = world.labels(TELEGRAF).AWSCURRENT;
  await world.wait(DAY + HOUR);
  await world.reap();
  await world.people.makeCurrent(TELEGRAF, firstVersion);
  for (let days = 0; days < 3; days += 1) {
    await world.rotate();
    await world.wait(DAY);
  }
  await world.people.makeCurrent(TELEGRAF, second);
  await world.rotate(named);
  await world.reap();
  await world.wait(2 * HOUR);
  await world.reap();
  expect(world.accepts(first)).toBe(true);
});

/** A token that is fenced for most of its last grace period, and the versions that were current since. */
async function openFenced(rotations: number) {
  const world = await openWorldForTest(policyWith({ telegraf: writer }));
  await world.rotate();
  const [old, oldVersion] = [world.string(TELEGRAF), world.labels(TELEGRAF).AWSCURRENT];
  const versions: (string | undefined)[] = [];
  for (let count = 0; count < rotations; count += 1) {
    await world.wait(HOUR);
    await world.rotate(named);
    versions.push(world.labels(TELEGRAF).AWSCURRENT);
  }
  await world.wait(DAY + HOUR);
  await world.reap();
  expect(world.tokens(TELEGRAF)[0]?.marker).toHaveProperty('fenced');
  await world.wait(20 * HOUR);
  return { world, old, oldVersion, versions };
}

test('AWSPREVIOUS is taken off a quarantined token a grace period after a person went back to it and away from it before any run', async () => {
  const { world, oldVersion, versions } = await openFenced(1);
  for (let days = 0; days < 3; days += 1) {
    await world.wait(DAY);
    await world.reap();
  }
  expect(world.tokens(TELEGRAF)[0]?.marker).toHaveProperty('quarantined');
  await world.people.makeCurrent(TELEGRAF, oldVersion);
  await world.people.makeCurrent(TELEGRAF, versions[0]);
  await world.rotate();
  expect(world.labels(TELEGRAF).AWSPREVIOUS).toBe(oldVersion);
  await world.wait(DAY + MINUTE);
  const { result } = await world.reap();
  expect(result.outcomes).toMatchObject([
    { action: { kind: 'detach-previous', reason: 'PreviousDead' }, result: 'done' },
  ]);
  expect(world.labels(TELEGRAF)).not.toHaveProperty('AWSPREVIOUS');
  expect((await world.reap()).result.plan.actions).toEqual([]);
});

test.each<[string, (world: World, id: string | undefined) => unknown]>([
  ['a person deleted', (world, id) => world.people.deleteToken(id)],
  ['expired', (world) => world.wait(90 * DAY)],
])(
  'a token that %s before it was replaced gets no AWSPREVIOUS, and alarms once',
  async (_, end) => {
    const world = await openWorldForTest(policyWith({ telegraf: writer }));
    await world.rotate();
    await world.wait(2 * HOUR);
    await end(world, current(world));
    await world.rotate();
    expect([metric(world, 'MendedOutages'), metric(world, 'UnusableTokens')]).toEqual([1, 0]);
    expect(world.labels(TELEGRAF)).not.toHaveProperty('AWSPREVIOUS');
    await world.wait(HOUR);
    await world.rotate();
    expect(metric(world, 'UnusableTokens')).toBe(0);
  },
);

describe('consumers who may have the token under AWSPREVIOUS are refused, and the alarm rings for its grace period', () => {
  /** Since half an hour AWSCURRENT has another token; what happens to the former one, and what tells then, hour by hour. */
  async function unusableAfter(end: (world: World, id: string | undefined) => unknown) {
    const world = await openWorldForTest(policyWith({ telegraf: writer }));
    await world.rotate();
    const old = world.string(TELEGRAF);
    await world.wait(3 * HOUR);
    await world.rotate(named);
    await world.wait(30 * MINUTE);
    await world.reap();
    await end(world, world.holders(TELEGRAF).AWSPREVIOUS);
    expect(world.accepts(old)).toBe(false);
    const told: unknown[] = [];
    for (let hours = 0; hours < 25; hours += 1) {
      await world.wait(HOUR);
      await world.reap();
      await world.rotate();
      told.push(metric(world, 'UnusableTokens'));
    }
    expect(world.labels(TELEGRAF)).not.toHaveProperty('AWSPREVIOUS');
    return told.lastIndexOf(1);
  }

  test.each<[string, (world: World, id: string | undefined) => unknown]>([
    ['deleted', (world, id) => world.people.deleteToken(id)],
    ['stripped', (world, id) => world.people.changeToken(id, { permissions: [] })],
  ])('when a person has it %s', async (_, end) => {
    expect(await unusableAfter(end)).toBe(22);
  });

  test.each(['freeze', 'delete'])('but not when an order (%s) ended it', async (way) => {
    const order = (tokenId: string | undefined) => ({ tokenId, way, reason: 'leaked' });
    expect(await unusableAfter((world, id) => world.revoke(order(id)))).toBe(-1);
  });
});

test('what stays frozen when a person takes its hold away by hand alarms, and says what gives it back', async () => {
  const world = await openWorldForTest(policyWith({ telegraf: writer }));
  await world.rotate();
  const string = world.string(TELEGRAF);
  await world.wait(2 * HOUR);
  await world.people.hold(TELEGRAF, 'frozen');
  await world.reap();
  await world.rotate();
  expect(metric(world, 'UnusableTokens')).toBe(0);
  await world.people.untag(TELEGRAF, ['keyturn:hold']);
  const { result } = await world.rotate();
  expect([world.accepts(string), metric(world, 'UnusableTokens')]).toEqual([false, 1]);
  expect(result.entries).toMatchObject([{ condition: 'stripped' }]);
  expect(result.plan.findings).toMatchObject([
    { kind: 'Held', message: expect.stringContaining('keyturn unfreeze') },
  ]);
  await world.revoke({ token: 'telegraf', way: 'unfreeze', reason: 'the hold was taken away' });
  await world.rotate();
  expect([world.accepts(string), metric(world, 'UnusableTokens')]).toEqual([true, 0]);
});

/** Whether a string is accepted for a grace period, while both schedules run. */
async function keepsGrace(world: World, string: string) {
  for (let hours = 0; hours < 23; hours += 1) {
    await world.wait(HOUR);
    await world.rotate();
    await world.reap();
    if (!world.accepts(string)) return `refused after ${hours + 1} h`;
  }
  return 'accepted';
}

/** What takes AWSPREVIOUS away from the token before `reap` has seen it there. */
const PROMOTING: Readonly<
  Record<string, (world: World, goBack: () => Promise<void>) => Promise<unknown>>
> = {
  'a rotation by name follows at once': async (world, goBack) => {
    await goBack();
    return world.rotate(named);
  },
  "Secrets Manager's own rotation follows at once": async (world, goBack) => {
    await goBack();
    return world.rotateSecret(TELEGRAF);
  },
  'a rotation was about to promote another one': (world, goBack) => {
    world.intercept(async (call, effect) => {
      if (call.server !== 'data-plane') return effect();
      world.intercept();
      await goBack();
      return effect();
    });
    return world.rotate(named);
  },
};

test.each(Object.keys(PROMOTING))(
  'a fenced token that a person went back to for minutes keeps its grace, though %s',
  async (how) => {
    const { world, old, oldVersion, versions } = await openFenced(1);
    const before = current(world);
    await PROMOTING[how]?.(world, async () => {
      await world.people.makeCurrent(TELEGRAF, oldVersion);
      await world.people.makeCurrent(TELEGRAF, versions[0]);
    });
    expect(current(world)).not.toBe(before);
    expect(await keepsGrace(world, old)).toBe('accepted');
  },
);

test('a token that was replaced keeps the grace period that began then, though another rotation follows', async () => {
  const world = await openWorldForTest(policyWith({ telegraf: writer }));
  await world.rotate();
  await world.wait(HOUR);
  await world.rotate(named);
  const first = () => world.tokens(TELEGRAF)[0]?.marker;
  const began = first()?.superseded;
  expect(began).toBeDefined();
  await world.wait(HOUR);
  await world.rotate(named);
  expect(world.tokens(TELEGRAF)).toHaveLength(3);
  expect(first()?.superseded).toBe(began);
});

test('a fenced token that a run of rotate saw under AWSPREVIOUS again keeps its grace, though a person moves the labels on', async () => {
  const { world, old, oldVersion, versions } = await openFenced(2);
  const [second, third] = versions;
  await world.people.makeCurrent(TELEGRAF, oldVersion);
  await world.people.makeCurrent(TELEGRAF, third);
  await world.rotate();
  await world.people.makeCurrent(TELEGRAF, second);
  expect(await keepsGrace(world, old)).toBe('accepted');
});

test('a fenced token that is AWSPREVIOUS again keeps its grace, though reap dies when it has taken the label off', async () => {
  const { world, old, oldVersion, versions } = await openFenced(1);
  await world.people.makeCurrent(TELEGRAF, oldVersion);
  await world.people.makeCurrent(TELEGRAF, versions[0]);
  await disturb(world, () => world.reap(), 1, {
    meet: faults['killed after the effect'],
    counts: ({ operation }) => operation === 'UpdateSecretVersionStage',
  });
  expect(world.labels(TELEGRAF)).not.toHaveProperty('AWSPREVIOUS');
  expect(await keepsGrace(world, old)).toBe('accepted');
});

test('some permissions taken from the current token by hand alarm, until all consumers have another one', async () => {
  const both = { permissions: { read: ['telemetry'], write: ['telemetry'] } };
  const world = await openWorldForTest(policyWith({ telegraf: both }));
  await world.rotate();
  const reading = [{ action: 'read', resource: 'telemetry' }];
  await world.people.changeToken(current(world), { permissions: reading });
  await world.rotate();
  expect(metric(world, 'UnusableTokens')).toBe(1);
  await world.rotate(named);
  await world.rotate();
  // Whoever has not read the secret since is refused as before.
  expect(metric(world, 'UnusableTokens')).toBe(1);
  await world.wait(DAY);
  await world.rotate();
  expect(metric(world, 'UnusableTokens')).toBe(0);
});

test('more permissions given to the current token by hand take nothing from its consumers, and alarm nobody', async () => {
  const world = await openWorldForTest(policyWith({ telegraf: writer }));
  await world.rotate();
  const everything = ['read', 'write'].map((action) => ({ action, resource: '*' }));
  await world.people.changeToken(current(world), { permissions: everything });
  const { result } = await world.rotate();
  expect(result.entries).toMatchObject([{ condition: 'works' }]);
  expect(world.accepts(world.string(TELEGRAF))).toBe(true);
  expect(metric(world, 'UnusableTokens')).toBe(0);
});

test('a string that was pasted elsewhere works on, though its own entry left the policy', async () => {
  const world = await openWorldForTest(policyWith({ telegraf: writer, grafana: writer }));
  await world.rotate();
  await world.people.saveValue(TELEGRAF, world.value(GRAFANA));
  const left = world.deploy(policyWith({ telegraf: writer }, { onRemoval: 'retire' }));
  for (let days = 0; days < 8; days += 1) {
    await left.rotate();
    await left.reap();
    await world.wait(DAY);
  }
  expect(world.string(TELEGRAF)).toBe(world.string(GRAFANA));
  expect(world.accepts(world.string(TELEGRAF))).toBe(true);
});

test('a hold alarms after a week, though somebody tags the secret every few days', async () => {
  const world = await openWorldForTest(policyWith({ telegraf: writer }));
  await world.rotate();
  await world.revoke({ way: 'freeze', token: 'telegraf', reason: 'audit' });
  for (let days = 0; days < 9; days += 3) {
    await world.rotate();
    expect(metric(world, 'LongHolds')).toBe(0);
    await world.wait(3 * DAY);
    await world.people.tag(TELEGRAF, { 'cost-centre': String(days) });
  }
  await world.rotate();
  expect(metric(world, 'LongHolds')).toBe(1);
});

test("Secrets Manager's own rotation leaves a token alone that a person stripped", async () => {
  const world = await openWorldForTest(policyWith({ telegraf: writer }));
  await world.rotate();
  const held = current(world);
  await world.people.changeToken(held, { permissions: [] });
  await world.rotateSecret(TELEGRAF).catch(() => {});
  await world.rotate();
  expect(current(world)).toBe(held);
  expect(world.tokens(TELEGRAF)).toHaveLength(1);
});

test('a request that is repeated after its run died has one answer, though the token is older', async () => {
  const world = await openWorldForTest(policyWith({ telegraf: writer }));
  await world.rotate();
  await world.wait(31 * DAY);
  await world.rotate();
  await world.wait(20 * MINUTE);
  await disturb(world, () => world.rotate(named), 1, {
    meet: faults['killed after the effect'],
    counts: ({ operation }) => operation === 'UpdateSecretVersionStage',
  });
  const promoted = current(world);
  await world.wait(MINUTE);
  await world.rotate(named);
  expect(current(world)).toBe(promoted);
});

test('bytes in a secret of ours are replaced when somebody asks by name', async () => {
  const world = await openWorldForTest(policyWith({ telegraf: writer, grafana: writer }));
  await world.rotate();
  await world.people.saveBytes(TELEGRAF, 'not a string');
  await world.wait(2 * HOUR);
  expect(await world.rotate()).not.toHaveProperty('error');
  expect(metric(world, 'UnusableTokens')).toBe(1);
  await world.rotate(named);
  expect(world.accepts(world.string(TELEGRAF))).toBe(true);
});

test('a secret that anybody tagged as ours, and that no role may read, stops no rotation', async () => {
  const world = await openWorldForTest(policyWith({ telegraf: writer }));
  await world.rotate();
  const first = current(world);
  await world.people.createSecret('other/team', 'whatever', { 'keyturn:owner': 'prod' });
  world.intercept(denied('other/team'));
  await world.wait(31 * DAY);
  const { result } = await world.rotate();
  expect(result?.plan.findings).toMatchObject([{ kind: 'Unreadable', secret: 'other/team' }]);
  await world.wait(11 * MINUTE);
  await world.rotate();
  expect(current(world)).not.toBe(first);
  await world.wait(HOUR);
  const reaped = await world.reap();
  expect(reaped.error).toBeUndefined();
  expect(reaped.result.plan.findings).toContainEqual(
    expect.objectContaining({ kind: 'Unreadable', secret: 'other/team' }),
  );
});

describe('a Management API that shows tokens later than the next run begins', () => {
  test('makes nobody rotate again: what it does not show yet is reported, and not replaced', async () => {
    const world = await openWorldForTest(policyWith({ telegraf: writer }));
    await world.rotate();
    await world.wait(DAY);
    world.cluster.manners = { lagMs: 2 * MINUTE };
    await world.rotate(named);
    const second = current(world);
    const { result } = await world.rotate();
    expect(result?.plan.actions).toEqual([]);
    expect(result?.plan.findings).toMatchObject([{ kind: 'NotShownYet' }]);
    expect(metric(world, 'UnusableTokens')).toBe(1);
    await world.wait(5 * MINUTE);
    await world.rotate();
    expect(metric(world, 'UnusableTokens')).toBe(0);
    expect(current(world)).toBe(second);
    expect(world.tokens(TELEGRAF)).toHaveLength(2);
  });

  test('mints one token for a rotation, however often its runs come', async () => {
    const schedules = { rotate: 'rate(5 minutes)' };
    const world = await openWorldForTest(policyWith({ telegraf: writer }, { schedules }));
    await world.rotate();
    await world.wait(31 * DAY);
    world.cluster.manners = { lagMs: 6 * MINUTE };
    for (let n = 0; n < 8; n += 1) {
      await world.rotate();
      await world.wait(5 * MINUTE);
    }
    expect(world.tokens(TELEGRAF)).toHaveLength(2);
    expect(current(world)).toBe(world.tokens(TELEGRAF)[1]?.id);
  });

  test('delays the replacement of a token that was deleted in its first hour, by an hour at most', async () => {
    const world = await openWorldForTest(policyWith({ telegraf: writer }));
    await world.rotate();
    const first = current(world);
    await world.people.deleteToken(first);
    world.cluster.manners = { hidesRevoked: true };
    await world.rotate();
    expect([current(world), metric(world, 'UnusableTokens')]).toEqual([first, 1]);
    await world.wait(HOUR);
    await world.rotate();
    expect(current(world)).not.toBe(first);
    expect(world.accepts(world.string(TELEGRAF))).toBe(true);
  });
});

test('a token that was saved twice before a run is never said to be superseded, and all its versions are noted', async () => {
  const world = await openWorldForTest(policyWith({ telegraf: writer }));
  await world.rotate();
  await world.wait(HOUR);
  await world.people.saveValue(TELEGRAF, world.value(TELEGRAF));
  await world.people.saveValue(TELEGRAF, world.value(TELEGRAF));
  const markers: unknown[] = [];
  world.watch((call, effect) => {
    const reply = effect();
    if (call.operation === 'PATCH /tokens/{id}') markers.push(world.tokens(TELEGRAF)[0]?.marker);
    return reply;
  });
  await world.rotate();
  const { AWSCURRENT, AWSPREVIOUS } = world.labels(TELEGRAF);
  expect(markers).toEqual([expect.not.objectContaining({ superseded: expect.anything() })]);
  expect(markers).toMatchObject([{ version: `${AWSCURRENT},${AWSPREVIOUS}` }]);
});

test('a key that was added in a version made current while a token waits stays', async () => {
  const world = await openWorldForTest(policyWith({ telegraf: writer }));
  await world.rotate();
  await world.wait(31 * DAY);
  await world.rotate();
  expect(world.labels(TELEGRAF).AWSPENDING).toBeDefined();
  const edited = JSON.stringify({ ...JSON.parse(world.value(TELEGRAF)), host: 'h' });
  const version = '11111111-2222-4333-8444-555555555555';
  await world.people.putVersion(TELEGRAF, version, edited, 'mine');
  await world.people.makeCurrent(TELEGRAF, version);
  const before = world.string(TELEGRAF);
  for (let runs = 0; runs < 2; runs += 1) {
    await world.wait(11 * MINUTE);
    await world.rotate();
  }
  expect(JSON.parse(world.value(TELEGRAF))).toMatchObject({ host: 'h' });
  expect(world.string(TELEGRAF)).not.toBe(before);
});

test("a short limit for descriptions keeps nobody from recognising a saved token of Secrets Manager's own rotation", async () => {
  const world = await openWorldForTest(policyWith({ telegraf: writer }));
  world.cluster.manners = { longestDescription: 250 };
  await world.rotate();
  await world.wait(DAY);
  await world.rotateSecret(TELEGRAF);
  await world.wait(DAY);
  for (let saves = 0; saves < 2; saves += 1) {
    await world.people.saveValue(TELEGRAF, world.value(TELEGRAF));
    await world.wait(HOUR);
    expect(await world.rotate()).not.toHaveProperty('error');
  }
  expect(metric(world, 'UnusableTokens')).toBe(0);
});

test('a held token past its expiry, which the listing omits and a GET still shows, stops no other entry', async () => {
  const world = await openWorldForTest(policyWith({ telegraf: writer, grafana: writer }));
  await world.rotate();
  await world.revoke({ way: 'freeze', token: 'telegraf', reason: 'audit' });
  world.cluster.manners = { hidesExpired: 'from listings' };
  const grafana = 'keyturn/prod/grafana';
  for (let days = 0; days < 100; days += 5) {
    await world.rotate();
    await world.wait(20 * MINUTE);
    expect((await world.rotate()).error).toBeUndefined();
    expect((await world.reap()).error).toBeUndefined();
    expect(world.accepts(world.string(grafana))).toBe(true);
    await world.wait(5 * DAY);
  }
  expect(world.hold(TELEGRAF)).toBe('frozen');
});
