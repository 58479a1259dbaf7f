import { expect, it } from 'vitest';
import { answering } from '../world/faults.ts';
import { temporaryFolder, writeTemporary } from './cli.ts';
import { openDeployed, openLocal } from './operator.ts';
import { type AccountState, accountState, serveAccount, TOPIC } from './serve-account.ts';
import { serveLambda } from './serve-lambda.ts';

interface Told {
  readonly group: string;
  readonly check: string;
  readonly state: string;
  readonly found: string;
  readonly advice?: string;
}

/** A deployment, and the account around it. */
async function openAccount(more: object = {}) {
  const { world, run, env } = await openDeployed(more);
  await world.people.saveValue(
    'influxdb/management',
    JSON.stringify({ token: world.cluster.managementToken, expiresAt: '2099-01-01T00:00:00Z' }),
  );
  const state: AccountState = accountState(`${env.KEYTURN_POLICY}`);
  const found = await serveAccount(state, env.AWS_ENDPOINT_URL_LAMBDA ?? '');
  const doctor = async (
    args: readonly string[] = [],
    others: Readonly<Record<string, string>> = {},
  ) => {
    // The cluster has the world's clock, and the doctor the machine's, which goes on while others use the machine.
    await world.wait(Math.max(0, Date.now() - world.clock.now()));
    return run(['doctor', ...args], undefined, { ...found, ...others });
  };
  /** What is not well, and the exit code. */
  const complaints = async (others: Readonly<Record<string, string>> = {}) => {
    const { code, stdout } = await doctor(['--json'], others);
    const { checks, well } = JSON.parse(stdout) as { checks: Told[]; well: boolean };
    return { code, well, checks: checks.filter(({ state: each }) => each !== 'ok') };
  };
  return { world, run, state, doctor, complaints, env: { ...env, ...found } };
}

it('finds all well where it is, in lines that fit 80 columns', async () => {
  const { doctor, world } = await openAccount();
  const { code, stdout, stderr } = await doctor();
  expect(stderr).toBe('');
  expect(stdout).toMatch(/\n\d+ checks: (\d+) ok, 0 warnings, 0 failed, 0 unknown\n$/);
  expect(code).toBe(0);
  expect(stdout.split('\n').filter((line) => line.length > 80)).toEqual([]);
  expect(world.tokens()).toEqual([]);
});

it('looks at everything else where this machine lacks the certificates that the policy names', async () => {
  const { world, complaints } = await openAccount();
  const cluster = { ...Object(world.policy).cluster, ca: 'elsewhere.pem' };
  const KEYTURN_POLICY = writeTemporary('copied.yaml', { ...world.policy, cluster });
  const { checks } = await complaints({ KEYTURN_POLICY });
  const here = checks.filter(({ group }) => group.startsWith('From here'));
  expect(JSON.stringify(here)).toContain('cannot read');
  expect(here.map(({ state }) => state)).not.toContain('fail');
  // The functions have another policy than this file: that is seen, too.
  expect(checks.map(({ group }) => group)).toContain('Functions');
});

it('looks from this machine alone before anything is deployed, and then says failed of what fails there', async () => {
  const { systems, run } = await openLocal();
  const well = await run(['doctor', '--local']);
  expect(well.stdout).toMatch(/\n10 checks: 9 ok, 1 warning, 0 failed, 0 unknown\n$/);
  expect(well.code).toBe(0);
  expect(well.stdout).not.toContain('From Lambda');
  const byHand = await run(['doctor', '--local'], '', { KEYTURN_MANAGEMENT_TOKEN: 'wrong' });
  expect(byHand.stdout.replaceAll(/\s+/g, ' ')).toContain(
    'refuses the one that was given by hand (401): it is wrong, revoked or expired',
  );
  expect(byHand.stdout).not.toMatch(/influxctl management create|put-secret-value/);
  systems.intercept(answering('GET /databases', { status: 401, body: '' }));
  const refused = await run(['doctor', '--local', '--json']);
  expect(refused.code).toBe(1);
  expect(JSON.parse(refused.stdout)).toMatchObject({ owner: 'prod', well: false });
  expect(refused.stdout + refused.stderr).not.toContain(systems.cluster.managementToken);
});

it('says of each bad day what it found and what to do, and of nothing else', async () => {
  const { state, complaints, run, world } = await openAccount({
    deployment: { alarms: { emails: ['a@example.com'] } },
  });
  const well = { ...state, functions: { ...state.functions }, alarms: [...state.alarms] };
  expect(await complaints()).toEqual({ code: 0, well: true, checks: [] });

  delete state.functions['keyturn-prod-reap'];
  expect(await complaints()).toMatchObject({
    code: 1,
    well: false,
    checks: [
      { group: 'Functions', check: 'keyturn-prod-reap', state: 'fail' },
      { group: 'Permissions', check: 'role of reap', state: 'unknown' },
    ],
  });
  Object.assign(state.functions, well.functions);

  state.alarms = state.alarms.filter(({ AlarmName }) => AlarmName !== 'RotateNotRunning');
  expect(await complaints()).toMatchObject({
    code: 1,
    checks: [{ group: 'Alarms', check: 'alarms', found: '1 of 23 missing: RotateNotRunning' }],
  });
  state.alarms = well.alarms;

  for (const alarm of state.alarms) Object.assign(alarm, { AlarmActions: [] });
  expect(await complaints()).toMatchObject({
    code: 1,
    checks: [{ group: 'Alarms', check: 'who is told', found: 'no alarm tells anybody' }],
  });
  for (const alarm of state.alarms) Object.assign(alarm, { AlarmActions: [TOPIC] });

  const pending = { SubscriptionArn: 'PendingConfirmation', Endpoint: 'b@example.com' };
  state.subscriptions[TOPIC]?.push(pending);
  expect(await complaints()).toMatchObject({
    code: 0,
    well: true,
    checks: [
      {
        check: 'topic on-call',
        state: 'warn',
        found: '1 confirmed subscription; not confirmed: b@example.com',
      },
    ],
  });
  state.subscriptions[TOPIC] = [pending];
  expect(await complaints()).toMatchObject({ code: 1, checks: [{ state: 'fail' }] });
  state.subscriptions[TOPIC] = [{ SubscriptionArn: `${TOPIC}:1` }];

  state.forbidden.add('secretsmanager:PutSecretValue');
  expect((await complaints()).checks).toMatchObject(
    ['rotate', 'revoke', 'secrets-manager-rotation'].map((entry) => ({
      check: `role of ${entry}`,
      state: 'fail',
      found: 'IAM does not allow secretsmanager:PutSecretValue',
    })),
  );
  state.forbidden.clear();

  state.limit = { ConcurrentExecutions: 10, UnreservedConcurrentExecutions: 5 };
  expect(await complaints()).toMatchObject({
    code: 0,
    checks: [{ group: 'Quotas', state: 'warn' }],
  });
  state.limit = well.limit;

  expect((await run(['pause', '--reason', 'drill', '--yes'])).code).toBe(0);
  const paused = await complaints();
  expect(paused.code).toBe(1);
  expect(paused.checks).toMatchObject(
    ['rotate', 'reap', 'enforce'].map((job) => ({
      check: `schedule of ${job}`,
      state: 'fail',
      found: expect.stringContaining('(drill)'),
      advice: expect.stringContaining('keyturn resume'),
    })),
  );
  expect(world.tokens()).toEqual([]);
}, 90_000);

it('looks at the network of functions in a VPC', async () => {
  const { state, complaints } = await openAccount();
  const VpcConfig = { VpcId: 'vpc-1', SubnetIds: ['subnet-1'] };
  for (const each of Object.values(state.functions)) Object.assign(each, { VpcConfig });
  const without = await complaints();
  expect(without.code).toBe(1);
  expect(without.checks).toMatchObject([
    { group: 'Network of the functions', check: 'vpc-1: secretsmanager', state: 'fail' },
    { check: 'vpc-1: events', state: 'warn' },
    { check: 'vpc-1: scheduler', state: 'warn' },
    { check: 'vpc-1: kms', state: 'warn' },
  ]);
  state.tables = [
    {
      Associations: [{ SubnetId: 'subnet-1' }],
      Routes: [{ DestinationCidrBlock: '0.0.0.0/0', State: 'active', NatGatewayId: 'nat-1' }],
    },
  ];
  expect(await complaints()).toEqual({ code: 0, well: true, checks: [] });
}, 60_000);

it('claims nothing of what one’s own credentials do not show, and names the permission', async () => {
  const { state, complaints, world } = await openAccount();
  for (const each of Object.values(state.functions)) {
    Object.assign(each, { VpcConfig: { VpcId: 'vpc-1' } });
  }
  state.denied.add('DescribeAlarms').add('DescribeVpcEndpoints').add('SimulatePrincipalPolicy');
  state.denied.add('GetAccountSettings');
  const denied = {
    status: 403,
    headers: { 'x-amzn-errortype': 'AccessDeniedException' },
    body: '{"Message":"no"}',
  };
  world.intercept(async (call, effect) =>
    call.operation === 'GetSchedule' && call.caller === undefined ? denied : effect(),
  );
  const { code, well, checks } = await complaints();
  expect({ code, well }).toEqual({ code: 3, well: false });
  const unknown = checks.filter((each) => each.state === 'unknown');
  expect(unknown.map(({ check, advice }) => [check, advice])).toEqual([
    ...['rotate', 'reap', 'enforce'].map((job) => [
      `schedule of ${job}`,
      `your own credentials need scheduler:GetSchedule on keyturn-prod-${job}`,
    ]),
    ['alarms', 'your own credentials need cloudwatch:DescribeAlarms'],
    [
      'network vpc-1',
      'your own credentials need ec2:DescribeVpcEndpoints and ec2:DescribeRouteTables',
    ],
    ...['rotate', 'reap', 'enforce', 'revoke', 'secrets-manager-rotation'].map((entry) => [
      `role of ${entry}`,
      `your own credentials need iam:SimulatePrincipalPolicy on Keyturn-prod-${entry}`,
    ]),
    ['Lambda’s room for runs', 'your own credentials need lambda:GetAccountSettings'],
  ]);
  state.denied.add('GetFunctionConfiguration');
  const blind = await complaints();
  expect(blind.checks.find(({ check }) => check === 'private network')?.state).toBe('unknown');
});

it('shows what this machine sees though nobody has AWS credentials', async () => {
  const { doctor, world } = await openAccount();
  const { code, stdout } = await doctor(['--json'], {
    AWS_ACCESS_KEY_ID: '',
    AWS_SECRET_ACCESS_KEY: '',
    AWS_EC2_METADATA_DISABLED: 'true',
    HOME: temporaryFolder(),
    KEYTURN_MANAGEMENT_TOKEN: world.cluster.managementToken,
  });
  expect(code).toBe(1);
  const { checks } = JSON.parse(stdout) as { checks: Told[] };
  expect(checks[0]).toMatchObject({
    check: 'AWS credentials',
    state: 'fail',
    found: expect.stringContaining('found no AWS credentials'),
  });
  const ofAws = checks.filter(({ group }) => !/^(AWS|From here)/.test(group));
  expect(ofAws.map(({ state }) => state)).toEqual(ofAws.map(() => 'unknown'));
  const here = checks.filter(({ group }) => group.startsWith('From here'));
  expect(here.find(({ check }) => check === 'management token is taken')?.state).toBe('ok');
  expect(here.find(({ check }) => check === 'Secrets Manager')?.state).toBe('warn');
  expect(stdout).not.toContain(world.cluster.managementToken);
});

it('says that the functions have another policy, or know no examination, and takes neither for well', async () => {
  const { doctor, world } = await openAccount();
  const edited = { ...world.policy, defaults: { rotateEvery: '13d' } };
  const KEYTURN_POLICY = writeTemporary('edited.yaml', edited);
  const { stdout } = await doctor(['--json'], { KEYTURN_POLICY });
  expect(JSON.parse(stdout).checks).toContainEqual({
    group: 'Functions',
    check: 'their policy',
    state: 'warn',
    found: `another one than edited.yaml: ${['rotate', 'reap', 'enforce'].map((job) => `${job} (they differ in defaults)`).join('; ')}`,
    advice: expect.stringContaining('cdk deploy'),
  });
  const nowhere = await doctor(['--json', '--function-prefix', 'other-']);
  expect(nowhere.code).toBe(1);
  const { checks } = JSON.parse(nowhere.stdout) as { checks: Told[] };
  expect(checks.find(({ group }) => group === 'From Lambda (other-rotate)')).toMatchObject({
    check: 'examination',
    state: 'unknown',
    found: expect.stringContaining('found no function other-rotate'),
  });
});

it('names the one function that has another policy', async () => {
  const { complaints, world, env, state } = await openAccount();
  const defaults = { gracePeriod: '2h', quarantine: '0s' };
  const other = world.deploy({ ...world.policy, defaults });
  const lambda = await serveLambda({
    ...world,
    invoke: (job, event) => (job === 'reap' ? other : world).invoke(job, event),
  });
  const account = await serveAccount(state, lambda);
  const { checks } = await complaints({ ...env, ...account });
  expect(checks).toMatchObject([
    {
      check: 'their policy',
      state: 'warn',
      found: expect.stringMatching(/: reap \(they differ in defaults\)$/),
    },
  ]);
}, 60_000);

it('ends by itself, and tells the rest, where a service never answers', async () => {
  const { state, complaints } = await openAccount();
  state.silent.add('monitoring').add('iam');
  const { code, checks } = await complaints();
  expect(code).toBe(3);
  expect(checks.map(({ check, state: each }) => [check, each])).toEqual([
    ['alarms', 'unknown'],
    ...['rotate', 'reap', 'enforce', 'revoke', 'secrets-manager-rotation'].map((entry) => [
      `role of ${entry}`,
      'unknown',
    ]),
  ]);
  expect(checks[0]?.found).toBe('not seen: DescribeAlarms: no complete answer within 20 s');
});
