import { randomBytes } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { expect, it } from 'vitest';
import { passThrough } from '../../sandbox/interception.ts';
import { TELEGRAF } from '../world/policy.ts';
import { writeTemporary } from './cli.ts';
import { openLocal } from './operator.ts';

/** Real minutes pass here: a death is probed several times before it counts. */
const PATIENCE = 300_000;

it.concurrent(
  'does on a laptop what Lambda would do, with nothing but the policy and credentials',
  async ({ onTestFinished }) => {
    const { systems, run } = await openLocal({}, onTestFinished);
    const { cluster } = systems;
    const local = (args: readonly string[], stdin?: string, env?: Record<string, string>) =>
      run([...args, '--local'], stdin, env);

    expect(await local(['plan', '--job', 'rotate'])).toMatchObject({ code: 2, stderr: '' });
    const rotated = await local(['rotate', 'telegraf', 'grafana']);
    expect(rotated).toMatchObject({
      code: 0,
      stdout: 'done  rotate grafana\ndone  rotate telegraf\n',
    });
    expect(rotated.stderr).toContain('  done rotate telegraf (Missing)\n');
    expect((await local(['plan', '--job', 'rotate'])).code).toBe(0);
    const status = await local(['status']);
    expect(status.stdout).toMatch(/telegraf +works +accepted +\w{8} +in 2\dd\w* +in 89d\w*\n/);

    const leaked = systems.string(TELEGRAF);
    const nowhere = {
      AWS_ENDPOINT_URL: 'http://127.0.0.1:1',
      AWS_ACCESS_KEY_ID: '',
      AWS_REGION: '',
    };
    const file = writeTemporary('management-token', `${cluster.managementToken}\n`, onTestFinished);
    for (const [args, env] of [
      [['whois'], { KEYTURN_MANAGEMENT_TOKEN: cluster.managementToken }],
      [['whois', '--management-token-file', file], {}],
    ] as const) {
      const whois = await local(args, leaked, { ...nowhere, ...env });
      expect(whois.code).toBe(0);
      expect(whois.stdout).toMatch(
        /name +telegraf\nsecret +keyturn\/prod\/telegraf\n[\s\S]*state +live/,
      );
      expect(whois.stderr).toBe(
        'AWS is not asked, so the answer does not say which token is current\n',
      );
    }

    const revoked = await local(['revoke', '--leaked', '--reason', 'in a log', '--yes'], leaked);
    expect(revoked.code).toBe(0);
    expect(revoked.stderr).toMatch(/revoked telegraf \w{8}: deleted\n/);
    expect(revoked.stdout).toMatch(/telegraf +\w{8} +deleted +\w{8} +\d+\.\d s/);
    expect(systems.accepts(leaked)).toBe(false);
    expect(systems.accepts(systems.string(TELEGRAF))).toBe(true);
    for (const secret of [leaked, cluster.managementToken]) {
      expect(JSON.stringify([rotated, status, revoked])).not.toContain(secret);
    }
  },
  PATIENCE,
);

it.concurrent('says of each command without --local where nothing is deployed that no function is there, and what to do', async ({
  onTestFinished,
}) => {
  const { run } = await openLocal({}, onTestFinished);
  for (const command of ['plan', 'rotate telegraf', 'revoke telegraf --freeze --reason x --yes']) {
    const { code, stderr } = await run(command.split(' '));
    expect(stderr).toMatch(
      /found no function keyturn-prod-\w+ in this account and Region, expected the one that the stack created; deploy the stack, check AWS_PROFILE and AWS_REGION, set --function-prefix, or use --local\n/,
    );
    expect(code).toBe(1);
  }
  const status = await run(['status']);
  expect(status.code).toBe(1);
  expect(status.stderr).toMatch(/found no function keyturn-prod-rotate .*--local/);
  const { checks } = JSON.parse((await run(['doctor', '--json'])).stdout) as {
    readonly checks: readonly { readonly check: string; readonly found: string }[];
  };
  const foundOf = (name: string) => checks.find(({ check }) => check === name)?.found;
  expect(foundOf('keyturn-prod-rotate')).toBe('no such function in this account and Region');
  expect(foundOf('alarms')).not.toMatch(/not seen/);
  expect(JSON.stringify(checks)).not.toMatch(/Route |UnknownError/);
});

it.concurrent('advises after an order on this machine what is done on this machine as well', async ({
  onTestFinished,
}) => {
  const { systems, run } = await openLocal({}, onTestFinished);
  await run(['rotate', 'telegraf', '--local']);
  const permissions = [{ action: 'read', resource: 'telemetry' }] as const;
  await systems.people.mint({ description: 'by hand', permissions: [...permissions] });
  for (const [command, said] of [
    ['revoke telegraf --freeze', 'until keyturn unfreeze --local.'],
    ['revoke telegraf --delete', 'until keyturn lift --local.'],
    ['revoke --leaked --freeze', 'keyturn revoke --local --freeze --token-id ID.'],
    ['whois', 'keyturn revoke --local --token-id ID.'],
  ] as const) {
    const order = command === 'whois' ? [] : ['--dry-run'];
    const unknown = `apiv1_${randomBytes(64).toString('base64')}`;
    const { stdout } = await run([...command.split(' '), ...order, '--local'], unknown);
    expect(stdout).toContain(said);
  }
});

it.concurrent('says what could not be asked for the management token, and how to give it', async ({
  onTestFinished,
}) => {
  const { run } = await openLocal({}, onTestFinished);
  const nowhere = { AWS_ENDPOINT_URL: 'http://127.0.0.1:1' };
  const order = ['revoke', '--token-id', 'x', '--freeze', '--reason', 'x', '--yes', '--local'];
  const { code, stderr } = await run(order, undefined, nowhere);
  expect(stderr).toMatch(
    /^keyturn: Secrets Manager could not be asked for the management token: .*ECONNREFUSED.*; nothing was done, and what was meant may still work; without it, give the token in KEYTURN_MANAGEMENT_TOKEN or --management-token-file\n$/m,
  );
  expect(code).toBe(1);
});

it.concurrent(
  'freezes by a leaked string with a management token in hand while Secrets Manager is down, and replaces it afterwards',
  async ({ onTestFinished }) => {
    const { systems, run } = await openLocal({}, onTestFinished);
    await run(['rotate', 'telegraf', 'grafana', '--local']);
    const string = systems.string(TELEGRAF);
    const env = { KEYTURN_MANAGEMENT_TOKEN: systems.cluster.managementToken };
    const order = ['revoke', '--leaked', '--reason', 'in a log', '--yes', '--local'];
    systems.intercept((call, effect) =>
      call.server === 'secrets-manager' ? Promise.resolve('reset') : passThrough(call, effect),
    );
    const frozen = await run([...order, '--freeze'], string, env);
    expect(frozen.code).toBe(3);
    expect(frozen.stdout).toMatch(/NOT PROVEN {2}Secrets Manager could not be asked/);
    await sleep(1_000);
    expect(systems.accepts(string)).toBe(false);

    systems.intercept();
    const replaced = await run(order, string);
    expect(replaced.code).toBe(3);
    expect(replaced.stdout).toMatch(/is frozen, and this order leaves it so: .*--delete/);
    expect(systems.accepts(systems.string(TELEGRAF))).toBe(true);
    expect((await run([...order, '--delete'], string)).code).toBe(0);
    expect(
      systems.cluster.state.tokens.filter((each) => each.revokedAt === undefined),
    ).toHaveLength(2);
  },
  PATIENCE,
);

it.concurrent('takes the management token from a file with the JSON of its secret', async ({
  onTestFinished,
}) => {
  const { systems, run } = await openLocal({}, onTestFinished);
  const { managementToken: token } = systems.cluster;
  const content = { token, expiresAt: '2027-01-01T00:00:00Z' };
  const file = writeTemporary('management-token.json', content, onTestFinished);
  const whois = ['whois', '--local', '--token-id', '6f1c6f1e-0000-4000-8000-000000000000'];
  const { code, stdout, stderr } = await run([...whois, '--management-token-file', file]);
  expect(code).toBe(1);
  // The cluster took the token, and answered.
  expect(stderr).toMatch(/^keyturn: .*check the id$/m);
  expect(stdout + stderr).not.toContain(token);
});

it.concurrent.for(['with', 'without'])(
  'knows a token by the 8 characters of its id that tables show, %s AWS',
  async (aws, { onTestFinished }) => {
    const { systems, run } = await openLocal({}, onTestFinished);
    await run(['rotate', 'telegraf', '--local']);
    const [{ id = '' } = {}] = systems.cluster.state.tokens;
    const env = { KEYTURN_MANAGEMENT_TOKEN: systems.cluster.managementToken };
    const whois = (given: string) =>
      run(['whois', '--local', '--token-id', given], '', aws === 'with' ? {} : env);
    expect((await whois(id.slice(0, 8))).stdout).toContain(id);
    const { code, stderr } = await whois('ffffffff');
    expect(stderr).toContain('no listed token has an id that begins with ffffffff');
    expect(stderr).not.toContain('deleted');
    expect(code).toBe(1);
  },
);

it.concurrent('knows a token by its whole id, without AWS, though the listing lacks it', async ({
  onTestFinished,
}) => {
  const { systems, run } = await openLocal({}, onTestFinished);
  await run(['rotate', 'telegraf', '--local']);
  const [{ id = '' } = {}] = systems.cluster.state.tokens;
  systems.cluster.manners = { longestListing: 0 };
  const env = { KEYTURN_MANAGEMENT_TOKEN: systems.cluster.managementToken };
  const { code, stdout } = await run(['whois', '--local', '--token-id', id], '', env);
  expect([code, stdout]).toEqual([0, expect.stringContaining(id)]);
});

it.concurrent('takes tokens of an identity provider on a laptop too, unless a management token is given', async ({
  onTestFinished,
}) => {
  const { systems, run } = await openLocal({ withIdentityProvider: true }, onTestFinished);
  const { identityProvider, cluster } = systems;
  const plan = ['plan', '--job', 'rotate', '--local'];
  expect(await run(plan)).toMatchObject({ code: 2, stderr: '' });
  expect(identityProvider?.given).toHaveLength(1);
  if (identityProvider) identityProvider.manners = { ailment: 'page' };
  const status = await run(['status', '--local']);
  // Nobody has made schedules there.
  expect([status.code, status.stdout]).toEqual([6, expect.stringMatching(/^telegraf +\? +\?$/m)]);
  expect(status.stdout.replaceAll(/\s+/g, ' ')).toContain('answered 503 to the client keyturn');
  const refused = await run(plan);
  expect(refused.code).toBe(1);
  expect(refused.stderr).toMatch(
    /^keyturn: there is no token for the Management API: the identity provider 127\.0\.0\.1:\d+ answered 503 to the client keyturn; the next run asks again; nothing was done; without it, give the token in KEYTURN_MANAGEMENT_TOKEN or --management-token-file\n$/m,
  );
  const asked = identityProvider?.asked;
  const env = { KEYTURN_MANAGEMENT_TOKEN: cluster.managementToken };
  expect(await run(plan, '', env)).toMatchObject({ code: 2, stderr: '' });
  expect(identityProvider?.asked).toBe(asked);
});

it.concurrent('reads both systems once for all strings of a file, and not for each of them', async ({
  onTestFinished,
}) => {
  const { systems, run } = await openLocal({}, onTestFinished);
  await run(['rotate', 'telegraf', 'grafana', '--local']);
  const read: string[] = [];
  systems.intercept((call, effect) => {
    read.push(call.operation);
    return passThrough(call, effect);
  });
  const others = Array.from({ length: 10 }, () => `apiv1_${randomBytes(64).toString('base64')}`);
  const text = [...others, systems.string(TELEGRAF), ''].join('\n');
  const order = ['revoke', '--leaked', '--freeze', '--reason', 'in a log', '--local', '--dry-run'];
  const { stdout } = await run(order, text);
  expect(stdout).toMatch(/^string 11 \(line 11\)\nFreeze: [\s\S]*telegraf/m);
  expect(stdout.match(/^no marker/gm)).toHaveLength(10);
  expect(read.filter((each) => each === 'ListSecrets')).toHaveLength(1);
  expect(read.filter((each) => each === 'GetSchedule')).toHaveLength(3);
});

it.concurrent('knows the schedule of a job that ends after the others', async ({
  onTestFinished,
}) => {
  const { run, systems } = await openLocal({}, onTestFinished);
  systems.intercept(async ({ operation, subject = '' }, effect) => {
    if (operation !== 'GetSchedule' || !subject.endsWith('-enforce')) return effect();
    await sleep(2_000);
    return { status: 200, body: '{"State":"DISABLED"}' };
  });
  const { stderr } = await run(['plan', '--local']);
  expect(stderr).toContain('keyturn-prod-enforce: this schedule is off');
});

it.concurrent('shows nothing of the credentials of AWS that an answer repeats', async ({
  onTestFinished,
}) => {
  const { run, systems } = await openLocal({}, onTestFinished);
  const credentials = systems.aws.credentialsOf('a person');
  const { AWS_SESSION_TOKEN: session = '' } = credentials;
  const message = `The Canonical String should have been 'POST\nx-amz-security-token:${session}\n'`;
  const refusal = { __type: 'InvalidSignatureException', message };
  systems.intercept((call, effect) =>
    Promise.resolve(
      call.server === 'secrets-manager' ? { status: 403, body: JSON.stringify(refusal) } : effect(),
    ),
  );
  const { stderr } = await run(['plan', '--local'], undefined, credentials);
  expect(stderr).toContain('[token]');
  expect(stderr).not.toContain(session.slice(20, 40));
});
