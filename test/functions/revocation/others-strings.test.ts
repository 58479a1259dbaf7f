import { createHash } from 'node:crypto';
import { expect, onTestFinished, test } from 'vitest';
import { type Interceptor, passThrough } from '../../../sandbox/interception.ts';
import { HOUR, MINUTE, TELEGRAF } from '../../world/policy.ts';
import { GRAFANA, issuedForEachTest } from './issued.ts';

/** Strings that are not the secret's own: made by hand, or copied from another secret. */
const world = await issuedForEachTest();

const order = { token: 'telegraf', reason: 'leaked' };

test('an unknown string that works for another database is not confirmed', async () => {
  const byHand = await world.people.mint({
    description: 'billing',
    permissions: [{ action: 'write', resource: 'logs' }],
  });
  await world.wait(HOUR);
  await world.people.saveValue(TELEGRAF, byHand.accessToken);
  const { result } = await world.revoke({ ...order, way: 'delete' });
  expect(result).toMatchObject({ done: true, confirmed: false });
  expect(result?.unconfirmed).toEqual([
    expect.stringMatching(/nobody knows whose .* the cluster accepts it \(write logs\); to end it/),
  ]);
  expect(world.accepts(byHand.accessToken, 'write', 'logs')).toBe(true);
});

test('what ends an unknown string is its id, which way "whois" lists, and not an order by the string', async () => {
  const permissions = [{ action: 'write', resource: 'metrics' }] as const;
  const byHand = await world.people.mint({ description: 'billing', permissions });
  await world.wait(HOUR);
  await world.people.saveValue(TELEGRAF, byHand.accessToken);
  const { result } = await world.revoke({ ...order, way: 'delete' });
  const said = result?.unconfirmed.join() ?? '';
  expect(said).toMatch(/nobody knows whose .*name its token by its id; way "whois" lists/);
  expect(said).not.toContain('--leaked');
  const fingerprint = createHash('sha256').update(byHand.accessToken).digest('hex').slice(0, 16);
  const { result: listed } = await world.revoke({ way: 'whois', fingerprint });
  const [{ tokenId = '' } = {}, another] = listed?.plan.candidates ?? [];
  expect(another).toBeUndefined();
  await world.revoke({ tokenId, way: 'delete', reason: 'leaked' });
  await world.wait(MINUTE);
  expect(world.accepts(byHand.accessToken)).toBe(false);
});

test("a string that is another secret's token is not ended with this one, and the answer says whose it is", async () => {
  await world.people.saveValue(GRAFANA, world.string(TELEGRAF));
  await world.rotate();
  await world.wait(HOUR);
  const { result } = await world.revoke({ ...order, token: 'grafana', way: 'freeze' });
  expect(result).toMatchObject({ done: true, confirmed: false });
  const telegraf = world.holders(TELEGRAF).AWSCURRENT;
  expect(result?.unconfirmed).toEqual([
    expect.stringContaining(
      `has the string of ${telegraf}, a token of ${TELEGRAF} that this order does not end, and the cluster accepts it`,
    ),
  ]);
  expect(world.accepts(world.string(GRAFANA))).toBe(true);
});

test.each(['replace', 'freeze', 'delete'])(
  "to %s a secret that has a copy of another one under its version's id does not end that one's token",
  async (way) => {
    const version = world.labels(TELEGRAF).AWSCURRENT ?? '';
    await world.people.putVersion(GRAFANA, version, world.value(TELEGRAF), 'AWSCURRENT');
    await world.wait(2 * HOUR);
    await world.rotate();
    const { result } = await world.revoke({ ...order, token: 'grafana', way });
    expect(result).toMatchObject({ done: true, confirmed: false });
    expect(result?.unconfirmed).toEqual([
      expect.stringContaining(`a token of ${TELEGRAF} that this order does not end`),
    ]);
    expect(result?.plan.warnings.join()).not.toContain('our marker');
    await world.wait(MINUTE);
    expect(world.accepts(world.string(TELEGRAF))).toBe(true);
  },
);

test('a proxy that refuses writes alone is no proof of death, though another string may read', async () => {
  const string = world.string(TELEGRAF);
  const readers = world.deploy({
    owner: 'prod',
    databases: [{ name: 'metrics' }, { name: 'logs' }],
    tokens: {
      telegraf: { permissions: { write: ['metrics'] } },
      grafana: { permissions: { read: ['logs', 'metrics'] } },
    },
  });
  const noWrites: Interceptor = (call, effect) =>
    call.server === 'data-plane' && /write/.test(call.operation)
      ? Promise.resolve({ status: 403, body: '' })
      : passThrough(call, effect);
  world.intercept(noWrites);
  const { result } = await readers.revoke({ ...order, way: 'delete' });
  world.intercept();
  expect(result).toMatchObject({ done: true, confirmed: false });
  expect(result?.tokens[0]).not.toHaveProperty('deadAfterSeconds');
  await world.wait(MINUTE);
  expect(world.accepts(string)).toBe(false);
});

test('whoever reads the same string is named before and after an order that ends it', async () => {
  const alone = await world.revoke({ ...order, dryRun: true });
  await world.people.saveValue(GRAFANA, world.string(TELEGRAF));
  const { result: shown } = await world.revoke({ ...order, dryRun: true });
  const said = [expect.stringContaining(`${GRAFANA} (AWSCURRENT) has the string of`)];
  expect(shown?.plan.withoutToken).toEqual(said);
  expect(shown?.plan.warnings).toEqual(expect.arrayContaining(said));
  expect(shown?.plan.hash).not.toBe(alone.result?.plan.hash);
  const { result } = await world.revoke(order);
  expect(result?.plan.withoutToken).toEqual(said);
  expect(world.accepts(world.string(GRAFANA))).toBe(false);
  await world.rotate({ tokens: ['grafana'], force: true });
  expect(world.accepts(world.string(GRAFANA), 'write', 'logs')).toBe(true);
});

test('whoever ends a token made by hand is told whose consumers may have its string', async () => {
  const byHand = await world.people.mint({
    description: 'by hand',
    permissions: [{ action: 'write', resource: 'metrics' }],
  });
  await world.wait(HOUR);
  await world.people.saveValue(TELEGRAF, byHand.accessToken);
  const fingerprint = createHash('sha256').update(byHand.accessToken).digest('hex').slice(0, 16);
  const leaked = await world.revoke({ way: 'whois', fingerprint });
  expect(leaked.result?.plan.warnings.join()).toContain(
    `${TELEGRAF} (AWSCURRENT), and nobody knows whose it is: replace it there first`,
  );
  const byId = { tokenId: byHand.id, reason: 'leaked' };
  const said = [
    expect.stringMatching(
      `if it is that of ${byHand.id}, its consumers have no token that works: replace it there first, with "secret": "${TELEGRAF}"`,
    ),
  ];
  expect((await world.revoke({ ...byId, dryRun: true })).result?.plan.withoutToken).toEqual(said);

  await world.revoke(order);
  await world.wait(MINUTE);
  expect(world.accepts(world.string(TELEGRAF))).toBe(true);
  const { result } = await world.revoke(byId);
  expect(result?.plan.withoutToken).toEqual([]);
  await world.wait(MINUTE);
  expect(world.accepts(byHand.accessToken)).toBe(false);
  expect(world.accepts(world.string(TELEGRAF))).toBe(true);
});

test('an order for everything names who else can do the same, and is not confirmed', async () => {
  const { id } = await world.people.mint({
    description: 'somebody',
    permissions: [{ action: 'write', resource: '*' }],
  });
  await world.people.mint({
    description: 'elsewhere',
    permissions: [{ action: 'read', resource: 'weather' }],
  });
  const { result } = await world.revoke({ all: true, confirm: '127.0.0.1', reason: 'laptop' });
  expect(result).toMatchObject({ done: true, confirmed: false });
  expect(result?.unconfirmed).toEqual([
    `${id} is not of these secrets and can use the same (write *); to revoke it, name it by its id`,
  ]);
});

const write = [{ action: 'write', resource: 'metrics' }] as const;
const slowly = () => {
  const { revocationDelayMs } = world.cluster;
  onTestFinished(() => {
    world.cluster.revocationDelayMs = revocationDelayMs;
  });
  world.cluster.revocationDelayMs = 30 * MINUTE;
};

test('freezing a token without our marker again does not confirm while the cluster accepts its string', async () => {
  const string = world.string(TELEGRAF);
  await world.people.changeToken(world.holders(TELEGRAF).AWSCURRENT, { description: 'mine' });
  await world.wait(MINUTE);
  slowly();
  const freeze = { ...order, way: 'freeze', noUndo: true };
  const row = { result: 'frozen', unconfirmed: 'the cluster still accepts its string' };
  for (let time = 0; time < 2; time += 1) {
    const { result } = await world.revoke(freeze);
    expect(result).toMatchObject({ done: true, confirmed: false, tokens: [row] });
  }
  expect(world.accepts(string)).toBe(true);
  await world.wait(HOUR);
  const { result } = await world.revoke(freeze);
  expect(result).toMatchObject({ confirmed: true, tokens: [{ result: 'frozen' }] });
  expect(result?.tokens[0]).toHaveProperty('deadAfterSeconds');
  expect(world.accepts(string)).toBe(false);
});

test.each(['freeze', 'delete', 'replace'])(
  'to %s a token whose permissions a person took a moment ago proves nothing by itself',
  async (way) => {
    const byHand = await world.people.mint({ description: 'by hand', permissions: write });
    await world.wait(HOUR);
    slowly();
    await world.people.changeToken(byHand.id, { permissions: [] });
    const byId = { tokenId: byHand.id, reason: 'leaked', way, noUndo: way === 'freeze' };
    const { result } = await world.revoke(byId);
    expect(result).toMatchObject({ done: true, confirmed: false });
    expect(result?.tokens[0]?.unconfirmed).toContain('no secret of ours is known to have its');
    expect(world.accepts(byHand.accessToken)).toBe(true);
  },
);

test('what nobody knows the permissions of is proven dead for whatever it might do', async () => {
  const string = world.string(TELEGRAF);
  const { AWSCURRENT: tokenId } = world.holders(TELEGRAF);
  await world.people.changeToken(tokenId, { permissions: [{ action: 'read', resource: 'logs' }] });
  await world.wait(HOUR);
  slowly();
  await world.people.changeToken(tokenId, { permissions: [] });
  const { result: early } = await world.revoke({ ...order, way: 'freeze' });
  expect(early).toMatchObject({
    confirmed: false,
    tokens: [{ unconfirmed: 'the cluster still accepts its string' }],
  });
  expect(world.accepts(string, 'read', 'logs')).toBe(true);
  await world.wait(HOUR);
  const { result } = await world.revoke({ ...order, way: 'freeze' });
  expect(result).toMatchObject({ confirmed: true });
  expect(result?.tokens[0]).toHaveProperty('deadAfterSeconds');
});

test('a token that was minted and never armed keeps no order open', async () => {
  const { home } = world.tokens(TELEGRAF)[0]?.marker ?? {};
  await world.people.mint({
    description: `[keyturn:1 owner=prod secret=${TELEGRAF} home=${home}]`,
    permissions: [],
  });
  const { result } = await world.revoke({ ...order, way: 'freeze' });
  expect(result).toMatchObject({ confirmed: true });
  expect(result?.tokens).toHaveLength(2);
});

test.each(['delete', 'replace'])(
  'to %s leaves AWSPREVIOUS on a string that nobody knows: without a label Secrets Manager drops it, and nobody can end it',
  async (way) => {
    const permissions = [{ action: 'write', resource: 'metrics' }] as const;
    const byHand = await world.people.mint({ description: 'billing', permissions });
    const ours = world.value(TELEGRAF);
    await world.people.saveValue(TELEGRAF, byHand.accessToken);
    const unknown = world.labels(TELEGRAF).AWSCURRENT;
    if (way === 'delete') await world.people.saveValue(TELEGRAF, ours);
    await world.wait(HOUR);
    for (let time = 0; time < 2; time += 1) {
      const { result } = await world.revoke({ ...order, way });
      expect(result).toMatchObject({ done: true, confirmed: false });
      expect(result?.unconfirmed.join()).toContain(`version ${unknown} (AWSPREVIOUS)`);
      expect(world.labels(TELEGRAF).AWSPREVIOUS).toBe(unknown);
    }
  },
);

test.each(['token', 'tokenId'])(
  'consumers of another secret that has the string of a token without a marker are told of, ended by its %s',
  async (kind) => {
    const { AWSCURRENT: tokenId = '' } = world.holders(TELEGRAF);
    await world.people.saveValue(GRAFANA, world.value(TELEGRAF));
    await world.wait(HOUR);
    await world.rotate();
    await world.people.changeToken(tokenId, { description: 'hall 1' });
    const selector = kind === 'token' ? { token: 'telegraf' } : { tokenId };
    const { result } = await world.revoke({ ...selector, way: 'replace', reason: 'leaked' });
    expect(world.accepts(world.string(GRAFANA))).toBe(false);
    expect(result?.plan.withoutToken).toEqual([
      expect.stringContaining(
        `if it is that of ${tokenId}, its consumers have no token that works`,
      ),
    ]);
  },
);
