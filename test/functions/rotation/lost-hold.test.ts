import { expect, test } from 'vitest';
import { openWorldForTest } from '../../world/open-world.ts';
import { DAY, HOUR, MINUTE, policyWith, TELEGRAF, writer } from '../../world/policy.ts';
import type { World } from '../../world/world.ts';

const GRAFANA = 'keyturn/prod/grafana';
const order = { token: 'telegraf', reason: 'odd writes' };
const byName = { tokens: ['telegraf'], force: true };

/** A secret that an order froze, and that somebody deleted for good since. */
async function openDeleted() {
  const world = await openWorldForTest(policyWith({ telegraf: writer, grafana: writer }));
  await world.rotate();
  await world.wait(2 * DAY);
  const { AWSCURRENT: frozen = '' } = world.holders(TELEGRAF);
  await world.revoke({ ...order, way: 'freeze' });
  await world.wait(HOUR);
  await world.people.deleteSecret(TELEGRAF, 'for good');
  await world.wait(10 * MINUTE);
  return { world, frozen };
}

/** Ids of tokens that may do anything, by the secret that their markers name. */
const working = (world: World) =>
  world.tokens(TELEGRAF).flatMap(({ id, permissions }) => (permissions.length > 0 ? id : []));

const lost = (frozen: string) =>
  new RegExp(`HoldLostError: keyturn/prod/telegraf was on hold \\(frozen\\) with ${frozen}`);

test('a hold is not lost with its secret: nothing is minted, and every run fails until a person decides', async () => {
  const { world, frozen } = await openDeleted();
  const { rotate } = world.deploy(policyWith({ telegraf: writer, grafana: writer, new: writer }));
  for (let run = 0; run < 3; run += 1) {
    const { error } = await rotate();
    expect(error?.errorMessage).toMatch(lost(frozen));
    expect(error?.errorMessage).toContain('keyturn rotate telegraf');
    await world.wait(DAY);
    await world.reap();
  }
  expect(working(world)).toEqual([]);
  // All others go on.
  for (const name of [GRAFANA, 'keyturn/prod/new']) {
    expect(world.accepts(world.string(name))).toBe(true);
  }
});

test('nor is it lost with a secret that a tool makes anew, with our tags', async () => {
  const { world, frozen } = await openDeleted();
  const tags = { 'keyturn:owner': 'prod', 'keyturn:cluster': world.cluster.url };
  await world.people.createSecret(TELEGRAF, undefined, tags);
  await world.wait(10 * MINUTE);
  expect((await world.rotate()).error?.errorMessage).toMatch(lost(frozen));
  expect([working(world), world.labels(TELEGRAF)]).toEqual([[], {}]);
});

test('Secrets Manager rotates no such secret either', async () => {
  const { world } = await openDeleted();
  const tags = { 'keyturn:owner': 'prod', 'keyturn:cluster': world.cluster.url };
  await world.people.createSecret(TELEGRAF, 'a placeholder', tags);
  await world.wait(10 * MINUTE);
  await world.rotateSecret(TELEGRAF).catch(() => undefined);
  expect([working(world), world.value(TELEGRAF)]).toEqual([[], 'a placeholder']);
});

test('a person who rotates it by name decides, and from then on it is rotated like any other', async () => {
  const { world, frozen } = await openDeleted();
  await world.rotate();
  expect((await world.rotate(byName)).error).toBeUndefined();
  await world.wait(HOUR);
  expect(world.accepts(world.string(TELEGRAF))).toBe(true);
  expect(working(world)).not.toContain(frozen);
  expect((await world.rotate()).error).toBeUndefined();
  await world.wait(40 * DAY);
  for (const _run of ['begins', 'promotes']) {
    expect((await world.rotate()).error).toBeUndefined();
    await world.wait(HOUR);
  }
  expect(world.accepts(world.string(TELEGRAF))).toBe(true);
});

test.each([
  [
    'unfreezes the token',
    (world: World, id: string) => world.revoke({ tokenId: id, way: 'unfreeze', reason: 'fine' }),
  ],
  ['deletes the token', (world: World, id: string) => world.people.deleteToken(id)],
])('whoever %s has decided, too', async (_what, decide) => {
  const { world, frozen } = await openDeleted();
  await decide(world, frozen);
  await world.wait(HOUR);
  expect((await world.rotate()).error).toBeUndefined();
  expect(world.accepts(world.string(TELEGRAF))).toBe(true);
});
