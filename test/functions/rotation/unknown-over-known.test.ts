import { expect, test } from 'vitest';
import { acts } from '../../crash/acts.ts';
import { disturb, faults } from '../../world/faults.ts';
import { openWorldForTest } from '../../world/open-world.ts';
import { DAY, MINUTE, policyWith, TELEGRAF, writer } from '../../world/policy.ts';
import type { World } from '../../world/world.ts';
import { conditionOf, conditionsOf } from './conditions.ts';

const named = { tokens: ['telegraf'], force: true };

/** A token that consumers have, after a rotation an hour ago; another entry's token shows that the data plane works. */
async function withCurrent() {
  const world = await openWorldForTest(policyWith({ telegraf: writer, other: writer }));
  await world.rotate();
  await world.wait(2 * DAY);
  await world.reap();
  await world.rotate(named);
  expect(await conditionsOf(world, 1)).toEqual(['works']);
  const { AWSCURRENT: former = '' } = world.holders(TELEGRAF);
  const markerOf = (id: string) => world.tokens(TELEGRAF).find((each) => each.id === id)?.marker;
  return { world, former, markerOf, string: world.string(TELEGRAF) };
}

async function end(world: World, id: string, how: string) {
  if (how === 'deletes') await world.people.deleteToken(id);
  else await world.people.changeToken(id, { permissions: [] });
}

test.each([
  ['puts a placeholder', 'by name', 'deletes'],
  ['puts a placeholder', 'as missing', 'strips'],
  ['puts a token made by hand', 'by name', 'strips'],
  ['puts a token made by hand', 'as missing', 'deletes'],
])(
  'a person %s, which is replaced %s, and %s the token that consumers had before: that is told of',
  async (act, how, ending) => {
    const { world, former, string, markerOf } = await withCurrent();
    await acts[act]?.(world, TELEGRAF);
    await world.wait(30 * MINUTE);
    expect(await conditionOf(world)).toBe('unknown');
    expect(markerOf(former)).not.toHaveProperty('superseded');
    if (how === 'by name') await world.rotate(named);
    for (let run = 0; run < 4; run += 1) {
      await world.wait(30 * MINUTE);
      await world.rotate();
      await world.reap();
    }
    expect(await conditionOf(world)).toBe('works');
    expect(world.accepts(string)).toBe(true);
    expect(markerOf(former)).toHaveProperty('superseded');
    await end(world, former, ending);
    expect(await conditionsOf(world, 4)).toEqual(['cut-short']);
  },
);

test.each(['is replaced by name', 'is replaced as missing', 'is taken back'])(
  'a deletion that was told and mended does not ring again because a placeholder comes later, and %s',
  async (what) => {
    const world = await openWorldForTest(policyWith({ telegraf: writer, other: writer }));
    await world.rotate();
    await world.wait(2 * DAY);
    await world.reap();
    await world.people.deleteToken(world.holders(TELEGRAF).AWSCURRENT ?? '');
    expect(await conditionOf(world)).not.toBe('cut-short');
    expect(await conditionsOf(world, 3)).toEqual(['works']);
    const { AWSCURRENT: second = '' } = world.labels(TELEGRAF);
    await acts['puts a placeholder']?.(world, TELEGRAF);
    await world.wait(5 * MINUTE);
    if (what === 'is replaced by name') await world.rotate(named);
    if (what === 'is taken back') {
      await world.people.saveValue(TELEGRAF, world.value(TELEGRAF, second));
    }
    const hours = await conditionsOf(world, 20);
    expect(hours).toContain('works');
    expect(hours).not.toContain('cut-short');
  },
);

test('a deletion that nobody saw before a placeholder came is told of, when that is replaced', async () => {
  const { world, former } = await withCurrent();
  await world.people.deleteToken(former);
  await acts['puts a placeholder']?.(world, TELEGRAF);
  await world.rotate(named);
  expect(await conditionsOf(world, 4)).toEqual(['cut-short']);
});

test.each(['Secrets Manager', 'name'])(
  'a placeholder is replaced at once by %s, and the token before is deleted: that is told of for a grace period',
  async (by) => {
    const { world, former } = await withCurrent();
    await acts['puts a placeholder']?.(world, TELEGRAF);
    await world.wait(10 * MINUTE);
    if (by === 'Secrets Manager') await world.rotateSecret(TELEGRAF);
    await world.people.deleteToken(former);
    if (by === 'name') await world.rotate(named);
    expect(await conditionsOf(world, 4)).toEqual(['cut-short']);
    await world.wait(DAY);
    expect(await conditionOf(world)).toBe('works');
  },
);

test('the token before has its grace period, too, where a person had pasted one that an order ended', async () => {
  const world = await openWorldForTest(policyWith({ telegraf: writer, other: writer }));
  await world.rotate();
  const old = world.value(TELEGRAF);
  await world.wait(2 * DAY);
  await world.revoke({ token: 'telegraf', way: 'replace', reason: 'leaked' });
  await world.wait(DAY);
  const { AWSCURRENT: former = '' } = world.holders(TELEGRAF);
  await world.rotate();
  await world.people.saveValue(TELEGRAF, old);
  await world.wait(10 * MINUTE);
  await world.rotate();
  expect(await conditionOf(world)).toBe('works');
  await world.wait(20 * MINUTE);
  await world.people.deleteToken(former);
  expect(await conditionsOf(world, 4)).toEqual(['cut-short']);
});

test('the next run begins it where the one that promoted over a placeholder died behind that', async () => {
  const { world, former, markerOf } = await withCurrent();
  await acts['puts a placeholder']?.(world, TELEGRAF);
  await disturb(world, () => world.rotate(named), 1, {
    meet: faults['killed after the effect'],
    counts: ({ operation }) => operation === 'UpdateSecretVersionStage',
  });
  expect(markerOf(former)).not.toHaveProperty('superseded');
  await world.wait(5 * MINUTE);
  await world.rotate();
  expect(markerOf(former)).toHaveProperty('superseded');
  await world.people.deleteToken(former);
  expect(await conditionsOf(world, 3)).toEqual(['cut-short']);
});

test('so it does where a person saved the secret behind a promotion whose run died', async () => {
  const { world, former } = await withCurrent();
  await disturb(world, () => world.rotate(named), 1, {
    meet: faults['killed after the effect'],
    counts: ({ operation }) => operation === 'UpdateSecretVersionStage',
  });
  await world.wait(5 * MINUTE);
  await world.people.saveValue(TELEGRAF, world.value(TELEGRAF));
  await world.wait(5 * MINUTE);
  expect(await conditionOf(world)).toBe('works');
  await world.people.deleteToken(former);
  expect(await conditionsOf(world, 3)).toEqual(['cut-short']);
});

test.each(['nothing more', 'a second placeholder, which is replaced by name'])(
  "a deletion behind a placeholder is told of, though Secrets Manager's own rotation replaced that before a run saw it; then comes %s",
  async (then) => {
    const { world, former } = await withCurrent();
    await acts['puts a placeholder']?.(world, TELEGRAF);
    await world.wait(MINUTE);
    await world.people.deleteToken(former);
    await world.wait(MINUTE);
    await world.rotateSecret(TELEGRAF);
    const { AWSCURRENT: second } = world.holders(TELEGRAF);
    expect(second).toBeDefined();
    await world.wait(MINUTE);
    if (then !== 'nothing more') {
      await acts['puts a placeholder']?.(world, TELEGRAF);
      await world.wait(MINUTE);
      await world.rotate(named);
      expect(world.holders(TELEGRAF).AWSCURRENT).not.toBe(second);
    }
    expect(await conditionsOf(world, 3)).toEqual(['cut-short']);
    await world.wait(DAY);
    expect(await conditionOf(world)).toBe('works');
  },
);
