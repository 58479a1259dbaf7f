import { expect, test } from 'vitest';
import { openWorldForTest } from '../../world/open-world.ts';
import { HOUR, MINUTE, policyWith, TELEGRAF, writer } from '../../world/policy.ts';

/** `ListSecrets` shows every secret as it was five minutes ago; a rotation's promotion was two minutes ago. */
async function openAfterPromotion() {
  const world = await openWorldForTest(policyWith({ telegraf: writer, grafana: writer }));
  await world.rotate();
  await world.wait(HOUR);
  const { AWSCURRENT: old } = world.holders(TELEGRAF);
  const string = world.string(TELEGRAF);
  world.aws.listLagMs = 5 * MINUTE;
  await world.rotate({ tokens: ['telegraf'], force: true });
  const { AWSCURRENT: current } = world.holders(TELEGRAF);
  expect(current).not.toBe(old);
  await world.wait(2 * MINUTE);
  return { world, old, current, string };
}

test.each(['delete', 'freeze', 'replace'])(
  'an order to %s the predecessor leaves the token that was promoted two minutes ago',
  async (way) => {
    const { world, old, current, string } = await openAfterPromotion();
    const { result } = await world.revoke({ tokenId: old, way, reason: 'leaked' });
    expect(result).toMatchObject({ confirmed: true });
    expect(world.accepts(string)).toBe(false);
    expect(world.holders(TELEGRAF).AWSCURRENT).toBe(current);
    expect(world.accepts(world.string(TELEGRAF))).toBe(true);
    expect(world.tags(TELEGRAF)).not.toHaveProperty('keyturn:hold');
  },
);

test('an order to replace the token that was promoted two minutes ago gives consumers another', async () => {
  const { world, current } = await openAfterPromotion();
  const string = world.string(TELEGRAF);
  const { result } = await world.revoke({ tokenId: current, way: 'replace', reason: 'leaked' });
  expect(result).toMatchObject({ confirmed: true });
  expect(world.accepts(string)).toBe(false);
  expect(world.holders(TELEGRAF).AWSCURRENT).not.toBe(current);
  expect(world.accepts(world.string(TELEGRAF))).toBe(true);
});

test.each(['delete', 'freeze'])(
  'an order to %s the token that was promoted two minutes ago holds its secret',
  async (way) => {
    const { world, current } = await openAfterPromotion();
    const string = world.string(TELEGRAF);
    const { result } = await world.revoke({ tokenId: current, way, reason: 'leaked' });
    expect(result).toMatchObject({ confirmed: true });
    expect(world.accepts(string)).toBe(false);
    expect(world.tags(TELEGRAF)).toHaveProperty('keyturn:hold');
  },
);

test('the plan of an order shows what is current now', async () => {
  const { world, old } = await openAfterPromotion();
  const { result } = await world.revoke({ tokenId: old, way: 'delete', dryRun: true });
  expect(result).toMatchObject({
    plan: { actions: [{ kind: 'detach-label' }, { kind: 'delete', tokenId: old }] },
  });
});
