import { expect, test } from 'vitest';
import { denied } from '../../world/faults.ts';
import { openWorldForTest } from '../../world/open-world.ts';
import { DAY, HOUR, policyWith, TELEGRAF, writer } from '../../world/policy.ts';
import type { World } from '../../world/world.ts';

const entries = { telegraf: writer };
const force = { tokens: ['telegraf'], force: true };

test('answers a dry run with the plan and the inventory, and applies nothing', async () => {
  const world = await openWorldForTest(policyWith(entries));
  await world.rotate();
  await world.rotate(force);
  await world.wait(2 * DAY);
  const before = world.tokens();
  const { result } = await world.reap({ dryRun: true });
  expect(result.plan.actions).toEqual([
    { kind: 'fence', reason: 'GraceOver', secret: TELEGRAF, tokenId: before[0]?.id },
  ]);
  expect(result.plan.findings).toEqual([{ kind: 'Owned', message: '2 tokens in 1 secret' }]);
  expect(result.outcomes).toBeUndefined();
  expect(world.tokens()).toEqual(before);
});

test('retires a superseded token step by step, and never the current one', async () => {
  const world = await openWorldForTest(policyWith(entries));
  await world.rotate();
  const first = world.holders(TELEGRAF).AWSCURRENT ?? '';
  await world.rotate(force);
  const second = world.holders(TELEGRAF).AWSCURRENT;
  const string = world.string(TELEGRAF);
  const steps: string[] = [];
  for (let hours = 0; hours <= 220; hours += 4) {
    const { result } = await world.reap();
    for (const { action } of result.outcomes) steps.push(`${hours} h: ${action.kind}`);
    expect(world.accepts(string)).toBe(true);
    const named = world.holders(TELEGRAF).AWSPREVIOUS;
    expect(named === undefined || world.tokens().some(({ id }) => id === named)).toBe(true);
    await world.wait(4 * HOUR);
  }
  expect(steps).toEqual(['24 h: fence', '48 h: quarantine', '216 h: delete']);
  expect(world.tokens().map(({ id }) => id)).toEqual([second]);
  expect(world.holders(TELEGRAF)).toEqual({ AWSCURRENT: second, AWSPENDING: second });
  expect(world.tokens().some(({ id }) => id === first)).toBe(false);
  const told = ['Token Retired', 'Token Deleted'].flatMap((type) => world.events(type));
  const about = { secret: TELEGRAF, tokenId: first };
  expect(told.map(({ detail }) => detail)).toMatchObject([
    { ...about, reason: 'FenceOver' },
    { ...about, reason: 'QuarantineOver' },
  ]);
});

test('a description that a person writes while a step is planned is kept', async () => {
  const world = await openWorldForTest(policyWith(entries));
  await world.rotate();
  const [old] = world.cluster.state.tokens;
  await world.rotate(force);
  await world.wait(2 * DAY);
  let written = false;
  world.intercept(async ({ operation }, effect) => {
    const reply = effect();
    if (operation === 'GET /tokens' && !written) {
      written = true;
      const { description = '' } =
        world.cluster.state.tokens.find(({ id }) => id === old?.id) ?? {};
      await world.people.changeToken(old?.id, { description: `of line 7, ${description}` });
    }
    return reply;
  });
  await world.reap();
  expect(world.tokens().find(({ id }) => id === old?.id)).toMatchObject({
    text: expect.stringContaining('of line 7'),
    marker: { fenced: expect.anything() },
  });
});

test('a run that dies behind fencing again leaves no old clock, by which the next one would end the token', async () => {
  const world = await openWorldForTest(policyWith(entries));
  await world.rotate();
  const [old, string] = [world.labels(TELEGRAF).AWSCURRENT, world.string(TELEGRAF)];
  await world.rotate(force);
  const { AWSCURRENT: next } = world.labels(TELEGRAF);
  await world.wait(2 * DAY);
  await world.reap();
  await world.wait(DAY);
  // Somebody goes back to it and away again: consumers may have read it until now.
  await world.people.makeCurrent(TELEGRAF, old);
  await world.people.makeCurrent(TELEGRAF, next);
  world.intercept(async (call, effect) => {
    const reply = effect();
    if (call.operation === 'UpdateSecretVersionStage') await world.kill(call);
    return reply;
  });
  await world.reap();
  world.intercept();
  expect(world.labels(TELEGRAF)).not.toHaveProperty('AWSPREVIOUS');
  for (let hours = 0; hours < 23; hours += 1) {
    await world.wait(HOUR);
    await world.reap();
    expect(world.accepts(string)).toBe(true);
  }
});

test('a rotation by Secrets Manager that fails keeps an old token from quarantine for one grace period, and no longer', async () => {
  const world = await openWorldForTest(policyWith(entries));
  await world.rotate();
  const old = world.string(TELEGRAF);
  await world.rotate(force);
  await world.wait(DAY);
  await world.reap();
  await world.wait(20 * HOUR);
  await world.people.cancelRotation(TELEGRAF);
  await world.wait(2 * HOUR);
  await world.rotate();
  for (let hours = 0; hours < 21; hours += 3) {
    await world.reap();
    expect(world.accepts(old)).toBe(true);
    await world.wait(3 * HOUR);
  }
  await world.wait(2 * HOUR);
  await world.reap();
  expect(world.accepts(old)).toBe(false);
});

test('a label that moves on in the moment in which it is taken off is no failure of reap', async () => {
  const world = await openWorldForTest(policyWith(entries));
  await world.rotate();
  const [first] = world.tokens();
  await world.rotate(force);
  await world.wait(2 * DAY);
  world.intercept(async ({ operation }, effect) => {
    if (operation === 'UpdateSecretVersionStage') {
      await world.people.saveValue(TELEGRAF, world.value(TELEGRAF));
    }
    return effect();
  });
  const { result, error } = await world.reap();
  expect(error).toBeUndefined();
  expect(result?.outcomes).toMatchObject([{ action: { kind: 'fence' }, result: 'lost' }]);
  expect(Object.values(world.holders(TELEGRAF))).not.toContain(first?.id);
  expect(world.tokens().map(({ marker }) => marker?.fenced)).toEqual([undefined, undefined]);
});

test('a label that Secrets Manager lets nobody take off fails reap, and the token keeps its grace', async () => {
  const world = await openWorldForTest(policyWith(entries));
  await world.rotate();
  const [first] = world.tokens();
  await world.rotate(force);
  await world.wait(2 * DAY);
  world.intercept(async ({ operation }, effect) =>
    operation === 'UpdateSecretVersionStage'
      ? { status: 400, body: JSON.stringify({ __type: 'AccessDeniedException', Message: 'no' }) }
      : effect(),
  );
  const { error } = await world.reap();
  expect(error?.errorMessage).toMatch(/1 of 1 action failed/);
  expect(world.holders(TELEGRAF).AWSPREVIOUS).toBe(first?.id);
  expect(world.tokens()[0]?.marker).not.toHaveProperty('fenced');
});

test('retires a removed entry down to its secret, where the policy says so', async () => {
  const world = await openWorldForTest(policyWith({ ...entries, grafana: writer }));
  // Secrets are made one after the other, in whichever order, and expiry is in whole seconds.
  await world.rotate({ tokens: ['telegraf'] });
  await world.rotate();
  const kept = world.deploy(policyWith({ grafana: writer }));
  const { result } = await kept.reap();
  expect(result.plan.actions).toEqual([]);
  expect(result.plan.findings).toContainEqual({
    kind: 'Unlisted',
    secret: TELEGRAF,
    message: 'no entry of the policy names it; its token expires at 2026-05-31T12:00:01Z',
  });

  const retiring = world.deploy(policyWith({ grafana: writer }, { onRemoval: 'retire' }));
  const steps: string[] = [];
  for (let hours = 0; hours < 324; hours += 24) {
    await world.wait(DAY);
    const answer = await retiring.reap();
    for (const { action } of answer.result?.outcomes ?? []) steps.push(action.kind);
  }
  expect(steps).toEqual(['supersede', 'fence', 'quarantine', 'delete', 'delete-secret']);
  expect(world.tokens()).toMatchObject([{ text: 'grafana' }]);
  const { deletedAt, deletionAt } = world.aws.state.secrets[TELEGRAF] ?? {};
  expect(Number(deletionAt) - Number(deletedAt)).toBe(30 * DAY);
});

test('keeps the secret of a removed entry whose token works, where a listing lacks it, and says so', async () => {
  const world = await openWorldForTest(policyWith({ ...entries, grafana: writer }));
  await world.rotate();
  await world.rotateSecret(TELEGRAF);
  await world.wait(DAY);
  world.intercept(({ operation }, effect) => {
    const reply = effect();
    if (operation !== 'GET /tokens') return Promise.resolve(reply);
    const shown = JSON.parse(reply.body) as { description: string }[];
    const rest = shown.filter(({ description }) => description.includes('grafana'));
    return Promise.resolve({ ...reply, body: JSON.stringify(rest) });
  });
  const { result } = await world
    .deploy(policyWith({ grafana: writer }, { onRemoval: 'retire' }))
    .reap();
  expect(world.accepts(world.string(TELEGRAF))).toBe(true);
  expect(world.aws.state.secrets[TELEGRAF]?.deletedAt).toBeUndefined();
  expect(result?.plan.findings).toContainEqual({
    kind: 'SecretKept',
    secret: TELEGRAF,
    message: expect.stringContaining('AWSCURRENT'),
  });
});

test('a secret that a person deletes for good while its deletion is planned is no failure of reap', async () => {
  const world = await openWorldForTest(policyWith({ ...entries, grafana: writer }));
  await world.rotate();
  await world.wait(DAY);
  await world.people.deleteToken(world.holders(TELEGRAF).AWSCURRENT);
  let deleted = false;
  world.intercept(async ({ operation }, effect) => {
    const reply = effect();
    if (operation === 'GET /databases' && !deleted) {
      deleted = true;
      await world.people.deleteSecret(TELEGRAF, 'for good');
    }
    return reply;
  });
  const { result, error } = await world
    .deploy(policyWith({ grafana: writer }, { onRemoval: 'retire' }))
    .reap();
  expect(error).toBeUndefined();
  expect(result?.outcomes).toMatchObject([
    { action: { kind: 'delete-secret' }, result: 'skipped' },
  ]);
});

test('retires the token of a removed entry also where a person put AWSPREVIOUS on the current version', async () => {
  const world = await openWorldForTest(policyWith({ ...entries, grafana: writer }));
  await world.rotate();
  const string = world.string(TELEGRAF);
  await world.people.label(TELEGRAF, 'AWSPREVIOUS', world.labels(TELEGRAF).AWSCURRENT);
  const retiring = world.deploy(policyWith({ grafana: writer }, { onRemoval: 'retire' }));
  for (let days = 0; days < 5; days += 1) {
    await world.wait(DAY);
    await retiring.reap();
  }
  expect(world.accepts(string)).toBe(false);
});

test('keeps the secret of a removed entry into which a person puts a string while its deletion is planned', async () => {
  const world = await openWorldForTest(policyWith({ ...entries, grafana: writer }));
  await world.rotate();
  await world.wait(DAY);
  const [current] = Object.values(world.holders(TELEGRAF));
  await world.people.deleteToken(current ?? '');
  let saved = false;
  world.intercept(async ({ operation }, effect) => {
    const reply = effect();
    if (operation === 'GET /databases' && !saved) {
      saved = true;
      await world.people.saveValue(TELEGRAF, 'made by hand');
    }
    return reply;
  });
  const { result } = await world
    .deploy(policyWith({ grafana: writer }, { onRemoval: 'retire' }))
    .reap();
  expect(result?.outcomes).toMatchObject([
    { action: { kind: 'delete-secret' }, result: 'skipped' },
  ]);
  expect(world.aws.state.secrets[TELEGRAF]?.deletedAt).toBeUndefined();
});

test('a secret that a person replicates while its deletion is planned stays, and nothing fails for it', async () => {
  const world = await openWorldForTest(policyWith({ ...entries, grafana: writer }));
  await world.rotate();
  await world.wait(DAY);
  await world.people.deleteToken(world.holders(TELEGRAF).AWSCURRENT);
  let looks = 0;
  world.intercept(async ({ operation, caller }, effect) => {
    const isLook = caller !== undefined && operation === 'DescribeSecret';
    if (isLook) looks += 1;
    if (isLook && looks === 2) await world.people.replicate(TELEGRAF, 'eu-central-1');
    return effect();
  });
  const { result, error } = await world
    .deploy(policyWith({ grafana: writer }, { onRemoval: 'retire' }))
    .reap();
  expect(error).toBeUndefined();
  expect(result?.outcomes).toMatchObject([
    { action: { kind: 'delete-secret' }, result: 'skipped' },
  ]);
  expect(world.aws.state.secrets[TELEGRAF]?.deletedAt).toBeUndefined();
});

test('an expired token of others that another deployment marks as its own while the deletion is planned stays', async () => {
  const policy = policyWith(entries, { expiredForeignTokens: 'delete' });
  const world = await openWorldForTest(policy);
  await world.rotate();
  const { id } = await world.people.mint({
    ...{ description: 'of others', permissions: [] },
    expiresAt: '2026-03-03T12:00:00Z',
  });
  await world.wait(2 * DAY);
  world.intercept(({ operation, subject }, effect) => {
    const token = world.cluster.state.tokens.find((each) => each.id === id);
    if (operation === 'GET /tokens/{id}' && subject === id && token)
      token.description = 'grafana [keyturn:1 owner=office secret=keyturn/office/grafana]';
    return Promise.resolve(effect());
  });
  const { result } = await world.reap();
  expect(result?.outcomes).toMatchObject([
    { action: { kind: 'delete-foreign', tokenId: id }, result: 'skipped' },
  ]);
  expect(world.tokens().map((token) => token.id)).toContain(id);
});

test('reports expired tokens of others, and deletes them where the policy says so', async () => {
  const world = await openWorldForTest(policyWith(entries));
  await world.rotate();
  const mint = (expiresAt: string) =>
    world.people.mint({ description: 'of others', permissions: [], expiresAt });
  const expiring = await mint('2026-03-03T12:00:00Z');
  const lasting = await mint('2026-04-02T12:00:00Z');
  await world.wait(2 * DAY);
  const { result } = await world.reap();
  expect(result.plan.actions).toEqual([]);
  expect(result.plan.findings).toContainEqual({
    kind: 'ForeignExpired',
    message: `1 token of others, expired: ${expiring.id}`,
  });
  await world.deploy(policyWith(entries, { expiredForeignTokens: 'delete' })).reap();
  const ids = world.tokens().map(({ id }) => id);
  expect(ids).not.toContain(expiring.id);
  expect(ids).toContain(lasting.id);
});

test('strips a frozen token and deletes a deleted one, and neither comes back', async () => {
  const world = await openWorldForTest(policyWith(entries));
  await world.rotate();
  await world.people.hold(TELEGRAF, 'frozen');
  await world.reap();
  await world.rotate(force);
  expect(world.tokens()).toMatchObject([{ permissions: [], marker: { was: 'write:telemetry' } }]);
  await world.people.hold(TELEGRAF, 'deleted');
  await world.reap();
  await world.wait(99 * DAY);
  await world.rotate(force);
  expect(world.tokens()).toEqual([]);
});

test('reads no value of a secret but the management token', async () => {
  const world = await openWorldForTest(policyWith(entries));
  await world.rotate();
  await world.rotate(force);
  await world.wait(3 * DAY);
  const read: string[] = [];
  world.watch((call, effect) => {
    const reply = effect();
    if (call.operation === 'GetSecretValue') read.push(reply.body);
    return reply;
  });
  await world.reap();
  expect(read).toHaveLength(1);
  expect(JSON.parse(read[0] ?? '').Name).toBe('influxdb/management');
});

test('a secret that left the policy and the roles while its token is fenced is reported, and stops nobody', async () => {
  const own = { grafana: { ...writer, secret: 'monitoring/grafana' } };
  const world = await openWorldForTest(policyWith({ ...entries, ...own }));
  await world.rotate();
  await world.rotate({ tokens: ['grafana'], force: true });
  await world.wait(DAY + HOUR);
  await world.reap();
  const left = world.deploy(policyWith(entries));
  world.intercept(denied('monitoring/grafana'));
  await world.wait(2 * DAY);
  const unreadable = expect.objectContaining({ kind: 'Unreadable', secret: 'monitoring/grafana' });
  expect((await left.reap()).result?.plan.findings).toContainEqual(unreadable);
  await world.wait(50 * DAY);
  const rotated = await left.rotate();
  expect(rotated.error).toBeUndefined();
  expect((await left.reap()).result?.plan.findings).toContainEqual(
    expect.objectContaining({
      kind: 'Lingering',
      secret: 'monitoring/grafana',
      message: expect.stringContaining('cannot be read'),
    }),
  );
});

const metric = ({ metrics }: Pick<World, 'metrics'>, name: string) =>
  metrics().findLast((each) => `Owner=prod ${name}` in each)?.[`Owner=prod ${name}`];

test('alarms while a token works whose marker somebody broke by text behind it', async () => {
  const world = await openWorldForTest(policyWith(entries));
  await world.rotate();
  const string = world.string(TELEGRAF);
  await world.rotate(force);
  const [old] = world.cluster.state.tokens;
  await world.people.changeToken(old?.id ?? '', {
    description: `${old?.description} (seen by ops)`,
  });
  await world.wait(3 * DAY);
  const { result } = await world.reap();
  expect(world.accepts(string)).toBe(true);
  expect(metric(world, 'WorkingStrays')).toBe(1);
  const kinds = result.plan.findings.map(({ kind }: { kind: string }) => kind);
  expect(kinds).toEqual(expect.arrayContaining(['BrokenMarker', 'Stray', 'WorkingStray']));
});

test('alarms while the token of a secret works that was deleted for good, and ends no token of another home', async () => {
  const world = await openWorldForTest(policyWith(entries, { onRemoval: 'retire' }));
  await world.rotate();
  const string = world.string(TELEGRAF);
  await world.people.deleteSecret(TELEGRAF, 'for good');
  await world.people.createSecret(TELEGRAF, undefined, { 'keyturn:owner': 'prod' });
  for (let days = 0; days < 12; days += 4) {
    await world.wait(4 * DAY);
    await world.reap();
    expect([metric(world, 'WorkingStrays'), world.accepts(string)]).toEqual([1, true]);
  }
});
