import { expect, test } from 'vitest';
import { openWorldForTest } from '../../world/open-world.ts';
import { DAY, HOUR, MINUTE, policyWith, TELEGRAF, writer } from '../../world/policy.ts';
import type { World } from '../../world/world.ts';
import { conditionOf, conditionsOf } from './conditions.ts';

const named = { tokens: ['telegraf'], force: true };

const markerOf = (world: World, id: string) =>
  world.tokens(TELEGRAF).find((each) => each.id === id)?.marker;

/** A token whose grace period is over: it is fenced, and still has its permissions. */
async function withFenced() {
  const world = await openWorldForTest(policyWith({ telegraf: writer, other: writer }));
  await world.rotate();
  const { AWSCURRENT: former = '' } = world.holders(TELEGRAF);
  await world.wait(2 * HOUR);
  await world.rotate(named);
  await conditionsOf(world, 27);
  expect(markerOf(world, former)).toHaveProperty('fenced');
  return { world, former };
}

const placeholder = (world: World) => world.people.saveValue(TELEGRAF, 'CHANGE_ME');

test.each(['before', 'behind'])(
  'a person strips a token that nobody was promised any more, %s a placeholder that is replaced: no alarm rings about it',
  async (when) => {
    const { world, former } = await withFenced();
    const strip = () => world.people.changeToken(former, { permissions: [] });
    if (when === 'before') await strip();
    await world.wait(10 * MINUTE);
    await placeholder(world);
    if (when === 'behind') await strip();
    await world.rotate(named);
    expect(await conditionsOf(world, 100)).toEqual(['works']);
  },
);

test('a token that a person strips within its grace period is told of until that is over, whatever is saved meanwhile', async () => {
  const world = await openWorldForTest(policyWith({ telegraf: writer, other: writer }));
  await world.rotate();
  const { AWSCURRENT: former = '' } = world.holders(TELEGRAF);
  await world.wait(2 * HOUR);
  await world.rotate(named);
  await world.wait(2 * HOUR);
  await world.people.changeToken(former, { permissions: [] });
  await placeholder(world);
  await world.rotate(named);
  expect(await conditionsOf(world, 20)).toEqual(['cut-short']);
  await world.wait(4 * HOUR);
  expect(await conditionsOf(world, 60)).toEqual(['works']);
});

test.each(['within', 'behind'])(
  'consumers who read a stripped token, because a person went back to it and away again %s its grace period, are told of for a whole one',
  async (when) => {
    const world = await openWorldForTest(policyWith({ telegraf: writer, other: writer }));
    await world.rotate();
    const { AWSCURRENT: former = '' } = world.holders(TELEGRAF);
    await world.wait(2 * HOUR);
    await world.rotate(named);
    await conditionsOf(world, when === 'within' ? 20 : 27);
    await world.people.changeToken(former, { permissions: [] });
    await world.people.makeCurrent(TELEGRAF, `keyturn-${former}`);
    await placeholder(world);
    await world.rotate(named);
    expect(await conditionsOf(world, 23)).toEqual(['cut-short']);
    await world.wait(DAY);
    expect(await conditionOf(world)).toBe('works');
  },
);

test('what still works keeps its whole grace period while nobody knows what consumers have', async () => {
  const { world, former } = await withFenced();
  await placeholder(world);
  await world.rotate(named);
  expect(await conditionsOf(world, 60)).toEqual(['works']);
  expect(world.tokens(TELEGRAF).map(({ id }) => id)).toContain(former);
  expect(markerOf(world, former)).not.toHaveProperty('quarantined');
});
