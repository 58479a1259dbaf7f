import { expect, test } from 'vitest';
import { DAY, HOUR, MINUTE, policy, startRun, writer } from '../run/run.ts';

const TELEGRAF = 'keyturn/prod/telegraf';
const entries = { telegraf: writer };

test('answers a dry run with the plan, and applies nothing', async () => {
  const run = await startRun(policy(entries));
  const { result } = await run.rotate({ dryRun: true });
  expect(result).toEqual({
    plan: {
      job: 'rotate',
      owner: 'prod',
      cluster: run.sandbox.cluster.url,
      actions: [{ token: 'telegraf', secret: TELEGRAF, kind: 'rotate', reason: 'Missing' }],
      findings: [],
      limit: { counted: 0, allowed: 3 },
      hash: expect.stringMatching(/^[0-9a-f]{16}$/),
    },
  });
  expect(run.tokens()).toEqual([]);
  expect(run.labels(TELEGRAF)).toEqual({});
  expect(run.sandbox.aws.state.events).toEqual([]);
});

test('mints the first token, and gives consumers all they need', async () => {
  const run = await startRun(policy(entries), { activationDelayMs: 90_000 });
  expect(await run.rotate()).toMatchObject({ result: { outcomes: [{ result: 'done' }] } });
  const [token] = run.tokens();
  expect(token).toMatchObject({ text: 'telegraf', marker: { owner: 'prod', secret: TELEGRAF } });
  expect(run.labels(TELEGRAF)).toEqual({ AWSCURRENT: token?.id, AWSPENDING: token?.id });
  const value = JSON.parse(await run.current(TELEGRAF));
  expect(value).toEqual({
    token: expect.any(String),
    tokenId: token?.id,
    url: run.sandbox.cluster.url,
    databases: ['telemetry'],
    expiresAt: '2026-05-31T12:00:00Z',
  });
  expect(run.sandbox.cluster.accepts(value.token, 'write', 'telemetry')).toBe(true);
  expect(run.sandbox.aws.state.events.map(({ detailType }) => detailType)).toEqual([
    'Token Rotated',
  ]);
  expect(await run.rotate()).toMatchObject({ result: { plan: { actions: [] }, outcomes: [] } });
  const told = JSON.stringify([run.lines(), run.sandbox.aws.state.events]);
  expect(told).not.toContain(value.token);
});

test('rotates by force the tokens that are named, and nothing else', async () => {
  const run = await startRun(policy({ ...entries, grafana: writer }));
  await run.rotate();
  const before = run.labels(TELEGRAF).AWSCURRENT;
  const other = run.labels('keyturn/prod/grafana');
  const { result } = await run.rotate({ tokens: ['telegraf'], force: true });
  expect(result.outcomes).toEqual([
    { action: expect.objectContaining({ token: 'telegraf', reason: 'Forced' }), result: 'done' },
  ]);
  expect(run.labels(TELEGRAF)).toMatchObject({ AWSPREVIOUS: before });
  expect(run.labels(TELEGRAF).AWSCURRENT).not.toBe(before);
  expect(run.labels('keyturn/prod/grafana')).toEqual(other);
});

test.each([
  [{ dryrun: true }, 'the event: unknown key dryrun'],
  [{ dryRun: 'yes' }, 'dryRun: expected boolean'],
  [{ force: true }, 'the event: force requires the tokens to be named'],
  [{ tokens: [] }, 'tokens: '],
  [{ approve: 'everything' }, 'approve: a plan hash of 16 hex digits'],
  [{ tokens: ['telegarf'], force: true }, 'tokens: the policy names no telegarf'],
])('refuses an event it does not understand: %j', async (event, message) => {
  const run = await startRun(policy(entries));
  const { error } = await run.rotate(event);
  expect(error?.errorType).toBe('RequestError');
  expect(error?.errorMessage).toContain(message);
  expect(run.tokens()).toEqual([]);
});

test('rotates when it is time, and no sooner', async () => {
  const run = await startRun(policy({ telegraf: { ...writer, rotateEvery: '10d' } }));
  await run.rotate();
  const first = run.labels(TELEGRAF).AWSCURRENT;
  await run.wait(9 * DAY - HOUR);
  await run.rotate();
  expect(run.labels(TELEGRAF).AWSCURRENT).toBe(first);
  await run.wait(DAY + HOUR);
  await run.rotate();
  expect(run.labels(TELEGRAF)).toMatchObject({ AWSPREVIOUS: first });
  const old = run.tokens().find(({ id }) => id === first);
  expect(old?.marker?.superseded).toBeGreaterThan(0);
  expect(old?.permissions).toHaveLength(1);
});

test('replaces at once a current token that somebody deleted by hand', async () => {
  const run = await startRun(policy(entries));
  await run.rotate();
  const first = run.labels(TELEGRAF).AWSCURRENT;
  await run.manage('DELETE', `/tokens/${first}`);
  const { result } = await run.rotate();
  expect(result.plan.limit).toEqual({ counted: 1, allowed: 3 });
  expect(result.outcomes).toEqual([
    { action: expect.objectContaining({ reason: 'CurrentGone' }), result: 'done' },
  ]);
  const { token } = JSON.parse(await run.current(TELEGRAF));
  expect(run.sandbox.cluster.accepts(token, 'write', 'telemetry')).toBe(true);
});

test('replaces an expired token, should nothing have run for that long', async () => {
  const run = await startRun(policy(entries));
  await run.rotate();
  await run.wait(91 * DAY);
  const { result } = await run.rotate();
  expect(result.outcomes).toEqual([
    { action: expect.objectContaining({ reason: 'Expired' }), result: 'done' },
  ]);
  const { token } = JSON.parse(await run.current(TELEGRAF));
  expect(run.sandbox.cluster.accepts(token, 'write', 'telemetry')).toBe(true);
});

test('leaves a token alone that a person stripped, and says so', async () => {
  const run = await startRun(policy(entries));
  await run.rotate();
  const [token] = run.tokens();
  await run.manage('PATCH', `/tokens/${token?.id}`, { permissions: [] });
  await run.wait(80 * DAY);
  for (const event of [{}, { tokens: ['telegraf'], force: true }]) {
    const { result } = await run.rotate(event);
    expect(result.plan.actions).toEqual([]);
    expect(result.plan.findings).toEqual([expect.objectContaining({ kind: 'Held' })]);
  }
  await run.reap();
  expect(run.tokens()).toEqual([{ ...token, permissions: [] }]);
});

test('does not mint for a new secret again while the listing does not show it', async () => {
  const run = await startRun(policy(entries), { listLagMs: 5 * MINUTE });
  await run.rotate();
  await run.wait(MINUTE);
  const { result } = await run.rotate();
  expect(result.outcomes).toEqual([
    { action: expect.objectContaining({ reason: 'Missing' }), result: 'skipped' },
  ]);
  expect(run.tokens()).toHaveLength(1);
});

test('gives back what quarantine took from a token that somebody rolled back to', async () => {
  const run = await startRun(policy(entries));
  await run.rotate();
  const first = run.labels(TELEGRAF).AWSCURRENT ?? '';
  await run.rotate({ tokens: ['telegraf'], force: true });
  for (let days = 0; days < 3; days += 1) {
    await run.wait(DAY);
    await run.reap();
  }
  const quarantined = run.tokens().find(({ id }) => id === first);
  expect(quarantined).toMatchObject({ permissions: [], marker: { was: expect.anything() } });
  await run.secrets.updateSecretVersionStage({
    SecretId: TELEGRAF,
    VersionStage: 'AWSCURRENT',
    MoveToVersionId: first,
    RemoveFromVersionId: run.labels(TELEGRAF).AWSCURRENT ?? '',
  });
  const { result } = await run.rotate();
  expect(result.outcomes).toEqual([
    { action: expect.objectContaining({ reason: 'RolledBack', tokenId: first }), result: 'done' },
  ]);
  const { token } = JSON.parse(await run.current(TELEGRAF));
  expect(run.sandbox.cluster.accepts(token, 'write', 'telemetry')).toBe(true);
  expect(run.tokens().find(({ id }) => id === first)?.marker?.superseded).toBeUndefined();
  expect((await run.rotate()).result.plan.actions).toEqual([]);
});

test('leaves a value that a person put, until they ask for the rotation by name', async () => {
  const run = await startRun(policy(entries));
  await run.rotate();
  await run.secrets.putSecretValue({ SecretId: TELEGRAF, SecretString: '{"token":"by hand"}' });
  const { AWSCURRENT } = run.labels(TELEGRAF);
  expect(await run.rotate()).toMatchObject({ result: { outcomes: [{ result: 'held' }] } });
  expect(run.labels(TELEGRAF)).toMatchObject({ AWSCURRENT });
  await run.rotate({ tokens: ['telegraf'], force: true });
  expect(JSON.parse(await run.current(TELEGRAF)).tokenId).toBe(run.labels(TELEGRAF).AWSCURRENT);
});
