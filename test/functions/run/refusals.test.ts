import { expect, test } from 'vitest';
import type { Call, Interceptor } from '../../../sandbox/interception.ts';
import { answering, refusal } from '../../world/faults.ts';
import { openWorldForTest } from '../../world/open-world.ts';
import { DAY, HOUR, MINUTE, policyWith, TELEGRAF, writer } from '../../world/policy.ts';

const entries = { telegraf: writer };
const fleet = Object.fromEntries(['a', 'b', 'c', 'd', 'e'].map((name) => [name, writer]));

const isCluster = ({ server }: Call) => server === 'management-api' || server === 'data-plane';

test.each([
  [
    { 'keyturn:owner': 'other' },
    'belongs to the deployment "other"; to take it over, once that is paused or destroyed: keyturn takeover telegraf --from other --confirm',
  ],
  [
    {},
    `has no owner; to take it over: keyturn takeover telegraf --confirm, or aws secretsmanager tag-resource --secret-id ${TELEGRAF} --tags Key=keyturn:owner,Value=prod`,
  ],
])('refuses a secret that is not its own, and names the command: %j', async (tags, said) => {
  const world = await openWorldForTest(policyWith(entries));
  await world.people.createSecret(TELEGRAF, 'theirs', tags);
  const shown = await world.rotate({ dryRun: true });
  expect(shown.result.plan).toMatchObject({
    actions: [],
    findings: [{ kind: 'NotOurs', message: expect.stringContaining(said), fails: true }],
  });
  const { error } = await world.rotate();
  expect(error?.errorType).toBe('ApplyError');
  expect(error?.errorMessage).toContain(`${TELEGRAF} ${said}`);
  expect(world.tokens()).toEqual([]);
  expect(world.value(TELEGRAF)).toBe('theirs');
});

test('nor is one promised its adoption that another owner has', async () => {
  const world = await openWorldForTest(policyWith(entries));
  const permissions = [{ action: 'write', resource: 'telemetry' }];
  const { id, accessToken } = await world.people.mint({ description: 'by hand', permissions });
  await world.people.createSecret(TELEGRAF, accessToken, { 'keyturn:owner': 'other' });
  await world.wait(HOUR);
  const adopting = world.deploy(policyWith({ telegraf: { ...writer, adopt: { tokenId: id } } }));
  const { result } = await adopting.rotate({ dryRun: true });
  expect(result.plan).toMatchObject({
    actions: [],
    findings: [
      { message: expect.stringContaining('belongs to the deployment "other"'), fails: true },
    ],
  });
});

test('a secret that could not be looked at is not promised a token without a word', async () => {
  const world = await openWorldForTest(policyWith(entries));
  await world.people.createSecret(TELEGRAF, 'theirs', { 'keyturn:owner': 'other' });
  world.intercept((call, effect) =>
    Promise.resolve(call.operation === 'DescribeSecret' ? refusal(call) : effect()),
  );
  const { plan } = (await world.rotate({ dryRun: true })).result;
  expect(plan.findings).toMatchObject([
    {
      kind: 'SecretUnseen',
      token: 'telegraf',
      message: expect.stringMatching(
        /^keyturn\/prod\/telegraf could not be looked at.*DescribeSecret/,
      ),
    },
  ]);
});

test('refuses to replace more current tokens at once than the limit, until that plan is approved', async () => {
  const world = await openWorldForTest(policyWith(fleet));
  await world.rotate();
  for (const { id } of world.tokens()) await world.people.deleteToken(id);

  const dry = await world.rotate({ dryRun: true });
  const [{ hash, message }] = dry.result.plan.refusals;
  expect(message).toContain('the limit is 3');
  const refused = await world.rotate();
  expect(refused.error).toMatchObject({
    errorType: 'PlanRefusedError',
    errorMessage: `${message}. 5 actions wait; to apply exactly these: {"approve": "${hash}"}\nNothing was applied.`,
  });
  expect((await world.rotate({ approve: '0123456789abcdef' })).error).toBeDefined();
  expect(world.tokens()).toEqual([]);
  expect(world.events().at(-1)).toMatchObject({
    detailType: 'Plan Refused',
    detail: { job: 'rotate', hash, refusal: message, limit: { counted: 5, allowed: 3 } },
  });

  const { result } = await world.rotate({ approve: hash });
  expect(result.outcomes.map((each: { result: string }) => each.result)).toEqual(
    Array.from({ length: 5 }, () => 'done'),
  );
  expect(world.tokens()).toHaveLength(5);
});

test('carries on when one token fails, and fails at the end by its name', async () => {
  const world = await openWorldForTest(policyWith(fleet));
  await world.people.createSecret('keyturn/prod/c');
  const { error } = await world.rotate();
  expect(error?.errorType).toBe('ApplyError');
  expect(error?.errorMessage).toMatch(
    /^1 of 5 actions failed:\nrotate c: keyturn\/prod\/c has no owner/,
  );
  const current = (name: string) => world.labels(`keyturn/prod/${name}`).AWSCURRENT;
  expect(['a', 'b', 'd', 'e'].map(current)).toEqual(
    Array.from({ length: 4 }, () => expect.any(String)),
  );
  await world.people.tag('keyturn/prod/c', { 'keyturn:owner': 'prod' });
  expect((await world.rotate()).result.outcomes).toHaveLength(1);
  expect(current('c')).toEqual(expect.any(String));
});

test('mints no immortal token on a server that ignores expiresAt', async () => {
  const world = await openWorldForTest(policyWith(entries));
  world.intercept((call, effect) => {
    const reply = effect();
    if (call.operation !== 'POST /tokens') return Promise.resolve(reply);
    const { expiresAt: _, ...rest } = JSON.parse(reply.body);
    return Promise.resolve({ ...reply, body: JSON.stringify(rest) });
  });
  const { error } = await world.rotate();
  expect(error?.errorMessage).toContain('another expiry or description than asked for');
  expect(world.labels(TELEGRAF)).toEqual({});
  expect(world.tokens()).toMatchObject([{ permissions: [] }]);
});

test('mints no fourth token while none can be stored, and again when they are reaped', async () => {
  const world = await openWorldForTest(policyWith(entries));
  const denied = { status: 400, body: '{"__type": "AccessDeniedException"}' };
  world.intercept(answering('PutSecretValue', denied));
  for (let n = 0; n < 5; n += 1) {
    await world.rotate();
    await world.wait(5 * MINUTE);
  }
  expect(world.tokens()).toHaveLength(3);
  const { error } = await world.rotate();
  // The run fails as long as that lasts: its alarm must not end because nothing is tried any more.
  expect(error?.errorMessage).toContain(': 3 tokens were minted and not stored');

  world.intercept();
  for (let hours = 0; hours < 3; hours += 1) {
    await world.wait(HOUR);
    await world.reap();
  }
  expect(world.tokens()).toEqual([]);
  await world.rotate();
  expect(world.tokens()).toMatchObject([{ permissions: [expect.anything()] }]);
});

test.each([
  ['ahead', 6 * MINUTE],
  ['behind', -6 * MINUTE],
])('refuses a cluster whose clock is %s', async (_, skewMs) => {
  const world = await openWorldForTest(policyWith(entries));
  const skew = (by: number): Interceptor => {
    return (call, effect) => {
      const date = new Date(world.clock.now() + by).toUTCString();
      const reply = effect();
      if (!isCluster(call)) return Promise.resolve(reply);
      return Promise.resolve({ ...reply, headers: { ...reply.headers, date } });
    };
  };
  world.intercept(skew(skewMs));
  for (const { error } of [await world.rotate(), await world.reap()]) {
    expect(error).toMatchObject({
      errorType: 'ObservationError',
      errorMessage: 'the clocks of the cluster and of this function differ by 360 s',
    });
  }
  expect(world.tokens()).toEqual([]);
  world.intercept(skew(4 * MINUTE));
  expect((await world.rotate()).result.outcomes).toHaveLength(1);
});

test('stops at a listing that leaves out a current token which exists', async () => {
  const world = await openWorldForTest(policyWith(entries));
  await world.rotate();
  await world.wait(60 * DAY);
  world.intercept((call, effect) => {
    const reply = effect();
    return Promise.resolve(call.operation === 'GET /tokens' ? { ...reply, body: '[]' } : reply);
  });
  for (const { error } of [await world.rotate(), await world.reap()]) {
    expect(error?.errorType).toBe('ObservationError');
    expect(error?.errorMessage).toContain('the listing is incomplete');
  }
  expect(world.tokens()).toHaveLength(1);
});

test('reads the management token as a plain string and as JSON, anew in every run', async () => {
  const world = await openWorldForTest(policyWith(entries));
  const put = (SecretString: string) => world.people.saveValue('influxdb/management', SecretString);
  const { managementToken: token } = world.cluster;
  await put(JSON.stringify({ token, expiresAt: '2027-01-01T00:00:00Z' }));
  expect((await world.rotate({ dryRun: true })).result.plan.actions).toHaveLength(1);
  await put('M.V1.wrong');
  const { error } = await world.rotate({ dryRun: true });
  expect(error?.errorMessage).toContain('401');
  expect(JSON.stringify([error, world.lines()])).not.toContain('M.V1.wrong');
  await put(token);
  expect((await world.rotate({ dryRun: true })).result.plan.actions).toHaveLength(1);
});
