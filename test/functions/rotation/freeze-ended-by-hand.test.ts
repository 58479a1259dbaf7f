import { expect, test } from 'vitest';
import { openWorldForTest } from '../../world/open-world.ts';
import { DAY, HOUR, policyWith, TELEGRAF, writer } from '../../world/policy.ts';
import type { World } from '../../world/world.ts';

/** A person ends a freeze by the Management API, which leaves `frozen` in the marker. */

const force = { tokens: ['telegraf'], force: true };
const permissions = [{ action: 'write', resource: 'telemetry' }] as const;
const more = [...permissions, { action: 'read', resource: 'telemetry' }] as const;

async function opened(entry: object = writer) {
  const world = await openWorldForTest(policyWith({ telegraf: entry }));
  await world.rotate();
  await world.wait(2 * HOUR);
  return world;
}

const token = (world: World, id: string | undefined) =>
  world.tokens(TELEGRAF).find((each) => each.id === id);

const pass = async (world: World, days: number) => {
  for (let day = 0; day < days; day += 1) {
    await world.wait(DAY);
    await world.rotate();
    await world.reap();
  }
};

test('a token that a person gave back and went back to is rotated like any other, with both grace periods', async () => {
  const world = await opened();
  await world.rotate(force);
  await world.wait(2 * HOUR);
  const { AWSPREVIOUS: former } = world.holders(TELEGRAF);
  await world.revoke({ tokenId: former, way: 'freeze', reason: 'leaked?' });
  await world.people.changeToken(former ?? '', { permissions: [...permissions] });
  await world.people.makeCurrent(TELEGRAF, world.labels(TELEGRAF).AWSPREVIOUS);
  await pass(world, 5);
  expect(token(world, former)?.marker).not.toHaveProperty('superseded');
  await world.rotate(force);
  expect(world.holders(TELEGRAF).AWSPREVIOUS).toBe(former);
  await world.wait(DAY - HOUR); // the grace period, less an hour
  await world.reap();
  expect(world.holders(TELEGRAF).AWSPREVIOUS).toBe(former);
  expect(token(world, former)?.permissions).toHaveLength(1);
});

test('what a person takes from it once more is a person’s act, and is told', async () => {
  const world = await opened();
  const { AWSCURRENT: first = '' } = world.holders(TELEGRAF);
  await world.revoke({ token: 'telegraf', way: 'freeze', reason: 'a drill' });
  await world.people.takeOff(TELEGRAF, 'keyturn-hold-freeze');
  await world.people.untag(TELEGRAF, ['keyturn:hold']);
  await world.people.changeToken(first, { permissions: [...permissions] });
  await world.wait(HOUR);
  await world.rotate(force);
  expect(world.holders(TELEGRAF).AWSPREVIOUS).toBe(first);
  await world.wait(HOUR);
  await world.people.changeToken(first, { permissions: [] });
  const { result } = await world.rotate();
  expect(result.entries).toMatchObject([{ condition: 'cut-short' }]);
});

test('restoring it finds that it works', async () => {
  const world = await opened();
  await world.rotate(force);
  await world.wait(2 * HOUR);
  const { AWSPREVIOUS: former = '' } = world.holders(TELEGRAF);
  await world.revoke({ tokenId: former, way: 'freeze', reason: 'leaked?' });
  await world.people.changeToken(former, { permissions: [...permissions] });
  await world.wait(HOUR);
  const { result } = await world.revoke({ tokenId: former, way: 'restore', reason: 'x' });
  expect(result).toMatchObject({ confirmed: true });
});

/** A former token was frozen and quarantined; a person gives it these permissions, and goes back to it. Its id. */
async function goBackToFrozen(world: World) {
  await world.rotate(force);
  await world.wait(2 * HOUR);
  const { AWSPREVIOUS: former = '' } = world.holders(TELEGRAF);
  const version = world.labels(TELEGRAF).AWSPREVIOUS;
  await world.revoke({ tokenId: former, way: 'freeze', reason: 'leaked?' });
  await pass(world, 3);
  await world.people.changeToken(former, { permissions: [...permissions] });
  await world.people.makeCurrent(TELEGRAF, version);
  return former;
}

test('of what an order froze no run gives the rest, where a person gave a part and went back to it', async () => {
  const world = await opened({ permissions: { write: ['telemetry'], read: ['telemetry'] } });
  const former = await goBackToFrozen(world);
  for (const request of [{}, force]) {
    const { result } = await world.rotate(request);
    expect(token(world, former)?.permissions).toHaveLength(1);
    expect(result.plan.findings).toContainEqual(expect.objectContaining({ kind: 'Held' }));
  }
  await world.revoke({ token: 'telegraf', way: 'unfreeze', reason: 'x' });
  await world.rotate();
  expect(token(world, former)?.permissions).toHaveLength(more.length);
});

test('where a person gave all back to a quarantined one, and went back to it, it is rotated like any other', async () => {
  const world = await opened();
  const former = await goBackToFrozen(world);
  await world.rotate();
  const { result } = await world.rotate();
  expect(result.entries).toMatchObject([{ condition: 'works' }]);
  expect((await world.rotate(force)).error).toBeUndefined();
  expect(world.holders(TELEGRAF).AWSCURRENT).not.toBe(former);
});

test('a hold that is set later is of that day', async () => {
  const world = await opened();
  const { AWSCURRENT: id = '' } = world.holders(TELEGRAF);
  await world.revoke({ token: 'telegraf', way: 'freeze', reason: 'a drill' });
  await world.people.takeOff(TELEGRAF, 'keyturn-hold-freeze');
  await world.people.untag(TELEGRAF, ['keyturn:hold']);
  await world.people.changeToken(id, { permissions: [...permissions] });
  await pass(world, 12);
  await world.people.hold(TELEGRAF, 'frozen');
  const { result } = await world.rotate();
  expect(world.clock.now() - result.entries[0].heldSince).toBeLessThan(HOUR);
});
