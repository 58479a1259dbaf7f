import { expect, test } from 'vitest';
import { INSTANT } from '../../world/marker.ts';
import { openWorldForTest } from '../../world/open-world.ts';
import { DAY, HOUR, MINUTE, policyWith, TELEGRAF, writer } from '../../world/policy.ts';

const entries = { telegraf: writer };

/** The outcome of an action that gave AWSCURRENT a token that works. */
const done = {
  result: 'done',
  current: {
    token: { id: expect.any(String), expiresAt: expect.any(Number) },
    since: expect.any(Number),
  },
};

test('answers a dry run with the plan, and applies nothing', async () => {
  const world = await openWorldForTest(policyWith(entries));
  const { result } = await world.rotate({ dryRun: true });
  expect(result).toEqual({
    plan: {
      job: 'rotate',
      owner: 'prod',
      cluster: world.cluster.url,
      actions: [{ token: 'telegraf', secret: TELEGRAF, kind: 'rotate', reason: 'Missing' }],
      findings: [],
      limits: [],
      refusals: [],
    },
    entries: [{ token: 'telegraf', secret: TELEGRAF, condition: 'missing', late: false }],
    schedule: { name: 'keyturn-prod-rotate', state: 'on' },
    managementToken: { by: 'secret' },
    policy: {
      hash: expect.stringMatching(/^[0-9a-f]{12}$/),
      parts: expect.any(Object),
      deployment: {},
    },
  });
  expect(world.tokens()).toEqual([]);
  expect(world.labels(TELEGRAF)).toEqual({});
  expect(world.events()).toEqual([]);
});

test('mints the first token, and gives consumers all they need', async () => {
  const world = await openWorldForTest(policyWith(entries), { activationDelayMs: 90_000 });
  expect(await world.rotate()).toMatchObject({ result: { outcomes: [{ result: 'done' }] } });
  const [token] = world.tokens();
  expect(token).toMatchObject({ text: 'telegraf', marker: { owner: 'prod', secret: TELEGRAF } });
  expect(world.holders(TELEGRAF)).toEqual({ AWSCURRENT: token?.id, AWSPENDING: token?.id });
  expect(world.labels(TELEGRAF).AWSCURRENT).toBe(`keyturn-${token?.id}`);
  const value = JSON.parse(world.value(TELEGRAF));
  expect(value).toEqual({
    token: expect.any(String),
    tokenId: token?.id,
    url: world.cluster.url,
    databases: ['telemetry'],
    expiresAt: '2026-05-31T12:00:01Z',
  });
  expect(world.accepts(value.token)).toBe(true);
  expect(world.events().map(({ detailType }) => detailType)).toEqual(['Token Rotated']);
  expect(await world.rotate()).toMatchObject({ result: { plan: { actions: [] }, outcomes: [] } });
  const told = JSON.stringify([world.lines(), world.events()]);
  expect(told).not.toContain(value.token);
});

test('rotates by force the tokens that are named, and nothing else', async () => {
  const world = await openWorldForTest(policyWith({ ...entries, grafana: writer }));
  await world.rotate();
  const before = world.labels(TELEGRAF).AWSCURRENT;
  const other = world.labels('keyturn/prod/grafana');
  const { result } = await world.rotate({ tokens: ['telegraf'], force: true });
  expect(result.outcomes).toEqual([
    { action: expect.objectContaining({ token: 'telegraf', reason: 'Forced' }), ...done },
  ]);
  expect(world.labels(TELEGRAF)).toMatchObject({ AWSPREVIOUS: before });
  expect(world.labels(TELEGRAF).AWSCURRENT).not.toBe(before);
  expect(world.labels('keyturn/prod/grafana')).toEqual(other);
});

test.each([
  [{ dryrun: true }, 'the event: unknown key dryrun'],
  [{ dryRun: 'yes' }, 'dryRun: expected boolean'],
  [{ force: true }, 'the event: force requires the tokens to be named'],
  [{ tokens: [] }, 'tokens: '],
  [{ approve: 'everything' }, 'approve: a hash of 16 hex digits'],
  [{ tokens: ['telegarf'], force: true }, 'tokens: the policy has no token telegarf'],
])('refuses an event it does not understand: %j', async (event, message) => {
  const world = await openWorldForTest(policyWith(entries));
  const { error } = await world.rotate(event);
  expect(error?.errorType).toBe('RequestError');
  expect(error?.errorMessage).toContain(message);
  expect(world.tokens()).toEqual([]);
});

test('rotates when it is time, and no sooner: one run mints, and a later one promotes', async () => {
  const world = await openWorldForTest(policyWith({ telegraf: { ...writer, rotateEvery: '10d' } }));
  await world.rotate();
  const first = world.holders(TELEGRAF).AWSCURRENT;
  await world.wait(9 * DAY - HOUR);
  await world.rotate();
  expect(world.holders(TELEGRAF).AWSCURRENT).toBe(first);
  await world.wait(DAY + HOUR);
  const kinds = async () => {
    const { result } = await world.rotate();
    return result.plan.actions.map(({ kind }: { kind: string }) => kind);
  };
  expect(await kinds()).toEqual(['mint']);
  const second = world.holders(TELEGRAF).AWSPENDING;
  expect(world.holders(TELEGRAF).AWSCURRENT).toBe(first);
  await world.wait(9 * MINUTE);
  expect(await kinds()).toEqual([]);
  await world.wait(MINUTE);
  expect(await kinds()).toEqual(['resume']);
  expect(world.holders(TELEGRAF)).toMatchObject({ AWSCURRENT: second, AWSPREVIOUS: first });
  const old = world.tokens().find(({ id }) => id === first);
  expect(old?.marker?.superseded).toMatch(INSTANT);
  expect(old?.permissions).toHaveLength(1);
});

test('replaces at once a current token that somebody deleted by hand', async () => {
  const world = await openWorldForTest(policyWith(entries));
  await world.rotate();
  const first = world.holders(TELEGRAF).AWSCURRENT;
  await world.people.deleteToken(first);
  const { result } = await world.rotate();
  expect(result.plan.limits).toMatchObject([{ counted: 1, allowed: 3 }]);
  expect(result.outcomes).toEqual([
    { action: expect.objectContaining({ reason: 'CurrentGone' }), ...done },
  ]);
  expect(world.accepts(world.string(TELEGRAF))).toBe(true);
});

test('replaces an expired token, should nothing have run for that long', async () => {
  const world = await openWorldForTest(policyWith(entries));
  await world.rotate();
  await world.wait(91 * DAY);
  const { result } = await world.rotate();
  expect(result.outcomes).toEqual([
    { action: expect.objectContaining({ reason: 'Expired' }), ...done },
  ]);
  expect(world.accepts(world.string(TELEGRAF))).toBe(true);
});

test('leaves a token alone that a person stripped, and says so', async () => {
  const world = await openWorldForTest(policyWith(entries));
  await world.rotate();
  const [token] = world.tokens();
  await world.people.changeToken(token?.id, { permissions: [] });
  await world.wait(80 * DAY);
  for (const event of [{}, { tokens: ['telegraf'], force: true }]) {
    const { result } = await world.rotate(event);
    expect(result.plan.actions).toEqual([]);
    expect(result.plan.findings).toEqual([expect.objectContaining({ kind: 'Held' })]);
  }
  await world.reap();
  expect(world.tokens()).toEqual([{ ...token, permissions: [] }]);
});

test('does not mint for a new secret again while the listing does not show it', async () => {
  const world = await openWorldForTest(policyWith(entries), { listLagMs: 5 * MINUTE });
  await world.rotate();
  await world.wait(MINUTE);
  const { result } = await world.rotate();
  expect(result.outcomes).toEqual([
    { action: expect.objectContaining({ reason: 'Missing' }), result: 'skipped' },
  ]);
  expect(world.tokens()).toHaveLength(1);
});

test('gives back what quarantine took from a token that somebody rolled back to', async () => {
  const world = await openWorldForTest(policyWith(entries));
  await world.rotate();
  const first = world.holders(TELEGRAF).AWSCURRENT ?? '';
  const version = world.labels(TELEGRAF).AWSCURRENT;
  await world.rotate({ tokens: ['telegraf'], force: true });
  for (let days = 0; days < 3; days += 1) {
    await world.wait(DAY);
    await world.reap();
  }
  const quarantined = world.tokens().find(({ id }) => id === first);
  expect(quarantined).toMatchObject({ permissions: [], marker: { was: expect.anything() } });
  await world.people.makeCurrent(TELEGRAF, version);
  const { result } = await world.rotate();
  expect(result.outcomes).toEqual([
    { action: expect.objectContaining({ reason: 'RolledBack', tokenId: first }), ...done },
  ]);
  expect(world.accepts(world.string(TELEGRAF))).toBe(true);
  expect(world.tokens().find(({ id }) => id === first)?.marker?.superseded).toBeUndefined();
  expect((await world.rotate()).result.plan.actions).toMatchObject([{ kind: 'detach-pending' }]);
  expect((await world.rotate()).result.plan.actions).toEqual([]);
});

test.each([{}, { tokens: ['telegraf'], force: true }])(
  'replaces a quarantined token that expired after somebody rolled back to it, and gives it nothing: %j',
  async (event) => {
    const world = await openWorldForTest(policyWith(entries));
    await world.rotate();
    const { AWSCURRENT = '' } = world.labels(TELEGRAF);
    const first = world.holders(TELEGRAF).AWSCURRENT;
    await world.wait(85 * DAY);
    await world.rotate({ tokens: ['telegraf'], force: true });
    for (let days = 0; days < 3; days += 1) {
      await world.wait(DAY);
      await world.reap();
    }
    await world.people.makeCurrent(TELEGRAF, AWSCURRENT);
    await world.wait(2 * DAY);
    expect((await world.rotate(event)).result.outcomes).toEqual([
      { action: expect.objectContaining({ kind: 'rotate', reason: 'Expired' }), ...done },
    ]);
    expect(world.accepts(world.string(TELEGRAF))).toBe(true);
    expect(world.tokens().find(({ id }) => id === first)?.permissions).toEqual([]);
  },
);

test('leaves a value that a person put, and says so, until they ask for the rotation by name', async () => {
  const world = await openWorldForTest(policyWith(entries));
  await world.rotate();
  await world.people.saveValue(TELEGRAF, '{"token":"by hand"}');
  const { AWSCURRENT } = world.labels(TELEGRAF);
  const { result } = await world.rotate();
  expect(result).toMatchObject({
    plan: { actions: [], findings: [{ kind: 'UnknownVersion', token: 'telegraf' }] },
    entries: [{ token: 'telegraf', condition: 'unknown' }],
  });
  expect(world.labels(TELEGRAF)).toMatchObject({ AWSCURRENT });
  await world.rotate({ tokens: ['telegraf'], force: true });
  expect(JSON.parse(world.value(TELEGRAF)).tokenId).toBe(world.holders(TELEGRAF).AWSCURRENT);
  expect(world.accepts(world.string(TELEGRAF))).toBe(true);
});

test('a field that a newer version wrote into a marker makes no token foreign, and stays through every step', async () => {
  const world = await openWorldForTest(policyWith(entries));
  await world.rotate();
  const first = world.holders(TELEGRAF).AWSCURRENT ?? '';
  const { description = '' } = world.cluster.state.tokens.find(({ id }) => id === first) ?? {};
  await world.people.changeToken(first, { description: description.replace(/\]$/, ' color=red]') });
  await world.rotate({ tokens: ['telegraf'], force: true });
  const colour = () => world.tokens().find(({ id }) => id === first)?.marker;
  expect(colour()).toMatchObject({ color: 'red', superseded: expect.stringMatching(INSTANT) });
  for (const mark of ['fenced', 'quarantined']) {
    await world.wait(DAY + HOUR);
    await world.reap();
    expect(colour()).toMatchObject({ color: 'red', [mark]: expect.stringMatching(INSTANT) });
  }
});
