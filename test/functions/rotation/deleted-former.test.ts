import { expect, test } from 'vitest';
import { denied } from '../../world/faults.ts';
import { openWorldForTest } from '../../world/open-world.ts';
import { DAY, HOUR, MINUTE, policyWith, TELEGRAF, writer } from '../../world/policy.ts';
import type { World } from '../../world/world.ts';

const named = { tokens: ['telegraf'], force: true };

const condition = async (world: World): Promise<string> =>
  (await world.rotate()).result.entries[0].condition;

/** Two rotations in a day: the first token is in its grace period, and has no label. */
async function withFormer() {
  const world = await openWorldForTest(policyWith({ telegraf: writer }));
  await world.rotate();
  const { AWSCURRENT: former } = world.holders(TELEGRAF);
  for (let rotations = 0; rotations < 2; rotations += 1) {
    await world.wait(2 * HOUR);
    await world.rotate(named);
    await world.reap();
  }
  expect(Object.values(world.holders(TELEGRAF))).not.toContain(former);
  await world.wait(HOUR);
  expect(await condition(world)).toBe('works');
  return { world, former };
}

test('a replaced token without a label that a person deletes within its grace period is told of, until that is over', async () => {
  const { world, former } = await withFormer();
  await world.people.deleteToken(former);
  await world.wait(HOUR);
  expect(await condition(world)).toBe('cut-short');
  await world.wait(DAY);
  expect(await condition(world)).toBe('works');
});

test('so it is where the label went with a save', async () => {
  const world = await openWorldForTest(policyWith({ telegraf: writer }));
  await world.rotate();
  const { AWSCURRENT: former } = world.holders(TELEGRAF);
  await world.wait(2 * HOUR);
  await world.rotate(named);
  await world.people.saveValue(TELEGRAF, world.value(TELEGRAF));
  await world.rotate();
  await world.people.deleteToken(former);
  expect(await condition(world)).toBe('cut-short');
});

test.each(['delete', 'replace'])('but not where an order (%s) by its id ended it', async (way) => {
  const { world, former } = await withFormer();
  await world.revoke({ tokenId: former, way, reason: 'leaked' });
  for (const wait of [MINUTE, HOUR]) {
    await world.wait(wait);
    expect(await condition(world)).toBe('works');
  }
});

test.each(['immediately', 'with a successor first'])(
  'nor where an order replaced all tokens of the secret, %s',
  async (how) => {
    const { world } = await withFormer();
    const immediately = how === 'immediately';
    await world.revoke({ token: 'telegraf', way: 'replace', reason: 'leaked', immediately });
    await world.wait(HOUR);
    expect(await condition(world)).toBe('works');
  },
);

test('nor where a deletion was lifted', async () => {
  const { world } = await withFormer();
  await world.revoke({ token: 'telegraf', way: 'delete', reason: 'leaked' });
  await world.revoke({ token: 'telegraf', way: 'lift', reason: 'over' });
  await world.rotate();
  await world.wait(HOUR);
  expect(await condition(world)).toBe('works');
});

test('an order that ended one before hides nothing that a person does later', async () => {
  const { world, former } = await withFormer();
  const { AWSPREVIOUS: second } = world.holders(TELEGRAF);
  await world.revoke({ tokenId: former, way: 'delete', reason: 'leaked' });
  await world.wait(HOUR);
  await world.rotate(named);
  await world.wait(HOUR);
  expect(await condition(world)).toBe('works');
  await world.people.deleteToken(second);
  expect(await condition(world)).toBe('cut-short');
});

test('an order ends a token all the same where its secret may not be tagged', async () => {
  const { world, former } = await withFormer();
  const isTag = denied(TELEGRAF);
  world.intercept(async (call, effect) =>
    call.operation === 'TagResource' ? isTag(call, effect) : effect(),
  );
  const { result } = await world.revoke({ tokenId: former, way: 'delete', reason: 'leaked' });
  world.intercept();
  expect(result).toMatchObject({ done: true, confirmed: true });
  expect(world.tokens(TELEGRAF).map(({ id }) => id)).not.toContain(former);
});
