import { expect, test } from 'vitest';
import { openWorldForTest } from '../../world/open-world.ts';
import { HOUR, MINUTE, policyWith, writer } from '../../world/policy.ts';
import type { World } from '../../world/world.ts';

/** A process that runs a bundle does not live through what a call that is held back waits for; test/hostile has such a server. */
const options = { isSimulated: true };
const order = { all: true, confirm: '127.0.0.1', way: 'delete', reason: 'leaked' };

async function openMany(count: number) {
  const names = Array.from({ length: count }, (_, n) => `t${n}`);
  const entries = Object.fromEntries(names.map((name) => [name, writer]));
  const world = await openWorldForTest(policyWith(entries), options);
  await world.rotate();
  const strings = names.map((name) => world.string(`keyturn/prod/${name}`));
  return { world, strings };
}

/** Deletions take that long, and then they take effect, if they ever do. Returns when permissions were taken. */
function slow(world: World, ms: number): number[] {
  const at = world.clock.now();
  const cutOff: number[] = [];
  world.intercept(async (call, effect) => {
    if (call.operation === 'PATCH /tokens/{id}') cutOff.push(world.clock.now() - at);
    if (call.operation !== 'DELETE /tokens/{id}') return effect();
    await world.clock.heldBack(call.caller, world.clock.after(ms));
    return ms === HOUR ? 'reset' : effect();
  });
  return cutOff;
}

test('cuts off every string of a secret where the cluster answers no deletion, and the same order again ends it', async () => {
  const { world, strings } = await openMany(1);
  const secret = 'keyturn/prod/t0';
  await world.rotate({ tokens: ['t0'], force: true });
  strings.push(world.string(secret));
  await world.wait(MINUTE);
  expect(strings.map((each) => world.accepts(each))).toEqual([true, true]);
  const cutOff = slow(world, HOUR);
  const { error } = await world.revoke(order);
  world.intercept();
  expect(error?.errorMessage).toContain(
    'its permissions were taken, and the cluster did not delete it: no complete answer within 20 s',
  );
  const told = world.events('Token Permissions Changed').map(({ detail }) => detail);
  expect(told).toMatchObject([{ reason: 'Revoked' }, { reason: 'Revoked' }]);
  expect(cutOff).toHaveLength(2);
  expect(Math.max(...cutOff)).toBeLessThan(MINUTE);
  await world.wait(MINUTE);
  expect(strings.map((each) => world.accepts(each))).toEqual([false, false]);

  const { result: report } = await world.revoke(order);
  expect(report).toMatchObject({ done: true });
  expect(world.tokens(secret)).toEqual([]);
});

test('keeps no string waiting for the deletions of many others that nobody answers', async () => {
  const { world, strings } = await openMany(30);
  const cutOff = slow(world, HOUR);
  const { error } = await world.revoke(order);
  expect(error?.errorMessage).toContain('its permissions were taken');
  expect(cutOff).toHaveLength(30);
  expect(Math.max(...cutOff)).toBeLessThan(MINUTE / 2);
  await world.wait(MINUTE);
  expect(strings.filter((each) => world.accepts(each))).toEqual([]);
});

test('a cluster that is slow to delete, but does, is waited for', async () => {
  const { world, strings } = await openMany(30);
  slow(world, 12_000);
  const { result: report } = await world.revoke(order);
  expect(report).toMatchObject({ done: true });
  expect(world.tokens()).toEqual([]);
  expect(strings.filter((each) => world.accepts(each))).toEqual([]);
});

test('a cluster that asks to wait before it deletes is waited for', async () => {
  const { world } = await openMany(30);
  const headers = { 'retry-after': '15' };
  const busy = { status: 429, headers, body: '{"code": 429, "message": "too many"}' };
  let window = { from: 0, taken: 0 };
  world.intercept((call, effect) => {
    if (call.operation !== 'DELETE /tokens/{id}') return Promise.resolve(effect());
    const now = world.clock.now();
    if (now - window.from >= 15_000) window = { from: now, taken: 0 };
    window.taken += 1;
    return Promise.resolve(window.taken > 15 ? busy : effect());
  });
  const { result: report } = await world.revoke(order);
  expect(report).toMatchObject({ done: true });
  expect(world.tokens()).toEqual([]);
});
