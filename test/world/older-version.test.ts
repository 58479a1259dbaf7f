import { expect, test } from 'vitest';
import { LATER_FIELDS } from './older-version.ts';
import { openWorldForTest } from './open-world.ts';
import { HOUR, policyWith, TELEGRAF, writer } from './policy.ts';

const policy = policyWith({ telegraf: writer });
const force = { tokens: ['telegraf'], force: true };

test('an older version writes no field that it does not know', async () => {
  const world = await openWorldForTest(policy);
  const older = world.deploy(policy, 'promoted');
  await older.rotate();
  await world.wait(HOUR);
  await older.rotate(force);
  const markers = world.tokens(TELEGRAF).map(({ marker }) => Object.keys(marker ?? {}));
  expect(markers).toHaveLength(2);
  expect(markers.flat()).toContain('superseded');
  expect(markers.flat()).not.toContain('promoted');
});

test('an older version leaves a field as it is that it does not know', async () => {
  const world = await openWorldForTest(policy);
  await world.rotate();
  await world.wait(HOUR);
  await world.rotate(force);
  const { AWSCURRENT } = world.holders(TELEGRAF);
  const markerNow = () => world.tokens().find(({ id }) => id === AWSCURRENT)?.marker;
  const { promoted } = markerNow() ?? {};
  expect(promoted).toBeDefined();
  await world.wait(HOUR);
  await world.deploy(policy, 'promoted').rotate(force);
  expect(markerNow()).toMatchObject({ promoted, superseded: expect.any(String) });
});

test.each(LATER_FIELDS)(
  'consumers are served by a version that does not know %s',
  async (field) => {
    const world = await openWorldForTest(policy);
    const older = world.deploy(policy, field);
    for (const version of [world, older, older, world]) {
      await world.wait(HOUR);
      expect((await version.rotate(force)).error).toBeUndefined();
      expect(world.accepts(world.string(TELEGRAF))).toBe(true);
    }
  },
);
