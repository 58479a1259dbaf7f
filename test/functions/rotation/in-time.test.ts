import { expect, test } from 'vitest';
import { openWorldForTest } from '../../world/open-world.ts';
import { DAY, MINUTE, policyWith, writer } from '../../world/policy.ts';
import type { World } from '../../world/world.ts';

const SECOND = 1_000;
const PERIOD = 5 * MINUTE;
/** A run ends so long before its schedule fires again, and a few seconds of that are for what it tells. */
const RESERVED = 15 * SECOND;

const secretOf = (name: string) => `keyturn/prod/${name}`;

/** So many entries alike. */
const fleet = (count: number, entry: object = writer) =>
  Object.fromEntries(Array.from({ length: count }, (_, index) => [`fleet-${index}`, entry]));

/** A run of a five-minute schedule, delivered so late that it must end after so long. */
async function runWithin(room: number, world: World): Promise<void> {
  const at = new Date(world.clock.now() + room + RESERVED - PERIOD).toISOString();
  await world.rotate({
    scheduled: { at: `${at.slice(0, 19)}Z`, nextInSeconds: 300, thirdInSeconds: 900 },
  });
}

/** Tokens whose string no version holds. */
function mintedInVain(world: World): number {
  const secrets = Object.keys(world.aws.state.secrets);
  const held = secrets.flatMap((secret) => Object.values(world.holders(secret)));
  return world.tokens().filter(({ id }) => !held.includes(id)).length;
}

test('a scheduled run with little time begins with the tokens that are needed most', async () => {
  const due = { ...writer, rotateEvery: '10d' };
  const entries = {
    ...fleet(4, due),
    week: { ...due, expiresAfter: '15d' },
    day: { ...due, expiresAfter: '250h' },
    gone: due,
  };
  const few = { secretWritesPerSecond: 1, concurrency: 1 };
  const lives = { gracePeriod: '1h', renewBefore: '2h' };
  const world = await openWorldForTest(policyWith(entries, { ...few, defaults: lives }));
  await world.rotate();
  await world.wait(10 * DAY);
  await world.people.deleteToken(world.holders(secretOf('gone')).AWSCURRENT);
  const before = new Set(world.tokens().map(({ id }) => id));
  await runWithin(24 * SECOND, world);
  const begun = world.tokens().filter(({ id }) => !before.has(id));
  expect(begun.map(({ marker }) => marker?.secret)).toEqual(
    ['gone', 'day', 'week'].map((name) => secretOf(name)),
  );
});

test('near its end a run mints nothing that it cannot store', async () => {
  const few = { secretWritesPerSecond: 1, concurrency: 5 };
  const world = await openWorldForTest(policyWith(fleet(24), few));
  for (const seconds of [1, 5, 29]) {
    await runWithin(seconds * SECOND, world);
    expect(world.tokens()).toEqual([]);
  }
  for (let run = 0; run < 2; run += 1) {
    const before = world.tokens().length;
    await runWithin(40 * SECOND, world);
    expect(world.tokens().length).toBeGreaterThan(before);
    expect(mintedInVain(world)).toBe(0);
  }
});

test('a wave of rotations over several firings keeps to the rate of writes, and mints nothing in vain', async () => {
  const RATE = 1;
  const SIZE = 45;
  const few = { secretWritesPerSecond: RATE, concurrency: 5 };
  const world = await openWorldForTest(
    policyWith(fleet(SIZE, { ...writer, rotateEvery: '10d' }), few),
  );
  const { clock } = world;
  const writes: number[] = [];
  world.watch(({ operation }, effect) => {
    if (['PutSecretValue', 'UpdateSecretVersionStage'].includes(operation))
      writes.push(clock.now());
    return effect();
  });
  await world.rotate();
  await world.wait(10 * DAY);
  const rotated = () => world.events('Token Rotated').length;
  const [issued, minted] = [rotated(), world.tokens().length];
  let firings = 0;
  for (; rotated() < issued + SIZE && firings < 20; firings += 1) {
    const firedAt = clock.now();
    await runWithin(40 * SECOND, world);
    await clock.runUntil(firedAt + PERIOD);
  }
  const inTenSeconds = writes.map(
    (from) => writes.filter((at) => at >= from && at < from + 10 * SECOND).length,
  );
  expect(Math.max(...inTenSeconds)).toBeLessThanOrEqual(10 * RATE);
  expect(firings).toBeGreaterThan(3);
  expect(world.tokens().length - minted).toBe(SIZE);
  expect(rotated() - issued).toBe(SIZE);
});
