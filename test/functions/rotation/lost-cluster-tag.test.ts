import { expect, test } from 'vitest';
import { openWorldForTest } from '../../world/open-world.ts';
import { DAY, HOUR, MINUTE, policyWith, TELEGRAF, writer } from '../../world/policy.ts';
import type { World } from '../../world/world.ts';
import { conditionsOf } from './conditions.ts';

const order = { token: 'telegraf', reason: 'leaked' };

/** Its token was deleted by an order, and a tool that manages tags has taken off the one that names the cluster. */
async function openDeleted(strip: 'before the order' | 'before lift' | 'after lift') {
  const world = await openWorldForTest(policyWith({ telegraf: writer }));
  const untag = () => world.people.untag(TELEGRAF, ['keyturn:cluster']);
  await world.rotate();
  await world.wait(2 * DAY);
  if (strip === 'before the order') await untag();
  await world.revoke({ ...order, way: 'delete' });
  await world.wait(HOUR);
  if (strip === 'before lift') await untag();
  const { result } = await world.revoke({ ...order, way: 'lift' });
  expect(result).toMatchObject({ done: true, confirmed: true });
  await world.wait(MINUTE);
  if (strip === 'after lift') await untag();
  return world;
}

/** Whether consumers have a token that works, in the cluster that the secret names. */
const isServed = (world: World) => [
  world.accepts(world.string(TELEGRAF)),
  world.tags(TELEGRAF)['keyturn:cluster'],
];

test.each(['before the order', 'before lift', 'after lift'] as const)(
  'what an order deleted is replaced once that is lifted, though its cluster tag was lost %s',
  async (strip) => {
    const world = await openDeleted(strip);
    const { error } = await world.rotate();
    expect(error).toBeUndefined();
    expect(isServed(world)).toEqual([true, world.cluster.url]);
    // Nothing of it says that the former token could be another cluster's, or that consumers miss it.
    expect(world.tags(TELEGRAF)).not.toHaveProperty('keyturn:moved');
    expect(await conditionsOf(world, 25)).toEqual(['works']);
  },
);

test('a cluster tag that was lost, and is put back, says of no token that another cluster may have it', async () => {
  const world = await openWorldForTest(policyWith({ telegraf: writer }));
  await world.rotate();
  const former = world.holders(TELEGRAF).AWSCURRENT;
  await world.rotate({ tokens: ['telegraf'], force: true });
  await world.wait(HOUR);
  await world.people.deleteToken(former);
  await world.people.untag(TELEGRAF, ['keyturn:cluster']);
  expect((await world.rotate()).error).toBeUndefined();
  expect(world.tags(TELEGRAF)['keyturn:cluster']).toBe(world.cluster.url);
  expect(world.tags(TELEGRAF)).not.toHaveProperty('keyturn:moved');
});

test('so it is by name', async () => {
  const world = await openDeleted('before lift');
  const { error } = await world.rotate({ tokens: ['telegraf'], force: true });
  expect(error).toBeUndefined();
  expect(isServed(world)).toEqual([true, world.cluster.url]);
});

test('a token that is gone since, after a lift, is not what the order meant: its lost cluster tag waits for a person', async () => {
  const world = await openDeleted('after lift');
  await world.rotate();
  await world.wait(2 * HOUR);
  await world.people.untag(TELEGRAF, ['keyturn:cluster']);
  world.cluster.state.tokens.length = 0; // as in another cluster
  const before = world.labels(TELEGRAF);
  const { error } = await world.rotate();
  expect(error?.errorMessage).toMatch(/has tokens of unknown/);
  expect(world.labels(TELEGRAF)).toEqual(before);
});
