import { randomBytes } from 'node:crypto';
import { expect, it } from 'vitest';
import { inFlags } from '../../bin/keyturn/failure.ts';
import { documentMark } from '../../functions/policy/document-mark.ts';
import { answering } from '../world/faults.ts';
import { DAY, HOUR, TELEGRAF } from '../world/policy.ts';
import type { World } from '../world/world.ts';
import { writeTemporary } from './cli.ts';
import { openDeployed } from './operator.ts';

const idsIn = (world: World) => world.tokens().map(({ id }) => id);

it('says that the functions have another policy than the file, and not where only its keys are in another order', async () => {
  const { world, run } = await openDeployed();
  const { owner, ...rest } = world.policy as { readonly owner: string };
  const planWith = (policy: object) =>
    run(['plan', '--json'], undefined, { KEYTURN_POLICY: writeTemporary('edited.yaml', policy) });
  expect((await planWith({ ...rest, owner })).stderr).toBe('');
  const tokens = { ...Object(rest).tokens, later: { permissions: { write: ['telemetry'] } } };
  const edited = await planWith({ ...world.policy, defaults: { rotateEvery: '13d' }, tokens });
  expect(edited.code).toBe(2);
  expect(edited.stderr).toMatch(
    /^keyturn-prod-\w+ was deployed with another policy than edited\.yaml \(they differ in defaults, tokens\.later\): cdk diff shows how, .*\n$/,
  );
});

it('says of each key that differs, whichever function answers first', async () => {
  const { world, run } = await openDeployed({ deployment: { memory: 1024 } });
  await world.rotate();
  const edited = { ...world.policy, activationTimeout: '9m', deployment: { memory: 2048 } };
  const KEYTURN_POLICY = writeTemporary('edited.yaml', edited);
  const { stderr } = await run(['plan'], undefined, { KEYTURN_POLICY });
  for (const key of ['activationTimeout', 'deployment.memory']) {
    expect(stderr.split(key)).toHaveLength(2);
  }
});

it('says at an order, before its confirmation too, that the function has another policy than the file', async () => {
  const { world, run } = await openDeployed();
  await world.rotate();
  const orderWith = (policy: object, ...more: string[]) => {
    const KEYTURN_POLICY = writeTemporary('edited.yaml', policy);
    const order = ['revoke', 'telegraf', '--freeze', '--reason', 'drill', ...more];
    return run(order, undefined, { KEYTURN_POLICY });
  };
  const edited = { ...world.policy, activationTimeout: '9m' };
  const told =
    /keyturn-prod-revoke was deployed with another policy than edited\.yaml \(they differ in activationTimeout\): /g;
  expect((await orderWith(edited, '--dry-run')).stderr.match(told)).toHaveLength(1);
  expect((await orderWith(world.policy, '--dry-run')).stderr).toBe('');
  const { stderr } = await orderWith(edited, '--yes');
  expect(stderr.match(told)).toHaveLength(1);
  expect(stderr.search(told)).toBeLessThan(stderr.search(/revoke is working|steps/));
  expect(world.hold(TELEGRAF)).toBe('frozen');

  const { result } = await world.revoke({ token: 'telegraf', way: 'freeze', reason: 'drill' });
  expect(Object(result).policy).toEqual(documentMark(world.policy));
});

it('says what of the section deployment is not deployed, and nothing where a default was only written out', async () => {
  const emails = ['on-call@example.com'];
  const { world, run } = await openDeployed({ deployment: { alarms: { emails }, memory: 1024 } });
  await world.rotate();
  const lookWith = (deployment: object, command: string, ...args: string[]) => {
    const KEYTURN_POLICY = writeTemporary('edited.yaml', { ...world.policy, deployment });
    return run([command, ...args], undefined, { KEYTURN_POLICY });
  };
  const same = { alarms: { emails, ok: true }, memory: 1024, dashboard: true };
  const written = { ...same, logs: { retention: '90d' }, terminationProtection: false };
  expect((await lookWith(written, 'plan')).stderr).toBe('');
  expect(JSON.parse((await lookWith(written, 'status', '--json')).stdout).otherPolicies).toEqual(
    [],
  );

  const edited = { alarms: { emails: ['else@example.com'] }, logs: { retention: '30d' } };
  const plan = await lookWith(edited, 'plan', '--job', 'rotate');
  expect(plan.stderr).toMatch(
    /^keyturn-prod-rotate was deployed with another policy than edited\.yaml \(they differ in deployment\.alarms, deployment\.logs, deployment\.memory\): /,
  );
  // A run on this machine would change nothing of that.
  expect(plan.stderr).toMatch(/and cdk deploy gives it the file\n$/);
  const status = JSON.parse((await lookWith(edited, 'status', '--json')).stdout);
  const keys = ['deployment.alarms', 'deployment.logs', 'deployment.memory'];
  expect(status.otherPolicies).toEqual([{ job: 'rotate', keys }]);
  const { stdout } = await lookWith(edited, 'doctor');
  expect(stdout.replaceAll(/\s+/g, ' ')).toContain(
    'rotate (they differ in deployment.alarms, deployment.logs, deployment.memory)',
  );
});

it('takes an order where the certificates that the policy names are not on this machine, unless this machine does the work', async () => {
  const { world, run } = await openDeployed();
  await world.rotate();
  const cluster = { ...Object(world.policy).cluster, ca: 'elsewhere.pem' };
  const env = { KEYTURN_POLICY: writeTemporary('copied.yaml', { ...world.policy, cluster }) };
  const order = ['revoke', 'telegraf', '--freeze', '--reason', 'leaked', '--yes'];
  const here = await run([...order, '--local'], undefined, env);
  expect(here.code).toBe(1);
  expect(here.stderr).toMatch(
    /^keyturn: .*copied\.yaml:\d+: cluster\.ca: cannot read .*elsewhere\.pem/,
  );
  expect(world.hold(TELEGRAF)).toBeUndefined();
  const { stderr } = await run(order, undefined, env);
  expect(stderr).toMatch(
    /cannot read .*elsewhere\.pem.*; the functions have a copy of their own\n/,
  );
  expect(world.hold(TELEGRAF)).toBe('frozen');
});

it('plans, rotates and shows what there is', async () => {
  const { world, run } = await openDeployed();

  const plan = await run(['plan']);
  expect(plan).toMatchObject({ code: 2, stderr: '' });
  expect(plan.stdout).toContain('telegraf: mint a successor, verify it, promote it (Missing)');
  expect(plan.stdout).toContain('reap: nothing to do');
  expect(plan.stdout).toMatch(/enforce: 1 to do\n.*telemetry.*500 -> 400/);
  expect(idsIn(world)).toEqual([]);

  const missing = await run(['status']);
  expect(missing.code).toBe(6);
  expect(missing.stdout).toMatch(/^telegraf +missing +not asked +now\n {2}has no token$/m);

  const rotated = await run(['rotate', 'telegraf', 'grafana']);
  expect(rotated).toMatchObject({ code: 0 });
  expect(rotated.stdout).toBe('done  rotate grafana\ndone  rotate telegraf\n');
  expect(idsIn(world)).toHaveLength(2);

  const status = await run(['status', '--json']);
  expect([status.code, status.stderr]).toEqual([6, '']);
  const nextRotation = expect.stringMatching(/^in 2\dd/);
  const { AWSCURRENT: tokenId } = world.holders(TELEGRAF);
  const accepted = 'accepted';
  expect(JSON.parse(status.stdout)).toMatchObject({
    owner: 'prod',
    verdict: 'not well',
    tokens: [
      { token: 'telegraf', condition: 'works', secret: TELEGRAF, tokenId, nextRotation, accepted },
      { token: 'grafana', condition: 'works', nextRotation, accepted, verdict: 'well' },
    ],
    databases: [{ database: 'telemetry', state: 'drift' }],
    managementToken: { verdict: 'unknown' },
    schedules: [{ state: 'on' }, { state: 'on' }, { state: 'on' }],
    refused: [],
    notSeen: [],
  });
  expect((await run(['apply', '--job', 'enforce', '--yes'])).code).toBe(0);

  const jobs = await run(['plan', '--job', 'rotate', '--json']);
  expect(jobs.code).toBe(0);
  expect(JSON.parse(jobs.stdout)).toMatchObject([{ job: 'rotate', actions: [] }]);
});

it('shows the token that consumers read, and one that waits, right after a rotation and before it', async () => {
  const { world, run } = await openDeployed({ defaults: { rotateEvery: '10d' } });
  await run(['rotate', 'telegraf', 'grafana']);
  await world.wait(10 * DAY);
  await world.rotate();
  const { AWSCURRENT: old = '', AWSPENDING: next = '' } = world.holders(TELEGRAF);
  const shown = async () => (await run(['status'])).stdout;
  const row = (id: string, nextRotation: string) =>
    new RegExp(`telegraf +works +accepted +${id.slice(0, 8)} +${nextRotation} +in `);
  expect(await shown()).toMatch(row(old, 'armed, in \\w+'));
  expect((await run(['plan'])).stdout).toMatch(/ {2}telegraf: works; promotes \w{8} in /);

  const byName = await run(['rotate', 'telegraf']);
  expect(byName.stdout).toBe('done  resume telegraf\n');
  expect(world.holders(TELEGRAF)).toMatchObject({ AWSCURRENT: next, AWSPREVIOUS: old });
  expect(await shown()).toMatch(row(next, 'in \\d+d\\w*'));
  expect((await run(['rotate', 'telegraf'])).stdout).toBe(
    'telegraf: nothing to do, it was rotated a moment ago\n',
  );
});

it('says which run promotes a token that the data plane does not accept in time, and waits for it if asked', async () => {
  const { world, run } = await openDeployed({ activationTimeout: '60s' });
  await world.rotate();
  await world.wait(HOUR);
  const armed = await run(['rotate', 'telegraf']);
  expect(armed.code).toBe(0);
  expect(armed.stdout).toMatch(
    /^armed {2}rotate telegraf\ntelegraf: armed, .*next run of rotate \(rate\(30 minutes\)\) promotes it/,
  );
  const waited = await run(['rotate', 'grafana', '--wait']);
  expect(waited).toMatchObject({ code: 0, stdout: 'done  resume grafana\n' });
});

it('replaces the token of a leaked string, which is told to nobody, and proves it dead', async () => {
  const { world, run } = await openDeployed();
  await run(['rotate', 'telegraf', 'grafana']);
  const leaked = world.string(TELEGRAF);
  const found = `export INFLUX_TOKEN="${leaked}"\n`;

  const whois = await run(['whois'], found);
  expect(whois).toMatchObject({ code: 0, stderr: '' });
  expect(whois.stdout).toMatch(
    /name +telegraf\nsecret +keyturn\/prod\/telegraf\npermissions +read telemetry, write telemetry\ncreated .*ago\)\nexpires .*\(in 89d.*\)\nstate +current/,
  );

  const revoked = await run(['revoke', '--leaked', '--reason', 'in a log', '--yes'], found);
  expect(revoked.code).toBe(0);
  expect(revoked.stderr).toMatch(
    /^Replace: [\s\S]*tokens +1\ndatabases +telemetry\nsecrets +keyturn\/prod\/telegraf/,
  );
  expect(revoked.stdout).toMatch(/telegraf +\w{8} +deleted +\w{8} +\d+\.\d s/);
  expect(revoked.stdout).toMatch(
    /Everything was done and proven: every token was refused within \d+ s\.\n$/,
  );
  expect(revoked.stdout).not.toContain('[');

  expect(world.accepts(leaked)).toBe(false);
  expect(world.accepts(world.string(TELEGRAF))).toBe(true);
  for (const { stdout, stderr } of [whois, revoked]) expect(stdout + stderr).not.toContain(leaked);

  const again = await run(['revoke', '--leaked', '--reason', 'in a log', '--yes'], found);
  expect(again.code).toBe(0);
  expect(again.stdout).toMatch(/telegraf +\w{8} +gone +\w{8}/);
  expect(world.cluster.state.tokens).toHaveLength(3);
});

it('says whose each of several strings is, and what it knows of the others', async () => {
  const { world, run } = await openDeployed();
  await run(['rotate', 'telegraf', 'grafana']);
  const [one, two] = [world.string(TELEGRAF), world.string('keyturn/prod/grafana')];
  const permissions = [{ action: 'read', resource: 'telemetry' }];
  const { id, accessToken } = await world.people.mint({ description: 'a notebook', permissions });
  const text = [
    `"GET /query?p=${encodeURIComponent(one)}&db=telemetry HTTP/1.1" 200`,
    JSON.stringify({ token: two }).replaceAll('/', '\\/'),
    `export A=${accessToken}`,
    `B=${one.slice(0, 30)}...`,
    'ADMIN=M.V1.c2VjcmV0LXNlY3JldA==',
  ].join('\n');

  const whois = await run(['whois'], text);
  expect(whois.code).toBe(1);
  expect(whois.stderr).toContain('found no token for 3 of 5 strings; nothing was done');
  const answers = whois.stdout.split(/^string \d \(line \d\)$/m).slice(1);
  expect(answers).toEqual([
    expect.stringMatching(/name +telegraf\n/),
    expect.stringMatching(/name +grafana\n/),
    expect.stringMatching(new RegExp(`a notebook +${id} [^\\n]*\\n +may: read telemetry\\n`)),
    expect.stringContaining('the string was cut: found 24 characters'),
    expect.stringContaining('found a management token'),
  ]);
  expect(answers[3]).not.toContain(id);

  const { stdout } = await run(['whois', '--json'], text);
  expect(JSON.parse(stdout)).toMatchObject([
    { line: 1, token: { token: 'telegraf' } },
    { line: 2, token: { token: 'grafana' } },
    { line: 3, candidates: [{ tokenId: id, description: 'a notebook', permissions }] },
    { line: 4, unknown: expect.stringContaining('cut') },
    { line: 5, unknown: expect.stringContaining('management') },
  ]);
  for (const string of [one, two, accessToken, 'c2VjcmV0']) {
    expect(whois.stdout + whois.stderr + stdout).not.toContain(string.slice(6, 30));
  }
});

it('revokes the tokens of several strings by one confirmation, and says which it could not', async () => {
  const { world, run } = await openDeployed();
  await run(['rotate', 'telegraf', 'grafana']);
  const secrets = [TELEGRAF, 'keyturn/prod/grafana'];
  const strings = secrets.map((secret) => world.string(secret));
  const allowed = () => secrets.map((secret) => world.tokens(secret)[0]?.permissions.length);
  const permissions = [{ action: 'read', resource: 'telemetry' }];
  const { id, accessToken } = await world.people.mint({ description: 'a notebook', permissions });
  const order = ['revoke', '--leaked', '--reason', 'in a log', '--freeze'];

  const unsure = await run([...order, '--yes'], accessToken);
  expect(unsure.code).toBe(1);
  expect(unsure.stdout).toMatch(new RegExp(`a notebook +${id} `));
  expect(unsure.stderr).toMatch(/no marker has the fingerprint \w{16}.*; nothing was done\n$/);

  const text = `A=${strings[0]}\nB=${strings[1]?.slice(0, -4)}...\nC=${strings[1]}\nD=${accessToken}\n`;
  const shown = await run([...order, '--dry-run'], text);
  expect(shown.code).toBe(1);
  expect(shown.stdout).toMatch(/string 1 \(line 1\)\nFreeze: [\s\S]*string 3 \(line 3\)\nFreeze: /);
  const unconfirmed = await run(order, text);
  expect(unconfirmed.code).toBe(5);
  expect(allowed()).toEqual([2, 2]);

  const done = await run([...order, '--yes'], text);
  expect(done.code).toBe(1);
  const reports = done.stdout.split(/^string \d \(line \d\)$/m).slice(1);
  expect(reports).toEqual([
    expect.stringMatching(/telegraf +\w{8} +frozen .*\n\nEverything was done and proven/),
    // Nothing is left to compare the last one with.
    expect.stringMatching(/grafana +\w{8} +frozen\n +not proven: [^\n]*no other string to compare/),
  ]);
  expect(done.stderr).toContain(
    'nothing was done for string 2 (line 2), string 4 (line 4), of 4 strings',
  );
  expect(allowed()).toEqual([0, 0]);
  expect(world.tokens().find((token) => token.id === id)?.permissions).toEqual(permissions);
  const published = world
    .events()
    .filter(({ detail }) => JSON.stringify(detail).includes('in a log'));
  expect(published).toHaveLength(2);

  const known = `${strings[0]}\n${strings[1]}`;
  const again = await run([...order, '--yes', '--json'], known);
  // Both are frozen, so there is no other string to compare them with.
  expect(again.code).toBe(3);
  expect(JSON.parse(again.stdout)).toMatchObject([
    { line: 1, answer: { way: 'freeze', done: true, confirmed: false } },
    { line: 2, answer: { way: 'freeze', done: true, confirmed: false } },
  ]);
});

it('freezes until it is unfrozen, and deletes until it is lifted', async () => {
  const { world, run } = await openDeployed();
  await run(['rotate', 'telegraf', 'grafana']);
  const value = world.string(TELEGRAF);
  const works = () => world.accepts(value);
  const order = ['--reason', 'drill', '--yes'];

  const shown = await run(['revoke', '--token', 'telegraf', '--freeze', '--dry-run']);
  expect(shown).toMatchObject({ code: 0, stderr: '' });
  expect(shown.stdout).toMatch(
    /^Freeze: [\s\S]*steps +set the hold \(1\), remove permissions \(1\)\n$/,
  );
  expect(works()).toBe(true);

  const frozen = await run(['revoke', '--secret', TELEGRAF, '--freeze', ...order, '--json']);
  expect(frozen.code).toBe(0);
  expect(JSON.parse(frozen.stdout)).toMatchObject({ way: 'freeze', confirmed: true });
  expect(works()).toBe(false);
  expect((await run(['status'])).stdout).toMatch(
    /telegraf +held +refused .*\n {2}on hold \(frozen\) until/,
  );

  expect(await run(['unfreeze', 'telegraf', ...order])).toMatchObject({ code: 0 });
  expect((await run(['rotate', 'telegraf'])).code).toBe(0);

  expect((await run(['revoke', '--token', 'telegraf', '--delete', ...order])).code).toBe(0);
  expect(works()).toBe(false);
  expect((await run(['plan', '--job', 'rotate'])).code).toBe(0);
  expect((await run(['lift', 'telegraf', ...order])).code).toBe(0);
  expect((await run(['plan', '--job', 'rotate'])).code).toBe(2);
});

it('revoke takes the name of a token like what undoes it, beside no other selector', async () => {
  const { world, run } = await openDeployed();
  await run(['rotate', 'telegraf', 'grafana']);
  const order = ['--freeze', '--reason', 'drill', '--yes'];
  const works = () =>
    [TELEGRAF, 'keyturn/prod/grafana'].map((each) => world.accepts(world.string(each)));
  for (const more of [['--token', 'grafana'], ['--all'], ['grafana']]) {
    expect((await run(['revoke', 'telegraf', ...more, ...order])).code).toBe(1);
  }
  expect(works()).toEqual([true, true]);
  expect((await run(['revoke', 'telegraf', ...order])).code).toBe(0);
  expect(works()).toEqual([false, true]);
});

it.each(['on hold', 'scheduled for deletion'])(
  'refuses an order without any step before its confirmation, however many tokens a secret %s has',
  async (state) => {
    const { world, run } = await openDeployed();
    await world.rotate();
    await world.wait(HOUR);
    await world.rotate({ tokens: ['telegraf'], force: true });
    await world.wait(HOUR);
    if (state === 'on hold') {
      await run(['revoke', '--token', 'telegraf', '--freeze', '--reason', 'odd', '--yes']);
    } else await world.people.deleteSecret(TELEGRAF);
    const before = world.tokens();
    for (const [args, advice] of [
      [['revoke', '--token', 'telegraf'], /unfreeze it first|end them with --delete/],
      ...(state === 'on hold' ? [[['lift', 'telegraf'], /; unfreeze it/] as const] : []),
    ] as const) {
      const { code, stderr, stdout } = await run([...args, '--reason', 'other', '--yes']);
      expect(stderr).toMatch(/steps +none: refused/);
      expect(stderr).toMatch(
        new RegExp(`\nkeyturn: refused: .*${advice.source}.*; nothing was done\n$`),
      );
      expect(stderr).not.toContain('is working');
      expect(stdout).toBe('');
      expect(code).toBe(4);
      const dry = await run([...args, '--dry-run']);
      expect(dry.stdout).toMatch(/steps +none: refused/);
      expect(dry.stderr).toMatch(new RegExp(`^keyturn: refused: .*${advice.source}`));
      expect(dry.code).toBe(4);
      const json = await run([...args, '--dry-run', '--json']);
      expect(JSON.parse(json.stdout).plan.notReached).toHaveLength(1);
      expect(json.code).toBe(4);
    }
    expect(world.tokens()).toEqual(before);
  },
);

it('carries out anew an order that has nothing left to do, though it does not reach all', async () => {
  const { world, run } = await openDeployed();
  await world.rotate();
  await world.wait(HOUR);
  const freeze = ['--freeze', '--reason', 'drill', '--yes'];
  await run(['revoke', '--token', 'grafana', '--delete', '--reason', 'gone', '--yes']);
  const first = await run(['revoke', '--database', 'telemetry', ...freeze]);
  const again = await run(['revoke', '--database', 'telemetry', ...freeze]);
  expect(first.stderr + first.stdout).toContain('grafana');
  expect(again.stderr).toMatch(/steps +none: nothing is left to do/);
  expect(again.stderr).not.toContain('nothing was done');
  expect(again.code).toBe(first.code);
  expect(world.accepts(world.string(TELEGRAF))).toBe(false);
});

it('advises for a string that nobody knows the command that was asked for', async () => {
  const { world, run } = await openDeployed();
  await world.rotate();
  const permissions = [{ action: 'read', resource: 'telemetry' }] as const;
  await world.people.mint({ description: 'by hand', permissions: [...permissions] });
  const unknown = `apiv1_${randomBytes(64).toString('base64')}`;
  for (const command of ['unfreeze', 'restore', 'revoke', 'revoke --freeze']) {
    const { code, stdout } = await run([...command.split(' '), '--leaked', '--dry-run'], unknown);
    expect(stdout).toContain(`If you know which one it is: keyturn ${command} --token-id ID.\n`);
    expect(code).toBe(1);
  }
});

it('does nothing unless it is confirmed, with a reason', async () => {
  const { world, run } = await openDeployed();
  await run(['rotate', 'telegraf']);
  const before = idsIn(world);
  const why = ['--reason', 'drill'];

  for (const [args, message] of [
    [['--token', 'telegraf', '--yes'], 'found no reason, expected --reason TEXT; nothing was done'],
    [['--token', 'telegraf', ...why], 'expected --yes; nothing was done'],
    [['--all', '--yes', ...why], 'expected --confirm 127.0.0.1; nothing was done'],
  ] as const) {
    const { code, stderr, stdout } = await run(['revoke', '--delete', ...args]);
    expect({ code, stdout }).toEqual({ code: 5, stdout: '' });
    expect(stderr).toContain(message);
  }
  const elsewhere = await run(['revoke', '--delete', '--all', ...why, '--confirm', 'other']);
  expect(elsewhere).toMatchObject({ code: 4, stdout: '' });
  expect(elsewhere.stderr).toMatch(
    /^keyturn: refused: found --confirm other, expected 127\.0\.0\.1, .*Nothing was done\n$/,
  );
  expect(idsIn(world)).toEqual(before);

  const all = ['revoke', '--delete', '--all', ...why, '--confirm', '127.0.0.1'];
  // Nothing is left whose acceptance would show that the cluster does not refuse everybody.
  expect((await run(all)).code).toBe(3);
  expect(idsIn(world)).toEqual([]);
});

it('refuses all tokens of another cluster than the deployed policy’s before the confirmation', async () => {
  const { world, run } = await openDeployed();
  await run(['rotate', 'telegraf', 'grafana']);
  const before = idsIn(world);
  const cluster = { url: 'https://other.example', managementToken: 'influxdb/management' };
  const KEYTURN_POLICY = writeTemporary('keyturn.yaml', { ...world.policy, cluster });
  const all = ['revoke', '--all', '--delete', '--reason', 'drill'];
  const message =
    "all requires --confirm 127.0.0.1, the host of the cluster in the function's policy";

  const order = await run([...all, '--confirm', 'other.example'], '', { KEYTURN_POLICY });
  expect(order.code).toBe(4);
  expect(order.stderr).toContain(`keyturn: refused: ${message}; nothing was done\n`);
  expect(order.stderr).not.toContain('is working');
  const shown = await run([...all, '--dry-run'], '', { KEYTURN_POLICY });
  expect(shown.stdout).toContain(`refused    ${message}`);
  expect(shown.code).toBe(4);
  expect((await run([...all, '--dry-run'])).stdout).not.toContain('refused');
  expect(idsIn(world)).toEqual(before);

  const changed = { token: 'telegraf', way: 'freeze', reason: 'x', plan: '0123456789abcdef' };
  const { error } = await world.invoke('revoke', changed);
  expect(inFlags(error?.errorMessage ?? '')).toMatch(
    /nothing was done. Look at it again with --dry-run$/,
  );
});

it('says by its exit code that a death is not proven, or not all was done', async () => {
  const { world, run } = await openDeployed();
  await run(['rotate', 'telegraf']);
  const order = ['revoke', '--token', 'telegraf', '--delete', '--reason', 'drill', '--yes'];

  const refusal = { status: 403, body: '{"code":403,"message":"no"}' };
  world.intercept(answering('DELETE /tokens/{id}', refusal));
  const failed = await run(order);
  expect(failed.code).toBe(1);
  expect(failed.stderr).toContain('not all of the order was done');

  world.intercept(async (call, effect) =>
    call.server === 'data-plane' ? { status: 503, body: 'down' } : effect(),
  );
  const unproven = await run(order);
  expect(unproven.code).toBe(3);
  expect(unproven.stdout).toContain('not all of it is proven');
  expect(unproven.stdout).toContain('Repeat the same command');
  expect(idsIn(world)).toEqual([]);
  world.intercept();
  expect((await run(order)).code).toBe(3); // no other string is left to compare
});

it('advises to repeat an order only where it would not be refused', async () => {
  const { world, run } = await openDeployed();
  await run(['rotate', 'telegraf', 'grafana']);
  const order = ['revoke', '--token', 'telegraf', '--reason', 'drill', '--yes'];
  let isHeld = false;
  world.intercept(async (call, effect) => {
    if (call.server === 'data-plane' && !isHeld) {
      isHeld = true;
      await world.people.hold(TELEGRAF, 'frozen');
    }
    return effect();
  });
  const held = await run(order);
  expect(isHeld).toBe(true);
  expect(held.code).toBe(1);
  expect(held.stdout).toMatch(
    /Not everything was done\. The same command would be refused now: .*unfreeze it first\.\n$/,
  );
  expect((await run(order)).code).toBe(4);
});

it.each([true, false])(
  'does not advise to prove a death again whose string nobody knows (hidden: %s)',
  async (hidesRevoked) => {
    const { world, run } = await openDeployed();
    await run(['rotate', 'telegraf', 'grafana']);
    world.cluster.manners = { hidesRevoked };
    const permissions = [{ action: 'read', resource: 'telemetry' }];
    const { id } = await world.people.mint({ description: 'a notebook', permissions });
    const order = ['revoke', '--token-id', id, '--delete', '--reason', 'drill', '--yes'];
    const { code, stdout } = await run(order);
    expect(code).toBe(3);
    expect(stdout).not.toContain('Repeat the same command');
    expect(stdout).toContain('docs/runbook.md');
    const again = await run(order);
    expect(again.code).toBe(hidesRevoked ? 1 : 3);
    expect(again.stdout).not.toContain('Repeat the same command');
  },
);

it('applies a refused plan by its hash, and no other', async () => {
  const { world, run } = await openDeployed({ limits: { percent: 0, tokens: 0 } });
  await run(['rotate', 'telegraf', 'grafana']);
  for (const id of idsIn(world)) await world.people.deleteToken(id);

  const plan = await run(['plan', '--job', 'rotate']);
  expect(plan.code).toBe(2);
  const [, command = ''] =
    /to apply exactly these 2 all the same:\n +keyturn (.*)/.exec(plan.stdout) ?? [];

  const other = await run(['apply', '--approve', '0123456789abcdef']);
  expect(other.code).toBe(1);
  expect(other.stderr).toMatch(/found rotate \w{16}, enforce \w{16}, expected 0123456789abcdef/);
  expect(idsIn(world)).toEqual([]);

  expect((await run(command.split(' '))).code).toBe(0);
  expect(idsIn(world)).toHaveLength(2);
});

it('says what was refused and how to approve exactly that, and applies the rest', async () => {
  const { world, run } = await openDeployed();
  await run(['rotate', 'telegraf', 'grafana']);
  const cluster = 'https://elsewhere.example.com';
  await world.people.tag(TELEGRAF, { 'keyturn:cluster': cluster });
  const before = world.labels(TELEGRAF).AWSCURRENT;
  const former = idsIn(world);

  const status = await run(['status']);
  expect([status.code, status.stdout]).toEqual([
    6,
    expect.stringMatching(
      /telegraf +works +not asked .*\n {2}its tokens are of https[\s\S]*\nrefused \(rotate\): 1 secret has tokens of [\s\S]*\n {2}keyturn apply --approve \w{16}\n/,
    ),
  ]);
  const both = ['rotate', 'grafana', 'telegraf'];
  const dry = await run([...both, '--dry-run']);
  expect(dry.stdout).toContain(
    `telegraf: tag its secret with the new cluster (ClusterChanged) [waits]`,
  );
  expect(dry.stdout).toContain(`refused: 1 secret has tokens of ${cluster}`);
  await world.wait(HOUR);
  const { code, stdout, stderr } = await run(both);
  expect({ code, stdout }).toEqual({ code: 4, stdout: '' });
  expect(stderr).toMatch(
    /^keyturn: 1 secret .* 2 actions wait; .*: repeat with --approve \w{16}\nOf the other actions, 1 of 1 were done\.\n$/,
  );
  expect(world.labels(TELEGRAF).AWSCURRENT).toBe(before);
  expect(former).not.toContain(world.holders('keyturn/prod/grafana').AWSCURRENT);

  const [, hash = ''] = /--approve (\w{16})/.exec(stderr) ?? [];
  expect((await run(['rotate', 'telegraf', '--approve', hash])).stdout).toBe(
    'done  move-cluster telegraf\ndone  rotate telegraf\n',
  );
  expect(world.tags(TELEGRAF)['keyturn:cluster']).toBe(world.cluster.url);
});

it('names the function that it does not find', async () => {
  const { run } = await openDeployed();
  const { code, stderr } = await run(['plan', '--function-prefix', 'other-']);
  expect(code).toBe(1);
  expect(stderr).toMatch(
    /^keyturn: found no function other-\w+ in this account and Region, expected .*--local\n$/,
  );
});

it('says before a replacement whether a successor is promoted, and where there is none', async () => {
  const { world, run } = await openDeployed();
  await run(['rotate', 'telegraf', 'grafana']);
  const { AWSCURRENT: first = '' } = world.holders(TELEGRAF);
  const preview = async (...args: string[]) =>
    (await run(['revoke', '--token-id', first, ...args, '--dry-run'])).stdout;
  expect(await preview()).toMatch(/^Replace: successors are promoted first/);
  await world.wait(HOUR);
  await world.rotate({ tokens: ['telegraf'], force: true });
  expect(await preview()).toMatch(/^Replace: no successor is promoted; these tokens are deleted/);
  await world.people.deleteSecret(TELEGRAF, 'for good');
  const gone = await preview('--without-secrets');
  expect(gone).toMatch(/^Replace: no successor is promoted/);
  expect(gone).toContain('is not visible here: it is deleted without a successor');
});
