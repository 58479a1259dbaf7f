import { expect, test } from 'vitest';
import type { ProviderManners } from '../../../sandbox/identity-provider/server.ts';
import type { Interceptor } from '../../../sandbox/interception.ts';
import { DAY, HOUR, MINUTE, policyWith, TELEGRAF, writer } from '../../world/policy.ts';
import { MANAGEMENT_SECRET } from '../../world/systems.ts';
import { oauthCluster, openOAuthWorld } from './open-oauth-world.ts';

const entries = { telegraf: writer };
const changes = (calls: Readonly<Record<string, number>>) =>
  Object.keys(calls).filter(
    (call) => !call.startsWith('GET ') && !call.startsWith('POST /databases'),
  );

test('rotates, reaps and revokes with tokens of an identity provider, and reads no management token', async () => {
  const world = await openOAuthWorld(policyWith(entries));
  expect(await world.rotate()).toMatchObject({ result: { outcomes: [{ result: 'done' }] } });
  const first = world.string(TELEGRAF);
  expect(world.accepts(first)).toBe(true);
  await world.wait(HOUR);
  expect(await world.reap()).toMatchObject({ result: { outcomes: [] } });
  expect(await world.enforce()).toHaveProperty('result');
  const { result } = await world.revoke({ token: 'telegraf', way: 'replace', reason: 'a leak' });
  expect(result).toMatchObject({ confirmed: true });
  expect(world.accepts(first)).toBe(false);
  expect(world.accepts(world.string(TELEGRAF))).toBe(true);
  expect(world.metrics().some((each) => 'Owner=prod ManagementTokenDays' in each)).toBe(false);
});

test('a run of a quarter of an hour goes on with tokens of five minutes, and the cluster refuses none', async () => {
  const names = ['a', 'b', 'c'];
  const tokens = Object.fromEntries(names.map((name) => [name, writer]));
  const world = await openOAuthWorld(policyWith(tokens, { activationTimeout: '13m' }));
  // Each waits as long again as its router took, so that the cluster is asked something every few minutes.
  world.watch(({ operation }, effect) => {
    if (operation === 'POST /tokens') world.cluster.activationDelayMs += 2 * MINUTE;
    return effect();
  });
  const from = world.clock.now();
  const { result } = await world.rotate();
  expect(result.outcomes.map((each: { result: string }) => each.result)).toEqual(
    names.map(() => 'done'),
  );
  const minutes = (world.clock.now() - from) / MINUTE;
  expect(minutes).toBeGreaterThan(10);
  expect(minutes).toBeLessThan(15);
  for (const name of names) expect(world.accepts(world.string(`keyturn/prod/${name}`))).toBe(true);
  expect(world.identityProvider.given.length).toBeGreaterThan(2);
  // At four fifths of five minutes, and so about every four, or when the next request comes.
  expect(world.identityProvider.given.length).toBeLessThanOrEqual(Math.ceil(minutes / 4));
  const refused = Object.keys(world.cluster.state.calls).filter((call) => call.endsWith(' 401'));
  // The data plane refuses new tokens until it knows them.
  expect(refused).toEqual(['POST /api/v2/write 401']);
});

test('a token is shared by all requests, and by the next runs for as long as it lives', async () => {
  const tokens = Object.fromEntries(Array.from({ length: 8 }, (_, at) => [`t${at}`, writer]));
  const world = await openOAuthWorld(policyWith(tokens));
  world.identityProvider.manners = { lifeMs: DAY };
  await world.rotate();
  await world.wait(30 * MINUTE);
  await world.rotate();
  expect(world.identityProvider.given).toHaveLength(1);
});

test('one that the cluster refuses before its end is renewed once, and nothing is lost', async () => {
  const world = await openOAuthWorld(policyWith(entries));
  const { identity } = world.cluster;
  let refusals = 0;
  world.intercept((call, effect) => {
    if (call.operation === 'POST /tokens' && refusals === 0) {
      refusals += 1;
      // As a cluster whose signing keys were turned over meanwhile.
      const body = JSON.stringify({ code: 401, message: 'unauthorized' });
      return Promise.resolve({ status: 401, body });
    }
    return Promise.resolve(effect());
  });
  expect(identity).toBeDefined();
  expect(await world.rotate()).toMatchObject({ result: { outcomes: [{ result: 'done' }] } });
  expect(refusals).toBe(1);
  expect(world.identityProvider.given).toHaveLength(2);
  expect(world.tokens()).toHaveLength(1);
  expect(world.accepts(world.string(TELEGRAF))).toBe(true);
});

const ofNobody = async (manners: ProviderManners = {}) => {
  const world = await openOAuthWorld(policyWith(entries));
  const { key = undefined } = world.cluster.identity ?? {};
  world.cluster.identity = key && { key, users: [] };
  world.identityProvider.manners = manners;
  return world;
};

test('a cluster that does not know the machine is asked twice, and the run says which id to list where', async () => {
  const world = await ofNobody();
  const { url, tokenUrl, subject, given } = world.identityProvider;
  const { error } = await world.rotate();
  expect(error?.errorMessage).toContain(
    `(the cluster refuses the token of the client keyturn from ${tokenUrl}: it is a JWT with sub ${subject}, no aud and iss ${url}; list its sub, ${subject}, among the users of the cluster`,
  );
  expect(given).toHaveLength(2);
  expect(changes(world.cluster.state.calls)).toEqual([]);
  for (const token of given) {
    const said = JSON.stringify([error, world.lines()]);
    for (const part of token.split('.')) expect(said).not.toContain(part);
  }
});

test('a token that is no JWT is said to be one that no cluster can check, and no user is to be listed', async () => {
  for (const manners of [{ isOpaque: true }, { isOpaque: true, lifeMs: HOUR }]) {
    const world = await ofNobody(manners);
    const { error } = await world.rotate();
    expect(error?.errorMessage).toContain(': it is no JWT, so no cluster can check it; ');
    expect(error?.errorMessage).toMatch(/cluster\.oauth\.audience .* or scope/);
    expect(error?.errorMessage).not.toContain('list its');
  }
});

const ailments: readonly (readonly [string, ProviderManners, RegExp])[] = [
  ['answers with a page', { ailment: 'page' }, / answered 503 to the client keyturn; the next run/],
  [
    'sends elsewhere',
    { ailment: 'redirect' },
    / answered 302 to the client keyturn, expected a tok/,
  ],
  ['breaks off', { ailment: 'garbage' }, / answered with something that is no JSON object/],
  ['says no type', { saysType: false }, / answered with no token_type beside its access_token/],
  ['repeats all that it got', { ailment: 'echo' }, /: a code that OAuth does not define \(400\)/],
  ['hangs up', { ailment: 'reset' }, / did not answer the client keyturn: UND_ERR_SOCKET; check /],
  [
    'says nothing',
    { ailment: 'silence' },
    / did not answer the client keyturn: TimeoutError; check /,
  ],
  ['gives what has expired', { lifeMs: 0 }, / answered with a token that has expired already/],
  [
    'takes the secret elsewhere',
    { takes: 'basic' },
    / refuses the client keyturn, whose secret is in influxdb\/management: invalid_client \(401\); put the client's present secret into influxdb\/management, or correct cluster\.oauth\.clientId; .*authMethod: basic/,
  ],
  [
    'refuses by a challenge',
    { takes: 'basic', refusesBy: 'challenge' },
    / answered 401 to the client keyturn, whose secret is in influxdb\/management: it refuses the client; put /,
  ],
];

test.each(ailments)(
  'where the provider %s, the run fails, says so, and changes nothing',
  async (_what, manners, said) => {
    const world = await openOAuthWorld(policyWith(entries));
    world.identityProvider.manners = manners;
    const from = world.clock.now();
    const { error } = await world.rotate();
    const host = new URL(world.identityProvider.url).host;
    expect(error?.errorMessage).toMatch(
      new RegExp(`there is no token for the Management API: the identity provider ${host}`),
    );
    expect(error?.errorMessage).toMatch(said);
    expect(world.clock.now() - from).toBeLessThan(MINUTE);
    expect(world.tokens()).toEqual([]);
    expect(changes(world.cluster.state.calls)).toEqual([]);
    // The next run needs nothing but a provider that is well.
    world.identityProvider.manners = {};
    expect(await world.rotate()).toMatchObject({ result: { outcomes: [{ result: 'done' }] } });
  },
);

const changed = (change: object): Interceptor => {
  return (_call, effect) => {
    const reply = effect();
    if (typeof reply === 'string' || reply.status !== 200) return Promise.resolve(reply);
    const body = JSON.stringify({ ...JSON.parse(`${reply.body}`), ...change });
    return Promise.resolve({ ...reply, body });
  };
};

test.each([
  [{ expires_in: 'soon' }, 'an expires_in that is no number of seconds'],
  [{ token_type: 'mac' }, 'a token of another type than Bearer'],
  [{ token_type: 3 }, 'no token_type beside its access_token'],
  [{ access_token: ['a'] }, 'no access_token'],
])('of an answer with %j it says what is wrong', async (change, said) => {
  const world = await openOAuthWorld(policyWith(entries));
  world.identityProvider.intercept = changed(change);
  const { error } = await world.rotate();
  expect(error?.errorMessage).toContain(` answered with ${said}, expected `);
});

test.each([
  { expires_in: null },
  { refresh_token: 7 },
  { scope: 3 },
  { id_token: 'x.y.z' },
  { token_type: 'BEARER' },
])('a token is taken though its answer has %j', async (change) => {
  const world = await openOAuthWorld(policyWith(entries));
  world.identityProvider.intercept = changed(change);
  expect(await world.rotate()).toMatchObject({ result: { outcomes: [{ result: 'done' }] } });
});

test('a provider that is down while a token still works stops no run', async () => {
  const world = await openOAuthWorld(policyWith(entries));
  await world.rotate();
  world.identityProvider.manners = { ailment: 'page' };
  await world.wait(4.5 * MINUTE);
  expect(await world.rotate()).toMatchObject({ result: { outcomes: [] } });
  expect(world.lines().join()).toContain('could not be renewed yet');
  await world.wait(MINUTE);
  expect(await world.rotate()).toMatchObject({
    error: { errorMessage: expect.stringMatching(/503/) },
  });
});

test('another secret of the client takes effect at once, and a wrong one ends the use of the old token', async () => {
  const world = await openOAuthWorld(policyWith(entries));
  world.identityProvider.manners = { lifeMs: DAY };
  await world.rotate();
  const { clientSecret } = world.identityProvider;
  await world.people.saveValue(MANAGEMENT_SECRET, 'wrong-4Hq7sLw2pX9bVn3mKd8R');
  expect(await world.rotate()).toMatchObject({
    error: {
      errorType: 'RefusedClientError',
      errorMessage: expect.stringMatching(/invalid_client/),
    },
  });
  // An order says what needs the cluster alone.
  const order = { way: 'freeze', token: Object.keys(entries)[0], reason: 'x' };
  expect(await world.revoke(order)).toMatchObject({
    error: {
      errorType: 'NotSeenError',
      errorMessage: expect.stringMatching(/invalid_client.*with a management token in hand/),
    },
  });
  await world.people.saveValue(MANAGEMENT_SECRET, JSON.stringify({ clientSecret }));
  expect(await world.rotate()).toMatchObject({ result: { outcomes: [] } });
});

test.each([
  ['in its header', { authMethod: 'basic' }, { takes: 'basic' }],
  ['in the body', { authMethod: 'post' }, { takes: 'post' }],
  [
    'with a scope, an audience and what else it wants',
    { scope: 'a b', audience: 'x', parameters: { resource: 'y' } },
    {},
  ],
  ['that says the life in quotes', {}, { saysLife: 'as text' }],
  ['that says no life', {}, { saysLife: false }],
] as const)('takes tokens of a provider that is asked %s', async (_how, client, manners) => {
  const world = await openOAuthWorld(policyWith(entries));
  world.identityProvider.manners = manners;
  const other = world.deploy(policyWith(entries, { cluster: oauthCluster(world, client) }));
  expect(await other.rotate()).toMatchObject({ result: { outcomes: [{ result: 'done' }] } });
  const [token = ''] = world.identityProvider.given;
  const claims = JSON.parse(Buffer.from(token.split('.')[1] ?? '', 'base64url').toString());
  if ('scope' in client) expect(claims).toMatchObject({ scope: 'a b', aud: 'x' });
});

test('where nobody says how long a token lives, its own end says so', async () => {
  const world = await openOAuthWorld(policyWith(entries));
  world.identityProvider.manners = { saysLife: false, lifeMs: HOUR };
  await world.rotate();
  await world.wait(40 * MINUTE);
  await world.rotate();
  expect(world.identityProvider.given).toHaveLength(1);
  await world.wait(10 * MINUTE);
  await world.rotate();
  expect(world.identityProvider.given).toHaveLength(2);
});
