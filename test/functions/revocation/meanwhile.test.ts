import { expect, test } from 'vitest';
import { passThrough } from '../../../sandbox/interception.ts';
import { HOUR, MINUTE, TELEGRAF } from '../../world/policy.ts';
import { answer, issuedForEachTest, reportOf } from './issued.ts';

/** What changes after a look, and what is answered without being done. */
const world = await issuedForEachTest();

const order = { token: 'telegraf', reason: 'leaked' };
const force = { tokens: ['telegraf'], force: true };
const currentId = (secret = TELEGRAF) => world.holders(secret).AWSCURRENT ?? '';
const working = (secret?: string) =>
  world.tokens(secret).filter(({ permissions }) => permissions.length > 0);

test('another plan than the one that was confirmed is refused, and nothing is done', async () => {
  const { result: shown } = await world.revoke({ ...order, dryRun: true });
  await world.rotate(force);
  const before = world.tokens();
  const { error } = await world.revoke({ ...order, plan: shown?.plan.hash });
  expect(error?.errorType).toBe('PlanChangedError');
  expect(world.tokens()).toEqual(before);
  const { result: again } = await world.revoke({ ...order, dryRun: true });
  const { result } = await world.revoke({ ...order, plan: again?.plan.hash });
  expect(result).toMatchObject({ confirmed: true });
});

test('completes a listing that is cut after the first look by what that look showed', async () => {
  const string = world.string(TELEGRAF);
  for (let time = 0; time < 2; time += 1) {
    await world.rotate(force);
    await world.wait(HOUR);
  }
  world.intercept((call, effect) => {
    if (call.operation === 'TagResource') world.cluster.manners = { longestListing: 0 };
    return passThrough(call, effect);
  });
  const { result } = await world.revoke({ ...order, way: 'freeze' });
  world.intercept();
  world.cluster.manners = {};
  expect(result).toMatchObject({ done: true, confirmed: false });
  await world.wait(MINUTE);
  expect([world.accepts(string), working(TELEGRAF).length]).toEqual([false, 0]);
});

/**
 * A person moves AWSCURRENT back right behind a look, the first from which on it is time, or a later one. Returns
 * whether consumers had the token whenever it was ended.
 */
function rollBackBehindLook(id: string, isTime: () => boolean, look = 1) {
  let looks = 0;
  const wasCurrent: boolean[] = [];
  world.intercept(async (call, effect) => {
    const isEnding = /^(DELETE|PATCH) /.test(call.operation) && call.caller !== undefined;
    const had = world.tokens(TELEGRAF).find((each) => each.id === id)?.permissions.length ?? 0;
    const reply = effect();
    const has = world.tokens(TELEGRAF).find((each) => each.id === id)?.permissions.length ?? 0;
    if (isEnding && has < had) wasCurrent.push(currentId() === id);
    if (call.operation === 'DescribeSecret' && isTime()) looks += 1;
    if (call.operation === 'DescribeSecret' && looks === look) {
      looks += 1;
      await world.people.makeCurrent(TELEGRAF, `keyturn-${id}`);
    }
    return reply;
  });
  return wasCurrent;
}

test('a person who goes back to a leaked token right behind the promotion of its successor does not lose it under AWSCURRENT', async () => {
  const old = currentId();
  const wasCurrent = rollBackBehindLook(old, () => currentId() !== old);
  const { result } = await world.revoke(order);
  world.intercept();
  expect(result).toMatchObject({ done: true });
  expect(wasCurrent).toEqual([false]);
  expect(working(TELEGRAF).map(({ id }) => id)).toEqual([currentId()]);
});

test.each(['delete', 'replace'].flatMap((way) => [1, 2].map((look) => ({ way, look }))))(
  'a person who goes back to a superseded token behind look $look of an order to $way it keeps it, and is told',
  async ({ way, look }) => {
    const old = currentId();
    await world.rotate(force);
    await world.wait(5 * MINUTE);
    const wasCurrent = rollBackBehindLook(old, () => true, look);
    const { error } = await world.revoke({ tokenId: old, way, reason: 'leaked' });
    world.intercept();
    expect(error?.errorMessage).toContain(
      'it is current or pending by now: nothing was done to it',
    );
    expect(wasCurrent).toEqual([]);
    expect([currentId(), world.accepts(world.string(TELEGRAF))]).toEqual([old, true]);
  },
);

test('a hold that is set while a successor is verified keeps it from being promoted', async () => {
  const old = currentId();
  let isSet = false;
  world.intercept(async (call, effect) => {
    const reply = effect();
    if (call.server === 'data-plane' && !isSet) {
      isSet = true;
      await world.people.hold(TELEGRAF, 'frozen');
    }
    return reply;
  });
  const { error } = await world.revoke(order);
  world.intercept();
  expect(error?.errorMessage).toContain('was put on hold meanwhile');
  expect(currentId()).toBe(old);
});

test('looks again after the strings were seen dead: what was given back meanwhile is taken away', async () => {
  const tokenId = currentId();
  let isGiven = false;
  world.intercept(async (call, effect) => {
    const reply = effect();
    const { status } = reply;
    if (call.server === 'data-plane' && status >= 400 && !isGiven) {
      isGiven = true;
      await world.people.changeToken(tokenId, {
        permissions: [{ action: 'write', resource: 'metrics' }],
      });
    }
    return reply;
  });
  await world.revoke({ ...order, way: 'freeze' });
  world.intercept();
  expect([isGiven, working(TELEGRAF)]).toEqual([true, []]);
});

test('what was taken away a second time is proven dead a second time', async () => {
  const [tokenId, string] = [currentId(), world.string(TELEGRAF)];
  const { revocationDelayMs } = world.cluster;
  let refused = 0;
  world.intercept(async (call, effect) => {
    const reply = effect();
    if (call.server !== 'data-plane' || !call.authorization?.includes(string)) return reply;
    refused = reply.status >= 400 ? refused + 1 : 0;
    if (refused === 30) {
      world.cluster.revocationDelayMs = HOUR;
      await world.people.changeToken(tokenId, {
        permissions: [{ action: 'write', resource: 'metrics' }],
      });
    }
    return reply;
  });
  const { result } = await world.revoke({ ...order, way: 'freeze' });
  world.intercept();
  world.cluster.revocationDelayMs = revocationDelayMs;
  expect([world.accepts(string), working(TELEGRAF)]).toEqual([true, []]);
  expect(result).toMatchObject({
    done: true,
    confirmed: false,
    tokens: [{ result: 'frozen', unconfirmed: 'the cluster still accepts its string' }],
  });
});

test.each([
  ['delete', 'DELETE /tokens/{id}', { status: 404, body: '{"code": 404, "message": "not found"}' }],
  ['delete', 'DELETE /tokens/{id}', { status: 204, body: '' }],
  ['freeze', 'PATCH /tokens/{id}', { status: 200, body: '' }],
])(
  'to %s claims nothing that %s answers without doing it, and publishes nothing',
  async (way, operation, reply) => {
    const [tokenId, string] = [currentId(), world.string(TELEGRAF)];
    const published = world.events('Token Revoked').length;
    const { description, createdAt } =
      world.cluster.state.tokens.find(({ id }) => id === tokenId) ?? {};
    const fields = {
      ...{ id: tokenId, accountId: tokenId, clusterId: tokenId, description },
      ...{ createdAt: new Date(createdAt ?? 0).toISOString(), permissions: [] },
    };
    const headers = { 'content-type': 'application/json' };
    const body = reply.status === 200 ? JSON.stringify(fields) : reply.body;
    world.intercept(answer([operation], { ...reply, body, headers }));
    const said = await world.revoke({ ...order, way });
    world.intercept();
    await world.wait(MINUTE);
    expect(world.accepts(string)).toBe(true);
    expect(reportOf(said)).toMatchObject({
      done: false,
      tokens: [{ tokenId, result: 'failed', unconfirmed: expect.stringContaining('is not done') }],
    });
    expect(said.error?.errorMessage).toContain('it was answered as done, and is not done');
    expect(world.events('Token Revoked')).toHaveLength(published);
  },
);

/** All tokens of telegraf that were ever minted. */
const minted = () =>
  world.cluster.state.tokens.filter(({ description }) => description.includes(TELEGRAF));

test.each([
  [{}, 90],
  [{}, 180],
  [{ immediately: true }, 90],
])(
  'an order to replace %j mints one successor, and does not wait with the leaked string, while reads lag by %i s',
  async (how, seconds) => {
    const [string, before] = [world.string(TELEGRAF), minted().length];
    world.cluster.manners = { lagMs: seconds * 1_000 };
    const { result } = await world.revoke({ ...order, ...how });
    world.cluster.manners = {};
    expect(result).toMatchObject({ done: true, confirmed: true });
    const dead = result?.tokens.find((each) => each.result === 'deleted')?.deadAfterSeconds;
    expect(dead).toBeLessThan(160);
    expect([minted().length - before, working(TELEGRAF).map(({ id }) => id)]).toEqual([
      1,
      [currentId()],
    ]);
    expect([world.accepts(string), world.accepts(world.string(TELEGRAF))]).toEqual([false, true]);
  },
);

test.each(['freeze', 'delete', 'unfreeze'])(
  'to %s is confirmed as soon as reads that lag show it, and writes nothing twice',
  async (way) => {
    const string = world.string(TELEGRAF);
    if (way === 'unfreeze') {
      await world.revoke({ ...order, way: 'freeze' });
      await world.wait(HOUR);
    }
    world.cluster.manners = { lagMs: 90_000 };
    const written: string[] = [];
    world.intercept((call, effect) => {
      if (/^(PATCH|DELETE)/.test(call.operation)) written.push(call.operation);
      return passThrough(call, effect);
    });
    const { result } = await world.revoke({ ...order, way });
    world.intercept();
    world.cluster.manners = {};
    expect(result).toMatchObject({ done: true, confirmed: true, unconfirmed: [] });
    expect(world.accepts(string)).toBe(way === 'unfreeze');
    expect(written.length).toBeLessThanOrEqual(way === 'unfreeze' ? 2 : 1);
  },
);

test('an order that cannot ask for a while whether the cluster shows its end goes on waiting', async () => {
  let failing = 0;
  world.cluster.manners = { lagMs: 90_000 };
  world.intercept((call, effect) => {
    const isAsked = call.operation === 'GET /tokens/{id}' && call.caller !== undefined;
    if (isAsked) failing += 1;
    return isAsked && failing > 2 && failing <= 12
      ? Promise.resolve({ status: 500, body: '{}' })
      : passThrough(call, effect);
  });
  const { result } = await world.revoke({ ...order, way: 'freeze' });
  world.intercept();
  world.cluster.manners = {};
  expect(failing).toBeGreaterThan(12);
  expect(result).toMatchObject({ done: true, confirmed: true, unconfirmed: [] });
});

test.each([
  ['freeze', 'frozen', 'refused'],
  ['delete', 'deleted', 'refused'],
  ['unfreeze', 'given-back', 'accepted'],
])(
  'to %s says of what no read shows to the end what the data plane said of its string',
  async (way, done, seen) => {
    const string = world.string(TELEGRAF);
    if (way === 'unfreeze') {
      await world.revoke({ ...order, way: 'freeze' });
      await world.wait(HOUR);
    }
    world.cluster.manners = { lagMs: HOUR };
    const { result } = await world.revoke({ ...order, way });
    world.cluster.manners = {};
    expect(world.accepts(string)).toBe(way === 'unfreeze');
    const unconfirmed = `it was answered as done, and the cluster does not show it yet; its string was seen ${seen}`;
    expect(result).toMatchObject({
      done: true,
      confirmed: false,
      tokens: [{ result: done, unconfirmed }],
      unconfirmed: [],
    });
  },
);

test('what a person undid so that it is as before the order is ended again', async () => {
  const [tokenId, string] = [currentId(), world.string(TELEGRAF)];
  const { description = '', permissions = [] } =
    world.cluster.state.tokens.find(({ id }) => id === tokenId) ?? {};
  let isUndone = false;
  world.intercept(async (call, effect) => {
    const reply = effect();
    if (call.server === 'data-plane' && reply.status >= 400 && !isUndone) {
      isUndone = true;
      await world.people.changeToken(tokenId, { description, permissions });
    }
    return reply;
  });
  const startedAt = world.clock.now();
  const { result } = await world.revoke({ ...order, way: 'freeze' });
  const took = world.clock.now() - startedAt;
  world.intercept();
  expect([isUndone, world.accepts(string), working(TELEGRAF)]).toEqual([true, false, []]);
  expect(result).toMatchObject({ done: true, confirmed: true });
  expect(took).toBeLessThan(15 * MINUTE);
});

test.each(['freeze', 'delete'])(
  'to %s asks also for the string of a current token that reads show as it was before it was armed',
  async (way) => {
    let before = '';
    world.intercept((call, effect) => {
      if (call.operation === 'PATCH /tokens/{id}' && before === '') {
        before = world.cluster.state.tokens.at(-1)?.description ?? '';
      }
      return passThrough(call, effect);
    });
    await world.rotate(force);
    const [id, string, until] = [currentId(), world.string(TELEGRAF), world.clock.now() + MINUTE];
    const asBefore = (token: { id: string }) =>
      token.id === id ? { ...token, description: before, permissions: [] } : token;
    world.intercept((call, effect) => {
      const reply = effect();
      const isRead = call.operation.startsWith('GET /tokens') && reply.status === 200;
      if (!isRead || world.clock.now() > until) return Promise.resolve(reply);
      const read: { id: string } | { id: string }[] = JSON.parse(reply.body);
      const shown = Array.isArray(read) ? read.map(asBefore) : asBefore(read);
      return Promise.resolve({ ...reply, body: JSON.stringify(shown) });
    });
    const { result } = await world.revoke({ ...order, way });
    world.intercept();
    expect(result?.tokens.find(({ tokenId }) => tokenId === id)).toHaveProperty('deadAfterSeconds');
    expect(world.accepts(string)).toBe(false);
  },
);
