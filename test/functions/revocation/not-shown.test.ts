import { createHash } from 'node:crypto';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { mayWork } from '../../../functions/revocation/until-shown.ts';
import { type Interceptor, passThrough } from '../../../sandbox/interception.ts';
import { HOUR, MINUTE, TELEGRAF } from '../../world/policy.ts';
import type { Saved, World } from '../../world/world.ts';
import { GRAFANA, openIssued, reportOf } from './issued.ts';

/** What AWS, the cluster or the policy does not show any more. */
let world: World;
let issued: Saved;
beforeAll(async () => {
  world = await openIssued();
  issued = world.save();
});
beforeEach(async () => {
  world.cluster.manners = {};
  await world.restore(issued);
});
afterAll(() => world.close());

const currentId = () => world.holders(TELEGRAF).AWSCURRENT ?? '';
const fingerprint = (string: string) =>
  createHash('sha256').update(string).digest('hex').slice(0, 16);
const force = { tokens: ['telegraf'], force: true };

const nothingThere: Interceptor = (call, effect) => {
  if (call.operation === 'ListSecrets') {
    return Promise.resolve({ status: 200, body: '{"SecretList": []}' });
  }
  if (call.operation !== 'DescribeSecret') return passThrough(call, effect);
  const body = '{"__type": "ResourceNotFoundException", "Message": "no such secret"}';
  return Promise.resolve({ status: 400, body });
};
const selectors = [{ token: 'telegraf' }, { secret: TELEGRAF }, { database: 'metrics' }];

test.each(selectors)(
  'where AWS shows nothing of the owner, %j asks for the account and names the tokens that work',
  async (selector) => {
    world.intercept(nothingThere);
    const { error } = await world.revoke({ ...selector, way: 'freeze', reason: 'leaked' });
    world.intercept();
    expect(error?.errorMessage).toContain('is this the wrong account or Region?');
    expect(error?.errorMessage).toContain(currentId());
    expect(error?.errorMessage).not.toContain('did you mean');
  },
);

test('whose a token is, is answered in the wrong account, too', async () => {
  world.intercept(nothingThere);
  const { result } = await world.revoke({ way: 'whois', tokenId: currentId() });
  world.intercept();
  expect(result?.plan.tokens).toMatchObject([{ tokenId: currentId(), secret: TELEGRAF }]);
});

test.each(selectors.slice(0, 2))(
  'a secret that was deleted for good is not called one without tokens: %j',
  async (selector) => {
    const id = currentId();
    await world.people.deleteSecret(TELEGRAF, 'for good');
    for (const way of ['replace', 'unfreeze', 'lift', 'restore']) {
      const { error } = await world.revoke({ ...selector, way, reason: 'leaked' });
      expect(error?.errorMessage).toContain(`does not show ${TELEGRAF} here, and 1 token`);
      expect(error?.errorMessage).toContain(id);
    }
  },
);

test('a secret without an entry is not replaced, which the dry run says, and ends by delete', async () => {
  const others = world.deploy({
    owner: 'prod',
    databases: [{ name: 'metrics' }, { name: 'logs' }],
    tokens: { grafana: { permissions: { read: ['logs', 'metrics'], write: ['logs'] } } },
  });
  const string = world.string(TELEGRAF);
  const order = { token: 'telegraf', reason: 'leaked' };
  const { result: shown } = await others.revoke({ ...order, dryRun: true });
  expect(shown?.plan).toMatchObject({
    actions: [],
    notReached: [{ secret: TELEGRAF, reason: expect.stringContaining('has no entry') }],
  });
  const { error } = await others.revoke(order);
  expect(error?.errorMessage).toContain('has no entry in the policy');
  expect(world.accepts(string)).toBe(true);
  const { result } = await others.revoke({ ...order, way: 'delete' });
  expect(result).toMatchObject({ done: true });
  await world.wait(MINUTE);
  expect(world.accepts(string)).toBe(false);
});

test.each([true, false])(
  'an order by a leaked string is proven anew when repeated, revoked tokens being hidden: %s',
  async (hidesRevoked) => {
    const older = world.string(TELEGRAF);
    await world.rotate(force);
    await world.wait(HOUR);
    const string = world.string(TELEGRAF);
    world.cluster.manners = { hidesRevoked };
    const orders = [string, older].map((each) => ({
      fingerprint: fingerprint(each),
      reason: 'in a log',
    }));
    await world.revoke(orders[0] ?? {});
    const successor = currentId();
    for (const order of [...orders, ...orders]) {
      const { result } = await world.revoke(order);
      expect(result).toMatchObject({ done: true, confirmed: true });
    }
    expect(currentId()).toBe(successor);
  },
);

test.each([true, false])(
  'a deletion of one token is proven anew when repeated, revoked tokens being hidden: %s',
  async (hidesRevoked) => {
    const old = currentId();
    await world.rotate(force);
    await world.wait(HOUR);
    world.cluster.manners = { hidesRevoked };
    const order = { way: 'delete', tokenId: old, reason: 'in a log' };
    await world.revoke(order);
    const { result } = await world.revoke(order);
    expect(result).toMatchObject({ done: true, confirmed: true });
    expect(result?.tokens).toMatchObject([{ tokenId: old, result: 'gone', secret: TELEGRAF }]);
    expect(world.hold(GRAFANA)).toBeUndefined();
  },
);

/** Until that instant deletions are answered as done, and have no effect. */
const losesDeletions =
  (until: number): Interceptor =>
  (call, effect) =>
    call.operation === 'DELETE /tokens/{id}' && world.clock.now() < until
      ? Promise.resolve({ status: 204, body: '' })
      : passThrough(call, effect);

test('a deletion that a server answered and lost is made again, and confirmed then', async () => {
  const string = world.string(TELEGRAF);
  world.intercept(losesDeletions(world.clock.now() + 5 * MINUTE));
  const { result } = await world.revoke({ token: 'telegraf', reason: 'leaked' });
  world.intercept();
  expect(result).toMatchObject({ done: true, confirmed: true });
  expect(world.tokens(TELEGRAF)).toHaveLength(1);
  expect(world.accepts(string)).toBe(false);
});

test('an order whose deletions a server loses says first that old strings may still work', async () => {
  world.intercept(losesDeletions(Number.POSITIVE_INFINITY));
  const { AWSCURRENT: old } = world.holders(TELEGRAF);
  const answered = await world.revoke({ token: 'telegraf', reason: 'leaked' });
  world.intercept();
  const { done, unconfirmed } = reportOf(answered);
  expect(done).toBe(false);
  expect(unconfirmed).toEqual(
    expect.arrayContaining([
      expect.stringMatching(`^old strings of ${old} may still work; to cut them off now`),
    ]),
  );
});

test.each([
  ['delete', ['a']],
  ['strip', ['a']],
  ['give-back', []],
])('that a %s is not shown means that the strings of %j may work', (what, expected) => {
  const failure = { what, where: TELEGRAF, tokenId: 'a', error: new Error('not shown') };
  expect(mayWork({ late: ['a'], failures: new Map([[what, failure]]) })).toEqual(expected);
  expect(mayWork({ late: [], failures: new Map([[what, failure]]) })).toEqual([]);
});

test.each([{ token: 'telegraf' }, { secret: TELEGRAF }])(
  'a token whose secret was deleted for good is frozen and given back by %j',
  async (selector) => {
    const string = world.string(TELEGRAF);
    await world.people.deleteSecret(TELEGRAF, 'for good');
    await world.revoke({ ...selector, way: 'freeze', reason: 'leaked' });
    await world.wait(MINUTE);
    expect(world.accepts(string)).toBe(false);
    const { error } = await world.revoke({ ...selector, way: 'unfreeze', reason: 'false alarm' });
    expect(error).toBeUndefined();
    await world.wait(MINUTE);
    expect(world.accepts(string)).toBe(true);
    const again = await world.revoke({ ...selector, way: 'unfreeze', reason: 'false alarm' });
    expect(again.error?.errorMessage).toContain('is this the wrong account or Region?');
  },
);

test('of a secret that was made again, an order for a token of the former one does not say that none is shown', async () => {
  const { AWSCURRENT: tokenId = '' } = world.holders(TELEGRAF);
  await world.people.deleteSecret(TELEGRAF, 'for good');
  await world.rotate();
  const { error } = await world.revoke({ tokenId, reason: 'leaked' });
  expect(error?.errorMessage).toContain(`belongs to another ${TELEGRAF} than the one here`);
  expect(error?.errorMessage).not.toContain('does not show here');
});

/** A secret is frozen, deleted, made again, and frozen once more. */
async function freezeTwice() {
  const { AWSCURRENT: old = '' } = world.holders(TELEGRAF);
  const leaked = world.string(TELEGRAF);
  await world.revoke({ token: 'telegraf', way: 'freeze', reason: 'leaked' });
  await world.people.deleteSecret(TELEGRAF, 'for good');
  await world.rotate();
  const string = world.string(TELEGRAF);
  await world.revoke({ token: 'telegraf', way: 'freeze', reason: 'odd writes' });
  return { old, leaked, string };
}

test('to undo a freeze of a secret that was made again gives nothing back in its former self, but by its id', async () => {
  const { old, leaked, string } = await freezeTwice();
  const undo = { token: 'telegraf', way: 'unfreeze', reason: 'false alarm' };
  const { result: plan } = await world.revoke({ ...undo, dryRun: true });
  expect(JSON.stringify(plan?.plan.warnings)).toContain(
    `${old} is frozen, and its secret is another`,
  );
  const { result } = await world.revoke({ ...undo, plan: plan?.plan.hash });
  expect(result).toMatchObject({ done: true, confirmed: false });
  await world.wait(MINUTE);
  expect([string, leaked].map((each) => world.accepts(each))).toEqual([true, false]);
  await world.revoke({ tokenId: old, way: 'unfreeze', reason: 'false alarm' });
  await world.wait(MINUTE);
  expect(world.accepts(leaked)).toBe(true);
});

test('whoever undoes a freeze of everything gives nothing back in a secret that was frozen, and deleted, before', async () => {
  const leaked = world.string(TELEGRAF);
  await world.revoke({ token: 'telegraf', way: 'freeze', reason: 'leaked' });
  await world.people.deleteSecret(TELEGRAF, 'for good');
  await world.wait(MINUTE);
  const all = { all: true, confirm: '127.0.0.1', reason: 'drill' };
  await world.revoke({ ...all, way: 'freeze' });
  await world.revoke({ ...all, way: 'unfreeze' });
  await world.wait(MINUTE);
  expect(world.accepts(leaked)).toBe(false);
});

test('nothing is given back to a token of a former secret while that of its name is on hold', async () => {
  const { old: tokenId, leaked } = await freezeTwice();
  let given = 0;
  world.intercept((call, effect) => {
    if (call.operation.startsWith('PATCH ')) given += 1;
    return Promise.resolve(effect());
  });
  const undo = { tokenId, way: 'unfreeze', reason: 'false alarm' };
  const { result: plan } = await world.revoke({ ...undo, dryRun: true });
  expect(plan?.plan).toMatchObject({ actions: [] });
  await world.revoke(undo);
  await world.wait(MINUTE);
  expect([given, world.accepts(leaked)]).toEqual([0, false]);
});
