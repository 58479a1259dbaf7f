import { describe, expect, test } from 'vitest';
import { answering, denied, disturb, faults } from '../../world/faults.ts';
import { openWorldForTest } from '../../world/open-world.ts';
import { DAY, HOUR, MINUTE, policyWith, TELEGRAF, writer } from '../../world/policy.ts';
import { conditionOf, conditionsOf } from './conditions.ts';

const named = { tokens: ['telegraf'], force: true };

/** Two rotations in a day: the first token is in its grace period, and has no label. */
async function withFormer() {
  const world = await openWorldForTest(policyWith({ telegraf: writer }));
  await world.rotate();
  const { AWSCURRENT: former } = world.holders(TELEGRAF);
  for (let rotations = 0; rotations < 2; rotations += 1) {
    await world.wait(2 * HOUR);
    await world.rotate(named);
    await world.reap();
  }
  expect(Object.values(world.holders(TELEGRAF))).not.toContain(former);
  await world.wait(HOUR);
  expect(await conditionOf(world)).toBe('works');
  return { world, former };
}

test('a replaced token without a label that a person deletes within its grace period is told of, until that is over', async () => {
  const { world, former } = await withFormer();
  await world.people.deleteToken(former);
  await world.wait(HOUR);
  expect(await conditionOf(world)).toBe('cut-short');
  await world.wait(DAY);
  expect(await conditionOf(world)).toBe('works');
});

test('so it is where the label went with a save', async () => {
  const world = await openWorldForTest(policyWith({ telegraf: writer }));
  await world.rotate();
  const { AWSCURRENT: former } = world.holders(TELEGRAF);
  await world.wait(2 * HOUR);
  await world.rotate(named);
  await world.people.saveValue(TELEGRAF, world.value(TELEGRAF));
  await world.rotate();
  await world.people.deleteToken(former);
  expect(await conditionOf(world)).toBe('cut-short');
});

test.each(['delete', 'replace'])('but not where an order (%s) by its id ended it', async (way) => {
  const { world, former } = await withFormer();
  await world.revoke({ tokenId: former, way, reason: 'leaked' });
  for (const wait of [MINUTE, HOUR]) {
    await world.wait(wait);
    expect(await conditionOf(world)).toBe('works');
  }
});

test.each(['immediately', 'with a successor first'])(
  'nor where an order replaced all tokens of the secret, %s',
  async (how) => {
    const { world } = await withFormer();
    const immediately = how === 'immediately';
    await world.revoke({ token: 'telegraf', way: 'replace', reason: 'leaked', immediately });
    await world.wait(HOUR);
    expect(await conditionOf(world)).toBe('works');
  },
);

test('nor where a deletion was lifted', async () => {
  const { world } = await withFormer();
  await world.revoke({ token: 'telegraf', way: 'delete', reason: 'leaked' });
  await world.revoke({ token: 'telegraf', way: 'lift', reason: 'over' });
  await world.rotate();
  await world.wait(HOUR);
  expect(await conditionOf(world)).toBe('works');
});

test('an order that ended one before hides nothing that a person does later', async () => {
  const { world, former } = await withFormer();
  const { AWSPREVIOUS: second } = world.holders(TELEGRAF);
  await world.revoke({ tokenId: former, way: 'delete', reason: 'leaked' });
  await world.wait(HOUR);
  await world.rotate(named);
  await world.wait(HOUR);
  expect(await conditionOf(world)).toBe('works');
  await world.people.deleteToken(second);
  expect(await conditionOf(world)).toBe('cut-short');
});

test('an order ends a token all the same where its secret may not be tagged', async () => {
  const { world, former } = await withFormer();
  const isTag = denied(TELEGRAF);
  world.intercept(async (call, effect) =>
    call.operation === 'TagResource' ? isTag(call, effect) : effect(),
  );
  const { result } = await world.revoke({ tokenId: former, way: 'delete', reason: 'leaked' });
  world.intercept();
  expect(result).toMatchObject({ done: true, confirmed: true });
  expect(world.tokens(TELEGRAF).map(({ id }) => id)).not.toContain(former);
});

test.each(['deletes', 'strips'])(
  'a token that an order had promoted is missed like any other when a person %s it',
  async (act) => {
    const world = await openWorldForTest(policyWith({ telegraf: writer }));
    await world.rotate();
    await world.revoke({ token: 'telegraf', way: 'replace', reason: 'leaked' });
    const { AWSCURRENT: successor } = world.holders(TELEGRAF);
    for (let rotations = 0; rotations < 2; rotations += 1) {
      await world.wait(2 * HOUR);
      await world.rotate(named);
    }
    await world.wait(HOUR);
    expect(await conditionOf(world)).toBe('works');
    if (act === 'deletes') await world.people.deleteToken(successor);
    else await world.people.changeToken(successor, { permissions: [] });
    expect(await conditionOf(world)).toBe('cut-short');
  },
);

test.each(['delete', 'replace'])(
  'an order (%s) by id that died behind its deletion leaves its trace when it is given again',
  async (way) => {
    const { world, former } = await withFormer();
    const order = { tokenId: former, way, reason: 'leaked' };
    await disturb(world, () => world.revoke(order), 1, {
      meet: faults['killed after the effect'],
      counts: ({ operation }) => operation === 'DELETE /tokens/{id}',
    });
    await world.wait(MINUTE);
    expect((await world.revoke(order)).result).toMatchObject({ confirmed: true });
    await world.wait(HOUR);
    expect(await conditionOf(world)).toBe('works');
  },
);

test('what reap ended of an order that died behind its hold is nothing that a person did, once that is lifted', async () => {
  const { world } = await withFormer();
  const order = { token: 'telegraf', way: 'delete', reason: 'leaked' };
  await disturb(world, () => world.revoke(order), 1, {
    meet: faults['killed before the effect'],
    counts: ({ operation }) => operation === 'DELETE /tokens/{id}',
  });
  expect(world.hold(TELEGRAF)).toBe('deleted');
  await world.wait(HOUR);
  await world.reap();
  expect(world.tokens(TELEGRAF)).toEqual([]);
  await world.revoke({ token: 'telegraf', way: 'lift', reason: 'over' });
  await world.rotate();
  await world.wait(HOUR);
  expect(await conditionsOf(world, 3)).toEqual(['works']);
});

test('two orders at once, each about a token by its id, both leave their trace', async () => {
  const { world, former } = await withFormer();
  const { AWSPREVIOUS: second } = world.holders(TELEGRAF);
  const about = (tokenId: string | undefined) => ({ tokenId, way: 'delete', reason: 'leaked' });
  // Each has read the tag before the other one writes it.
  const waiting: (() => void)[] = [];
  world.intercept(async ({ operation }, effect) => {
    if (operation !== 'TagResource' || waiting.length === 2) return effect();
    await new Promise<void>((resolve) => {
      waiting.push(resolve);
      if (waiting.length === 2) for (const each of waiting) each();
    });
    return effect();
  });
  await Promise.all([former, second].map((id) => world.revoke(about(id))));
  world.intercept();
  expect(waiting).toHaveLength(2);
  await world.wait(HOUR);
  expect(await conditionsOf(world, 3)).toEqual(['works']);
});

test('an order to replace that fails explains nothing that a person had deleted before it', async () => {
  const { world, former } = await withFormer();
  await world.people.deleteToken(former);
  world.intercept(answering('POST /tokens', { status: 500, body: '{"message":"no"}' }));
  const { error } = await world.revoke({ token: 'telegraf', way: 'replace', reason: 'leaked' });
  world.intercept();
  expect(error?.errorType).toBe('RevocationError');
  await world.wait(HOUR);
  expect(await conditionsOf(world, 3)).toEqual(['cut-short']);
});

test('what a person deletes under a hold is told of when that is over', async () => {
  const { world, former } = await withFormer();
  await world.revoke({ token: 'telegraf', way: 'freeze', reason: 'drill' });
  await world.people.deleteToken(former);
  await world.revoke({ token: 'telegraf', way: 'unfreeze', reason: 'over' });
  await world.wait(HOUR);
  expect(await conditionOf(world)).toBe('cut-short');
});

test('an order explains what it ended, and nothing that a person deletes beside it', async () => {
  const { world, former } = await withFormer();
  const { AWSPREVIOUS: second } = world.holders(TELEGRAF);
  await world.people.deleteToken(second);
  await world.revoke({ tokenId: former, way: 'delete', reason: 'leaked' });
  expect(await conditionOf(world)).toBe('cut-short');
});

test('a tag that somebody fills with words explains nothing, and an order adds what it ends', async () => {
  const { world, former } = await withFormer();
  await world.people.tag(TELEGRAF, { 'keyturn:ended': 'x '.repeat(128).trim() });
  await world.revoke({ tokenId: former, way: 'delete', reason: 'leaked' });
  await world.wait(HOUR);
  expect(await conditionOf(world)).toBe('works');
  const { AWSPREVIOUS: second } = world.holders(TELEGRAF);
  await world.people.deleteToken(second);
  expect(await conditionOf(world)).toBe('cut-short');
});

describe('a token that never was current', () => {
  /** A rotation whose token waits, armed, for its promotion. */
  async function withPending() {
    const world = await openWorldForTest(policyWith({ telegraf: writer }));
    await world.rotate();
    await world.wait(31 * DAY);
    await world.rotate();
    const { AWSPENDING: pending } = world.holders(TELEGRAF);
    expect(pending).toBeDefined();
    return { world, pending };
  }

  test('is nothing that consumers miss when a person strips it while it waits', async () => {
    const { world, pending } = await withPending();
    await world.people.changeToken(pending, { permissions: [] });
    expect(await conditionsOf(world, 4)).toEqual(['works']);
  });

  test('is nothing that consumers miss when a person takes its label off, and deletes it', async () => {
    const { world, pending } = await withPending();
    await world.people.takeOff(TELEGRAF, 'AWSPENDING');
    expect(await conditionsOf(world, 4)).toEqual(['works']);
    await world.people.deleteToken(pending);
    expect(await conditionsOf(world, 3)).toEqual(['works']);
  });

  test('is nothing that consumers miss when it lost against another rotation, and a person deletes it', async () => {
    const world = await openWorldForTest(policyWith({ telegraf: writer }));
    await world.rotate();
    await world.wait(2 * HOUR);
    let isFirst = true;
    world.intercept(async (call, effect) => {
      if (isFirst && call.operation === 'PutSecretValue') {
        isFirst = false;
        await world.beside(call, () => world.rotate(named));
      }
      return effect();
    });
    await world.rotate(named);
    world.intercept();
    expect(await conditionsOf(world, 3)).toEqual(['works']);
    const held = Object.values(world.holders(TELEGRAF));
    const loser = world.tokens().find(({ id }) => !held.includes(id));
    expect(loser?.marker).toHaveProperty('superseded');
    await world.people.deleteToken(loser?.id);
    expect(await conditionsOf(world, 3)).toEqual(['works']);
  });
});

test.each([
  ['moves AWSCURRENT back', 'rotates by name'],
  ['moves AWSCURRENT back', 'saves the secret'],
  ['moves AWSCURRENT back', 'does nothing more'],
  ['pastes the old value', 'rotates by name'],
])(
  'a person %s, deletes the token that consumers had, and %s, all between two runs: that is told of for a grace period',
  async (how, then) => {
    const world = await openWorldForTest(policyWith({ telegraf: writer, other: writer }));
    await world.rotate();
    await world.wait(2 * DAY);
    await world.rotate(named);
    await world.wait(7 * HOUR);
    expect(await conditionOf(world)).toBe('works');
    const { AWSCURRENT: left = '' } = world.holders(TELEGRAF);
    const { AWSPREVIOUS: version = '' } = world.labels(TELEGRAF);
    if (how === 'pastes the old value') {
      await world.people.saveValue(TELEGRAF, world.value(TELEGRAF, version));
    } else await world.people.makeCurrent(TELEGRAF, version);
    await world.wait(5 * MINUTE);
    await world.people.deleteToken(left);
    if (then === 'rotates by name') await world.rotate(named);
    if (then === 'saves the secret') {
      await world.people.saveValue(TELEGRAF, world.value(TELEGRAF));
    }
    expect(await conditionsOf(world, 20)).toEqual(['cut-short']);
    await world.wait(8 * HOUR);
    expect(await conditionOf(world)).toBe('works');
  },
);

test('a deletion that was told of as AWSCURRENT, and mended, does not ring again after the next rotation by name', async () => {
  const world = await openWorldForTest(policyWith({ telegraf: writer, other: writer }));
  await world.rotate();
  await world.wait(2 * DAY);
  await world.rotate(named);
  await world.wait(7 * HOUR);
  await world.rotate();
  await world.people.deleteToken(world.holders(TELEGRAF).AWSCURRENT ?? '');
  await world.rotate();
  expect(await conditionsOf(world, 2)).toEqual(['works']);
  await world.rotate(named);
  expect(await conditionsOf(world, 20)).toEqual(['works']);
});
