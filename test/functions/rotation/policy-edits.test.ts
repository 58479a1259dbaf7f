import { expect, test } from 'vitest';
import { openWorldForTest } from '../../world/open-world.ts';
import { DAY, HOUR, MINUTE, policyWith, TELEGRAF, writer } from '../../world/policy.ts';
import type { Deployment } from '../../world/world.ts';

const writing = (...write: string[]) => policyWith({ telegraf: { permissions: { write } } });
const databases = ['telemetry', 'quality', 'other'];

/** What an alarm looks at: the last value of a metric that one of the functions has measured. */
const measured = (deployed: Deployment, name: string): unknown =>
  deployed.metrics().findLast((each) => `Owner=prod ${name}` in each)?.[`Owner=prod ${name}`];

test('a typo in one of several grants takes nothing from anybody, is alarmed, and keeps no token from its renewal', async () => {
  const world = await openWorldForTest(writing('telemetry', 'other'), { databases });
  await world.rotate();
  const first = world.string(TELEGRAF);
  const typo = world.deploy(writing('telemetry', 'othr'));
  for (let days = 0; days < 35; days += 5) {
    const { result } = await typo.rotate();
    expect(result.plan.findings).toMatchObject([{ kind: 'UnknownDatabase' }]);
    expect(measured(typo, 'RefusedPlans')).toBe(1);
    await world.wait(20 * MINUTE);
    await typo.rotate();
    const string = world.string(TELEGRAF);
    const can = (database: string) => world.accepts(string, 'write', database);
    expect([can('telemetry'), can('other')]).toEqual([true, true]);
    if (days < 25) expect(string).toBe(first);
    await world.wait(5 * DAY);
  }
  expect(world.string(TELEGRAF)).not.toBe(first);
  // Without the typo the policy is followed again.
  const mended = world.deploy(writing('telemetry'));
  await mended.rotate();
  await world.wait(20 * MINUTE);
  await mended.rotate();
  expect(measured(mended, 'RefusedPlans')).toBe(0);
  expect(world.accepts(world.string(TELEGRAF), 'write', 'other')).toBe(false);
});

test('what a policy adds is given though another of its grants is a typo', async () => {
  const world = await openWorldForTest(writing('telemetry', 'other'), { databases });
  await world.rotate();
  await world.deploy(writing('telemetry', 'othr', 'quality')).rotate();
  const string = world.string(TELEGRAF);
  expect(databases.map((name) => world.accepts(string, 'write', name))).toEqual([true, true, true]);
});

test('a typo in the only grant keeps no token from being renewed with what it has', async () => {
  const world = await openWorldForTest(policyWith({ telegraf: writer }));
  await world.rotate();
  const typo = world.deploy(writing('telemtry'));
  for (let days = 0; days < 100; days += 5) {
    await typo.rotate();
    await world.wait(20 * MINUTE);
    await typo.rotate();
    await typo.reap();
    expect(world.accepts(world.string(TELEGRAF))).toBe(true);
    expect(measured(typo, 'UnusableTokens')).toBe(0);
    await world.wait(5 * DAY);
  }
});

test('a shortened rotateEvery alarms nobody as late while its first rotation is under way', async () => {
  const every = (rotateEvery: string) =>
    policyWith({ telegraf: { ...writer, rotateEvery, windows: ['Sun 02:00-04:00'] } });
  const world = await openWorldForTest(every('30d'));
  await world.rotate();
  await world.wait(27 * DAY);
  const shorter = world.deploy(every('7d'));
  const start = world.string(TELEGRAF);
  // A Sunday, after the window: it is promoted in the next one.
  for (const waits of [20 * MINUTE, 3 * DAY]) {
    const { result } = await shorter.rotate();
    expect(result.entries).toMatchObject([{ late: false }]);
    expect(measured(shorter, 'OverdueTokens')).toBe(0);
    expect(world.string(TELEGRAF)).toBe(start);
    await world.wait(waits);
  }
  await world.wait(Date.UTC(2026, 3, 5, 3) - world.clock.now());
  await shorter.rotate();
  expect(world.string(TELEGRAF)).not.toBe(start);
});

test('after a shortened rotateEvery, a rotation by name neither begins nor ends an alarm about entries that it does not look at', async () => {
  const every = (rotateEvery: string) =>
    policyWith({ telegraf: { ...writer, rotateEvery }, grafana: { ...writer, rotateEvery } });
  const world = await openWorldForTest(every('30d'));
  await world.rotate();
  await world.wait(20 * DAY);
  const shorter = world.deploy(every('7d'));
  const byName = { tokens: ['grafana'], force: true };
  await shorter.rotate(byName);
  expect(measured(shorter, 'UnusableTokens')).toBe(0);
  // No value leaves an alarm as it is.
  expect(measured(shorter, 'OverdueTokens')).toBeUndefined();
  await shorter.rotate();
  expect(measured(shorter, 'OverdueTokens')).toBe(0);
  // What was begun then is armed in vain.
  await world.wait(9 * DAY);
  const takeOff = () => world.people.takeOff(TELEGRAF, 'AWSPENDING');
  await takeOff();
  await shorter.rotate();
  expect(measured(shorter, 'OverdueTokens')).toBe(1);
  await takeOff();
  await shorter.rotate(byName);
  expect(measured(shorter, 'OverdueTokens')).toBe(1);
});

/** Tokens that live for some hours, and a grace period that is lengthened so long after their beginning. */
async function openLengthened(after: number) {
  const lasting = (gracePeriod: string, expiresAfter: string) =>
    policyWith(
      { telegraf: writer },
      {
        allowGracePeriodUnderAnHour: true,
        defaults: { rotateEvery: '3h', expiresAfter, gracePeriod, renewBefore: gracePeriod },
      },
    );
  const world = await openWorldForTest(lasting('20m', '4h'));
  await world.rotate();
  await world.wait(after);
  return { world, old: world.string(TELEGRAF), longer: world.deploy(lasting('1h', '6h')) };
}

test('a token whose grace period is lengthened is replaced while it can still live through it', async () => {
  const { world, old, longer } = await openLengthened(2.5 * HOUR);
  const run = async () => {
    await longer.rotate();
    expect(measured(longer, 'UnusableTokens')).toBe(0);
  };
  for (let runs = 0; runs < 5; runs += 1) {
    await run();
    if (world.string(TELEGRAF) !== old) break;
    await world.wait(30 * MINUTE);
  }
  // Consumers read it a moment ago.
  await world.wait(HOUR - MINUTE);
  expect(world.accepts(old)).toBe(true);
  // What the policy of today mints lives long enough to be due by its age.
  const next = world.string(TELEGRAF);
  await longer.rotate();
  expect(world.string(TELEGRAF)).toBe(next);
});

test('a token that cannot live through its lengthened grace period is promised no more than it lives, and alarms', async () => {
  const { world, old, longer } = await openLengthened(3.2 * HOUR);
  const conditionAfterRun = async () => {
    const { result } = await longer.rotate();
    return [result.entries?.[0]?.condition, measured(longer, 'UnusableTokens')];
  };
  const { AWSCURRENT: former } = world.holders(TELEGRAF);
  expect(await conditionAfterRun()).toEqual(['cut-short', 1]);
  expect(world.string(TELEGRAF)).not.toBe(old);
  const left =
    (world.cluster.state.tokens.find(({ id }) => id === former)?.expiresAt ?? 0) -
    world.clock.now();
  const { marker } = world.tokens(TELEGRAF).find(({ id }) => id === former) ?? {};
  expect(Number(marker?.grace) * 1_000).toBeLessThanOrEqual(left + MINUTE);
  await world.wait(20 * MINUTE);
  expect(await conditionAfterRun()).toEqual(['cut-short', 1]);
  await world.wait(30 * MINUTE);
  expect(world.accepts(old)).toBe(false);
  expect(await conditionAfterRun()).toEqual(['cut-short', 1]);
  // It is deleted as soon as it has expired.
  await longer.reap();
  expect(world.tokens(TELEGRAF)).toHaveLength(1);
  expect(await conditionAfterRun()).toEqual(['cut-short', 1]);
  await world.wait(20 * MINUTE);
  expect(await conditionAfterRun()).toEqual(['works', 0]);
  await longer.reap();
  expect(world.labels(TELEGRAF)).not.toHaveProperty('AWSPREVIOUS');
});

test('after a promotion the state of an entry is that of the token which consumers have now', async () => {
  const world = await openWorldForTest(policyWith({ telegraf: writer }));
  await world.rotate();
  const { result } = await world.rotate({ tokens: ['telegraf'], force: true });
  const now = await world.rotate({ dryRun: true });
  expect(result.entries).toEqual(now.result.entries);
  expect(result.entries).toMatchObject([
    {
      condition: 'works',
      tokenId: world.holders(TELEGRAF).AWSCURRENT,
      expiresAt: expect.any(Number),
      dueAt: expect.any(Number),
      late: false,
    },
  ]);
});
