import { expect, test } from 'vitest';
import { openWorldForTest } from '../../world/open-world.ts';
import { DAY, HOUR, MINUTE, policyWith, TELEGRAF, writer } from '../../world/policy.ts';
import type { World } from '../../world/world.ts';

const order = { token: 'telegraf', reason: 'odd writes' };

/** A secret that an order froze with all its tokens, and that somebody deleted for good since. */
async function openDeleted() {
  const world = await openWorldForTest(policyWith({ telegraf: writer, grafana: writer }));
  await world.rotate();
  await world.wait(2 * DAY);
  await world.rotate({ tokens: ['telegraf'], force: true });
  await world.wait(HOUR);
  const { AWSCURRENT = '', AWSPREVIOUS = '' } = world.holders(TELEGRAF);
  const frozen = [AWSCURRENT, AWSPREVIOUS].sort();
  await world.revoke({ ...order, way: 'freeze' });
  expect(await strays(world)).toEqual([]);
  await world.people.deleteSecret(TELEGRAF, 'for good');
  await world.wait(10 * MINUTE);
  return { world, frozen };
}

/** What a plan says of tokens that an order froze and that have no secret. */
async function strays(world: World) {
  const { result } = await world.rotate({ dryRun: true });
  const { findings } = result.plan as {
    readonly findings: readonly {
      readonly kind: string;
      readonly token?: string;
      readonly message: string;
    }[];
  };
  return findings
    .filter(({ kind }) => kind === 'FrozenStray')
    .map(({ token, message }) => `${token}: ${message}`);
}

test('a hold that went with its secret is told of, before and after that is made again, until a person decides', async () => {
  const { world, frozen } = await openDeleted();
  const told = [
    expect.stringMatching(
      new RegExp(`^telegraf: 2 tokens of ${TELEGRAF} are frozen, .* \\(${frozen.join(', ')}\\)`),
    ),
  ];
  expect(await strays(world)).toEqual(told);
  expect((await world.rotate()).error).toBeUndefined();
  expect(world.accepts(world.string(TELEGRAF))).toBe(true);
  await world.wait(HOUR);
  expect(await strays(world)).toEqual(told);
  for (const tokenId of frozen) {
    const { result } = await world.revoke({ tokenId, way: 'delete', reason: 'old' });
    expect(result).toMatchObject({ done: true });
  }
  expect(await strays(world)).toEqual([]);
});

test('the order that it names holds the secret that was made again', async () => {
  const { world } = await openDeleted();
  await world.rotate();
  await world.wait(HOUR);
  expect(await strays(world)).toEqual([
    expect.stringContaining('revoke --token telegraf --freeze'),
  ]);
  const { result } = await world.revoke({ ...order, way: 'freeze' });
  expect(result).toMatchObject({ done: true });
  expect(await strays(world)).toEqual([expect.stringContaining('the one here is on hold, too')]);
  expect([world.hold(TELEGRAF), world.accepts(world.string(TELEGRAF))]).toEqual(['frozen', false]);
});

test('what a promoted replica has is no stray: it is taken over', async () => {
  const world = await openWorldForTest(policyWith({ telegraf: writer }));
  await world.rotate();
  await world.wait(2 * DAY);
  await world.revoke({ ...order, way: 'freeze' });
  // As in the second Region: the same labels and tags under another ARN.
  const secret = world.aws.state.secrets[TELEGRAF];
  Object.assign(secret ?? {}, { arn: secret?.arn.replace(/-\w{6}$/, '-zZzZzZ') });
  await world.wait(10 * MINUTE);
  expect(await strays(world)).toEqual([]);
});

test('where the secret is there, and only its tag was lost, nobody is told to freeze or to delete first', async () => {
  const world = await openWorldForTest(policyWith({ telegraf: writer }));
  await world.rotate();
  await world.wait(2 * DAY);
  await world.revoke({ ...order, way: 'freeze' });
  await world.people.untag(TELEGRAF, ['keyturn:owner']);
  await world.wait(10 * MINUTE);
  expect(await strays(world)).toEqual([
    expect.stringMatching(/has lost its tag keyturn:owner, .*; look before anything else/),
  ]);
});
