import { expect, test } from 'vitest';
import { openWorldForTest } from '../../world/open-world.ts';
import { MINUTE, policyWith, writer } from '../../world/policy.ts';
import type { World } from '../../world/world.ts';

const order = { all: true, confirm: '127.0.0.1', way: 'replace', reason: 'leaked' };

async function openMany(count: number) {
  const names = Array.from({ length: count }, (_, n) => `t${n}`);
  const entries = Object.fromEntries(names.map((name) => [name, writer]));
  const world = await openWorldForTest(policyWith(entries), { isSimulated: true });
  await world.rotate();
  const strings = names.map((name) => world.string(`keyturn/prod/${name}`));
  return { world, strings };
}

/** An ingress passes so many calls a second, and refuses all others. */
function limit(world: World, perSecond: number, status: number): void {
  let [second, calls] = [0, 0];
  world.intercept((call, effect) => {
    const now = Math.floor(world.clock.now() / 1_000);
    if (now !== second) [second, calls] = [now, 0];
    if (!['management-api', 'data-plane'].includes(call.server)) return Promise.resolve(effect());
    calls += 1;
    if (calls <= perSecond) return Promise.resolve(effect());
    return Promise.resolve({ status, body: '<html>limited</html>' });
  });
}

test.each([503, 429])(
  'goes on with what an ingress refused (%s) as long as there is time',
  async (status) => {
    const { world, strings } = await openMany(24);
    limit(world, 25, status);
    const { error, result: report } = await world.revoke(order);
    world.intercept();
    expect(error).toBeUndefined();
    expect(report).toMatchObject({ done: true });
    expect(strings.filter((each) => world.accepts(each))).toEqual([]);
  },
  120_000,
);

test('tells early of a cluster that refuses everything', async () => {
  const { world } = await openMany(3);
  let asked = 0;
  world.intercept((call, effect) => {
    if (call.operation !== 'POST /tokens') return Promise.resolve(effect());
    asked += 1;
    return Promise.resolve({ status: 503, body: 'out of order' });
  });
  const from = world.clock.now();
  const { error } = await world.revoke(order);
  expect(error?.errorType).toBe('RevocationError');
  expect(world.clock.now() - from).toBeLessThan(3 * MINUTE);
  // Once, and after each of three pauses, for each secret: also where the order looks at it again.
  expect(asked).toBe(3 * 4);
});
