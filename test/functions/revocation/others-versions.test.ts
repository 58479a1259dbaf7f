import { createHash } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import { versionIdOf } from '../../../functions/tokens/version-id.ts';
import { besideRun } from '../../world/faults.ts';
import { openWorldForTest } from '../../world/open-world.ts';
import { DAY, HOUR, policyWith, TELEGRAF, writer } from '../../world/policy.ts';
import type { World } from '../../world/world.ts';

/** As a tool gives it: Secrets Manager takes it for the id of the version. */
const SAVED_AS = '5f0c2d1e-8b3a-4c47-9a6e-2f7d1b0c9e84';
const GRAFANA = 'keyturn/prod/grafana';
const rotated = (name: string) => ({ tokens: [name], force: true });
const fingerprintOf = (string: string) =>
  createHash('sha256').update(string).digest('hex').slice(0, 16);

/** Two secrets that a tool saved under one `ClientRequestToken`: the id of a version says nothing beyond its secret. */
async function savedUnderOneVersion() {
  const world = await openWorldForTest(policyWith({ telegraf: writer, grafana: writer }));
  await world.rotate();
  const version = SAVED_AS;
  for (const secret of [TELEGRAF, GRAFANA]) {
    await world.people.putVersion(secret, version, world.value(secret), 'AWSCURRENT');
  }
  await world.wait(HOUR);
  await world.rotate();
  await world.reap();
  return { world, version };
}

/** What no order about another secret's token may change. */
const stateOf = (world: World, secret: string) => ({
  labels: world.labels(secret),
  hold: world.hold(secret),
  tokens: world.tokens(secret).map(({ id, permissions }) => ({ id, permissions })),
  accepted: world.accepts(world.string(secret)),
});

/** Two runs of Secrets Manager's own rotation at once: what one of them minted for the version, the other one's string keeps out. */
async function withLoser() {
  const world = await openWorldForTest(policyWith({ telegraf: writer }));
  await world.rotate();
  await world.wait(HOUR);
  const version = SAVED_AS;
  const event = { Step: 'createSecret', SecretId: TELEGRAF, ClientRequestToken: version };
  const another = besideRun(() => world.invoke('secrets-manager-rotation', event));
  let isBeside = false;
  world.intercept((call, effect) => {
    if (call.operation !== 'POST /tokens' || isBeside) return Promise.resolve(effect());
    isBeside = true;
    return another.before(call, effect, world);
  });
  await world.rotateSecret(TELEGRAF, { ClientRequestToken: version });
  world.intercept();
  const { AWSCURRENT: winner } = world.holders(TELEGRAF);
  const loser = world
    .tokens(TELEGRAF)
    .find(({ id, marker }) => id !== winner && marker?.minted !== undefined);
  expect(loser?.marker?.minted).toBe(world.labels(TELEGRAF).AWSCURRENT);
  return { world, loser };
}

/** A rotation whose token waited until a person deleted it, in a cluster that shows no revoked tokens. */
async function withDeadPending(by: (typeof BY)[number]) {
  const world = await openWorldForTest(policyWith({ telegraf: writer }));
  await world.rotate();
  await world.wait(31 * DAY);
  await world.rotate();
  const { AWSPENDING: tokenId = '' } = world.holders(TELEGRAF);
  const fingerprint = fingerprintOf(world.string(TELEGRAF, versionIdOf(tokenId)));
  world.cluster.manners = { hidesRevoked: true };
  await world.people.deleteToken(tokenId);
  await world.wait(HOUR);
  return { world, which: by === 'its id' ? { tokenId } : { fingerprint } };
}

const BY = ['its id', 'its string'] as const;
const HOLDS: Readonly<Record<string, string>> = { delete: 'deleted', freeze: 'frozen' };
const WAYS = ['delete', 'freeze', 'replace'];
const PAIRS = [
  { secret: TELEGRAF, name: 'telegraf', other: GRAFANA },
  { secret: GRAFANA, name: 'grafana', other: TELEGRAF },
];

describe.each(WAYS)('an order to %s', (way) => {
  test.each(PAIRS)(
    'about the token of $secret changes nothing in $other, whose version has the same id',
    async ({ secret, other }) => {
      const { world } = await savedUnderOneVersion();
      const string = world.string(secret);
      const before = stateOf(world, other);
      const { AWSCURRENT: tokenId } = world.holders(secret);
      const { result } = await world.revoke({ tokenId, way, reason: 'leaked' });
      expect(result?.plan.secrets).toEqual([secret]);
      expect(world.accepts(string)).toBe(false);
      expect(stateOf(world, other)).toEqual(before);
    },
  );

  test.each(PAIRS)(
    'about a token that $secret had, and that is dead, changes nothing in $other, nor what follows it',
    async ({ secret, name, other }) => {
      const { world } = await savedUnderOneVersion();
      const string = world.string(secret);
      const { AWSCURRENT: tokenId = '' } = world.holders(secret);
      await world.rotate(rotated(name));
      for (let days = 0; days < 16; days += 1) {
        await world.wait(DAY);
        await world.reap();
      }
      expect(world.tokens(secret).map(({ id }) => id)).not.toContain(tokenId);
      for (const selector of [{ tokenId }, { fingerprint: fingerprintOf(string) }]) {
        const before = [secret, other].map((each) => stateOf(world, each));
        await world.revoke({ ...selector, way, reason: 'leaked' });
        expect([secret, other].map((each) => stateOf(world, each))).toEqual(before);
      }
    },
  );

  test("about what lost two runs of Secrets Manager's own rotation leaves AWSPREVIOUS on what the winner stored", async () => {
    const { world, loser } = await withLoser();
    await world.wait(HOUR);
    await world.rotate(rotated('telegraf'));
    const before = stateOf(world, TELEGRAF);
    expect(before.labels.AWSPREVIOUS).toBe(loser?.marker?.minted);
    await world.revoke({ tokenId: loser?.id, way, reason: 'leaked' });
    expect(stateOf(world, TELEGRAF)).toMatchObject({ labels: before.labels, accepted: true });
  });

  test.each([false, true])(
    "about what lost two runs of Secrets Manager's own rotation leaves the winner (revoked ones are hidden: %s)",
    async (hidesRevoked) => {
      const { world, loser } = await withLoser();
      await world.people.deleteToken(loser?.id);
      world.cluster.manners = { hidesRevoked };
      await world.wait(HOUR);
      const before = stateOf(world, TELEGRAF);
      await world.revoke({ tokenId: loser?.id, way, reason: 'leaked' });
      expect(stateOf(world, TELEGRAF)).toEqual(before);
    },
  );

  test.each(BY)(
    'by %s about a token that waited, and that a person deleted, changes nothing in its secret',
    async (by) => {
      const { world, which } = await withDeadPending(by);
      const before = stateOf(world, TELEGRAF);
      await world.revoke({ ...which, way, reason: 'leaked' });
      expect(stateOf(world, TELEGRAF)).toEqual(before);
    },
  );

  test.each(PAIRS.flatMap((each) => [true, false].map((isDead) => ({ ...each, isDead }))))(
    'about the token of $secret (a person has deleted it: $isDead) means that secret where $other was copied from it, ids of versions and all',
    async ({ secret, other, isDead }) => {
      const world = await openWorldForTest(policyWith({ telegraf: writer, grafana: writer }));
      await world.rotate();
      const { AWSCURRENT: tokenId = '' } = world.holders(secret);
      const string = world.string(secret);
      const version = versionIdOf(tokenId);
      await world.people.putVersion(other, version, world.value(secret), 'AWSCURRENT');
      await world.wait(HOUR);
      if (isDead) await world.people.deleteToken(tokenId);
      const { result } = await world.revoke({ tokenId, way, reason: 'leaked' });
      expect(result?.plan.secrets).toEqual([secret]);
      expect(world.accepts(string)).toBe(false);
      expect(world.hold(secret)).toBe(HOLDS[way]);
      expect(world.hold(other)).toBeUndefined();
    },
  );
});

test.each(BY)(
  'to unfreeze, by %s of a token that waited, and that a person deleted, takes no hold away',
  async (by) => {
    const { world, which } = await withDeadPending(by);
    await world.people.hold(TELEGRAF, 'frozen');
    const { error } = await world.revoke({ ...which, way: 'unfreeze', reason: 'over' });
    expect(error?.errorType).toBe('SelectionError');
    expect(world.hold(TELEGRAF)).toBe('frozen');
  },
);
