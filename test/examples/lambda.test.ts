import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { DAY, HOUR, MINUTE, TELEGRAF } from '../world/policy.ts';
import type { World } from '../world/world.ts';
import { meter, openIssuedWorld, rotateNow, untilTheLastMoment, workFor } from './rereading.ts';

beforeEach(() => {
  vi.stubEnv('SECRET', TELEGRAF);
  vi.stubEnv('DATABASE', 'telemetry');
});
afterEach(() => vi.unstubAllEnvs());

/** A new instance of the function. Returns what Lambda would count: an error, or none. */
async function startInstance(world: World) {
  vi.resetModules();
  const { handler } = await import('../../examples/lambda/handler.ts');
  return () =>
    world.outside(() =>
      handler().then(
        () => undefined,
        (error: unknown) => `${error}`,
      ),
    );
}

test('an instance that lives for days meets no refusal with the grace period of the table', async () => {
  const world = await openIssuedWorld({ gracePeriod: '1h', quarantine: '1d' });
  const invoke = await startInstance(world);
  const seen = meter(world);
  await invoke();
  await rotateNow(world);
  await workFor(world, 2 * DAY, invoke);
  expect(new Set(seen.statuses)).toEqual(new Set([204]));
  expect(world.tokens(TELEGRAF)).toHaveLength(1);
});

test('an instance that was frozen for days reads its secret before it writes', async () => {
  const world = await openIssuedWorld({ gracePeriod: '1h', quarantine: '1d' });
  const invoke = await startInstance(world);
  const seen = meter(world);
  await invoke();
  await rotateNow(world);
  for (let hour = 0; hour < 2 * 24; hour += 1) {
    await world.wait(HOUR);
    await world.reap();
  }
  expect(await invoke()).toBeUndefined();
  expect(seen).toEqual({ statuses: [204, 204], reads: 2 });
});

test('an invocation within five minutes costs no read', async () => {
  const world = await openIssuedWorld({});
  const invoke = await startInstance(world);
  const seen = meter(world);
  for (let count = 0; count < 4; count += 1) {
    await invoke();
    await world.wait(MINUTE);
  }
  expect(seen).toMatchObject({ reads: 1 });
});

test('with a grace period that is shorter than its five minutes, it is refused', async () => {
  const lives = { rotateEvery: '10d', expiresAfter: '14d', renewBefore: '4d' };
  const short = { allowGracePeriodUnderAnHour: true };
  const world = await openIssuedWorld({ ...lives, gracePeriod: '1m' }, short);
  await untilTheLastMoment(world, MINUTE);
  const invoke = await startInstance(world);
  expect(await invoke()).toBeUndefined();
  await world.rotate();
  await world.wait(4 * MINUTE);
  expect(await invoke()).toMatch(/^Error: 401/);
  await world.wait(2 * MINUTE);
  expect(await invoke()).toBeUndefined();
});
