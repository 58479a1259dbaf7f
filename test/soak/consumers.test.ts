import { expect, test } from 'vitest';
import { policyWith } from '../crash/policy.ts';
import { openWorldForTest } from '../world/open-world.ts';
import { DAY, HOUR, MINUTE } from '../world/policy.ts';
import type { World } from '../world/world.ts';
import { createChance } from './chance.ts';
import { askConsumers } from './consumers.ts';
import { createOracles } from './oracles.ts';

const open = (options: object) =>
  openWorldForTest(policyWith({ telegraf: { permissions: { write: ['metrics'] } } }), {
    databases: ['metrics', 'events'],
    ...options,
  });

/** Drawn instants are too rare to matter. */
const askOf = (world: World, ask: () => void) =>
  askConsumers(world, {
    asking: { meanMs: 1_000 * DAY },
    ...{ chance: createChance('a test'), gracePeriod: HOUR, ask },
  });

test('a token that expires between two firings refuses its consumers at that instant, and is seen to', async () => {
  const world = await open({ revocationDelayMs: MINUTE });
  const about = { renewBefore: 6 * HOUR, everyMs: HOUR, rising: () => [] };
  const oracles = createOracles(world, about);
  askOf(world, oracles.consume);
  await world.rotate();
  await world.wait(HOUR);
  oracles.consume();
  const [token] = world.cluster.state.tokens;
  // A `rotate` that does nothing has no excuse.
  for (let hour = 0; hour < 4 * 24; hour += 1) {
    const calm = { job: 'rotate', isStormy: false, isDisturbed: false } as const;
    oracles.hear(calm, { result: {} }, []);
    await world.wait(HOUR);
  }
  const refused = oracles.found.find(({ text }) => text.startsWith('J: '));
  expect(refused?.at).toBe((token?.expiresAt ?? 0) + MINUTE);
});

test('consumers ask before and after the first and the last router learn that a token is gone', async () => {
  const routers = { count: 12, spreadMs: 4 * MINUTE };
  const world = await open({ routers, revocationDelayMs: MINUTE });
  await world.rotate();
  await world.wait(HOUR);
  const instants: number[] = [];
  askOf(world, () => instants.push(world.clock.now()));
  const deletedAt = world.clock.now();
  await world.people.deleteToken(world.tokens()[0]?.id);
  await world.wait(HOUR);
  const since = instants.map((at) => at - deletedAt);
  expect(since).toEqual([MINUTE - 1, MINUTE, 5 * MINUTE - 1, 5 * MINUTE]);
});

test('consumers ask at drawn instants, the same for the same seed', async () => {
  const world = await open({});
  const lists = [1, 1, 2].map((seed) => {
    const instants: number[] = [];
    const chance = createChance(`${seed}`);
    const ask = () => instants.push(world.clock.now());
    askConsumers(world, { asking: { meanMs: HOUR }, chance, gracePeriod: HOUR, ask });
    return instants;
  });
  await world.wait(10 * DAY);
  expect(lists[1]).toEqual(lists[0]);
  expect(lists[2]).not.toEqual(lists[0]);
  expect(lists[0]?.length).toBeGreaterThan(150);
  expect(lists[0]?.length).toBeLessThan(350);
});
