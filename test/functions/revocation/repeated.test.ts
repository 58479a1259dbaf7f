import { createHash } from 'node:crypto';
import { expect, onTestFinished, test } from 'vitest';
import { type Interceptor, passThrough } from '../../../sandbox/interception.ts';
import { openWorld } from '../../world/open-world.ts';
import { DAY, HOUR, MINUTE, TELEGRAF } from '../../world/policy.ts';
import { adopt, answer, issuedForEachTest } from './issued.ts';

/** The same words again: the same order, or a new one. */
const world = await issuedForEachTest();

const order = { token: 'telegraf', reason: 'leaked' };
const force = { tokens: ['telegraf'], force: true };
const currentId = (secret = TELEGRAF) => world.holders(secret).AWSCURRENT ?? '';

test.each([1, 16, 90])(
  'the same order goes on %i minutes after it stopped half-way, with the same successor',
  async (minutes) => {
    const old = currentId();
    // Nothing can be deleted: it ends with its successor promoted.
    world.intercept(answer(['DELETE /tokens/{id}'], { status: 500, body: '{}' }));
    const { error } = await world.revoke(order);
    world.intercept();
    expect(error?.errorType).toBe('RevocationError');
    const successor = currentId();
    expect(successor).not.toBe(old);
    await world.wait(minutes * MINUTE);
    const { result } = await world.revoke(order);
    expect(result).toMatchObject({ done: true, confirmed: true });
    expect(world.tokens(TELEGRAF).map(({ id }) => id)).toEqual([successor]);
  },
);

test('the same words a month later are a new order', async () => {
  await world.revoke(order);
  const first = currentId();
  await world.wait(30 * DAY);
  expect((await world.revoke(order)).error).toBeUndefined();
  expect(currentId()).not.toBe(first);
  expect(world.tokens(TELEGRAF).map(({ id }) => id)).toEqual([currentId()]);
});

test('the same order goes on while a token without our marker is left, and keeps its successor', async () => {
  const string = world.string(TELEGRAF);
  await world.people.changeToken(currentId(), { description: 'whose is this?' });
  world.intercept(answer(['DELETE /tokens/{id}'], { status: 500, body: '{}' }));
  await world.revoke(order);
  world.intercept();
  const successor = currentId();
  await world.wait(90 * MINUTE);
  const { result } = await world.revoke(order);
  expect(result).toMatchObject({ done: true });
  expect(currentId()).toBe(successor);
  await world.wait(MINUTE);
  expect(world.accepts(string)).toBe(false);
});

test('the same words are a new order although a person keeps an older token frozen by its id', async () => {
  const former = currentId();
  await world.rotate(force);
  await world.revoke({ tokenId: former, way: 'freeze', reason: 'to look at' });
  await world.revoke(order);
  const [first, string] = [currentId(), world.string(TELEGRAF)];
  await world.wait(90 * MINUTE);
  const { result } = await world.revoke(order);
  const left = expect.stringContaining('is frozen, and this order leaves it so');
  expect(result).toMatchObject({ done: true, unconfirmed: [left] });
  expect(result?.tokens.flatMap(({ unconfirmed = [] }) => unconfirmed)).toEqual([]);
  expect(currentId()).not.toBe(first);
  expect(world.accepts(string)).toBe(false);
});

test('the same order asks again for an unknown string that it could not end, and says so again', async () => {
  const permissions = [{ action: 'write', resource: 'metrics' }] as const;
  const byHand = await world.people.mint({ description: 'by hand', permissions });
  await world.wait(HOUR);
  await world.people.saveValue(TELEGRAF, byHand.accessToken);
  for (let time = 0; time < 2; time += 1) {
    const { result } = await world.revoke(order);
    expect(result).toMatchObject({ done: true, confirmed: false });
    expect(result?.unconfirmed).toEqual([
      expect.stringMatching(/nobody knows whose string version \S+ .* and the cluster accepts it/),
    ]);
    await world.wait(MINUTE);
  }
});

test('a string that a person put is asked about as long as its version is there, whatever label went on', async () => {
  const permissions = [{ action: 'write', resource: 'metrics' }] as const;
  const byHand = await world.people.mint({ description: 'by hand', permissions });
  await world.wait(HOUR);
  await world.people.saveValue(TELEGRAF, byHand.accessToken);
  await world.revoke(order);
  await world.people.deleteToken(currentId());
  await world.revoke(order);
  expect(Object.values(world.holders(TELEGRAF))).not.toContain(byHand.id);
  const { result } = await world.revoke(order);
  expect(result).toMatchObject({ done: true, confirmed: false });
  expect(result?.unconfirmed).toEqual([
    expect.stringMatching(
      /nobody knows whose string version \S+ \(no label\) has, and the cluster/,
    ),
  ]);
  await world.people.deleteToken(byHand.id);
  await world.wait(MINUTE);
  const again = await world.revoke(order);
  expect(again.result).toMatchObject({ confirmed: true, unconfirmed: [] });
});

test('a death of less than an hour ago is proven anew, though the successor is gone that told of it', async () => {
  const [former, string] = [currentId(), world.string(TELEGRAF)];
  await world.revoke(order);
  await world.people.deleteToken(currentId());
  const { result } = await world.revoke(order);
  expect(result?.tokens).toContainEqual(
    expect.objectContaining({
      tokenId: former,
      result: 'gone',
      deadAfterSeconds: expect.any(Number),
    }),
  );
  expect(world.accepts(string)).toBe(false);
});

test('the same words weeks later are a new order, though an older token was frozen by itself', async () => {
  const old = currentId();
  await world.rotate(force);
  await world.revoke({ tokenId: old, way: 'freeze', reason: 'odd writes' });
  await world.revoke(order);
  const string = world.string(TELEGRAF);
  await world.wait(10 * DAY);
  const { result } = await world.revoke(order);
  expect(result?.plan.actions).not.toEqual([]);
  await world.wait(5 * MINUTE);
  expect([world.accepts(string), world.accepts(world.string(TELEGRAF))]).toEqual([false, true]);
});

/** One router of the cluster never hears that this string is dead. */
const stuckFor =
  (string: string, then: Interceptor = passThrough): Interceptor =>
  (call, effect) =>
    call.server === 'data-plane' && call.authorization?.includes(string)
      ? Promise.resolve({ status: 204, body: '' })
      : then(call, effect);

/** Rotates by name, and resolves to the token that is superseded, with its string. */
async function supersede() {
  const tokenId = currentId();
  const string = world.string(TELEGRAF);
  await world.rotate(force);
  await world.wait(2 * HOUR);
  return { tokenId, string };
}

test.each([
  ['delete', 'hides', 1],
  ['delete', 'hides', 90],
  ['delete', 'lists', 90],
  ['replace', 'hides', 1],
  ['replace', 'hides', 90],
  ['replace', 'lists', 90],
] as const)(
  'a repeated %s, where the cluster %s revoked tokens, claims no death of a superseded string that is accepted after %i minutes',
  async (way, shows, minutes) => {
    const { tokenId, string } = await supersede();
    world.cluster.manners = { hidesRevoked: shows === 'hides' };
    world.intercept(stuckFor(string));
    for (let time = 0; time < 2; time += 1) {
      const { result } = await world.revoke({ ...order, way });
      expect(result).toMatchObject({ done: true, confirmed: false });
      expect(result?.tokens).toContainEqual(
        expect.objectContaining({ tokenId, unconfirmed: 'the cluster still accepts its string' }),
      );
      await world.wait(minutes * MINUTE);
    }
    world.intercept();
    const { result } = await world.revoke({ ...order, way });
    expect(result).toMatchObject({ done: true, confirmed: true });
    expect(result?.tokens).toContainEqual(
      expect.objectContaining({ tokenId, result: 'gone', deadAfterSeconds: expect.any(Number) }),
    );
    expect(world.accepts(string)).toBe(false);
  },
);

test.each([{ way: 'delete' }, { way: 'replace' }, { way: 'replace', immediately: true }] as const)(
  'an order %o that was killed behind its deletions is proven whole by its repetition',
  async (words) => {
    const { tokenId, string } = await supersede();
    const current = currentId();
    world.cluster.manners = { hidesRevoked: true };
    let deletions = 0;
    world.intercept(
      stuckFor(string, async (call, effect) => {
        const answered = await effect();
        if (call.operation !== 'DELETE /tokens/{id}') return answered;
        deletions += 1;
        if (deletions < 2) return answered;
        await world.kill(call);
        return 'reset';
      }),
    );
    await world.revoke({ ...order, ...words }).catch(() => undefined);
    world.intercept(stuckFor(string));
    const { result } = await world.revoke({ ...order, ...words });
    expect(result).toMatchObject({ done: true, confirmed: false });
    expect(result?.tokens).toContainEqual(
      expect.objectContaining({
        tokenId,
        result: 'gone',
        unconfirmed: 'the cluster still accepts its string',
      }),
    );
    expect(result?.tokens).toContainEqual(
      expect.objectContaining({ tokenId: current, deadAfterSeconds: expect.any(Number) }),
    );
  },
);

test('an order that was killed behind its first deletion proves that one when it is given again', async () => {
  const { string } = await supersede();
  world.cluster.manners = { hidesRevoked: true };
  const former = world.tokens(TELEGRAF).map(({ id }) => id);
  const immediately = { ...order, immediately: true };
  world.intercept(
    stuckFor(string, async (call, effect) => {
      const answered = await effect();
      if (call.operation !== 'DELETE /tokens/{id}') return answered;
      await world.kill(call);
      return 'reset';
    }),
  );
  await world.revoke(immediately).catch(() => undefined);
  const left = world.tokens(TELEGRAF).map(({ id }) => id);
  const [killed = ''] = former.filter((id) => !left.includes(id));
  expect(left).toHaveLength(1);
  world.intercept(stuckFor(string));
  const { result } = await world.revoke(immediately);
  expect(result).toMatchObject({ done: true, confirmed: false });
  const ids = result?.tokens.map(({ tokenId }) => tokenId);
  expect(ids).toEqual(expect.arrayContaining([killed, ...left]));
});

const fingerprintOf = (string: string) =>
  createHash('sha256').update(string).digest('hex').slice(0, 16);

test.each([
  ['its id', true],
  ['its id', false],
  ['its string', true],
  ['its string', false],
] as const)(
  'a token that was replaced by %s is proven with all that the order ended, also 90 minutes later (hidden: %s)',
  async (by, hidesRevoked) => {
    const { tokenId, string } = await supersede();
    const [leaked, id] = [world.string(TELEGRAF), currentId()];
    world.cluster.manners = { hidesRevoked };
    world.intercept(stuckFor(string));
    const named = {
      ...(by === 'its id' ? { tokenId: id } : { fingerprint: fingerprintOf(leaked) }),
      reason: 'leaked',
    };
    await world.revoke(named);
    const successor = currentId();
    await world.wait(90 * MINUTE);
    const { result } = await world.revoke(named);
    expect(result).toMatchObject({ done: true, confirmed: false });
    expect(result?.tokens).toContainEqual(
      expect.objectContaining({
        tokenId,
        result: 'gone',
        unconfirmed: 'the cluster still accepts its string',
      }),
    );
    expect(currentId()).toBe(successor);
    world.intercept();
    const again = await world.revoke(named);
    expect(again.result).toMatchObject({ done: true, confirmed: true });
    expect(again.result?.tokens).toContainEqual(
      expect.objectContaining({ tokenId, deadAfterSeconds: expect.any(Number) }),
    );
  },
);

const databases = [{ name: 'metrics' }, { name: 'logs' }];
const others = {
  agent: { permissions: { write: ['metrics'] } },
  grafana: { permissions: { read: ['logs', 'metrics'], write: ['logs', 'metrics'] } },
};
const writing = { permissions: { write: ['metrics'] } };
const policyOf = (telegraf?: object) => ({
  owner: 'prod',
  databases,
  tokens: { ...others, ...(telegraf && { telegraf }) },
});

/** A world of three tokens, one of which may write to metrics until the policy is changed. */
async function openForTest() {
  const opened = await openWorld(policyOf(writing), {
    databases: ['metrics', 'logs'],
    activationDelayMs: 20_000,
    revocationDelayMs: 20_000,
  });
  onTestFinished(() => opened.close());
  await opened.rotate();
  await opened.wait(2 * HOUR);
  return opened;
}

test.each([
  ['delete', 'its entry left the policy', true],
  ['delete', 'its entry left the policy', false],
  ['delete', 'its entry may use another one since', true],
  ['replace', 'its entry may use another one since', true],
  ['replace', 'its entry may use another one since', false],
] as const)(
  'a repeated %s about a database proves a secret whose tokens it ended, though %s (hidden: %s)',
  async (way, since, hidesRevoked) => {
    const opened = await openForTest();
    const string = opened.string(TELEGRAF);
    const tokenId = opened.holders(TELEGRAF).AWSCURRENT ?? '';
    const isNarrowed = since !== 'its entry left the policy';
    const deployed = opened.deploy(
      policyOf(isNarrowed ? { permissions: { read: ['logs'] } } : undefined),
    );
    if (isNarrowed) {
      await deployed.rotate(force);
      await opened.wait(HOUR);
    }
    opened.cluster.manners = { hidesRevoked };
    opened.intercept((call, effect) =>
      /write/.test(call.operation) ? stuckFor(string)(call, effect) : passThrough(call, effect),
    );
    for (let time = 0; time < 2; time += 1) {
      const { result } = await deployed.revoke({ database: 'metrics', way, reason: 'leaked' });
      expect(result).toMatchObject({ done: true, confirmed: false });
      expect(result?.tokens).toContainEqual(
        expect.objectContaining({ tokenId, unconfirmed: 'the cluster still accepts its string' }),
      );
      await opened.wait(90 * MINUTE);
    }
  },
);

test.each([true, false])(
  'a repeated order says that it ended a token whose secret was deleted for good (hidden: %s)',
  async (hidesRevoked) => {
    const opened = await openForTest();
    const tokenId = opened.holders(TELEGRAF).AWSCURRENT ?? '';
    await opened.people.deleteSecret(TELEGRAF, 'for good');
    const deployed = opened.deploy(policyOf());
    opened.cluster.manners = { hidesRevoked };
    const metrics = { database: 'metrics', way: 'delete', reason: 'leaked' };
    await deployed.revoke(metrics);
    await opened.wait(90 * MINUTE);
    const { result } = await deployed.revoke(metrics);
    expect(result).toMatchObject({ done: true, confirmed: false });
    const said = JSON.stringify([result?.tokens, result?.unconfirmed]);
    expect(said).toContain(hidesRevoked ? 'lists no deleted tokens' : tokenId);
  },
);

test.each([
  ['without a tag', true],
  ['without a tag', false],
  ['of another owner', true],
] as const)(
  'a repeated order says that a secret is %s, though all its tokens are gone (hidden: %s)',
  async (state, hidesRevoked) => {
    if (state === 'without a tag') await world.people.untag(TELEGRAF, ['keyturn:owner']);
    else await world.people.tag(TELEGRAF, { 'keyturn:owner': 'other' });
    world.cluster.manners = { hidesRevoked };
    const metrics = { database: 'metrics', way: 'delete', reason: 'leaked' };
    await world.revoke(metrics);
    await world.wait(90 * MINUTE);
    const { result } = await world.revoke(metrics);
    expect(result).toMatchObject({ done: true, confirmed: false });
    expect(result?.unconfirmed.join()).toContain('to take it over');
    const named = await world.revoke({ ...order, way: 'delete' });
    expect(named.result?.confirmed ?? false).toBe(false);
    expect(named.error?.errorMessage ?? named.result?.unconfirmed.join()).toContain(
      'to take it over',
    );
  },
);

test('a string is asked for everything when nobody knows any more what its token could do', async () => {
  const opened = await openForTest();
  const string = opened.string(TELEGRAF);
  const tokenId = opened.holders(TELEGRAF).AWSCURRENT ?? '';
  const deployed = opened.deploy(policyOf({ permissions: { read: ['logs'] } }));
  await deployed.rotate(force);
  await opened.wait(HOUR);
  opened.cluster.manners = { hidesRevoked: true };
  opened.intercept((call, effect) =>
    /write/.test(call.operation) ? stuckFor(string)(call, effect) : passThrough(call, effect),
  );
  await deployed.revoke({ ...order, way: 'delete' });
  const { result } = await deployed.revoke({ ...order, way: 'delete' });
  expect(result).toMatchObject({ done: true, confirmed: false });
  expect(result?.tokens).toContainEqual(
    expect.objectContaining({ tokenId, unconfirmed: 'the cluster still accepts its string' }),
  );
});

/** A string that would have expired by the policy of today, whose token an order ended on a cluster that lists none. */
async function openOutlived() {
  const opened = await openWorld(policyOf({ ...writing, gracePeriod: '7d', expiresAfter: '60d' }), {
    databases: ['metrics', 'logs'],
  });
  onTestFinished(() => opened.close());
  await opened.rotate();
  await opened.wait(2 * HOUR);
  const string = opened.string(TELEGRAF);
  await opened.rotate(force);
  const short = { gracePeriod: '1h', rotateEvery: '1d', expiresAfter: '2d', renewBefore: '12h' };
  const deployed = opened.deploy(policyOf({ ...writing, ...short }));
  await opened.wait(4 * DAY);
  opened.cluster.manners = { hidesRevoked: true };
  return { opened, deployed, string };
}

test('a repeated order asks for a string that works although it would have expired by the policy of today', async () => {
  const { opened, deployed, string } = await openOutlived();
  opened.intercept(stuckFor(string));
  await deployed.revoke({ ...order, way: 'delete' });
  const { result } = await deployed.revoke({ ...order, way: 'delete' });
  expect(result).toMatchObject({ done: true, confirmed: false });
  expect(result?.unconfirmed.join()).toMatch(/a token that was ended before, and the cluster acc/);
  expect(result?.unconfirmed.join()).toContain('restart the router');
});

test.each([
  [503, /give the same order again when the data plane answers/],
  [403, /give the same order again when the cluster accepts another string/],
])(
  'where the data plane answers everybody %i, a repeated order names no router, and what it names proves all',
  async (status, advice) => {
    const { opened, deployed } = await openOutlived();
    opened.intercept((call, effect) =>
      call.server === 'data-plane'
        ? Promise.resolve({ status, body: '' })
        : passThrough(call, effect),
    );
    await deployed.revoke({ ...order, way: 'delete' });
    const { result } = await deployed.revoke({ ...order, way: 'delete' });
    const said = result?.unconfirmed.join() ?? '';
    expect(said).toMatch(/has the string of a token that was ended before/);
    expect(said).not.toContain('router');
    expect(said).toMatch(advice);
    opened.intercept();
    const again = await deployed.revoke({ ...order, way: 'delete' });
    expect(again.result).toMatchObject({ confirmed: true, unconfirmed: [] });
  },
);

test('a successor that was not accepted in time is asked again by every repetition', async () => {
  const { activationDelayMs } = world.cluster;
  onTestFinished(() => {
    world.cluster.activationDelayMs = activationDelayMs;
  });
  world.cluster.activationDelayMs = 20 * MINUTE;
  const first = await world.revoke({ ...order, immediately: true });
  expect(first.result).toMatchObject({ done: true, confirmed: false });
  await world.wait(MINUTE);
  const early = await world.revoke({ ...order, immediately: true });
  expect(early.result?.confirmed).toBe(false);
  await world.wait(25 * MINUTE);
  const { result } = await world.revoke({ ...order, immediately: true });
  expect(result).toMatchObject({ done: true, confirmed: true });
  expect(world.accepts(world.string(TELEGRAF))).toBe(true);
});

test('a repeated order proves what was reaped lately, and leaves out what had expired before it', async () => {
  const { tokenId: expired } = await supersede();
  await world.wait(100 * DAY);
  await world.rotate();
  const { tokenId: reaped } = await supersede();
  for (let day = 0; day < 12; day += 1) {
    await world.wait(DAY);
    await world.reap();
  }
  expect(world.tokens(TELEGRAF).map(({ id }) => id)).toEqual([currentId()]);
  const ended = currentId();
  world.cluster.manners = { hidesRevoked: true };
  const first = await world.revoke({ ...order, way: 'delete' });
  expect(first.result?.tokens.map(({ tokenId }) => tokenId)).toEqual([ended]);
  const { result } = await world.revoke({ ...order, way: 'delete' });
  expect(result).toMatchObject({ done: true, confirmed: true });
  const ids = result?.tokens.map(({ tokenId }) => tokenId);
  expect(ids).toEqual(expect.arrayContaining([ended, reaped]));
  expect(ids).not.toContain(expired);
});

test('a repeated order whose earlier versions cannot be listed is not confirmed', async () => {
  await supersede();
  world.cluster.manners = { hidesRevoked: true };
  await world.revoke({ ...order, way: 'delete' });
  let refused = false;
  world.intercept((call, effect) => {
    if (call.operation !== 'ListSecretVersionIds' || refused) return passThrough(call, effect);
    refused = true; // only once: what is read later does not mend it
    return Promise.resolve({ status: 400, body: '{"__type":"AccessDeniedException"}' });
  });
  const { result } = await world.revoke({ ...order, way: 'delete' });
  expect(refused).toBe(true);
  expect(result).toMatchObject({ done: true, confirmed: false });
  expect(result?.unconfirmed.join()).toContain('is not proven anew, and may work');
});

test('nothing is announced of what an order only proves, and its plan names the secrets where that is all', async () => {
  const opened = await openForTest();
  const frozen = opened.holders('keyturn/prod/agent').AWSCURRENT;
  const deployed = opened.deploy(policyOf({ permissions: { read: ['logs'] } }));
  const metrics = { database: 'metrics', way: 'freeze', reason: 'leaked' };
  await opened.deploy(policyOf(writing)).revoke(metrics);
  const [{ length }, string] = [opened.events('Token Revoked'), opened.string(TELEGRAF)];
  expect(length).toBe(3);
  // Nobody can tell any more that this one could use the database.
  await opened.people.changeToken(opened.holders(TELEGRAF).AWSCURRENT, {
    description: opened.tokens(TELEGRAF)[0]?.text ?? '',
  });
  const planned = await deployed.revoke({ ...metrics, dryRun: true });
  expect(planned.result?.plan).toMatchObject({
    actions: [],
    secrets: expect.not.arrayContaining([TELEGRAF]),
  });
  expect(planned.result?.plan.warnings).toContain(
    `${TELEGRAF}: nothing is done there; what was ended there before is proven anew`,
  );
  const { result } = await deployed.revoke(metrics);
  expect(result?.tokens.map(({ tokenId }) => tokenId)).toContain(frozen);
  expect(opened.accepts(string)).toBe(false);
  expect(opened.events('Token Revoked')).toHaveLength(length);
});

test('an order that leaves a token frozen, as a person froze it, does not announce that', async () => {
  const tokenId = currentId();
  await world.rotate(force);
  await world.revoke({ tokenId, way: 'freeze', reason: 'to look at' });
  const { length } = world.events('Token Revoked');
  const { result } = await world.revoke(order);
  expect(result?.tokens).toContainEqual(expect.objectContaining({ tokenId, result: 'frozen' }));
  const since = world.events('Token Revoked').slice(length);
  expect(since.map(({ detail }) => (detail as { tokenId: string }).tokenId)).not.toContain(tokenId);
  expect(since).toHaveLength(1);
  await world.revoke({ tokenId, way: 'freeze', reason: 'to look at' });
  expect(world.events('Token Revoked')).toHaveLength(length + 1);
});

/** A world of two tokens that may only write, or only read, one of which was superseded, on a cluster that hides what was ended. */
async function openAlike(action: 'write' | 'read', more = {}) {
  const entry = { permissions: { [action]: ['metrics'] } };
  const opened = await openWorld(
    { owner: 'prod', databases, tokens: { telegraf: entry, agent: entry, ...more } },
    { databases: ['metrics', 'logs'], activationDelayMs: 20_000, revocationDelayMs: 20_000 },
  );
  onTestFinished(() => opened.close());
  await opened.rotate();
  await opened.wait(2 * HOUR);
  const string = opened.string(TELEGRAF);
  await opened.rotate(force);
  await opened.wait(2 * HOUR);
  opened.cluster.manners = { hidesRevoked: true };
  return { opened, string };
}

/** A proxy that lets nobody write, or nobody read. */
const refusing =
  (action: 'write' | 'read'): Interceptor =>
  (call, effect) =>
    call.server === 'data-plane' && call.operation.includes(action === 'read' ? 'query' : 'write')
      ? Promise.resolve({ status: 401, body: '' })
      : passThrough(call, effect);

test.each([
  ['write', 'replace'],
  ['write', 'delete'],
  ['read', 'replace'],
] as const)(
  'where no token of the deployment may do anything but %s, a repeated %s is confirmed by that, also a month later',
  async (action, way) => {
    const { opened, string } = await openAlike(action);
    const given = { ...order, way };
    expect((await opened.revoke(given)).result).toMatchObject({ confirmed: true });
    for (const ms of [MINUTE, 30 * DAY]) {
      await opened.wait(ms);
      const { result } = await opened.revoke(given);
      expect(result).toMatchObject({ done: true, confirmed: true, unconfirmed: [] });
    }
    expect(opened.accepts(string, action)).toBe(false);
    opened.intercept(refusing(action));
    const { result } = await opened.revoke({ ...given, way: 'delete' });
    expect(result).toMatchObject({ done: true, confirmed: false });
    opened.intercept(stuckFor(string));
    const accepted = await opened.revoke({ ...given, way: 'delete' });
    expect(accepted.result).toMatchObject({ done: true, confirmed: false });
  },
);

test('where an entry may read whose token is frozen, a repeated order that had to compare reads is not confirmed', async () => {
  const { opened } = await openAlike('write', { grafana: { permissions: { read: ['metrics'] } } });
  await opened.revoke({ token: 'grafana', way: 'freeze', reason: 'odd reads' });
  await opened.revoke(order);
  const { result } = await opened.revoke(order);
  expect(result).toMatchObject({ done: true, confirmed: false });
  expect(JSON.stringify(result?.tokens)).toContain('no other string to compare that may read');
});

/** The same text again in the console, which gives the version an id of its own. */
async function saveAgain() {
  await world.people.saveValue(TELEGRAF, world.value(TELEGRAF));
  await world.wait(MINUTE);
  await world.rotate();
  return { deployed: world, secret: TELEGRAF };
}

test.each([
  ['an adopted', 'delete', 1],
  ['an adopted', 'replace', 1],
  ['an adopted', 'replace', 90],
  ['a saved', 'delete', 1],
  ['a saved', 'delete', 90],
  ['a saved', 'replace', 1],
])(
  'the same order by the string of %s token, %s, is proven %i minutes later where the cluster hides what it ended',
  async (what, way, minutes) => {
    const { deployed, secret } = await (what === 'a saved' ? saveAgain() : adopt(world));
    await world.wait(HOUR);
    const string = world.string(secret);
    world.cluster.manners = { hidesRevoked: true };
    const leaked = { fingerprint: fingerprintOf(string), way, reason: 'leaked' };
    const first = await deployed.revoke(leaked);
    expect(first.result).toMatchObject({ done: true, confirmed: true });
    await world.wait(minutes * MINUTE);
    world.intercept(stuckFor(string));
    const stuck = await deployed.revoke(leaked);
    world.intercept();
    expect(stuck.result).toMatchObject({ done: true, confirmed: false });
    const accepted = /the cluster (accepts it|still accepts its string)/;
    expect(JSON.stringify(stuck.result)).toMatch(accepted);
    const again = await deployed.revoke(leaked);
    expect(again.result).toMatchObject({ done: true, confirmed: true });
    expect(world.accepts(string)).toBe(false);
  },
);

test('the same order by the id of an adopted token, which is gone, is proven by the version that its marker names', async () => {
  const { deployed, id } = await adopt(world);
  await world.wait(HOUR);
  await deployed.rotate({ tokens: ['legacy'], force: true });
  await world.wait(HOUR);
  const byId = { tokenId: id, way: 'delete', reason: 'leaked' };
  await deployed.revoke(byId);
  const { result } = await deployed.revoke(byId);
  expect(result).toMatchObject({
    done: true,
    confirmed: true,
    tokens: [{ tokenId: id, result: 'gone', deadAfterSeconds: expect.any(Number) }],
  });
});
