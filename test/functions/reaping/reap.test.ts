import { expect, test } from 'vitest';
import { DAY, HOUR, policy, startRun, writer } from '../run/run.ts';

const TELEGRAF = 'keyturn/prod/telegraf';
const entries = { telegraf: writer };
const force = { tokens: ['telegraf'], force: true };

test('answers a dry run with the plan and the inventory, and applies nothing', async () => {
  const run = await startRun(policy(entries));
  await run.rotate();
  await run.rotate(force);
  await run.wait(2 * DAY);
  const before = run.tokens();
  const { result } = await run.reap({ dryRun: true });
  expect(result.plan.actions).toEqual([
    { kind: 'fence', reason: 'GraceOver', secret: TELEGRAF, tokenId: before[0]?.id },
  ]);
  expect(result.plan.findings).toEqual([{ kind: 'Owned', message: '2 tokens in 1 secrets' }]);
  expect(result.outcomes).toBeUndefined();
  expect(run.tokens()).toEqual(before);
});

test('retires a superseded token step by step, and never the current one', async () => {
  const run = await startRun(policy(entries));
  await run.rotate();
  const first = run.labels(TELEGRAF).AWSCURRENT ?? '';
  await run.rotate(force);
  const second = run.labels(TELEGRAF).AWSCURRENT;
  const { token } = JSON.parse(await run.current(TELEGRAF));
  const steps: string[] = [];
  for (let hours = 0; hours <= 220; hours += 4) {
    const { result } = await run.reap();
    for (const { action } of result.outcomes) steps.push(`${hours} h: ${action.kind}`);
    expect(run.sandbox.cluster.accepts(token, 'write', 'telemetry')).toBe(true);
    const named = run.labels(TELEGRAF).AWSPREVIOUS;
    expect(named === undefined || run.tokens().some(({ id }) => id === named)).toBe(true);
    await run.wait(4 * HOUR);
  }
  expect(steps).toEqual(['24 h: fence', '48 h: quarantine', '216 h: delete']);
  expect(run.tokens().map(({ id }) => id)).toEqual([second]);
  expect(run.labels(TELEGRAF)).toEqual({ AWSCURRENT: second, AWSPENDING: second });
  expect(run.tokens().some(({ id }) => id === first)).toBe(false);
});

test('retires a removed entry down to its secret, where the policy says so', async () => {
  const run = await startRun(policy({ ...entries, grafana: writer }));
  await run.rotate();
  const kept = run.deploy(policy({ grafana: writer }));
  const { result } = await kept.reap();
  expect(result.plan.actions).toEqual([]);
  expect(result.plan.findings).toContainEqual({
    kind: 'Unlisted',
    secret: TELEGRAF,
    message: 'no entry of the policy names it; its token expires at 2026-05-31T12:00:00.000Z',
  });

  const retiring = run.deploy(policy({ grafana: writer }, { onRemoval: 'retire' }));
  const steps: string[] = [];
  for (let hours = 0; hours < 324; hours += 24) {
    await run.wait(DAY);
    const answer = await retiring.reap();
    for (const { action } of answer.result?.outcomes ?? []) steps.push(action.kind);
  }
  expect(steps).toEqual(['supersede', 'fence', 'quarantine', 'delete', 'delete-secret']);
  expect(run.tokens()).toMatchObject([{ text: 'grafana' }]);
  const { deletedAt, deletionAt } = run.sandbox.aws.state.secrets[TELEGRAF] ?? {};
  expect(Number(deletionAt) - Number(deletedAt)).toBe(30 * DAY);
});

test('reports expired tokens of others, and deletes them where the policy says so', async () => {
  const run = await startRun(policy(entries));
  await run.rotate();
  const mint = (expiresAt: string) =>
    run.manage('POST', '/tokens', { description: 'of others', permissions: [], expiresAt });
  const expiring = await mint('2026-03-03T12:00:00Z');
  const lasting = await mint('2026-04-02T12:00:00Z');
  await run.wait(2 * DAY);
  const { result } = await run.reap();
  expect(result.plan.actions).toEqual([]);
  expect(result.plan.findings).toContainEqual({
    kind: 'ForeignExpired',
    message: `1 token of others, expired: ${expiring.id}`,
  });
  await run.deploy(policy(entries, { expiredForeignTokens: 'delete' })).reap();
  const ids = run.tokens().map(({ id }) => id);
  expect(ids).not.toContain(expiring.id);
  expect(ids).toContain(lasting.id);
});

test('strips a frozen token and deletes a deleted one, and neither comes back', async () => {
  const run = await startRun(policy(entries));
  await run.rotate();
  const hold = (Value: string) =>
    run.secrets.tagResource({ SecretId: TELEGRAF, Tags: [{ Key: 'keyturn:hold', Value }] });
  await hold('frozen');
  await run.reap();
  await run.rotate(force);
  expect(run.tokens()).toMatchObject([{ permissions: [], marker: { was: [{}] } }]);
  await hold('deleted');
  await run.reap();
  await run.wait(99 * DAY);
  await run.rotate(force);
  expect(run.tokens()).toEqual([]);
});

test('reads no value of a secret but the management token', async () => {
  const run = await startRun(policy(entries));
  await run.rotate();
  await run.rotate(force);
  await run.wait(3 * DAY);
  const read: string[] = [];
  run.sandbox.aws.intercept = (call, effect) => {
    if (call.operation === 'GetSecretValue') read.push(effect().body);
    return Promise.resolve(effect());
  };
  await run.reap();
  expect(read).toHaveLength(1);
  expect(JSON.parse(read[0] ?? '').Name).toBe('influxdb/management');
});
