import { expect, test } from 'vitest';
import type { Call, Interceptor, Reply } from '../../../sandbox/interception.ts';
import { INSTANT } from '../../world/marker.ts';
import { openWorldForTest } from '../../world/open-world.ts';
import { DAY, HOUR, MINUTE, policyWith, TELEGRAF, writer } from '../../world/policy.ts';
import type { World } from '../../world/world.ts';

const named = { tokens: ['telegraf'], force: true };

/** The data plane refuses everybody, or cannot be asked. */
const refusing =
  (status: number): Interceptor =>
  async (call, effect) =>
    call.server === 'data-plane' ? { status, body: '' } : effect();

const measured = ({ metrics }: Pick<World, 'metrics'>) =>
  metrics().findLast((each) => 'Owner=prod UnusableTokens' in each);
const unusable = (world: Pick<World, 'metrics'>) => measured(world)?.['Owner=prod UnusableTokens'];
const mended = (world: Pick<World, 'metrics'>) => measured(world)?.['Owner=prod MendedOutages'];

const verified = (result: string) => ({
  action: expect.objectContaining({ kind: 'verify', reason: 'Refused' }),
  result,
});

test.each([401, 503])(
  'a first token that the cluster answers with %d is asked for by every run, and unusable until it is accepted',
  async (status) => {
    const world = await openWorldForTest(policyWith({ telegraf: writer }));
    world.intercept(refusing(status));
    await world.rotate();
    const [token] = world.tokens();
    expect(world.holders(TELEGRAF).AWSCURRENT).toBe(token?.id);
    for (const event of [{}, {}, named]) {
      await world.wait(30 * MINUTE);
      const { result } = await world.rotate(event);
      if (event !== named) expect(result.outcomes).toEqual([verified('armed')]);
      expect(unusable(world)).toBe(1);
      expect(result.entries[0].condition).toBe('refused');
    }

    world.intercept();
    await world.wait(30 * MINUTE);
    await world.rotate();
    expect([unusable(world), mended(world)]).toEqual([0, undefined]);
    expect(world.accepts(world.string(TELEGRAF))).toBe(true);
    await world.wait(HOUR);
    expect((await world.rotate()).result).toMatchObject({
      plan: { actions: [] },
      entries: [{ condition: 'works' }],
    });
  },
);

test('the marker says since when a first token is refused, and no longer than that', async () => {
  const world = await openWorldForTest(policyWith({ telegraf: writer }));
  world.intercept(refusing(401));
  await world.rotate();
  const refused = () => world.tokens()[0]?.marker?.refused;
  expect(refused()).toMatch(INSTANT);
  world.intercept();
  const { result } = await world.rotate();
  const current = { token: { id: world.tokens()[0]?.id } };
  expect(result.outcomes).toMatchObject([{ ...verified('done'), current }]);
  expect(refused()).toBeUndefined();
  expect(world.events('Token Rotated')).toHaveLength(1);
});

/** What becomes of the run that issues a token which the data plane refuses. */
const LOST: Readonly<Record<string, (world: World) => (call: Call) => Promise<Reply | 'reset'>>> = {
  'its process is killed at a probe': (world) => async (call) => {
    await world.kill(call);
    return 'reset';
  },
  'the Management API does not show the token for a quarter of an hour': (world) => {
    world.cluster.manners = { lagMs: 15 * MINUTE };
    return async () => ({ status: 401, body: '' });
  },
  'its probes hang until its time is over': (world) => async (call) => {
    await world.clock.heldBack(call.caller, world.clock.after(12_000));
    return 'reset';
  },
  'every write fails from the first probe on': (world) => (probe) => {
    const refuse = refusing(401);
    world.intercept(async (call, effect) =>
      call.operation === 'PATCH /tokens/{id}' ? { status: 503, body: '{}' } : refuse(call, effect),
    );
    return refuse(probe, () => ({ status: 204, body: '' }));
  },
};

test.each(Object.keys(LOST))(
  'a refused first token is unusable in every later run, also where %s',
  async (lost) => {
    const rotate = 'rate(5 minutes)';
    const world = await openWorldForTest(
      policyWith({ telegraf: writer }, { schedules: { rotate } }),
    );
    const meet = LOST[lost]?.(world);
    world.intercept(async (call, effect) =>
      call.server === 'data-plane' && meet ? meet(call) : effect(),
    );
    const at = new Date(world.clock.now()).toISOString().replace('.000Z', 'Z');
    await world.rotate({ scheduled: { at, nextInSeconds: 300, thirdInSeconds: 900 } });
    world.intercept(refusing(401));
    for (const _ of [1, 2]) {
      await world.wait(HOUR);
      const { result } = await world.rotate();
      expect(result.outcomes).toEqual([verified('armed')]);
      expect([result.entries[0].condition, unusable(world)]).toEqual(['refused', 1]);
    }
    world.intercept();
    await world.rotate();
    expect([unusable(world), world.tokens()[0]?.marker?.refused]).toEqual([0, undefined]);
  },
);

/** One router of many is stuck: it refuses every hundred and twentieth probe. */
function stuckRouter(): Interceptor {
  let probes = 0;
  const refuse = refusing(401);
  return (call, effect) => {
    if (call.server === 'data-plane') probes += 1;
    return probes % 120 === 0 ? refuse(call, effect) : Promise.resolve(effect());
  };
}

test('a first token is not taken to be accepted while one router of many refuses it', async () => {
  const world = await openWorldForTest(
    policyWith({ telegraf: writer }, { activationTimeout: '30s' }),
  );
  world.intercept(refusing(401));
  await world.rotate();
  for (const _ of [1, 2]) {
    world.intercept(stuckRouter());
    await world.wait(HOUR);
    await world.rotate();
    expect(unusable(world)).toBe(1);
  }
  world.intercept();
  await world.rotate();
  expect(unusable(world)).toBe(0);
});

test('a token that a run saw refused after it had settled is not promoted by a lucky burst of a later run, and no crash hides it', async () => {
  const world = await openWorldForTest(
    policyWith({ telegraf: writer }, { activationTimeout: '30s' }),
  );
  await world.rotate();
  await world.wait(31 * 24 * HOUR);
  await world.rotate();
  const { AWSCURRENT, AWSPENDING } = world.labels(TELEGRAF);
  await world.wait(HOUR);
  let probes = 0;
  world.intercept(async (call, effect) => {
    if (call.server !== 'data-plane') return effect();
    probes += 1;
    if (probes === 2) await world.kill(call);
    return { status: 401, body: '' };
  });
  await world.rotate();
  for (const _ of [1, 2]) {
    world.intercept(stuckRouter());
    await world.wait(HOUR);
    const { result } = await world.rotate();
    expect(result.outcomes).toMatchObject([{ action: { kind: 'resume' }, result: 'armed' }]);
    expect(world.labels(TELEGRAF).AWSCURRENT).toBe(AWSCURRENT);
  }
  world.intercept();
  await world.rotate();
  expect(world.labels(TELEGRAF).AWSCURRENT).toBe(AWSPENDING);
  expect(world.tokens(TELEGRAF).map(({ marker }) => marker?.refused)).toEqual([
    undefined,
    undefined,
  ]);
});

test('the repetition of a rotation by name goes on asking for the first token, and mints no other', async () => {
  const world = await openWorldForTest(policyWith({ telegraf: writer }));
  world.intercept(refusing(401));
  await world.rotate(named);
  expect((await world.rotate(named)).result.outcomes).toEqual([verified('armed')]);
  world.intercept();
  expect((await world.rotate(named)).result.outcomes).toMatchObject([verified('done')]);
  expect(world.tokens()).toHaveLength(1);
});

test('a refused token gets what the policy adds, is not given what a person took, and is replaced when it is due', async () => {
  const world = await openWorldForTest(policyWith({ telegraf: writer }));
  world.intercept(refusing(401));
  await world.rotate();
  const wide = { permissions: { write: ['telemetry', 'quality'] } };
  const wider = world.deploy(policyWith({ telegraf: wide }));
  const kinds = async () =>
    (await wider.rotate()).result.outcomes.map(
      ({ action }: { readonly action: { readonly kind: string } }) => action.kind,
    );
  expect(await kinds()).toEqual(['widen']);
  expect(world.tokens()[0]?.permissions).toHaveLength(2);
  await world.people.changeToken(world.tokens()[0]?.id, {
    permissions: [{ action: 'write', resource: 'telemetry' }],
  });
  expect(await kinds()).toEqual(['verify']);
  expect(world.tokens()[0]?.permissions).toHaveLength(1);
  await world.wait(80 * 24 * HOUR);
  expect(await kinds()).toEqual(['mint']);
});

test.each([0, 15])(
  'what revoke promoted unverified is asked for by the next run, also where the Management API lags %d minutes',
  async (minutes) => {
    const world = await openWorldForTest(policyWith({ telegraf: writer }));
    await world.rotate();
    await world.wait(HOUR);
    world.cluster.manners = { lagMs: minutes * MINUTE };
    world.intercept(refusing(401));
    await world.revoke({
      way: 'replace',
      token: 'telegraf',
      reason: 'leaked',
      immediately: true,
    });
    await world.wait(HOUR);
    const { result } = await world.rotate();
    const marked = expect.objectContaining({
      action: expect.objectContaining({ kind: 'recognise', reason: 'Promoted' }),
    });
    expect(result.outcomes).toEqual([marked, verified('armed')]);
    expect(unusable(world)).toBe(1);
    world.intercept();
    await world.rotate();
    expect(unusable(world)).toBe(0);
  },
);

test.each(['says 401', 'kills the run'])(
  'a quarantined token that a person went back to is unusable until it was seen accepted, where the first probe %s',
  async (what) => {
    const world = await openWorldForTest(policyWith({ telegraf: writer }));
    await world.rotate();
    const first = world.labels(TELEGRAF).AWSCURRENT;
    await world.wait(HOUR);
    await world.rotate(named);
    for (let days = 0; days < 4; days += 1) {
      await world.wait(DAY);
      await world.reap();
    }
    expect(world.tokens(TELEGRAF)[0]?.marker).toHaveProperty('quarantined');
    await world.people.makeCurrent(TELEGRAF, first);
    world.intercept(async (call, effect) => {
      if (call.server === 'data-plane' && what === 'kills the run') await world.kill(call);
      return refusing(401)(call, effect);
    });
    const { result } = await world.rotate();
    if (what === 'says 401') {
      expect(result.outcomes).toMatchObject([{ action: { kind: 'give-back' }, result: 'armed' }]);
      expect([result.entries[0].condition, unusable(world)]).toEqual(['refused', 1]);
      expect(mended(world)).toBeUndefined();
    }
    expect(world.tokens(TELEGRAF)[0]).toMatchObject({
      permissions: [{ action: 'write', resource: 'telemetry' }],
      marker: { refused: expect.stringMatching(INSTANT) },
    });
    world.intercept(refusing(401));
    await world.wait(HOUR);
    expect((await world.rotate()).result.outcomes).toEqual([verified('armed')]);
    expect([unusable(world), mended(world)]).toEqual([1, undefined]);
    world.intercept();
    expect((await world.rotate()).result.entries).toMatchObject([{ condition: 'works' }]);
    expect([unusable(world), mended(world)]).toEqual([0, 1]);
    expect(world.accepts(world.string(TELEGRAF))).toBe(true);
  },
);

test('a token that waits, refused, says nothing of the one that consumers have', async () => {
  const world = await openWorldForTest(policyWith({ telegraf: writer }));
  await world.rotate();
  await world.wait(HOUR);
  world.intercept(refusing(401));
  const { result } = await world.rotate(named);
  expect(result).toMatchObject({
    outcomes: [{ result: 'armed' }],
    entries: [{ condition: 'works' }],
  });
  expect(unusable(world)).toBe(0);
});

/** A token in quarantine, and the version that has it. */
async function openQuarantined() {
  const world = await openWorldForTest(policyWith({ telegraf: writer }));
  await world.rotate();
  const first = world.labels(TELEGRAF).AWSCURRENT;
  await world.wait(HOUR);
  await world.rotate(named);
  for (let days = 0; days < 4; days += 1) {
    await world.wait(DAY);
    await world.reap();
  }
  expect(world.tokens(TELEGRAF)[0]?.marker).toHaveProperty('quarantined');
  return { world, first };
}

test('a quarantined token that a person went back to works again with what it had, whatever the policy adds since', async () => {
  const { world, first } = await openQuarantined();
  await world.people.makeCurrent(TELEGRAF, first);
  const wide = { permissions: { write: ['telemetry', 'quality'] } };
  const wider = world.deploy(policyWith({ telegraf: wide }));
  const { result } = await wider.rotate();
  expect(result).toMatchObject({
    outcomes: [{ action: { kind: 'give-back' }, result: 'done' }],
    entries: [{ condition: 'works' }],
  });
  expect(world.tokens(TELEGRAF)[0]?.permissions).toHaveLength(1);
});

test("a token that Secrets Manager's own rotation took out of quarantine and did not replace is unusable until it was seen accepted", async () => {
  const { world, first } = await openQuarantined();
  await world.people.makeCurrent(TELEGRAF, first);
  // Secrets Manager rotates nothing while the version that was left has the label.
  await world.people.takeOff(TELEGRAF, 'AWSPENDING');
  world.intercept((call, effect) =>
    Promise.resolve(
      call.operation === 'UpdateSecretVersionStage' ? { status: 503, body: '{}' } : effect(),
    ),
  );
  await world.rotateSecret(TELEGRAF).catch(() => {});
  world.intercept(refusing(401));
  expect(world.tokens(TELEGRAF)[0]).toMatchObject({
    permissions: [{ action: 'write', resource: 'telemetry' }],
    marker: { refused: expect.stringMatching(INSTANT) },
  });
  expect((await world.rotate({ dryRun: true })).result.entries).toMatchObject([
    { condition: 'refused' },
  ]);
});

/** Went back to a quarantined token, whose marker cannot be written after it got its permissions. */
async function halfGivenBack() {
  const { world, first } = await openQuarantined();
  const second = world.labels(TELEGRAF).AWSCURRENT;
  await world.people.makeCurrent(TELEGRAF, first);
  world.intercept((call, effect) => {
    const isGiven = world.tokens(TELEGRAF)[0]?.permissions.length === 1;
    const isMarking = call.operation === 'PATCH /tokens/{id}' && isGiven;
    return Promise.resolve(isMarking ? { status: 503, body: '{}' } : effect());
  });
  await world.rotate();
  expect(world.tokens(TELEGRAF)[0]).toMatchObject({
    permissions: [{ action: 'write', resource: 'telemetry' }],
    marker: { quarantined: expect.stringMatching(INSTANT) },
  });
  return { world, second };
}

test('a token that got its permissions back and not its marker is unusable until it did', async () => {
  const { world } = await halfGivenBack();
  await world.wait(HOUR);
  await world.rotate();
  expect(unusable(world)).toBe(1);
  world.intercept();
  await world.wait(HOUR);
  expect((await world.rotate({ dryRun: true })).result.entries).toMatchObject([
    { condition: 'stripped' },
  ]);
  expect((await world.rotate()).result.entries).toMatchObject([{ condition: 'works' }]);
  expect([unusable(world), world.accepts(world.string(TELEGRAF))]).toEqual([0, true]);
});

test('consumers of a token that got its permissions back by half keep it for a grace period after a person goes forward', async () => {
  const { world, second } = await halfGivenBack();
  world.intercept();
  const given = world.string(TELEGRAF);
  await world.people.makeCurrent(TELEGRAF, second);
  await world.wait(8 * DAY);
  await world.reap();
  expect(world.accepts(given)).toBe(true);
  expect(world.tokens(TELEGRAF)[0]?.marker).not.toHaveProperty('quarantined');
  for (let days = 0; days < 4; days += 1) {
    await world.wait(DAY);
    await world.reap();
  }
  expect(world.accepts(given)).toBe(false);
});
