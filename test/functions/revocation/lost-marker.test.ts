import { createHash } from 'node:crypto';
import { expect, test } from 'vitest';
import { versionIdOf } from '../../../functions/tokens/version-id.ts';
import { openWorldForTest } from '../../world/open-world.ts';
import { DAY, HOUR, policyWith, TELEGRAF, writer } from '../../world/policy.ts';
import { conditionsOf } from '../rotation/conditions.ts';

const NAME = { token: 'telegraf', reason: 'leaked' };
const fingerprintOf = (string: string) =>
  createHash('sha256').update(string).digest('hex').slice(0, 16);
/** Whether an order gets this token's id or its string. */
const BY = ['its id', 'its string'] as const;

/** A rotation an hour ago; what it replaced has lost its marker since. */
async function withPrevious() {
  const world = await openWorldForTest(policyWith({ telegraf: writer }));
  await world.rotate();
  const string = world.string(TELEGRAF);
  await world.wait(2 * HOUR);
  await world.rotate({ tokens: ['telegraf'], force: true });
  const { AWSPREVIOUS: previous = '' } = world.holders(TELEGRAF);
  await world.wait(HOUR);
  await world.people.changeToken(previous, { description: 'ours no more' });
  expect(await conditionsOf(world, 1)).toEqual(['works']);
  return { world, previous, string };
}

test.each(['delete', 'replace'].flatMap((way) => BY.map((by) => [way, by] as const)))(
  'an order (%s) by %s about what consumers had before, which lost its marker, is proven, takes its label off, and rings no alarm',
  async (way, by) => {
    const { world, previous, string } = await withPrevious();
    const which = by === 'its id' ? { tokenId: previous } : { fingerprint: fingerprintOf(string) };
    const { result } = await world.revoke({ ...which, way, reason: 'leaked' });
    expect(result).toMatchObject({
      done: true,
      confirmed: true,
      plan: { secrets: [TELEGRAF] },
      tokens: [{ tokenId: previous, result: 'deleted', secret: TELEGRAF }],
    });
    expect(world.accepts(string)).toBe(false);
    expect(world.holders(TELEGRAF)).not.toHaveProperty('AWSPREVIOUS');
    expect(await conditionsOf(world, 25)).toEqual(['works']);
  },
);

test('to freeze it rings no alarm either, and is proven', async () => {
  const { world, previous, string } = await withPrevious();
  const order = { tokenId: previous, way: 'freeze', reason: 'leaked', noUndo: true };
  const { result } = await world.revoke(order);
  expect(result).toMatchObject({ confirmed: true, tokens: [{ result: 'frozen' }] });
  expect(world.accepts(string)).toBe(false);
  expect(await conditionsOf(world, 25)).toEqual(['works']);
});

test('to replace it ends all tokens of the secret where nobody knows what consumers have', async () => {
  const { world, previous } = await withPrevious();
  await world.people.saveValue(TELEGRAF, 'a placeholder');
  await world.people.takeOff(TELEGRAF, 'AWSPREVIOUS');
  await world.people.label(TELEGRAF, 'AWSPREVIOUS', versionIdOf(previous));
  const { result } = await world.revoke({ tokenId: previous, way: 'replace', reason: 'leaked' });
  expect(result).toMatchObject({ done: true });
  expect(world.accepts(world.string(TELEGRAF))).toBe(true);
  expect(world.tokens(TELEGRAF)).toHaveLength(1);
});

test('a person who goes back to it meanwhile keeps it', async () => {
  const { world, previous, string } = await withPrevious();
  let isBack = false;
  world.intercept(async (call, effect) => {
    if (call.caller?.includes('revoke') && call.operation === 'GET /tokens/{id}' && !isBack) {
      isBack = true;
      await world.people.makeCurrent(TELEGRAF, versionIdOf(previous));
    }
    return effect();
  });
  const { error } = await world.revoke({ tokenId: previous, way: 'delete', reason: 'leaked' });
  world.intercept();
  expect([isBack, error?.errorType]).toEqual([true, 'RevocationError']);
  expect(error?.errorMessage).toContain('it is current or pending by now: nothing was done to it');
  expect(world.accepts(string)).toBe(true);
});

test('unfreeze confirms nothing where it could give it nothing back', async () => {
  const { world, previous, string } = await withPrevious();
  await world.revoke({ ...NAME, way: 'freeze', noUndo: true });
  const { result } = await world.revoke({ ...NAME, way: 'unfreeze' });
  const unconfirmed = expect.stringContaining('its permissions were not kept');
  expect(result).toMatchObject({ done: true, confirmed: false });
  expect(result?.tokens).toContainEqual(
    expect.objectContaining({ tokenId: previous, result: 'left', unconfirmed }),
  );
  expect(world.accepts(string)).toBe(false);
  expect(await conditionsOf(world, 1)).toEqual(['cut-short']);
  await world.wait(DAY);
  expect(await conditionsOf(world, 1)).toEqual(['works']);
});
