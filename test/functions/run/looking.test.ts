import { expect, test } from 'vitest';
import { openWorldForTest } from '../../world/open-world.ts';
import { DAY, HOUR, MINUTE, policyWith, TELEGRAF, writer } from '../../world/policy.ts';
import type { World } from '../../world/world.ts';

const SECOND = 1_000;

/** What a schedule says of its firing now. */
const firing = ({ clock }: World, nextInSeconds: number) => ({
  scheduled: {
    at: `${new Date(clock.now()).toISOString().slice(0, 19)}Z`,
    nextInSeconds,
    thirdInSeconds: 3 * nextInSeconds,
  },
});

test.each(['rotate', 'reap', 'enforce'] as const)('a look by %s measures nothing', async (job) => {
  const world = await openWorldForTest(policyWith({ telegraf: writer }));
  await world.rotate();
  await world.people.saveValue(TELEGRAF, 'CHANGE_ME');
  const before = world.metrics();
  expect((await world.invoke(job, { dryRun: true })).error).toBeUndefined();
  expect(world.metrics()).toEqual(before);
});

test('a look at a cluster that says nothing ends within a minute, and the firing of a schedule tries on', async () => {
  const world = await openWorldForTest(policyWith({ telegraf: writer }));
  world.intercept(async (call, effect) => {
    if (call.server !== 'management-api') return effect();
    await world.clock.sleep(30 * SECOND);
    return { status: 504, body: 'nobody there' };
  });
  const lasting = async (event: object) => {
    const begun = world.clock.now();
    expect((await world.rotate(event)).error?.errorMessage).toContain('504');
    return world.clock.now() - begun;
  };
  expect(await lasting({ dryRun: true })).toBeLessThan(65 * SECOND);
  expect(await lasting(firing(world, 86_400))).toBeGreaterThan(5 * MINUTE);
});

test('a person’s run and a look find what the firing has found, however rarely the schedule fires', async () => {
  const weekly = { schedules: { rotate: 'cron(0 3 ? * SUN *)' } };
  const entry = { ...writer, rotateEvery: '30d', expiresAfter: '60d' };
  const world = await openWorldForTest(policyWith({ telegraf: entry }, weekly));
  await world.rotate(firing(world, 7 * 86_400));
  await world.wait(47 * DAY);
  world.intercept(async (call, effect) =>
    call.caller !== undefined && call.operation === 'PutSecretValue'
      ? { status: 400, body: '{"__type":"AccessDeniedException"}' }
      : await effect(),
  );
  const measured = () => {
    const found = world.metrics().findLast((each) => 'Owner=prod UnusableTokens' in each);
    return [found?.['Owner=prod UnusableTokens'], found?.['Owner=prod OverdueTokens']];
  };
  await world.rotate(firing(world, 7 * 86_400));
  expect(measured()).toEqual([1, 0]);
  await world.wait(2 * HOUR);
  const { result } = await world.rotate({ dryRun: true });
  expect(result.entries).toMatchObject([{ condition: 'expiring', late: false }]);
  await world.rotate();
  expect(measured()).toEqual([1, 0]);
});

test('a person’s run promotes nothing outside the windows that the schedule would leave to them', async () => {
  const entry = {
    ...writer,
    ...{ rotateEvery: '1d', expiresAfter: '3d', gracePeriod: '6h', renewBefore: '12h' },
    windows: ['02:00-04:00'],
  };
  const often = { schedules: { rotate: 'cron(0/30 * * * ? *)' } };
  const world = await openWorldForTest(policyWith({ telegraf: entry }, often));
  await world.rotate(firing(world, 1_800));
  await world.wait(23.9 * HOUR);
  const look = await world.rotate({ dryRun: true });
  const scheduled = await world.rotate({ ...firing(world, 1_800), dryRun: true });
  expect(look.result.plan.actions).toMatchObject([{ kind: 'mint', reason: 'Due' }]);
  // Only a run by hand says whether its schedule fires.
  expect(look.result).toEqual({
    ...scheduled.result,
    schedule: expect.anything(),
    managementToken: { by: 'secret' },
    policy: expect.any(Object),
  });
});
