import { createHash } from 'node:crypto';
import { expect, test } from 'vitest';
import { TELEGRAF } from '../../world/policy.ts';
import { GRAFANA, issuedForEachTest } from './issued.ts';

const world = await issuedForEachTest();

const freeze = { way: 'freeze', reason: 'found in a log' };
const idOf = (secret: string) => world.holders(secret).AWSCURRENT ?? '';
const fingerprint = (string: string) =>
  createHash('sha256').update(string).digest('hex').slice(0, 16);
const foreignToken = (description: string) =>
  world.people.mint({ description, permissions: [{ action: 'read', resource: '*' }] });

const selections: readonly [string, () => object, readonly string[]][] = [
  ['the name of a token', () => ({ token: 'telegraf' }), [TELEGRAF]],
  ['the id of a token', () => ({ tokenId: idOf(TELEGRAF) }), [TELEGRAF]],
  ['the name of a secret', () => ({ secret: TELEGRAF }), [TELEGRAF]],
  ['the ARN of a secret', () => ({ secret: world.aws.state.secrets[TELEGRAF]?.arn }), [TELEGRAF]],
  [
    'the fingerprint of a leaked string',
    () => ({ fingerprint: fingerprint(world.string(TELEGRAF)) }),
    [TELEGRAF],
  ],
  ['a database that one may use', () => ({ database: 'logs' }), [GRAFANA]],
  ['a database that both may use', () => ({ database: 'metrics' }), [GRAFANA, TELEGRAF]],
  [
    'all, with the name of the cluster',
    () => ({ all: true, confirm: '127.0.0.1' }),
    [GRAFANA, TELEGRAF],
  ],
];

test.each(selections)('reaches its tokens by %s', async (_what, selector, secrets) => {
  const { result: report } = await world.revoke({ ...freeze, ...selector() });
  // Without another string that is accepted for the same, a refusal shows nothing; telegraf may not read.
  const confirmed = secrets.join() === TELEGRAF;
  expect(report).toMatchObject({ done: true, confirmed, plan: { secrets } });
  const dead = [GRAFANA, TELEGRAF].filter((secret) => world.hold(secret) === 'frozen');
  expect(dead).toEqual(secrets);
  for (const secret of [GRAFANA, TELEGRAF]) {
    const [token] = world.tokens(secret);
    expect(token?.permissions.length === 0).toBe(secrets.includes(secret));
  }
});

const refusals: readonly [string, object, string][] = [
  ['all without a confirmation', { all: true }, 'all requires "confirm": "127.0.0.1"'],
  ['another cluster', { all: true, confirm: 'prod.example.com' }, 'all requires "confirm"'],
  ['two selectors', { token: 'telegraf', all: true }, 'exactly one of token, tokenId'],
  ['an unknown key', { token: 'telegraf', colour: 'red' }, 'unknown key colour'],
  ['an unknown name', { token: 'telegraph' }, 'has a token telegraph'],
  ['an unknown secret', { secret: 'elsewhere' }, 'this deployment has no secret elsewhere'],
  ['an unknown fingerprint', { fingerprint: '0123456789abcdef' }, 'no marker has'],
  ['no reason', { token: 'telegraf', reason: undefined }, 'a reason is required'],
];

test.each(refusals)('refuses %s, and does nothing', async (_what, selector, message) => {
  const before = world.tokens();
  const { error } = await world.revoke({ ...freeze, ...selector });
  expect(error?.errorMessage).toContain(message);
  expect(world.tokens()).toEqual(before);
});

test('reaches the token of a string whose marker was edited, and neither of two that have a copy of it', async () => {
  const [token] = world.tokens(TELEGRAF);
  const { description = '' } = world.cluster.state.tokens.find(({ id }) => id === token?.id) ?? {};
  const selector = { fingerprint: fingerprint(world.string(TELEGRAF)) };
  const copies = [await foreignToken(description), await foreignToken(description)];
  await world.people.changeToken(token?.id ?? '', { description: 'whose is this?' });
  await world.revoke({ ...freeze, ...selector, way: 'delete' });
  const live = world.tokens().map(({ id }) => id);
  expect(live).toEqual(expect.arrayContaining(copies.map(({ id }) => id)));
  expect(live).not.toContain(token?.id);
});

test('refuses a fingerprint that the markers of two tokens bear, neither of which names any, and names both', async () => {
  const selector = { fingerprint: '0123456789abcdef' };
  const description = '[keyturn:1 owner=prod secret=a/b home=00000000 fp=0123456789abcdef]';
  const both = [await foreignToken(description), await foreignToken(description)];
  const { error } = await world.revoke({ ...freeze, ...selector });
  for (const { id } of both) expect(error?.errorMessage).toContain(id);
});

test('reaches the token of somebody else by its id alone, and cannot see it dead', async () => {
  const { id, accessToken } = await foreignToken('a dashboard');
  const many = await world.revoke({ ...freeze, way: 'delete', database: 'logs' });
  expect(many.result?.plan.warnings).toEqual([
    `${id} is not of these secrets and can use logs (read *); to revoke it, name it by its id`,
  ]);
  expect(many.result).toMatchObject({ done: true, confirmed: false });
  expect(many.result?.unconfirmed).toEqual(many.result?.plan.warnings);
  expect(world.tokens().map((token) => token.id)).toContain(id);

  const kept = await world.revoke({ ...freeze, tokenId: id });
  expect(kept.error?.errorMessage).toContain('"noUndo": true');
  const { result: report } = await world.revoke({ way: 'delete', reason: 'leaked', tokenId: id });
  expect(report?.tokens).toEqual([
    {
      tokenId: id,
      result: 'deleted',
      unconfirmed: 'no secret of ours is known to have its string',
    },
  ]);
  expect(report?.confirmed).toBe(false);
  await world.wait(60_000);
  expect(world.accepts(accessToken)).toBe(false);
  const again = await world.revoke({ way: 'delete', reason: 'leaked', tokenId: id });
  expect(again.result).toMatchObject({
    confirmed: false,
    tokens: [{ tokenId: id, result: 'gone' }],
  });
});

/** Gives a token that somebody minted an id that begins like another one's. */
function renameLike(id: string, model: string): string {
  const renamed = `${model.slice(0, 8)}${id.slice(8)}`;
  const { tokens } = world.cluster.state;
  const index = tokens.findIndex((token) => token.id === id);
  tokens.splice(index, 1, { ...tokens[index], id: renamed } as (typeof tokens)[number]);
  return renamed;
}

test.each(['freeze', 'delete', 'replace'])(
  'to %s the only token whose id begins so is the order for its whole id',
  async (way) => {
    const id = idOf(TELEGRAF);
    const string = world.string(TELEGRAF);
    const dead = await foreignToken('dead');
    await world.people.deleteToken(renameLike(dead.id, id));
    const order = { tokenId: id.slice(0, 8).toUpperCase(), way, reason: 'leaked' };
    const { result } = await world.revoke(order);
    expect(result).toMatchObject({ confirmed: true, plan: { secrets: [TELEGRAF] } });
    expect(world.accepts(string)).toBe(false);
    const successor = idOf(TELEGRAF);
    const again = await world.revoke({ ...order, tokenId: id });
    expect(again.result).toMatchObject({ confirmed: true });
    expect(idOf(TELEGRAF)).toBe(successor);
  },
);

test('of several live tokens whose ids begin so, none is taken, and all are named', async () => {
  const id = idOf(TELEGRAF);
  const other = renameLike((await foreignToken('a dashboard')).id, id);
  const before = world.tokens();
  for (const way of ['delete', 'whois']) {
    const { error } = await world.revoke({ way, reason: 'leaked', tokenId: id.slice(0, 8) });
    expect(error?.errorType).toBe('SelectionError');
    for (const each of [id, other]) expect(error?.errorMessage).toContain(each);
  }
  expect(world.tokens()).toEqual(before);
  const { result } = await world.revoke({ way: 'whois', tokenId: id.slice(0, 30) });
  expect(result?.plan.tokens).toMatchObject([{ tokenId: id }]);
});

test.each([
  ['that no token has', 'ffffffff', 'no listed token has an id that begins with ffffffff'],
  ['of less than eight characters', 'ffff', 'at least 8'],
])(
  'the beginning of an id %s is not taken for a token that was deleted',
  async (_what, tokenId, said) => {
    const before = world.tokens();
    for (const way of ['delete', 'whois']) {
      const { error } = await world.revoke({ way, reason: 'leaked', tokenId });
      expect(error?.errorType).toBe('SelectionError');
      expect(error?.errorMessage).toContain(said);
      expect(error?.errorMessage).not.toContain('deleted');
      expect(error?.errorMessage).toContain('whole id');
    }
    expect(world.tokens()).toEqual(before);
  },
);

test('kills a superseded token by itself, and takes the label off that would bring it back', async () => {
  const [old, string] = [idOf(TELEGRAF), world.string(TELEGRAF)];
  await world.rotate({ tokens: ['telegraf'], force: true });
  const current = idOf(TELEGRAF);
  expect(world.holders(TELEGRAF).AWSPREVIOUS).toBe(old);
  const { result: report } = await world.revoke({ tokenId: old, reason: 'leaked' });
  expect(report).toMatchObject({
    confirmed: true,
    tokens: [{ tokenId: old, result: 'deleted', replacedBy: current }],
  });
  expect(world.holders(TELEGRAF)).toEqual({ AWSCURRENT: current, AWSPENDING: current });
  expect(world.tokens(TELEGRAF).map(({ id }) => id)).toEqual([current]);
  expect(world.accepts(string)).toBe(false);
});

test('tells whose a leaked string is, and does nothing', async () => {
  const before = world.tokens();
  const { result: report } = await world.revoke({
    way: 'whois',
    fingerprint: fingerprint(world.string(GRAFANA)),
  });
  expect(report?.plan.tokens).toMatchObject([
    { tokenId: idOf(GRAFANA), token: 'grafana', secret: GRAFANA, owned: true, state: 'current' },
  ]);
  expect(world.tokens()).toEqual(before);
});

test('holds no token string in its report, log and events', async () => {
  const strings = [world.string(TELEGRAF), world.cluster.managementToken];
  const { result: report } = await world.revoke({ token: 'telegraf', reason: 'leaked' });
  strings.push(world.string(TELEGRAF));
  const said = JSON.stringify([report, world.lines(), world.events()]);
  for (const string of strings) expect(said).not.toContain(string);
});

test.each(['freeze', 'delete'])(
  'a token that the listing lacks is asked for by the id that a person names: %s',
  async (way) => {
    const { id, accessToken } = await foreignToken('by hand');
    await world.wait(7_200_000);
    world.cluster.manners = { longestListing: 1 };
    const { error, result } = await world.revoke({
      way,
      reason: 'leaked',
      noUndo: way === 'freeze',
      tokenId: id,
    });
    expect(error).toBeUndefined();
    expect(result?.confirmed).toBe(false);
    await world.wait(60_000);
    expect(world.accepts(accessToken)).toBe(false);
  },
);

test('the same order by the beginning of an id goes on where the cluster shows what it ended no more', async () => {
  const [id, string] = [idOf(TELEGRAF), world.string(TELEGRAF)];
  world.cluster.manners = { hidesRevoked: true };
  const order = { way: 'delete', reason: 'leaked', tokenId: id.slice(0, 8) };
  const first = await world.revoke(order);
  expect(first.error).toBeUndefined();
  const again = await world.revoke(order);
  expect(again.error).toBeUndefined();
  expect(again.result?.tokens).toMatchObject([{ tokenId: id, result: 'gone' }]);
  expect(world.accepts(string)).toBe(false);
});

test('the ARN of a secret reaches no other one whose name is the beginning of its own', async () => {
  const arn = world.aws.state.secrets[TELEGRAF]?.arn ?? '';
  const other = arn.replace(TELEGRAF, `${TELEGRAF}-hall`);
  const string = world.string(TELEGRAF);
  await world.people.deleteSecret(TELEGRAF, 'for good');
  const { error } = await world.revoke({
    way: 'delete',
    reason: 'leaked',
    secret: other,
    withoutSecrets: true,
  });
  expect(error?.errorType).toBe('SelectionError');
  expect(world.accepts(string)).toBe(true);
});

test.each(['delete', 'replace'])(
  'what an order to %s ended by the beginning of an id, it proves by it where the cluster shows that no more',
  async (way) => {
    const [old, string] = [idOf(TELEGRAF), world.string(TELEGRAF)];
    await world.rotate({ tokens: ['telegraf'], force: true });
    await world.wait(7_200_000);
    const current = idOf(TELEGRAF);
    world.cluster.manners = { hidesRevoked: true };
    for (const id of [old, current]) {
      const order = { way, reason: 'leaked', tokenId: id.slice(0, 8) };
      expect((await world.revoke(order)).result).toMatchObject({ confirmed: true });
      const again = await world.revoke(order);
      expect(again.result).toMatchObject({ confirmed: true });
      expect(again.result?.tokens).toContainEqual(
        expect.objectContaining({ tokenId: id, result: 'gone' }),
      );
    }
    expect(world.accepts(string)).toBe(false);
    const tokenId = current.slice(0, 8);
    const { error } = await world.revoke({ tokenId, way: 'lift', reason: 'false alarm' });
    if (way === 'replace') expect(error?.errorMessage).toContain(`${current} is revoked`);
    else expect([error, world.hold(TELEGRAF)]).toEqual([undefined, undefined]);
  },
);
