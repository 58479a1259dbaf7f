import { expect, test } from 'vitest';
import { endingNothing } from '../../world/faults.ts';
import { openWorldForTest } from '../../world/open-world.ts';
import { DAY, HOUR, MINUTE, policyWith, TELEGRAF, writer } from '../../world/policy.ts';

/** A person went back from `bad`, the token of a rotation, to the one before it, which consumers have now. */
async function openRolledBack(rotate: 'by name' | 'when due' = 'by name') {
  const telegraf = { ...writer, rotateEvery: '7d' };
  const world = await openWorldForTest(policyWith({ telegraf, grafana: writer }));
  await world.rotate();
  await world.wait(HOUR);
  if (rotate === 'by name') await world.rotate({ tokens: ['telegraf'], force: true });
  for (let run = 0; rotate === 'when due' && run < 3; run += 1) {
    await world.wait(run === 0 ? 8 * DAY : HOUR);
    await world.rotate();
  }
  await world.wait(HOUR);
  const { AWSCURRENT: bad, AWSPREVIOUS: good } = world.holders(TELEGRAF);
  await world.people.makeCurrent(TELEGRAF, world.labels(TELEGRAF).AWSPREVIOUS);
  return { world, bad, good, string: world.string(TELEGRAF, `keyturn-${bad}`) };
}

test('an order about the token from which a person rolled back leaves the one that consumers have', async () => {
  const { world, bad, string } = await openRolledBack();
  const { result } = await world.revoke({ tokenId: bad, way: 'delete', reason: 'leaked' });
  expect(result).toMatchObject({ confirmed: true, tokens: [{ tokenId: bad, result: 'deleted' }] });
  expect(world.accepts(string)).toBe(false);
  expect(world.accepts(world.string(TELEGRAF))).toBe(true);
  expect(world.tags(TELEGRAF)).not.toHaveProperty('keyturn:hold');
});

test.each(['delete', 'replace', 'freeze'])(
  'and so does the same order to %s, given again',
  async (way) => {
    const { world, bad, good, string } = await openRolledBack();
    for (let again = 0; again < 3; again += 1) {
      const { result } = await world.revoke({ tokenId: bad, way, reason: 'leaked' });
      expect(result).toMatchObject({ confirmed: true });
      await world.wait(5 * MINUTE);
    }
    expect(world.accepts(string)).toBe(false);
    expect(world.holders(TELEGRAF).AWSCURRENT).toBe(good);
    expect(world.accepts(world.string(TELEGRAF))).toBe(true);
    expect(world.tags(TELEGRAF)).not.toHaveProperty('keyturn:hold');
  },
);

test.each(['delete', 'freeze'])(
  'and so does an order to %s after one that did not reach the token',
  async (way) => {
    const { world, bad, good, string } = await openRolledBack();
    world.intercept(endingNothing({ status: 500, body: '{}' }));
    const failed = await world.revoke({ tokenId: bad, way: 'delete', reason: 'leaked' });
    world.intercept();
    expect(failed.error?.errorType).toBe('RevocationError');
    const { result } = await world.revoke({ tokenId: bad, way, reason: 'leaked' });
    expect(result).toMatchObject({ confirmed: true });
    expect(world.accepts(string)).toBe(false);
    expect(world.holders(TELEGRAF).AWSCURRENT).toBe(good);
    expect(world.accepts(world.string(TELEGRAF))).toBe(true);
  },
);

test.each(['by name', 'when due'] as const)(
  'nor does a schedule promote it again after such an order, rotated %s',
  async (rotate) => {
    const { world, bad } = await openRolledBack(rotate);
    world.intercept(endingNothing({ status: 500, body: '{}' }));
    await world.revoke({ tokenId: bad, way: 'delete', reason: 'leaked' });
    world.intercept();
    for (let run = 0; run < 4; run += 1) {
      await world.rotate();
      expect(world.holders(TELEGRAF).AWSCURRENT).not.toBe(bad);
      await world.wait(HOUR);
    }
  },
);

test('an order is about it alone after its grace period, whether or not rotate ran since', async () => {
  const { world, bad, good } = await openRolledBack();
  await world.rotate();
  for (let hour = 0; hour < 27 && world.labels(TELEGRAF).AWSPREVIOUS; hour += 1) {
    await world.wait(HOUR);
    await world.reap();
  }
  expect(world.labels(TELEGRAF)).not.toHaveProperty('AWSPREVIOUS');
  const { result } = await world.revoke({ tokenId: bad, way: 'delete', reason: 'leaked' });
  expect(result).toMatchObject({ confirmed: true });
  expect(world.holders(TELEGRAF).AWSCURRENT).toBe(good);
  expect(world.tags(TELEGRAF)).not.toHaveProperty('keyturn:hold');
});

test.each(['goes back once more', 'takes AWSPREVIOUS off it'])(
  'a token from which a person went back is not promoted again, if the person then %s',
  async (how) => {
    const { world, good: oldest } = await openRolledBack();
    const { people } = world;
    await world.rotate();
    await world.rotate({ tokens: ['telegraf'], force: true });
    await world.wait(HOUR);
    const { AWSCURRENT: bad } = world.holders(TELEGRAF);
    await people.makeCurrent(TELEGRAF, world.labels(TELEGRAF).AWSPREVIOUS);
    await world.wait(5 * MINUTE);
    if (how === 'takes AWSPREVIOUS off it') await people.takeOff(TELEGRAF, 'AWSPREVIOUS');
    else {
      const before = world.labels(TELEGRAF).AWSCURRENT;
      const other = Object.values(world.aws.state.secrets[TELEGRAF]?.versions ?? {}).find(
        ({ id }) => id !== before && id !== `keyturn-${bad}`,
      );
      await people.makeCurrent(TELEGRAF, other?.id ?? `keyturn-${oldest}`);
    }
    for (let run = 0; run < 4; run += 1) {
      await world.rotate();
      expect(world.holders(TELEGRAF).AWSCURRENT).not.toBe(bad);
      await world.wait(HOUR);
    }
  },
);

test.each(['reap', 'rotate'] as const)(
  'a token that was promoted a moment ago is not taken for one that somebody left, though %s reads labels late',
  async (job) => {
    const telegraf = { ...writer, rotateEvery: '7d' };
    const world = await openWorldForTest(policyWith({ telegraf }));
    await world.rotate();
    await world.wait(8 * DAY);
    await world.rotate();
    await world.wait(HOUR);
    world.aws.readLagMs = MINUTE;
    world.aws.listLagMs = 5 * MINUTE;
    const { AWSCURRENT: former } = world.holders(TELEGRAF);
    await world.rotate();
    const { AWSCURRENT: current } = world.holders(TELEGRAF);
    expect(current).not.toBe(former);
    await world.wait(MINUTE / 10);
    await world[job]();
    expect(world.holders(TELEGRAF).AWSCURRENT).toBe(current);
    const token = world.tokens(TELEGRAF).find(({ id }) => id === current);
    expect(token?.marker).not.toHaveProperty('superseded');
  },
);

test('an order whose labels a person moves before it takes them off looks again, and ends nothing that consumers went back to', async () => {
  const world = await openWorldForTest(policyWith({ telegraf: writer, grafana: writer }));
  await world.rotate();
  await world.wait(HOUR);
  const { AWSCURRENT: old } = world.holders(TELEGRAF);
  const endedUnderCurrent: unknown[] = [];
  let isBack = false;
  world.intercept(async (call, effect) => {
    const isDetaching =
      call.operation === 'UpdateSecretVersionStage' && world.holders(TELEGRAF).AWSCURRENT !== old;
    if (isDetaching && !isBack) {
      isBack = true;
      await world.people.makeCurrent(TELEGRAF, world.labels(TELEGRAF).AWSPREVIOUS);
    }
    const { AWSCURRENT: current } = world.holders(TELEGRAF);
    const reply = effect();
    const isAlive = world.tokens(TELEGRAF).some(({ id }) => id === current);
    if (call.operation === 'DELETE /tokens/{id}' && !isAlive) endedUnderCurrent.push(current);
    return reply;
  });
  const { result } = await world.revoke({ token: 'telegraf', reason: 'leaked' });
  world.intercept();
  expect(isBack).toBe(true);
  expect(endedUnderCurrent).toEqual([]);
  expect(result).toMatchObject({ confirmed: true });
  expect(world.labels(TELEGRAF)).not.toHaveProperty('AWSPREVIOUS');
  expect(world.accepts(world.string(TELEGRAF))).toBe(true);
});
