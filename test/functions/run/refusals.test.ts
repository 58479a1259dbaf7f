import { expect, test } from 'vitest';
import type { Interceptor } from '../../../sandbox/interception.ts';
import { passThrough } from '../../../sandbox/interception.ts';
import { DAY, HOUR, MINUTE, policy, startRun, writer } from './run.ts';

const TELEGRAF = 'keyturn/prod/telegraf';
const entries = { telegraf: writer };
const fleet = Object.fromEntries(['a', 'b', 'c', 'd', 'e'].map((name) => [name, writer]));

const refusing =
  (operation: string, body: object, status = 400): Interceptor =>
  (call, effect) =>
    call.operation === operation
      ? Promise.resolve({ status, body: JSON.stringify(body) })
      : passThrough(call, effect);

test.each([
  [{ 'keyturn:owner': 'other' }, 'belongs to the deployment "other"'],
  [{}, 'has no owner'],
])('refuses a secret that is not its own, and names the command: %j', async (tags, whose) => {
  const run = await startRun(policy(entries));
  const Tags = Object.entries(tags).map(([Key, Value]) => ({ Key, Value }));
  await run.secrets.createSecret({ Name: TELEGRAF, SecretString: 'theirs', Tags });
  const { error } = await run.rotate();
  expect(error?.errorType).toBe('ApplyError');
  expect(error?.errorMessage).toContain(
    `${TELEGRAF} ${whose}; to take it over: aws secretsmanager tag-resource ` +
      `--secret-id ${TELEGRAF} --tags Key=keyturn:owner,Value=prod`,
  );
  expect(run.tokens()).toEqual([]);
  expect(await run.current(TELEGRAF)).toBe('theirs');
});

test('refuses to replace more current tokens at once than the limit, until that plan is approved', async () => {
  const run = await startRun(policy(fleet));
  await run.rotate();
  for (const { id } of run.tokens()) await run.manage('DELETE', `/tokens/${id}`);

  const dry = await run.rotate({ dryRun: true });
  const { hash, refusal } = dry.result.plan;
  expect(refusal).toContain('the limit is 3');
  const refused = await run.rotate();
  expect(refused.error).toMatchObject({
    errorType: 'PlanRefusedError',
    errorMessage: `${refusal}. Nothing was applied. To apply exactly this plan: {"approve": "${hash}"}`,
  });
  expect((await run.rotate({ approve: '0123456789abcdef' })).error).toBeDefined();
  expect(run.tokens()).toEqual([]);
  expect(run.sandbox.aws.state.events.at(-1)).toMatchObject({
    detailType: 'Plan Refused',
    detail: { job: 'rotate', hash },
  });

  const { result } = await run.rotate({ approve: hash });
  expect(result.outcomes.map((each: { result: string }) => each.result)).toEqual(
    Array.from({ length: 5 }, () => 'done'),
  );
  expect(run.tokens()).toHaveLength(5);
});

test('carries on when one token fails, and fails at the end by its name', async () => {
  const run = await startRun(policy(fleet));
  await run.secrets.createSecret({ Name: 'keyturn/prod/c' });
  const { error } = await run.rotate();
  expect(error?.errorType).toBe('ApplyError');
  expect(error?.errorMessage).toMatch(
    /^1 of 5 actions failed:\nrotate c: OwnershipError: keyturn\/prod\/c has no owner/,
  );
  const current = (name: string) => run.labels(`keyturn/prod/${name}`).AWSCURRENT;
  expect(['a', 'b', 'd', 'e'].map(current)).toEqual(
    Array.from({ length: 4 }, () => expect.any(String)),
  );
  const Tags = [{ Key: 'keyturn:owner', Value: 'prod' }];
  await run.secrets.tagResource({ SecretId: 'keyturn/prod/c', Tags });
  expect((await run.rotate()).result.outcomes).toHaveLength(1);
  expect(current('c')).toEqual(expect.any(String));
});

test('mints no immortal token on a server that ignores expiresAt', async () => {
  const run = await startRun(policy(entries));
  run.sandbox.cluster.intercept = (call, effect) => {
    const reply = effect();
    if (call.operation !== 'POST /tokens') return Promise.resolve(reply);
    const { expiresAt: _, ...rest } = JSON.parse(reply.body);
    return Promise.resolve({ ...reply, body: JSON.stringify(rest) });
  };
  const { error } = await run.rotate();
  expect(error?.errorMessage).toContain('another expiry or description than asked for');
  expect(run.labels(TELEGRAF)).toEqual({});
  expect(run.tokens()).toMatchObject([{ permissions: [] }]);
});

test('mints no fourth token while none can be stored, and again when they are reaped', async () => {
  const run = await startRun(policy(entries));
  run.sandbox.aws.intercept = refusing('PutSecretValue', { __type: 'AccessDeniedException' });
  for (let n = 0; n < 5; n += 1) {
    await run.rotate();
    await run.wait(5 * MINUTE);
  }
  expect(run.tokens()).toHaveLength(3);
  const { result } = await run.rotate();
  expect(result.plan.findings).toEqual([expect.objectContaining({ kind: 'CannotStore' })]);

  run.sandbox.aws.intercept = passThrough;
  for (let hours = 0; hours < 3; hours += 1) {
    await run.wait(HOUR);
    await run.reap();
  }
  expect(run.tokens()).toEqual([]);
  await run.rotate();
  expect(run.tokens()).toMatchObject([{ permissions: [expect.anything()] }]);
});

test.each([
  ['ahead', 6 * MINUTE],
  ['behind', -6 * MINUTE],
])('refuses a cluster whose clock is %s', async (_, skewMs) => {
  const run = await startRun(policy(entries));
  const skew = (by: number): Interceptor => {
    return (_call, effect) => {
      const date = new Date(run.sandbox.clock.now() + by).toUTCString();
      const reply = effect();
      return Promise.resolve({ ...reply, headers: { ...reply.headers, date } });
    };
  };
  run.sandbox.cluster.intercept = skew(skewMs);
  for (const { error } of [await run.rotate(), await run.reap()]) {
    expect(error).toMatchObject({
      errorType: 'ObservationError',
      errorMessage: 'the clocks of the cluster and of this function differ by 360 s',
    });
  }
  expect(run.tokens()).toEqual([]);
  run.sandbox.cluster.intercept = skew(4 * MINUTE);
  expect((await run.rotate()).result.outcomes).toHaveLength(1);
});

test('stops at a listing that leaves out a current token which exists', async () => {
  const run = await startRun(policy(entries));
  await run.rotate();
  await run.wait(60 * DAY);
  run.sandbox.cluster.intercept = (call, effect) => {
    const reply = effect();
    return Promise.resolve(call.operation === 'GET /tokens' ? { ...reply, body: '[]' } : reply);
  };
  for (const { error } of [await run.rotate(), await run.reap()]) {
    expect(error?.errorType).toBe('ObservationError');
    expect(error?.errorMessage).toContain('the listing is cut');
  }
  expect(run.tokens()).toHaveLength(1);
});

test('reads the management token as a plain string and as JSON, anew in every run', async () => {
  const run = await startRun(policy(entries));
  const put = (SecretString: string) =>
    run.secrets.putSecretValue({ SecretId: 'influxdb/management', SecretString });
  const { managementToken: token } = run.sandbox.cluster;
  await put(JSON.stringify({ token, expiresAt: '2027-01-01T00:00:00Z' }));
  expect((await run.rotate({ dryRun: true })).result.plan.actions).toHaveLength(1);
  await put('M.V1.wrong');
  const { error } = await run.rotate({ dryRun: true });
  expect(error?.errorMessage).toContain('401');
  expect(JSON.stringify([error, run.lines()])).not.toContain('M.V1.wrong');
  await put(token);
  expect((await run.rotate({ dryRun: true })).result.plan.actions).toHaveLength(1);
});
