import { createHash } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openWorld } from '../../world/open-world.ts';
import { HOUR, MINUTE, policyWith, TELEGRAF, writer } from '../../world/policy.ts';
import type { Saved, World } from '../../world/world.ts';

const ADOPTED = 'legacy/db';
/** What may do the same, so that there is a string to compare. */
const entries = { telegraf: writer, grafana: writer };

let world: World;
let saved: Saved;
let deployed: ReturnType<World['deploy']>;

/** Secrets whose AWSCURRENT is no version that Keyturn put for its token: adopted, or saved in the console. */
beforeAll(async () => {
  world = await openWorld(policyWith(entries), { databases: ['telemetry'] });
  await world.rotate();
  const permissions = [{ action: 'write' as const, resource: 'telemetry' }];
  const { id, accessToken } = await world.people.mint({ description: 'legacy', permissions });
  await world.people.createSecret(ADOPTED, accessToken);
  await world.wait(MINUTE);
  const legacy = { ...writer, secret: ADOPTED, adopt: { tokenId: id } };
  deployed = world.deploy(policyWith({ ...entries, legacy }));
  await deployed.rotate();
  await world.wait(HOUR);
  await world.people.saveValue(TELEGRAF, world.value(TELEGRAF));
  await deployed.rotate();
  await world.wait(HOUR);
  saved = world.save();
});
afterAll(() => world.close());

const stringOf = (secret: string) =>
  secret === ADOPTED ? world.value(secret) : world.string(secret);
const fingerprintOf = (secret: string) =>
  createHash('sha256').update(stringOf(secret)).digest('hex').slice(0, 16);
const selectors = {
  'its id': (secret: string) => ({ tokenId: world.holders(secret).AWSCURRENT ?? '' }),
  'its string': (secret: string) => ({ fingerprint: fingerprintOf(secret) }),
};
const HOLDS: Readonly<Record<string, string>> = { delete: 'deleted', freeze: 'frozen' };

const CASES = [ADOPTED, TELEGRAF].flatMap((secret) =>
  (['its id', 'its string'] as const).flatMap((by) =>
    [false, true].map((hidesRevoked) => ({ secret, by, hidesRevoked })),
  ),
);

describe.each(CASES)(
  'an order by $by about the current token of $secret (revoked ones are hidden: $hidesRevoked)',
  ({ secret, by, hidesRevoked }) => {
    // Where revoked tokens are hidden, nobody knows of each of these strings whose it was.
    const ended = hidesRevoked ? { done: true } : { done: true, confirmed: true };

    async function orderOf(way: string) {
      await world.restore(saved);
      world.cluster.manners = { hidesRevoked };
      return { way, reason: 'leaked', ...selectors[by](secret) };
    }

    it('to delete, whose hold was refused, sets it when it is given again', async () => {
      const order = await orderOf('delete');
      world.intercept(({ caller, operation }, effect) => {
        const isRefused =
          caller?.includes('revoke') &&
          ['TagResource', 'UpdateSecretVersionStage'].includes(operation);
        const body = JSON.stringify({ __type: 'AccessDeniedException', Message: 'not authorized' });
        return Promise.resolve(isRefused ? { status: 400, body } : effect());
      });
      const { error } = await deployed.revoke(order);
      world.intercept();
      expect(error?.errorMessage).toContain('giving the same order again');
      await world.wait(MINUTE);
      expect((await deployed.revoke(order)).result).toMatchObject(ended);
      expect(world.hold(secret)).toBe('deleted');
      await world.wait(20 * MINUTE);
      await deployed.rotate();
      expect(world.accepts(stringOf(secret))).toBe(false);
    });

    it('to replace at once, whose successor could not be minted, gives consumers one when it is given again', async () => {
      const order = { ...(await orderOf('replace')), immediately: true };
      world.intercept(({ operation }, effect) =>
        Promise.resolve(operation === 'POST /tokens' ? { status: 503, body: '{}' } : effect()),
      );
      const { error } = await deployed.revoke(order);
      world.intercept();
      expect(error?.errorMessage).toMatch(/giv(e|ing) the same order again/);
      await world.wait(MINUTE);
      expect((await deployed.revoke(order)).result).toMatchObject(ended);
      expect(world.accepts(stringOf(secret))).toBe(true);
    });

    it.each(['delete', 'freeze', 'replace'])(
      'to %s, after a person deleted it, leaves a hold, or a successor',
      async (way) => {
        const order = await orderOf(way);
        await world.people.deleteToken(world.holders(secret).AWSCURRENT);
        await world.wait(MINUTE);
        expect((await deployed.revoke(order)).result).toMatchObject(ended);
        expect(world.hold(secret)).toBe(HOLDS[way]);
        expect(world.accepts(stringOf(secret))).toBe(way === 'replace');
      },
    );
  },
);
