import { expect, test } from 'vitest';
import { type Interceptor, passThrough } from '../../../sandbox/interception.ts';
import { HOUR, MINUTE, TELEGRAF } from '../../world/policy.ts';
import type { Answered } from '../../world/world.ts';
import { issuedForEachTest } from './issued.ts';

/** What changes after a look, and what is answered without being done. */
const world = await issuedForEachTest();

const order = { token: 'telegraf', reason: 'leaked' };
const force = { tokens: ['telegraf'], force: true };
const currentId = (secret = TELEGRAF) => world.holders(secret).AWSCURRENT ?? '';
const working = (secret?: string) =>
  world.tokens(secret).filter(({ permissions }) => permissions.length > 0);

const answer =
  (operations: readonly string[], reply: Awaited<ReturnType<Interceptor>>): Interceptor =>
  (call, effect) =>
    operations.includes(call.operation) ? Promise.resolve(reply) : passThrough(call, effect);

/** The report, also of an order that was not done whole. */
function reportOf({ result, error }: Answered<object>): Record<string, unknown> {
  return { ...(result ?? JSON.parse(error?.errorMessage.split('\n').at(-1) ?? '{}')) };
}

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
