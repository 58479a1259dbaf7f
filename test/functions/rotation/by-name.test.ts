import { expect, test } from 'vitest';
import { openWorldForTest } from '../../world/open-world.ts';
import { DAY, HOUR, MINUTE, policyWith, TELEGRAF, writer } from '../../world/policy.ts';

const named = { tokens: ['telegraf'], force: true };
const rotated = (kind = 'rotate') => [
  {
    action: expect.objectContaining({ kind, reason: 'Forced' }),
    result: 'done',
    current: { token: expect.anything(), since: expect.any(Number) },
  },
];

test('rotates a token that somebody rolled back to, though it was itself asked for by name', async () => {
  const entry = { ...writer, rotateEvery: '60d', expiresAfter: 'never', gracePeriod: '5d' };
  const world = await openWorldForTest(policyWith({ telegraf: entry }));
  await world.rotate(named);
  const first = world.labels(TELEGRAF).AWSCURRENT;
  await world.wait(20 * DAY);
  await world.rotate(named);
  await world.wait(2 * DAY);
  await world.people.makeCurrent(TELEGRAF, first);
  await world.wait(20 * MINUTE);
  await world.rotate();
  await world.reap();
  await world.wait(5 * MINUTE);
  expect((await world.rotate(named)).result.outcomes).toEqual(rotated());
  expect(world.labels(TELEGRAF).AWSCURRENT).not.toBe(first);
  // The same words a moment later are a repetition.
  await world.wait(5 * MINUTE);
  expect((await world.rotate(named)).result.outcomes).toEqual([]);
});

test('rotates a quarantined token that somebody rolled back to, and gives it its permissions for its grace period', async () => {
  const world = await openWorldForTest(policyWith({ telegraf: { ...writer, gracePeriod: '2h' } }));
  await world.rotate();
  const { AWSCURRENT: version } = world.labels(TELEGRAF);
  const { AWSCURRENT: first } = world.holders(TELEGRAF);
  await world.wait(HOUR);
  await world.rotate(named);
  for (let hours = 0; hours < 6; hours += 1) {
    await world.wait(61 * MINUTE);
    await world.reap();
  }
  const its = () => world.tokens().find(({ id }) => id === first);
  expect(its()).toMatchObject({ permissions: [], marker: { quarantined: expect.any(String) } });
  await world.people.makeCurrent(TELEGRAF, version);
  const old = world.string(TELEGRAF);
  expect((await world.rotate(named)).result.outcomes).toEqual(rotated());
  expect(world.holders(TELEGRAF)).toMatchObject({ AWSPREVIOUS: first });
  expect(world.labels(TELEGRAF).AWSCURRENT).not.toBe(version);
  expect([old, world.string(TELEGRAF)].map((string) => world.accepts(string))).toEqual([
    true,
    true,
  ]);
  expect(its()?.marker).toMatchObject({ superseded: expect.any(String) });
});

test('carries out a request, however late the grace period of the token before was begun again', async () => {
  const other = 'keyturn/prod/grafana';
  const world = await openWorldForTest(policyWith({ telegraf: writer, grafana: writer }));
  await world.rotate();
  const pasted = world.value(TELEGRAF);
  await world.rotate(named);
  await world.people.saveValue(other, pasted);
  await world.rotate();
  await world.wait(5 * HOUR);
  await world.rotate({ tokens: ['grafana'], force: true });
  await world.wait(20 * MINUTE);
  await world.rotate({ tokens: ['grafana'], force: true });
  const { outcomes } = (await world.rotate()).result;
  expect(outcomes).toMatchObject([{ action: { reason: 'SharedNoMore' }, result: 'done' }]);
  const before = world.labels(TELEGRAF).AWSCURRENT;
  await world.wait(5 * MINUTE);
  await world.rotate(named);
  expect(world.labels(TELEGRAF).AWSCURRENT).not.toBe(before);
});

test('carries out a request that follows a narrower policy, however soon after another one', async () => {
  const both = { permissions: { read: ['telemetry'], write: ['telemetry'] } };
  const world = await openWorldForTest(policyWith({ telegraf: both }));
  await world.rotate(named);
  const first = world.labels(TELEGRAF).AWSCURRENT;
  await world.wait(5 * MINUTE);
  const narrower = world.deploy(policyWith({ telegraf: writer }));
  expect((await narrower.rotate(named)).result.outcomes).toEqual(rotated());
  expect(world.labels(TELEGRAF).AWSCURRENT).not.toBe(first);
  expect(world.accepts(world.string(TELEGRAF), 'read')).toBe(false);
});

test('tells of a promotion that won though the old token could not be marked', async () => {
  const world = await openWorldForTest(policyWith({ telegraf: writer }));
  await world.rotate();
  await world.wait(HOUR);
  const told = world.events('Token Rotated').length;
  let isMoved = false;
  world.intercept(async (call, effect) => {
    if (call.operation === 'UpdateSecretVersionStage') isMoved = true;
    const isStep8 = isMoved && call.operation === 'PATCH /tokens/{id}';
    return isStep8 ? { status: 500, body: '{"code":500,"message":"x"}' } : await effect();
  });
  expect((await world.rotate(named)).error?.errorType).toBe('ApplyError');
  expect(world.events('Token Rotated')).toHaveLength(told + 1);
});

test('calls a rotation held that a freeze beside it stopped: no later run promotes what the freeze stripped', async () => {
  const world = await openWorldForTest(policyWith({ telegraf: writer }));
  await world.rotate();
  await world.wait(DAY);
  let isFrozen = false;
  world.intercept(async (call, effect) => {
    if (isFrozen || call.server !== 'data-plane') return effect();
    isFrozen = true;
    await world.beside(call, () =>
      world.revoke({ token: 'telegraf', way: 'freeze', reason: 'leaked' }),
    );
    return effect();
  });
  const { result } = await world.rotate(named);
  expect(world.tokens(TELEGRAF).flatMap(({ permissions }) => permissions)).toEqual([]);
  expect(result.outcomes).toEqual([{ action: expect.anything(), result: 'held' }]);
});
