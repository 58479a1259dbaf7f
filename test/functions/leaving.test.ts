import { expect, test } from 'vitest';
import { openWorldForTest } from '../world/open-world.ts';
import { DAY, HOUR, policyWith, TELEGRAF, writer } from '../world/policy.ts';
import type { Deployment, World } from '../world/world.ts';

// What docs/operations.md says under "Leaving Keyturn".

const GRAFANA = 'keyturn/prod/grafana';
const YEARS = 3 * 365 * DAY;
const policy = policyWith({ telegraf: writer, grafana: writer });

const kindsIn = (actions: readonly { readonly kind: string }[]) => actions.map(({ kind }) => kind);

/** Until a plan of `reap` has nothing to do; the days that it took. */
async function untilRetired(world: World, keyturn: Deployment): Promise<number> {
  for (let day = 0; ; day += 1) {
    await keyturn.rotate();
    const { result, error } = await keyturn.reap();
    expect(error).toBeUndefined();
    if (result.plan.actions.length === 0 && day > 0 && world.tokens(TELEGRAF).length === 1) {
      return day;
    }
    if (day > 60) throw new Error(`reap is not done: ${kindsIn(result.plan.actions)}`);
    await world.wait(DAY);
  }
}

test('who leaves with a token without an end keeps it for years, and the replaced one is retired before; of the others none outlives its expiry', async () => {
  const world = await openWorldForTest(policy);
  await world.rotate();
  const [before, others] = [world.string(TELEGRAF), world.string(GRAFANA)];
  await world.wait(2 * DAY);

  const leaving = world.deploy(
    policyWith({ telegraf: { ...writer, expiresAfter: 'never' }, grafana: writer }),
  );
  expect(await leaving.rotate({ tokens: ['telegraf'], force: true })).not.toHaveProperty('error');
  const kept = world.string(TELEGRAF);
  expect(kept).not.toBe(before);
  expect([world.accepts(before), world.accepts(kept)]).toEqual([true, true]);
  await untilRetired(world, leaving);
  expect(world.accepts(before)).toBe(false);
  expect(world.string(TELEGRAF)).toBe(kept);
  expect(world.accepts(others)).toBe(true);

  // Nothing runs any more.
  await world.wait(100 * DAY);
  expect(world.accepts(others)).toBe(false);
  await world.wait(YEARS);
  expect([world.string(TELEGRAF), world.accepts(kept)]).toEqual([kept, true]);
});

test('a token of one’s own in the secret is ended by nobody; the one before it ends by an order alone', async () => {
  const world = await openWorldForTest(policy);
  await world.rotate();
  await world.wait(2 * DAY);
  const { AWSCURRENT: old = '' } = world.holders(TELEGRAF);
  const before = world.string(TELEGRAF);
  const { accessToken: own } = await world.people.mint({
    description: 'telegraf, ours again',
    permissions: [{ action: 'write', resource: 'telemetry' }],
  });
  await world.people.saveValue(TELEGRAF, JSON.stringify({ token: own }));
  for (let day = 0; day < 12; day += 1) {
    await world.rotate();
    await world.reap();
    await world.wait(DAY);
  }
  expect(world.string(TELEGRAF)).toBe(own);
  expect([world.accepts(own), world.accepts(before)]).toEqual([true, true]);

  const { result } = await world.revoke({ tokenId: old, way: 'delete', reason: 'leaving' });
  expect(result?.done).toBe(true);
  expect([world.accepts(own), world.accepts(before)]).toEqual([true, false]);
  await world.wait(YEARS);
  expect([world.string(TELEGRAF), world.accepts(own)]).toEqual([own, true]);
});

test('who comes back owns every token that still lives, and mints none; a secret without its tags is taken over', async () => {
  const world = await openWorldForTest(policy);
  await world.rotate();
  const kept = world.tokens().map(({ id }) => id);
  await world.people.untag(GRAFANA, ['keyturn:owner', 'keyturn:cluster']);
  await world.wait(20 * DAY);

  const again = world.deploy(policy);
  const { result } = await again.rotate({ dryRun: true });
  const conditions = result.entries.map((each: { token: string; condition: string }) => [
    each.token,
    each.condition,
  ]);
  expect(conditions).toContainEqual(['telegraf', 'works']);
  expect(conditions).not.toContainEqual(['grafana', 'works']);
  expect(await again.rotate({ tokens: ['grafana'], takeOver: { by: 'ada' } })).toMatchObject({
    result: { outcomes: [{ result: 'done' }] },
  });
  await again.rotate();
  expect(world.tokens().map(({ id }) => id)).toEqual(kept);
  await world.wait(HOUR);
  const { result: after } = await again.rotate({ dryRun: true });
  expect(after.entries).toMatchObject([{ condition: 'works' }, { condition: 'works' }]);
});
