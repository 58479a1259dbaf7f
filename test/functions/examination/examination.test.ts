import { randomBytes } from 'node:crypto';
import { ListSecretsCommand, SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import { expect, test, vi } from 'vitest';
import { sentenceOf } from '../../../bin/keyturn/failure.ts';
import { awsRefusal } from '../../../functions/examination/aws-refusal.ts';
import { answering } from '../../world/faults.ts';
import { openWorldForTest } from '../../world/open-world.ts';
import { DAY, policyWith, writer } from '../../world/policy.ts';
import type { World } from '../../world/world.ts';
import { examine, type Seen } from './examine.ts';

const EXAMINE = { examine: true };
const SECRET = 'influxdb/management';
const POLICY = policyWith({ telegraf: writer });

/** One check, by what was looked at. */
async function checkOf(world: World, check: string): Promise<Seen | undefined> {
  return (await examine(world)).find((each) => each.check === check);
}

const saveToken = (world: World, more: object = {}) =>
  world.people.saveValue(SECRET, JSON.stringify({ token: world.cluster.managementToken, ...more }));

test('a world in which all is well is found so, and nothing but reads was sent', async () => {
  const world = await openWorldForTest(POLICY);
  await saveToken(world, { expiresAt: new Date(world.clock.now() + 100.5 * DAY).toISOString() });
  const operations: string[] = [];
  world.watch((call, effect) => {
    operations.push(call.operation);
    return effect();
  });
  const { result } = await world.rotate(EXAMINE);
  expect(result.checks).toEqual([
    {
      check: 'Secrets Manager',
      state: 'ok',
      found: 'it lists 0 secrets of prod; the policy has 1 token',
    },
    {
      check: 'management token',
      state: 'ok',
      found: 'it can be read in the secret influxdb/management',
    },
    {
      check: 'its expiry',
      state: 'ok',
      found: '100 days left (until 2026-06-11T00:00:00Z)',
    },
    {
      check: 'Management API',
      state: 'ok',
      found: expect.stringMatching(/^127\.0\.0\.1:\d+ answers, without TLS$/),
    },
    { check: 'path prefix', state: 'ok', found: '/api/v0 answers' },
    { check: 'management token is taken', state: 'ok', found: 'the cluster takes it' },
    { check: 'clocks', state: 'ok', found: 'the same, to a second' },
    { check: 'tokens', state: 'ok', found: 'it lists 0' },
    {
      check: 'data plane',
      state: 'ok',
      found: expect.stringMatching(/ answers, without TLS, and refuses what is no token$/),
    },
  ]);
  expect(result).toMatchObject({
    schedule: { name: 'keyturn-prod-rotate', state: 'on' },
    policy: { hash: expect.any(String) },
  });
  expect([...new Set(operations)].sort()).toEqual([
    'GET /databases',
    'GET /query',
    'GET /tokens',
    'GetSchedule',
    'GetSecretValue',
    'ListSecrets',
  ]);
  expect(world.metrics()).toEqual([]);
});

test('a management token that the cluster refuses is told, with its secret and how one is made', async () => {
  const world = await openWorldForTest(POLICY);
  const wrong = randomBytes(48).toString('base64url');
  await world.people.saveValue(SECRET, wrong);
  const checks = await examine(world);
  expect(checks.find(({ check }) => check === 'management token is taken')).toEqual({
    check: 'management token is taken',
    state: 'fail',
    found:
      'the cluster refuses the one in influxdb/management (401): it is wrong, revoked or expired',
    advice: expect.stringContaining('influxctl management create'),
  });
  expect(checks.find(({ check }) => check === 'Management API')?.state).toBe('ok');
  expect(checks.find(({ check }) => check === 'data plane')?.state).toBe('ok');
  expect(JSON.stringify(checks) + world.lines().join()).not.toContain(wrong);
});

test.each([
  ['expired', -1, 'fail', /^it expired at 2026-03-01T/],
  ['about to expire', 3.5, 'warn', /^3 days left/],
  ['good for a day', 1.5, 'warn', /^1 day left/],
])('a management token that is %s says so', async (_how, days, state, found) => {
  const world = await openWorldForTest(POLICY);
  await saveToken(world, { expiresAt: new Date(world.clock.now() + days * DAY).toISOString() });
  expect(await checkOf(world, 'its expiry')).toEqual({
    check: 'its expiry',
    state,
    found: expect.stringMatching(found),
    advice: expect.stringContaining(SECRET),
  });
});

test('nobody claims to know when a management token expires whose secret does not say it', async () => {
  const world = await openWorldForTest(POLICY);
  expect(await checkOf(world, 'its expiry')).toMatchObject({ state: 'warn' });
  await saveToken(world, { expiresAt: 'some day' });
  expect(await checkOf(world, 'its expiry')).toMatchObject({
    state: 'warn',
    found: expect.stringContaining('no instant'),
  });
});

test.each([
  ['is JSON without a token', '{"password":"x"}', 'JSON without the string of a token'],
  ['is no token', 'not a token', 'blanks, quotes or brackets'],
])(
  'a secret of the management token that %s is told, and the rest is looked at',
  async (_how, value, found) => {
    const world = await openWorldForTest(POLICY);
    await world.people.saveValue(SECRET, value);
    const checks = await examine(world);
    const states = Object.fromEntries(checks.map(({ check, state }) => [check, state]));
    expect(states).toEqual({
      'Secrets Manager': 'ok',
      'management token': 'fail',
      'Management API': 'ok',
      'path prefix': 'unknown',
      'management token is taken': 'unknown',
      clocks: 'ok',
      tokens: 'unknown',
      'data plane': 'ok',
    });
    expect(checks[1]?.found).toContain(found);
    // It says how to write it; the token itself may be there.
    expect(checks[1]?.advice).toBeUndefined();
  },
);

test('where nobody answers for AWS, a function is told of its VPC, and whoever sits at a laptop is not', () => {
  const error = new Error('connect ECONNREFUSED 127.0.0.1:9');
  const may = 'secretsmanager:ListSecrets';
  expect(awsRefusal(error, may, { isDeployed: true }).advice).toContain('VPC');
  expect(awsRefusal(error, may, {}).advice).toMatch(/^nobody answered: check the way from here/);
});

test('an AWS_REGION that is empty is told as one that is not set, and one that can be none by its name', async () => {
  const may = 'secretsmanager:ListSecrets';
  const found: string[] = [];
  for (const region of ['', ' ', 'eu west 1']) {
    vi.stubEnv('AWS_REGION', region);
    const client = new SecretsManagerClient({
      credentials: { accessKeyId: 'a', secretAccessKey: 'b' },
    });
    const error = await client.send(new ListSecretsCommand({})).catch((each: unknown) => each);
    const verdict = awsRefusal(error, may, {});
    expect(verdict).toMatchObject({
      state: 'fail',
      advice: expect.stringMatching(/^set AWS_REGION/),
    });
    found.push(`${verdict.found} | ${sentenceOf(error)}`);
  }
  vi.unstubAllEnvs();
  expect(found).toEqual([
    expect.stringMatching(/^Region is missing \| found no AWS Region, expected /),
    expect.stringMatching(/^Region is missing \| found no AWS Region, expected /),
    expect.stringMatching(/^Region not accepted: .*eu west 1.* \| found "eu west 1" for the AWS /),
  ]);
});

const json = (status: number, body: object, headers = {}) => ({
  status,
  headers: { 'content-type': 'application/json', ...headers },
  body: JSON.stringify(body),
});
const page = (status: number) => ({ status, body: '<html>gateway</html>' });

test.each([
  [
    'management token is taken',
    'GET /databases',
    json(403, { code: 403, message: 'no' }),
    'fail',
    /lets it list nothing \(403\)/,
  ],
  [
    'management token is taken',
    'GET /databases',
    page(401),
    'unknown',
    /a page, and no answer of InfluxDB, says 401/,
  ],
  ['management token is taken', 'GET /databases', page(503), 'unknown', /was not asked/],
  ['Management API', 'GET /databases', page(503), 'fail', / answers 503$/],
  [
    'Management API',
    'GET /databases',
    page(401),
    'fail',
    / 401, and not as the Management API does$/,
  ],
  [
    'Management API',
    'GET /databases',
    { status: 302, headers: { location: 'https://login.example.com' }, body: '' },
    'fail',
    / 302, and not as the Management API does$/,
  ],
  [
    'Management API',
    'GET /databases',
    page(200),
    'fail',
    / answers 200, and not as the Management API does$/,
  ],
  ['tokens', 'GET /tokens', page(200), 'fail', /its body is not JSON/],
  ['tokens', 'GET /tokens', json(403, { code: 403, message: 'no' }), 'fail', /answered 403/],
  ['data plane', 'GET /query', page(403), 'fail', /answers 403, and not as InfluxDB does$/],
  [
    'data plane',
    'GET /query',
    json(200, { results: [] }),
    'fail',
    /no proof of a token is worth anything$/,
  ],
  ['data plane', 'GET /query', json(500, { error: 'broken' }), 'fail', /answered 500.*broken$/],
  [
    'Secrets Manager',
    'ListSecrets',
    json(400, { __type: 'AccessDeniedException', Message: 'no' }),
    'fail',
    /ListSecrets.*: no$/,
  ],
  [
    'management token',
    'GetSecretValue',
    json(400, { __type: 'AccessDeniedException', Message: 'no' }),
    'fail',
    /GetSecretValue.*: no$/,
  ],
] as const)(
  '%s: what %s answers is told (%j): %s',
  async (check, operation, reply, state, found) => {
    const world = await openWorldForTest(POLICY);
    world.intercept(answering(operation, reply));
    expect(await checkOf(world, check)).toMatchObject({
      state,
      found: expect.stringMatching(found),
    });
  },
);

test('a cluster whose clock is wrong is told, by how much and in which way', async () => {
  const world = await openWorldForTest(POLICY);
  const date = (ms: number) => new Date(world.clock.now() + ms).toUTCString();
  world.intercept(answering('GET /databases', json(200, [], { date: date(-600_000) })));
  expect(await checkOf(world, 'clocks')).toMatchObject({
    state: 'fail',
    found: expect.stringMatching(/^the cluster’s is (599|600) s behind the one here$/),
  });
  world.intercept(answering('GET /databases', json(401, {}, { date: date(30_000) })));
  expect(await checkOf(world, 'clocks')).toMatchObject({ state: 'ok', found: '30 s apart' });
  world.intercept(answering('GET /databases', json(200, [], { date: 'yesterday' })));
  expect(await checkOf(world, 'clocks')).toMatchObject({ state: 'unknown' });
});

test('nothing is claimed of a path where the token was refused first', async () => {
  const world = await openWorldForTest(POLICY);
  world.intercept(answering('GET /databases', json(401, { code: 401, message: 'no' })));
  expect(await checkOf(world, 'path prefix')).toMatchObject({
    state: 'unknown',
    found: 'nobody knows, since /api/v0 answered 401',
  });
});

test.each([
  ['with a schedule', { examine: true, scheduled: {} }, 'scheduled beside it'],
  ['with a dry run', { examine: true, dryRun: false }, 'dryRun beside it'],
  ['with an order', { examine: true, tokens: ['a'], force: true }, 'tokens, force beside it'],
  ['denied', { examine: false }, 'something other than true'],
])('an examination %s is refused, and nothing is asked', async (_how, event, found) => {
  const world = await openWorldForTest(POLICY);
  let calls = 0;
  world.watch((_call, effect) => {
    calls += 1;
    return effect();
  });
  const { error } = await world.rotate(event);
  expect(error).toMatchObject({ errorType: 'RequestError' });
  expect(error?.errorMessage).toContain(
    `examine: found ${found}, expected {"examine": true} alone`,
  );
  expect(calls).toBe(0);
});

test.each(['reap', 'enforce', 'revoke'] as const)('%s examines nothing', async (job) => {
  const world = await openWorldForTest(POLICY);
  expect((await world.invoke(job, EXAMINE)).error).toMatchObject({ errorType: 'RequestError' });
});
