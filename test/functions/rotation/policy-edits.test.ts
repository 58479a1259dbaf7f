import { expect, test } from 'vitest';
import { openWorldForTest } from '../../world/open-world.ts';
import { DAY, MINUTE, policyWith, TELEGRAF, writer } from '../../world/policy.ts';
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
