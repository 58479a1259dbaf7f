import { afterAll, beforeAll, expect, test } from 'vitest';
import { openWorld } from '../../world/open-world.ts';
import { HOUR, policyWith } from '../../world/policy.ts';
import type { World } from '../../world/world.ts';

const ROUTERS = { count: 12, spreadMs: 240_000 };
const LONGEST_MS = 120_000;
const NAMES = Array.from({ length: 24 }, (_, index) => `writer-${index}`);
const LEAKED = NAMES.slice(0, 8);
const databaseOf = (name: string) => (LEAKED.includes(name) ? 'quality' : 'telemetry');
const policy = policyWith(
  Object.fromEntries(NAMES.map((name) => [name, { permissions: { write: [databaseOf(name)] } }])),
);
const secretOf = (name: string) => `keyturn/prod/${name}`;

/** From now on: by how many routers each string is refused when it becomes AWSCURRENT. */
function watchPromotions(world: World): Map<string, number> {
  const current = () =>
    new Map(NAMES.map((name) => [name, world.labels(secretOf(name)).AWSCURRENT]));
  const refusing = new Map<string, number>();
  world.watch((call, effect) => {
    if (call.operation !== 'UpdateSecretVersionStage') return effect();
    const before = current();
    const reply = effect();
    for (const [name, version] of current()) {
      if (version === before.get(name)) continue;
      const string = world.string(secretOf(name));
      const accepting = world.cluster.acceptedBy(string, 'write', databaseOf(name));
      refusing.set(name, ROUTERS.count - accepting.length);
    }
    return reply;
  });
  return refusing;
}

/** From now on, by token id: the first request at whose time no router accepts the string any more. */
function watchDeaths(world: World): Map<string, number> {
  const values = LEAKED.flatMap((name) => {
    const { AWSCURRENT, AWSPREVIOUS } = world.labels(secretOf(name));
    return [AWSCURRENT, AWSPREVIOUS].map((each) => JSON.parse(world.value(secretOf(name), each)));
  });
  const deaths = new Map<string, number>();
  world.watch((_call, effect) => {
    for (const { tokenId, token } of values) {
      if (deaths.has(tokenId)) continue;
      const accepting = world.cluster.acceptedBy(token, 'write', 'quality');
      if (accepting.length === 0) deaths.set(tokenId, world.clock.now());
    }
    return effect();
  });
  return deaths;
}

let world: World;
beforeAll(async () => {
  world = await openWorld(policy, { routers: ROUTERS });
  await world.rotate();
  await world.wait(HOUR);
}, LONGEST_MS);
afterAll(() => world.close());

test('no router refuses a token when it becomes current', { timeout: LONGEST_MS }, async () => {
  const refusing = watchPromotions(world);
  expect((await world.rotate({ tokens: NAMES, force: true })).error).toBeUndefined();
  expect(Object.fromEntries(refusing)).toEqual(Object.fromEntries(NAMES.map((name) => [name, 0])));
});

test('no router accepts a string that is reported dead', { timeout: LONGEST_MS }, async () => {
  const deaths = watchDeaths(world);
  const order = { database: 'quality', way: 'delete', reason: 'leaked' };
  const { result } = await world.revoke(order);
  expect(result?.confirmed).toBe(true);
  const startedAt = Date.parse(result?.startedAt ?? '');
  const early = result?.tokens.filter(({ tokenId, deadAfterSeconds = 0 }) => {
    const death = deaths.get(tokenId);
    return death !== undefined && startedAt + (deadAfterSeconds + 1) * 1_000 < death;
  });
  expect([deaths.size, early]).toEqual([2 * LEAKED.length, []]);
});
