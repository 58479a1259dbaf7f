import { expect, test } from 'vitest';
import { type Interceptor, passThrough } from '../../../sandbox/interception.ts';
import { answering, disturb, faults } from '../../world/faults.ts';
import { HOUR, MINUTE, TELEGRAF } from '../../world/policy.ts';
import { issuedForEachTest } from './issued.ts';

const world = await issuedForEachTest();

const order = { token: 'telegraf', reason: 'leaked' };
const force = { tokens: ['telegraf'], force: true };
const idOf = (label: string) => world.holders(TELEGRAF)[label] ?? '';
const dataPlaneIsDown: Interceptor = (call, effect) =>
  call.server === 'data-plane' ? Promise.resolve('reset') : passThrough(call, effect);

/** A rotation that was cut off after its first call of an operation. */
async function rotateUntil(operation: string): Promise<void> {
  await disturb(world, () => world.rotate(force), 1, {
    meet: faults['a reset after the effect'],
    counts: (call) => call.operation === operation,
    later: 'cut off',
  });
}

test('replaces a token that is dead already', async () => {
  const [old, string] = [idOf('AWSCURRENT'), world.string(TELEGRAF)];
  await world.people.deleteToken(old);
  const { result: report } = await world.revoke(order);
  expect(report).toMatchObject({
    confirmed: true,
    tokens: [
      { tokenId: old, result: 'gone', replacedBy: idOf('AWSCURRENT') },
      { tokenId: idOf('AWSCURRENT'), result: 'successor' },
    ],
  });
  expect([world.accepts(string), world.accepts(world.string(TELEGRAF))]).toEqual([false, true]);
});

test.each(['PutSecretValue', 'PATCH /tokens/{id}'])(
  'kills what a rotation left pending after %s, and the current token',
  async (operation) => {
    await rotateUntil(operation);
    const [pending, old] = [idOf('AWSPENDING'), idOf('AWSCURRENT')];
    expect(pending).not.toBe(old);
    const strings = [
      world.string(TELEGRAF),
      world.string(TELEGRAF, world.labels(TELEGRAF).AWSPENDING),
    ];
    const { result: report } = await world.revoke(order);
    expect(report).toMatchObject({ confirmed: true });
    await world.wait(2 * HOUR);
    await world.reap();
    await world.wait(2 * HOUR);
    await world.reap();
    const current = idOf('AWSCURRENT');
    expect([pending, old]).not.toContain(current);
    expect(world.tokens(TELEGRAF).map(({ id }) => id)).toEqual([current]);
    expect(strings.map((each) => world.accepts(each))).toEqual([false, false]);
  },
);

test('kills nothing without a successor that works, and says so', async () => {
  const [old, string] = [idOf('AWSCURRENT'), world.string(TELEGRAF)];
  const at = world.clock.now();
  world.intercept(dataPlaneIsDown);
  const { error } = await world.revoke(order);
  world.intercept();
  expect(error?.errorType).toBe('RevocationError');
  expect(error?.errorMessage).toContain('was not accepted in time');
  // It waits for its successor twice, five minutes each; its reads take their turns, of a millisecond.
  expect(world.clock.now() - at).toBeLessThan(10 * MINUTE + 10);
  expect(idOf('AWSCURRENT')).toBe(old);
  expect(world.accepts(string)).toBe(true);

  const { result: report } = await world.revoke(order);
  expect(report).toMatchObject({ confirmed: true });
  expect(world.accepts(string)).toBe(false);
});

test('cuts off a string whose deletion the cluster refuses to carry out', async () => {
  const string = world.string(TELEGRAF);
  world.intercept(
    answering('DELETE /tokens/{id}', { status: 503, body: '{"code": 503, "message": "no"}' }),
  );
  const { error } = await world.revoke({ ...order, way: 'delete' });
  expect(error?.errorMessage).toContain('its permissions were taken');
  expect(error?.errorMessage).not.toContain('may still work');
  await world.wait(MINUTE);
  expect(world.accepts(string)).toBe(false);
  expect(world.tokens(TELEGRAF)).toHaveLength(1);
  world.intercept();
  await world.revoke({ ...order, way: 'delete' });
  expect(world.tokens(TELEGRAF)).toEqual([]);
});

test.each([
  { ...order, immediately: true },
  { ...order, way: 'freeze' },
  { ...order, way: 'delete' },
])('kills while the data plane is down, and says that nobody saw it dead: %j', async (event) => {
  const string = world.string(TELEGRAF);
  world.intercept(dataPlaneIsDown);
  const { result: report } = await world.revoke(event);
  world.intercept();
  expect(report?.confirmed).toBe(false);
  const killed = report?.tokens.find(({ result }) => result === 'deleted' || result === 'frozen');
  expect(killed?.unconfirmed).toContain('it was not seen refused in time: the last answer');
  await world.wait(MINUTE);
  expect(world.accepts(string)).toBe(false);
});

test('brings a successor without proof where everything is dead and nothing can be proved', async () => {
  world.intercept(dataPlaneIsDown);
  const { result: report } = await world.revoke({ ...order, immediately: true });
  world.intercept();
  const successor = report?.tokens.find(({ result }) => result === 'successor');
  expect(successor?.tokenId).toBe(idOf('AWSCURRENT'));
  expect(successor?.unconfirmed).toContain('promoted unverified');
  expect(world.accepts(world.string(TELEGRAF))).toBe(true);
  // The same order again does not claim it either, until it has seen it.
  world.intercept(dataPlaneIsDown);
  const { result: again } = await world.revoke({ ...order, immediately: true });
  world.intercept();
  expect(again).toMatchObject({ done: true, confirmed: false });
  const { result: last } = await world.revoke({ ...order, immediately: true });
  expect(last).toMatchObject({ done: true, confirmed: true });
  expect(idOf('AWSCURRENT')).toBe(successor?.tokenId);
});

test.each([
  ['freeze', 'frozen'],
  ['delete', 'deleted'],
])('carries out %s though the tag of its hold is refused, and says so', async (way, hold) => {
  const string = world.string(TELEGRAF);
  const denied = { status: 400, body: '{"__type": "AccessDeniedException", "Message": "no"}' };
  world.intercept(answering('TagResource', denied));
  const { result: first } = await world.revoke({ ...order, way });
  world.intercept();
  expect(first).toMatchObject({ done: true, confirmed: false });
  expect(first?.unconfirmed).toEqual([
    expect.stringMatching(
      `^${TELEGRAF} has its label alone as a hold, because its tag was refused`,
    ),
  ]);
  expect(world.accepts(string)).toBe(false);
  await world.rotate({ tokens: ['telegraf'], force: true });
  expect(world.tokens(TELEGRAF).filter(({ permissions }) => permissions.length > 0)).toEqual([]);
  const { result: report } = await world.revoke({ ...order, way });
  expect([report?.confirmed, world.hold(TELEGRAF)]).toEqual([true, hold]);
});

test.each(['freeze', 'delete'])(
  'carries out %s though both traces of its hold are refused, and fails with what it did',
  async (way) => {
    const [id, string] = [idOf('AWSCURRENT'), world.string(TELEGRAF)];
    const denied = { status: 400, body: '{"__type": "AccessDeniedException", "Message": "no"}' };
    world.intercept(async (call, effect) =>
      ['TagResource', 'UpdateSecretVersionStage'].includes(call.operation) ? denied : effect(),
    );
    const { error } = await world.revoke({ ...order, way });
    world.intercept();
    expect(error?.errorType).toBe('RevocationError');
    expect(error?.errorMessage).toContain('AccessDeniedException');
    expect(error?.errorMessage).toContain(`"tokenId":"${id}"`);
    expect(world.accepts(string)).toBe(false);
  },
);

test.each(['freeze', 'delete'])(
  'schedules leave dead what was ordered to %s, for months',
  async (way) => {
    const string = world.string(TELEGRAF);
    await world.revoke({ ...order, way });
    for (let day = 0; day < 100; day += 10) {
      const { error } = await world.rotate();
      await world.reap();
      expect(error).toBeUndefined();
      expect(world.accepts(string)).toBe(false);
      const able = world.tokens(TELEGRAF).filter(({ permissions }) => permissions.length > 0);
      expect(able).toEqual([]);
      await world.wait(10 * 24 * HOUR);
    }
  },
);

test('schedules leave the successor of a revoked token alone until it is due', async () => {
  await world.revoke(order);
  const successor = idOf('AWSCURRENT');
  for (let run = 0; run < 5; run += 1) {
    await world.rotate();
    await world.reap();
    await world.wait(5 * HOUR);
  }
  expect(idOf('AWSCURRENT')).toBe(successor);
  expect(world.tokens(TELEGRAF).map(({ id }) => id)).toEqual([successor]);
});

test('does not use the compromised string but to see it refused', async () => {
  const string = world.string(TELEGRAF);
  let revokedAt = false;
  const early: string[] = [];
  world.intercept((call, effect) => {
    if (call.operation.startsWith('DELETE')) revokedAt = true;
    if (call.authorization?.includes(string) && !revokedAt) early.push(call.operation);
    return passThrough(call, effect);
  });
  await world.revoke(order);
  world.intercept();
  expect(early).toEqual([]);
});

test('ends a labelled token whose marker a person took away, as one of the secret', async () => {
  const [id, string] = [idOf('AWSCURRENT'), world.string(TELEGRAF)];
  await world.people.changeToken(id, { description: 'whose is this?' });
  const kept = await world.revoke({ ...order, way: 'freeze' });
  expect(kept.error?.errorMessage).toContain(`${id} is not ours`);
  expect(world.accepts(string)).toBe(true);
  const { result: report } = await world.revoke(order);
  expect(report).toMatchObject({ confirmed: true });
  expect(report?.tokens.map(({ tokenId, result }) => [tokenId === id, result])).toContainEqual([
    true,
    'deleted',
  ]);
  expect([world.accepts(string), world.accepts(world.string(TELEGRAF))]).toEqual([false, true]);
});

/** A superseded token, and what a person does right before the order looks at it for the last time. */
async function meetBeforeEnding(act: (old: { string: string; version: string }) => Promise<void>) {
  const { AWSCURRENT: version = '' } = world.labels(TELEGRAF);
  const old = { id: idOf('AWSCURRENT'), string: world.string(TELEGRAF), version };
  await world.rotate(force);
  await world.wait(HOUR);
  let acted = false;
  world.intercept(async (call, effect) => {
    if (call.operation !== 'GET /tokens/{id}' || call.caller === undefined || acted) {
      return effect();
    }
    acted = true;
    await act(old);
    return effect();
  });
  return old;
}

test.each([
  ['replace', 'moves AWSCURRENT back to'],
  ['freeze', 'moves AWSCURRENT back to'],
  ['delete', 'moves AWSCURRENT back to'],
  ['delete', 'pastes the string of'],
])('%s by id does nothing to a token if a person meanwhile %s it', async (way, how) => {
  const old = await meetBeforeEnding(({ string, version }) =>
    how.startsWith('pastes')
      ? world.people.saveValue(TELEGRAF, string)
      : world.people.makeCurrent(TELEGRAF, version),
  );
  const byId = { way, tokenId: old.id, reason: 'leaked' };
  const { error } = await world.revoke(byId);
  world.intercept();
  expect(error?.errorMessage).toContain('it is current or pending by now: nothing was done to it');
  await world.wait(MINUTE);
  expect(world.string(TELEGRAF)).toBe(old.string);
  expect(world.accepts(old.string)).toBe(true);
  const again = await world.revoke(byId);
  expect(again.result).toMatchObject({ done: true, plan: { tokens: { length: 2 } } });
  await world.wait(MINUTE);
  expect(world.accepts(old.string)).toBe(false);
  expect(world.accepts(world.string(TELEGRAF))).toBe(way === 'replace');
});

test('replace by id deletes no superseded token once the current one is lost', async () => {
  const old = await meetBeforeEnding(() => world.people.deleteToken(idOf('AWSCURRENT')));
  const { error } = await world.revoke({ tokenId: old.id, reason: 'leaked' });
  world.intercept();
  expect(error?.errorMessage).toContain('no token of its secret is proven current by now');
  expect(world.accepts(old.string)).toBe(true);
});
