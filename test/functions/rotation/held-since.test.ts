import { expect, test } from 'vitest';
import { openWorldForTest } from '../../world/open-world.ts';
import { DAY, HOUR, policyWith, TELEGRAF, writer } from '../../world/policy.ts';
import type { World } from '../../world/world.ts';

const order = { token: 'telegraf', reason: 'a drill', by: 'ada' };

async function opened() {
  const world = await openWorldForTest(policyWith({ telegraf: writer }));
  await world.rotate();
  await world.wait(2 * HOUR);
  return world;
}

const longHolds = (world: World) =>
  world.metrics().findLast((each) => 'Owner=prod LongHolds' in each)?.['Owner=prod LongHolds'];

const HOLDS: Readonly<Record<string, (world: World) => Promise<unknown>>> = {
  'a deletion by hand': (world) => world.people.hold(TELEGRAF, 'deleted'),
  'a freeze by hand': (world) => world.people.hold(TELEGRAF, 'frozen'),
  'a deletion whose tag a tool took away': async (world) => {
    await world.revoke({ ...order, way: 'delete' });
    await world.people.untag(TELEGRAF, ['keyturn:hold']);
  },
};

test.each(Object.keys(HOLDS))(
  '%s, which does not say when, alarms after a week, though a tool tags the secret every day',
  async (how) => {
    const world = await opened();
    await HOLDS[how]?.(world);
    const rang: number[] = [];
    for (let day = 1; day <= 10; day += 1) {
      await world.people.tag(TELEGRAF, { 'backup:last': String(day) });
      await world.rotate();
      await world.reap();
      if (longHolds(world) === 1) rang.push(day);
      await world.wait(DAY);
    }
    expect(world.accepts(world.string(TELEGRAF))).toBe(false);
    expect(rang[0]).toBeGreaterThanOrEqual(7);
    expect(rang[0]).toBeLessThanOrEqual(9);
    expect(rang.at(-1)).toBe(10);
  },
);

test('a hold of today is not older because one of its tokens was frozen by itself a week ago', async () => {
  const world = await opened();
  await world.rotate({ tokens: ['telegraf'], force: true });
  await world.wait(HOUR);
  const former = world.holders(TELEGRAF).AWSPREVIOUS;
  await world.revoke({ tokenId: former, way: 'freeze', reason: 'leaked' });
  for (let day = 0; day < 8; day += 1) {
    await world.wait(DAY);
    await world.rotate();
    await world.reap();
  }
  await world.revoke({ ...order, way: 'freeze' });
  const began = world.clock.now();
  const { result } = await world.rotate();
  expect(longHolds(world)).toBe(0);
  const [{ heldSince }] = result.entries;
  expect(Math.abs(heldSince - began)).toBeLessThan(HOUR);
});
