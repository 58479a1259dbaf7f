import { expect, test } from 'vitest';
import { conclude } from '../../../functions/measurement/conclude.ts';
import type { Facts, Measured } from '../../../functions/measurement/facts.ts';
import {
  type Measurement,
  runMeasurement,
} from '../../../functions/measurement/run-measurement.ts';
import type { Range, Spread } from '../../../functions/measurement/samples.ts';
import { parsePolicy } from '../../../functions/policy/parse-policy.ts';
import type { Manners } from '../../../sandbox/cluster/manners.ts';
import { lagOf } from '../../../sandbox/cluster/routers.ts';
import type { StoredToken } from '../../../sandbox/cluster/state.ts';
import { readProfile } from '../../../sandbox/profile.ts';
import { writeTemporary } from '../../bin/cli.ts';
import { answering } from '../../world/faults.ts';
import { openWorldForTest } from '../../world/open-world.ts';
import { MINUTE, policyWith, writer } from '../../world/policy.ts';
import type { World } from '../../world/world.ts';

const POLICY = policyWith({ telegraf: writer });
const MEASURE = { measure: true };

async function measure(world: World): Promise<Measurement> {
  const { result, error } = await world.rotate(MEASURE);
  expect(error).toBeUndefined();
  return result;
}

const twinProfile = {
  keyturnProfile: 1,
  cluster: 'influxdb.example.com',
  measuredAt: '2026-03-02T12:00:00Z',
  activationDelayMs: 0,
  revocationDelayMs: 0,
  routers: { count: 1, spreadMs: 0 },
  manners: {},
};

const valueIn = <T>(found: Measured<T>): T => {
  if ('why' in found) throw new Error(found.why);
  return found.value;
};

const live = ({ cluster }: World) => ({
  tokens: cluster.state.tokens.filter(({ revokedAt }) => revokedAt === undefined),
  databases: cluster.state.databases
    .filter(({ deletedAt }) => deletedAt === undefined)
    .map(({ name }) => name),
});

/** When the first router knew of a change, and when the last one did: after the change, in milliseconds. */
function truthOf({ id }: StoredToken, effectiveAt: number, delayMs: number, world: World) {
  const { count, spreadMs } = world.cluster.routers;
  const lags = Array.from({ length: count }, (_, router) =>
    lagOf(router, id, effectiveAt, spreadMs),
  );
  return { first: delayMs + Math.min(...lags), all: delayMs + Math.max(...lags) };
}

const expectWithin = (range: Range | undefined, truth: number, what: string) => {
  expect(range, what).toBeDefined();
  expect(truth, what).toBeGreaterThanOrEqual(range?.from ?? Number.NaN);
  expect(truth, what).toBeLessThanOrEqual(range?.to ?? Number.NaN);
};

/** Everything that the sandbox knows of the changes, against what was measured of them. */
function expectTruth(facts: Facts, world: World): void {
  const { activationDelayMs, revocationDelayMs, state } = world.cluster;
  const granted = (...actions: readonly string[]) =>
    state.tokens.find(
      ({ grants, description }) =>
        !/ \d$/.test(description) && grants.map(({ action }) => action).join() === actions.join(),
    ) as StoredToken;
  const whole = state.tokens.find(({ permissions }) => permissions.length === 2) as StoredToken;
  const changed = granted('write', 'read');
  const taken = changed.grants.find(({ action }) => action === 'write');
  const given = changed.grants.find(({ action }) => action === 'read');
  const activations = [whole, changed].map((token) =>
    truthOf(token, token.knownFrom, activationDelayMs, world),
  );
  const check = (what: string, found: Measured<Spread>, truth: { first: number; all: number }) => {
    const { first, all } = valueIn(found);
    expectWithin(first, truth.first, `${what}, first`);
    expectWithin(all, truth.all, `${what}, all`);
  };
  check('activation', facts.activation, {
    first: Math.min(...activations.map(({ first }) => first)),
    all: Math.max(...activations.map(({ all }) => all)),
  });
  check(
    'given',
    facts.permissionAdded,
    truthOf(changed, given?.from ?? 0, activationDelayMs, world),
  );
  check(
    'taken',
    facts.permissionRemoved,
    truthOf(changed, taken?.until ?? 0, revocationDelayMs, world),
  );
  check(
    'deleted',
    facts.revocation,
    truthOf(whole, whole.knownUntil ?? 0, revocationDelayMs, world),
  );
}

interface Setting {
  readonly what: string;
  readonly activation?: number;
  readonly revocation?: number;
  readonly routers?: readonly [count: number, spread: number];
  readonly manners?: Manners;
  readonly found?: object;
}

const SETTINGS: readonly Setting[] = [
  { what: 'all at once' },
  { what: 'less than a second', activation: 700, revocation: 0 },
  { what: 'one router, seconds', activation: 3_000, revocation: 12_000 },
  { what: 'twelve, a minute', activation: 30_000, revocation: 20_000, routers: [12, 60_000] },
  { what: 'three, slow to refuse', activation: 0, revocation: 90_000, routers: [3, 10_000] },
  { what: 'five, slow to accept', activation: 120_000, revocation: 5_000, routers: [5, 30_000] },
  { what: 'twelve, three minutes', activation: 5_000, revocation: 5_000, routers: [12, 180_000] },
  {
    what: 'lists that hide, half a PATCH',
    manners: { hidesRevoked: true, hidesExpired: true, patchesOnly: 'permissions' },
    found: {
      revoked: { value: { listed: 'hidden', byId: 'hidden' } },
      expired: { value: { listed: 'hidden', byId: 'hidden' } },
      patch: { value: 'permissions' },
    },
  },
  {
    what: 'a list that hides, the other half, a DELETE like the first',
    activation: 2_000,
    manners: { hidesExpired: 'from listings', patchesOnly: 'description', deletesTwice: true },
    found: {
      revoked: { value: { listed: 'dead', byId: 'dead' } },
      expired: { value: { listed: 'hidden', byId: 'dead' } },
      patch: { value: 'description' },
      secondDelete: { value: 204 },
    },
  },
  {
    what: 'a limit, an ingress, other statuses',
    manners: {
      longestDescription: 777,
      refusesSlash: true,
      refusals: { unknown: { read: 403, write: 403 }, forbidden: { read: 403, write: 401 } },
    },
    found: {
      description: { value: { longest: 777, isLimit: true } },
      slash: { value: 'refused' },
      unknownString: { value: { read: [403], write: [403] } },
      withoutPermission: { value: { read: [403], write: [401] } },
      revokedString: { value: { read: [403], write: [403] } },
    },
  },
  {
    what: 'the longer prefix, late reads',
    manners: { serves: '/api/v0/accounts', lagMs: 20_000 },
    found: { patch: { value: 'both' }, revoked: { value: { listed: 'dead', byId: 'dead' } } },
  },
  {
    what: 'a listing that is cut',
    manners: { longestListing: 2 },
    found: { listing: { value: { listed: 2, missing: 3 } } },
  },
];

const AS_BY_DEFAULT = {
  revoked: { value: { listed: 'dead', byId: 'dead' } },
  expired: { value: { listed: 'dead', byId: 'dead' } },
  secondDelete: { value: 404 },
  patch: { value: 'both' },
  slash: { value: 'passes' },
  description: { value: { longest: 8_192, isLimit: false } },
  unknownString: { value: { read: [401], write: [401] } },
  withoutPermission: { value: { read: [401], write: [403] } },
  revokedString: { value: { read: [401], write: [401] } },
};

test.each(SETTINGS)(
  'finds what the sandbox was set to, and leaves nothing: $what',
  async (setting) => {
    const { activation = 0, revocation = 0, routers = [1, 0], manners = {}, found = {} } = setting;
    const world = await openWorldForTest(POLICY, {
      activationDelayMs: activation,
      revocationDelayMs: revocation,
      routers: { count: routers[0], spreadMs: routers[1] },
    });
    world.cluster.manners = manners;
    const before = live(world);
    const began = world.clock.now();
    const { facts, left } = await measure(world);
    expect(world.clock.now() - began).toBeLessThanOrEqual(10 * MINUTE);
    expectTruth(facts, world);
    expectWithin(valueIn(facts.reads), manners.lagMs ?? 0, 'reads');
    const usual = manners.longestListing === undefined ? AS_BY_DEFAULT : {};
    expect(facts).toMatchObject({ ...usual, ...found });
    expect(left).toEqual([]);
    expect(live(world)).toEqual(before);
    expect(world.metrics()).toEqual([]);
  },
);

test('a cluster that is slower than the measurement is not called measured, and the policy is to wait longer', async () => {
  const world = await openWorldForTest(POLICY, {
    activationDelayMs: 60_000,
    routers: { count: 12, spreadMs: 600_000 },
  });
  const before = live(world);
  const { facts, findings, recommended } = await measure(world);
  expect(valueIn(facts.activation).all).toBeUndefined();
  expect(facts.revocation).toEqual({ why: expect.stringContaining('in time') });
  const states = Object.fromEntries(findings.map(({ check, state }) => [check, state]));
  expect(states).toMatchObject({
    'a new token': 'warn',
    'a token that is deleted': 'unknown',
    settle: 'warn',
  });
  const settle = recommended.find(({ key }) => key === 'settle');
  expect(settle).toMatchObject({ isSeenToEnd: false });
  expect(settle?.leastSeconds).toBeGreaterThanOrEqual(2 * 240);
  expect(live(world)).toEqual(before);
});

test('a data plane that answers nothing is unknown and no refusal, and what was made is removed', async () => {
  const world = await openWorldForTest(POLICY);
  const before = live(world);
  world.intercept(async ({ server }, effect) =>
    server === 'data-plane' ? { status: 503, body: '' } : effect(),
  );
  const { findings } = await measure(world);
  expect(findings[0]).toMatchObject({
    check: 'a new token',
    state: 'fail',
    found: expect.stringMatching(/^no router accepted it .* of which told nothing\)$/),
  });
  expect(live(world)).toEqual(before);
});

test('what a measurement left that was killed, the next one removes, and refuses while that one may go on', async () => {
  const world = await openWorldForTest(POLICY);
  await world.people.createDatabase('keyturn-measure-of-a-person');
  await world.people.mint({ description: 'keyturn-measure owner=prod by a person' });
  const before = live(world);
  world.intercept(async (call, effect) => {
    if (call.operation === 'POST /api/v2/write') {
      await world.kill(call);
      return 'reset';
    }
    return effect();
  });
  await world.rotate(MEASURE).catch(() => undefined);
  world.intercept();
  await world.wait(1_000);
  const left = live(world);
  expect(left.databases).toHaveLength(before.databases.length + 1);
  expect(left.tokens.length).toBeGreaterThan(before.tokens.length);
  for (const { permissions, expiresAt = Infinity } of left.tokens.slice(before.tokens.length)) {
    if (permissions.length > 0) expect(expiresAt - world.clock.now()).toBeLessThan(30 * MINUTE);
    expect(expiresAt).toBeLessThan(Infinity);
  }

  const early = await world.rotate(MEASURE);
  expect(early.error?.errorMessage).toContain('another measurement of prod began at');
  expect(live(world)).toEqual(left);
  await world.wait(16 * MINUTE);
  const { removed } = await measure(world);
  expect(removed).toContainEqual(expect.stringMatching(/^database keyturn-measure-[0-9a-f]{8}$/));
  expect(live(world)).toEqual(before);
});

test('a database that it has not made is not touched', async () => {
  const world = await openWorldForTest(POLICY);
  const operations: string[] = [];
  world.watch((call, effect) => {
    operations.push(call.operation);
    return effect();
  });
  world.intercept(
    answering('POST /databases', { status: 409, body: '{"code": 409, "message": "is there"}' }),
  );
  const { error } = await world.rotate(MEASURE);
  expect(error?.errorMessage).toMatch(/^POST .*\/databases answered 409.*is there/);
  expect(operations).not.toContain('DELETE /databases/{name}');
  expect(live(world).tokens).toEqual([]);
});

test('a database that has the name which it draws is not touched', async () => {
  // Only a simulated process draws the same in each run.
  const world = await openWorldForTest(POLICY, { isSimulated: true });
  const operations: string[] = [];
  world.watch((call, effect) => {
    operations.push(call.operation);
    return effect();
  });
  await world.people.createDatabase('keyturn-measure-80000000');
  const before = live(world);
  operations.length = 0;
  const taken = await world.rotate(MEASURE);
  expect(taken.error?.errorMessage).toContain('that this measurement has not made; nothing');
  expect(operations.filter((each) => !/^G[eE][tT]/.test(each))).toEqual([]);
  expect(live(world)).toEqual(before);
});

test('a database of which nobody knows whether it was made is dropped', async () => {
  const world = await openWorldForTest(POLICY);
  const before = live(world);
  world.intercept(({ operation }, effect) => {
    const answer = effect();
    return Promise.resolve(operation === 'POST /databases' ? 'reset' : answer);
  });
  expect((await world.rotate(MEASURE)).error).toBeDefined();
  expect(live(world)).toEqual(before);
});

test('what cannot be removed is said, and a token goes on to vouch for it', async () => {
  const world = await openWorldForTest(POLICY);
  world.cluster.manners = { forbids: ['DELETE /databases/{name}'] };
  const { left, database } = await measure(world);
  expect(left).toEqual([expect.stringContaining(`database ${database}: DELETE`)]);
  // What could be used is gone at once.
  expect(live(world).tokens).toEqual([
    expect.objectContaining({
      description: `keyturn-measure owner=prod database=${database}`,
      permissions: [],
    }),
  ]);
  world.cluster.manners = {};
  await world.wait(16 * MINUTE);
  const { removed } = await measure(world);
  expect(removed).toContain(`database ${database}`);
  expect(live(world).tokens).toEqual([]);
});

test.each([
  [{ measure: true, dryRun: true }, 'dryRun beside it'],
  [{ measure: true, scheduled: {} }, 'scheduled beside it'],
  [{ measure: 'yes' }, 'something other than true'],
])('%j is refused, and nothing is done', async (event, found) => {
  const world = await openWorldForTest(POLICY);
  const { error } = await world.rotate(event);
  expect(error?.errorMessage).toBe(
    `measure: found ${found}, expected {"measure": true} alone; a measurement makes tokens and a database of its own, and no schedule asks for one`,
  );
  expect(world.cluster.state.tokens).toEqual([]);
});

test('the bundle that is deployed measures, too', async () => {
  const world = await openWorldForTest(POLICY, { isSimulated: false, revocationDelayMs: 2_000 });
  const { facts, left } = await measure(world);
  expectTruth(facts, world);
  expect(facts).toMatchObject(AS_BY_DEFAULT);
  expect(left).toEqual([]);
}, 120_000);

test('a sandbox that lives by the profile is measured as the cluster was', async () => {
  const world = await openWorldForTest(POLICY, {
    activationDelayMs: 20_000,
    revocationDelayMs: 12_000,
    routers: { count: 12, spreadMs: 40_000 },
  });
  world.cluster.manners = {
    hidesExpired: 'from listings',
    longestDescription: 900,
    deletesTwice: true,
    refusesSlash: true,
    refusals: { unknown: { read: 403, write: 403 }, forbidden: { read: 403, write: 401 } },
  };
  const { profile } = await measure(world);
  const { activationDelayMs, revocationDelayMs, routers, manners } = readProfile(
    writeTemporary('profile.json', profile),
  );
  expect(manners).toEqual(world.cluster.manners);
  // By a twentieth of what passed, and by what the fastest of the routers takes longer than none.
  expect(Math.abs(activationDelayMs - 20_000)).toBeLessThan(5_000);
  expect(Math.abs(revocationDelayMs - 12_000)).toBeLessThan(5_000);
  expect(routers.count).toBe(12);
  expect(Math.abs(routers.spreadMs - 40_000)).toBeLessThan(8_000);

  const twin = await openWorldForTest(POLICY, {
    ...{ activationDelayMs, revocationDelayMs, routers },
  });
  twin.cluster.manners = manners;
  const again = await measure(twin);
  expectTruth(again.facts, twin);
  expect(again.profile.manners).toEqual(profile.manners);
});

test.each([
  ['no JSON', 's3cretpass word'],
  ['its top level: a key that none has', '{"keyturnProfile": 1, "s3cret": "s3cret"}'],
  ['keyturnProfile: ', '{"keyturnProfile": "s3cret"}'],
])('says of a file that is no profile %s, and nothing that is in it', (found, text) => {
  const profile = JSON.stringify({
    ...twinProfile,
    ...JSON.parse(text.startsWith('{') ? text : '{}'),
  });
  const file = writeTemporary('profile', text.startsWith('{') ? profile : text);
  expect(() => readProfile(file)).toThrow(`${file}: found ${found}`);
  expect(() => readProfile(file)).not.toThrow(/s3c/);
});

test('a function with too little time begins nothing', async () => {
  const asked = () => Promise.reject(new Error('it was asked'));
  const tools = { now: () => 0, deadline: 2 * MINUTE, send: asked, managementToken: asked };
  await expect(runMeasurement(tools as never)).rejects.toThrow(
    'found 120 s, expected at least 3 minutes for a measurement; nothing was done',
  );
});

test.each([
  ['a slash', 'slash', 'PATCH /databases', 503, () => true],
  ['a second DELETE', 'secondDelete', 'DELETE /tokens/{id}', 429, (n: number) => n > 1 && n < 6],
] as const)(
  'what a server in trouble answers to %s is not called measured',
  async (_what, fact, operation, status, isMet) => {
    const world = await openWorldForTest(POLICY);
    let calls = 0;
    world.intercept((call, effect) => {
      const isAsked = call.operation.startsWith(operation);
      if (isAsked) calls += 1;
      return Promise.resolve(isAsked && isMet(calls) ? { status, body: '' } : effect());
    });
    const { facts } = await measure(world);
    expect(facts[fact]).toEqual({ why: expect.any(String) });
  },
);

test('where no write was answered, no status of a refusal is called known', async () => {
  const world = await openWorldForTest(POLICY);
  const { facts } = await measure(world);
  const stateOf = (each: Facts) =>
    conclude(each, parsePolicy(world.policy), '2026-03-02T12:00:00Z').findings.find(({ found }) =>
      found.includes('a string of no token'),
    )?.state;
  expect(stateOf(facts)).toBe('ok');
  const unknownString = { value: { ...valueIn(facts.unknownString), write: [] } };
  expect(stateOf({ ...facts, unknownString })).toBe('unknown');
});
