import { expect, test } from 'vitest';
import { answering, disturb, faults } from '../../world/faults.ts';
import { openWorldForTest } from '../../world/open-world.ts';
import { DAY, HOUR, MINUTE, policyWith, TELEGRAF, writer } from '../../world/policy.ts';
import { conditionsOf } from './conditions.ts';

const named = { tokens: ['telegraf'], force: true };
const replace = (reason: string) => ({ token: 'telegraf', way: 'replace', reason });

/** A token that works, and, after a rotation an hour ago, another one in its grace period. */
async function withFormer() {
  const world = await openWorldForTest(policyWith({ telegraf: writer }));
  await world.rotate();
  await world.wait(2 * DAY);
  await world.reap();
  await world.rotate(named);
  expect(await conditionsOf(world, 1)).toEqual(['works']);
  return world;
}

const killedAtPromotion = {
  meet: faults['killed before the effect'],
  counts: ({ operation }: { readonly operation: string }) =>
    operation === 'UpdateSecretVersionStage',
};

test.each([
  ['with a successor first', false],
  ['immediately', true],
])(
  'the second of two orders to replace, %s, ends what the first one had promoted, and nobody misses either',
  async (_how, immediately) => {
    const world = await withFormer();
    await world.revoke({ ...replace('leaked'), immediately });
    expect(await conditionsOf(world, 2)).toEqual(['works']);
    await world.revoke({ ...replace('leaked again'), immediately });
    expect(await conditionsOf(world, 25)).toEqual(['works']);
  },
);

test('nobody misses what an order ended that is given again hours later', async () => {
  const world = await withFormer();
  await world.revoke(replace('leaked'));
  expect(await conditionsOf(world, 2)).toEqual(['works']);
  await world.revoke(replace('leaked'));
  expect(await conditionsOf(world, 25)).toEqual(['works']);
});

test('nobody misses what an order ended that died, and went on 40 minutes later', async () => {
  const world = await withFormer();
  await disturb(world, () => world.revoke(replace('leaked')), 1, killedAtPromotion);
  await world.wait(40 * MINUTE);
  const { result } = await world.revoke(replace('leaked'));
  expect(result).toMatchObject({ done: true, confirmed: true });
  expect(await conditionsOf(world, 25)).toEqual(['works']);
});

test.each([
  ['and that is not given again', false],
  ['and that is given again 40 minutes later', true],
])('nobody misses what an order was to end whose deletions failed, %s', async (_how, isAgain) => {
  const world = await withFormer();
  world.intercept(answering('DELETE /tokens/{id}', { status: 500, body: '{"message":"no"}' }));
  await world.revoke(replace('leaked'));
  world.intercept();
  await world.wait(40 * MINUTE);
  if (isAgain) expect((await world.revoke(replace('leaked'))).result).toMatchObject({ done: true });
  expect(await conditionsOf(world, 25)).toEqual(['works']);
});

test('an order whose successor never was current explains nothing that a person deletes', async () => {
  const world = await withFormer();
  const { AWSPREVIOUS: former } = world.holders(TELEGRAF);
  await world.rotate(named);
  await world.wait(HOUR);
  await disturb(world, () => world.revoke(replace('leaked')), 1, killedAtPromotion);
  await world.people.takeOff(TELEGRAF, 'AWSPENDING');
  await world.people.deleteToken(former);
  expect(await conditionsOf(world, 2)).toEqual(['cut-short']);
});

test('an order about a single token explains no other one that a person deletes', async () => {
  const world = await withFormer();
  const { AWSPREVIOUS: former, AWSCURRENT: second } = world.holders(TELEGRAF);
  await world.rotate(named);
  await world.wait(HOUR);
  await world.revoke({ tokenId: former, way: 'replace', reason: 'leaked' });
  expect(await conditionsOf(world, 1)).toEqual(['works']);
  await world.people.deleteToken(second);
  expect(await conditionsOf(world, 2)).toEqual(['cut-short']);
});

test('a person deletes what an order had promoted, and Secrets Manager replaced before any run of rotate saw it', async () => {
  const world = await withFormer();
  await world.revoke(replace('leaked'));
  const { AWSCURRENT: successor } = world.holders(TELEGRAF);
  for (let rotations = 0; rotations < 2; rotations += 1) {
    await world.wait(MINUTE);
    await world.rotateSecret(TELEGRAF);
  }
  expect(Object.values(world.holders(TELEGRAF))).not.toContain(successor);
  await world.people.deleteToken(successor);
  expect(await conditionsOf(world, 2)).toEqual(['cut-short']);
});

test('nobody misses what an order minted that died before it armed that', async () => {
  const world = await openWorldForTest(policyWith({ telegraf: writer }));
  await world.rotate();
  await world.wait(2 * DAY);
  await world.reap();
  await disturb(world, () => world.revoke(replace('leaked')), 1, {
    meet: faults['killed after the effect'],
    counts: ({ operation }) => operation === 'POST /tokens',
  });
  expect(await conditionsOf(world, 30)).toEqual(['works']);
});

test('nor what it minted and Secrets Manager did not store', async () => {
  const world = await openWorldForTest(policyWith({ telegraf: writer }));
  await world.rotate();
  await world.wait(2 * DAY);
  await world.reap();
  const body = JSON.stringify({ __type: 'AccessDeniedException', Message: 'no' });
  const headers = { 'content-type': 'application/x-amz-json-1.1' };
  world.intercept(answering('PutSecretValue', { status: 400, headers, body }));
  await world.revoke(replace('leaked'));
  world.intercept();
  expect(await conditionsOf(world, 30)).toEqual(['works']);
});

test('an order explains no deletion of an older token that was adopted after it', async () => {
  const world = await openWorldForTest(policyWith({ telegraf: writer }));
  const permissions = [{ action: 'write', resource: 'telemetry' }] as const;
  const hand = await world.people.mint({ description: 'by hand', permissions: [...permissions] });
  await world.rotate();
  await world.wait(2 * DAY);
  await world.revoke(replace('leaked'));
  await world.wait(HOUR);
  await world.rotate();
  await world.wait(DAY);
  const text = world.value(TELEGRAF).replace(world.string(TELEGRAF), hand.accessToken);
  await world.people.saveValue(TELEGRAF, text);
  const entry = { ...writer, adopt: { tokenId: hand.id } };
  const { rotate } = world.deploy(policyWith({ telegraf: entry }));
  const adopting = { ...world, rotate };
  expect(await conditionsOf(adopting, 3)).toEqual(['works']);
  for (let rotations = 0; rotations < 2; rotations += 1) {
    await rotate(named);
    expect(await conditionsOf(adopting, 1)).toEqual(['works']);
  }
  await world.people.deleteToken(hand.id);
  expect(await conditionsOf(adopting, 2)).toEqual(['cut-short']);
});

test('a token that somebody deletes while its grace period is written fails no run', async () => {
  const world = await openWorldForTest(policyWith({ telegraf: writer }));
  await world.rotate();
  await world.wait(2 * DAY);
  const { AWSCURRENT: former = '' } = world.holders(TELEGRAF);
  let isDeleted = false;
  world.intercept(async (call, effect) => {
    const isPromoted = world.holders(TELEGRAF).AWSCURRENT !== former;
    if (isPromoted && call.operation === 'PATCH /tokens/{id}' && !isDeleted) {
      isDeleted = true;
      await world.people.deleteToken(former);
    }
    return effect();
  });
  const { error, result } = await world.rotate(named);
  world.intercept();
  expect([isDeleted, error]).toEqual([true, undefined]);
  expect(result.outcomes).toMatchObject([{ result: 'done' }]);
  expect(world.accepts(world.string(TELEGRAF))).toBe(true);
});

test('an order that lost AWSCURRENT to a rotation at the same time explains what it ended all the same', async () => {
  const world = await openWorldForTest(policyWith({ telegraf: writer, other: writer }));
  await world.rotate();
  await world.wait(2 * HOUR);
  const { AWSCURRENT: former } = world.holders(TELEGRAF);
  let rotation: 'not begun' | 'runs' | 'over' = 'not begun';
  // The rotation begins behind the minting of the order's successor, which is then seen accepted later.
  world.intercept(async (call, effect) => {
    const isOrder = call.caller?.includes('revoke') === true;
    if (call.operation === 'PutSecretValue' && isOrder && rotation === 'not begun') {
      rotation = 'runs';
      await world.beside(call, async () => {
        await world.rotate(named);
        rotation = 'over';
      });
    }
    const waits = rotation === 'runs' && isOrder && call.server === 'data-plane';
    return waits ? { status: 503, body: '' } : effect();
  });
  const { result } = await world.revoke(replace('leaked'));
  world.intercept();
  expect(result).toMatchObject({ done: true, tokens: [{ tokenId: former, result: 'deleted' }] });
  const { AWSCURRENT: current } = world.holders(TELEGRAF);
  const { marker } = world.tokens(TELEGRAF).find(({ id }) => id === current) ?? {};
  expect(marker).not.toHaveProperty('order');
  expect(await conditionsOf(world, 3)).toEqual(['works']);
});

test('nobody misses what an order deleted whose hold a person takes away by hand', async () => {
  const world = await withFormer();
  await world.revoke({ token: 'telegraf', way: 'delete', reason: 'leaked' });
  await world.people.untag(TELEGRAF, ['keyturn:hold']);
  await world.people.takeOff(TELEGRAF, 'keyturn-hold-delete');
  await world.rotate();
  expect(world.accepts(world.string(TELEGRAF))).toBe(true);
  expect(await conditionsOf(world, 25)).toEqual(['works']);
});

test('nobody misses what an order replaced whose successor loses its marker', async () => {
  const world = await withFormer();
  await world.revoke(replace('leaked'));
  const { AWSCURRENT: successor = '' } = world.holders(TELEGRAF);
  await world.people.changeToken(successor, { description: 'ours no more' });
  await world.rotate();
  expect(await conditionsOf(world, 25)).toEqual(['works']);
});
