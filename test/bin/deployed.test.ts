import { expect, it } from 'vitest';
import { openDeployedStage, type Stage, TELEGRAF } from './stage.ts';

const idsIn = ({ sandbox }: Stage) =>
  Object.values(sandbox.cluster.state.tokens).flatMap(({ id, revokedAt }) =>
    revokedAt === undefined ? [id] : [],
  );

it('plans, rotates and shows what there is', async () => {
  const stage = await openDeployedStage();

  const plan = await stage.run(['plan']);
  expect(plan).toMatchObject({ code: 2, stderr: '' });
  expect(plan.stdout).toContain('telegraf: mint a successor, prove it, promote it (Missing)');
  expect(plan.stdout).toContain('reap: nothing to do');
  expect(plan.stdout).toMatch(/enforce: 1 to do\n.*telemetry.*500 -> 400/);
  expect(idsIn(stage)).toEqual([]);

  const missing = await stage.run(['status']);
  expect(missing.stdout).toMatch(/telegraf +missing +now +keyturn\/prod\/telegraf/);

  const rotated = await stage.run(['rotate', 'telegraf', 'grafana']);
  expect(rotated).toMatchObject({ code: 0 });
  expect(rotated.stdout).toBe('done  rotate grafana\ndone  rotate telegraf\n');
  expect(idsIn(stage)).toHaveLength(2);

  const status = await stage.run(['status', '--json']);
  expect(status.code).toBe(0);
  expect(JSON.parse(status.stdout)).toMatchObject(
    [
      { token: 'telegraf', state: 'current', secret: TELEGRAF, nextRotation: /^in 2\dd/ },
      { token: 'grafana', state: 'current' },
    ].map((each) => ({ ...each, nextRotation: expect.stringMatching(/^in 2\dd/) })),
  );

  const jobs = await stage.run(['plan', '--job', 'rotate', '--json']);
  expect(jobs.code).toBe(0);
  expect(JSON.parse(jobs.stdout)).toMatchObject([{ job: 'rotate', actions: [] }]);
});

it('replaces the token of a leaked string, which is told to nobody, and proves it dead', async () => {
  const stage = await openDeployedStage();
  await stage.run(['rotate', 'telegraf', 'grafana']);
  const leaked = await stage.current(TELEGRAF);
  const found = `export INFLUX_TOKEN="${leaked}"\n`;

  const whois = await stage.run(['whois'], found);
  expect(whois).toMatchObject({ code: 0, stderr: '' });
  expect(whois.stdout).toMatch(
    /name +telegraf\nsecret +keyturn\/prod\/telegraf\npermissions +read telemetry, write telemetry\ncreated .*ago\)\nexpires .*\(in 89d.*\)\nstate +current/,
  );

  const revoked = await stage.run(['revoke', '--leaked', '--reason', 'in a log', '--yes'], found);
  expect(revoked.code).toBe(0);
  expect(revoked.stderr).toMatch(
    /^Replace: [\s\S]*tokens +1\ndatabases +telemetry\nsecrets +keyturn\/prod\/telegraf/,
  );
  expect(revoked.stdout).toMatch(/telegraf +\w{8} +deleted +\w{8} +\d+\.\d s/);
  expect(revoked.stdout).toMatch(
    /Everything was done and proven: every token was refused within \d+ s\.\n$/,
  );
  expect(revoked.stdout).not.toContain('[');

  const { cluster } = stage.sandbox;
  expect(cluster.accepts(leaked, 'write', 'telemetry')).toBe(false);
  expect(cluster.accepts(await stage.current(TELEGRAF), 'write', 'telemetry')).toBe(true);
  for (const { stdout, stderr } of [whois, revoked]) expect(stdout + stderr).not.toContain(leaked);

  const again = await stage.run(['revoke', '--leaked', '--reason', 'in a log', '--yes'], found);
  expect(again.code).toBe(0);
  expect(again.stdout).toMatch(/telegraf +\w{8} +gone +\w{8}/);
  expect(cluster.state.tokens).toHaveLength(3);
});

it('freezes until it is unfrozen, and deletes until it is lifted', async () => {
  const stage = await openDeployedStage();
  await stage.run(['rotate', 'telegraf', 'grafana']);
  const value = await stage.current(TELEGRAF);
  const works = () => stage.sandbox.cluster.accepts(value, 'write', 'telemetry');
  const order = ['--reason', 'drill', '--yes'];

  const shown = await stage.run(['revoke', '--token', 'telegraf', '--freeze', '--dry-run']);
  expect(shown).toMatchObject({ code: 0, stderr: '' });
  expect(shown.stdout).toMatch(
    /^Freeze: [\s\S]*steps +set the hold \(1\), remove permissions \(1\)\n$/,
  );
  expect(works()).toBe(true);

  const frozen = await stage.run(['revoke', '--secret', TELEGRAF, '--freeze', ...order, '--json']);
  expect(frozen.code).toBe(0);
  expect(JSON.parse(frozen.stdout)).toMatchObject({ way: 'freeze', confirmed: true });
  expect(works()).toBe(false);
  expect((await stage.run(['status'])).stdout).toMatch(
    /telegraf +frozen .*on hold \(frozen\) until/,
  );

  expect(await stage.run(['unfreeze', 'telegraf', ...order])).toMatchObject({ code: 0 });
  expect((await stage.run(['rotate', 'telegraf'])).code).toBe(0);

  expect((await stage.run(['revoke', '--token', 'telegraf', '--delete', ...order])).code).toBe(0);
  expect(works()).toBe(false);
  expect((await stage.run(['plan', '--job', 'rotate'])).code).toBe(0);
  expect((await stage.run(['lift', 'telegraf', ...order])).code).toBe(0);
  expect((await stage.run(['plan', '--job', 'rotate'])).code).toBe(2);
});

it('does nothing unless it is confirmed, with a reason', async () => {
  const stage = await openDeployedStage();
  await stage.run(['rotate', 'telegraf']);
  const before = idsIn(stage);
  const why = ['--reason', 'drill'];

  for (const [args, message] of [
    [['--token', 'telegraf', '--yes'], 'found no reason, expected --reason TEXT; nothing was done'],
    [['--token', 'telegraf', ...why], 'expected --yes; nothing was done'],
    [['--all', '--yes', ...why], 'expected --confirm 127.0.0.1; nothing was done'],
  ] as const) {
    const { code, stderr, stdout } = await stage.run(['revoke', '--delete', ...args]);
    expect({ code, stdout }).toEqual({ code: 5, stdout: '' });
    expect(stderr).toContain(message);
  }
  const elsewhere = await stage.run(['revoke', '--delete', '--all', ...why, '--confirm', 'other']);
  expect(elsewhere.code).toBe(1);
  expect(elsewhere.stderr).toContain('all wants "confirm": "127.0.0.1"');
  expect(idsIn(stage)).toEqual(before);

  const all = ['revoke', '--delete', '--all', ...why, '--confirm', '127.0.0.1'];
  expect((await stage.run(all)).code).toBe(0);
  expect(idsIn(stage)).toEqual([]);
});

it('says by its exit code that a death is not proven, or not all was done', async () => {
  const stage = await openDeployedStage();
  await stage.run(['rotate', 'telegraf']);
  const { cluster } = stage.sandbox;
  const order = ['revoke', '--token', 'telegraf', '--delete', '--reason', 'drill', '--yes'];

  cluster.intercept = async (call, effect) =>
    call.operation === 'DELETE /tokens/{id}'
      ? { status: 403, body: '{"code":403,"message":"no"}' }
      : effect();
  const failed = await stage.run(order);
  expect(failed.code).toBe(1);
  expect(failed.stderr).toContain('not all was revoked; give the same order again');

  cluster.intercept = async (call, effect) =>
    call.server === 'data-plane' ? { status: 503, body: 'down' } : effect();
  const unproven = await stage.run(order);
  expect(unproven.code).toBe(3);
  expect(unproven.stdout).toContain('Not everything is proven');
  expect(idsIn(stage)).toEqual([]);
});

it('applies a refused plan by its hash, and no other', async () => {
  const stage = await openDeployedStage({ limits: { percent: 0, tokens: 0 } });
  await stage.run(['rotate', 'telegraf', 'grafana']);
  for (const id of idsIn(stage)) await stage.manage('DELETE', `/tokens/${id}`);

  const plan = await stage.run(['plan', '--job', 'rotate']);
  expect(plan.code).toBe(2);
  const [, command = ''] = /to apply it all the same: keyturn (.*)/.exec(plan.stdout) ?? [];

  const other = await stage.run(['apply', '--approve', '0123456789abcdef']);
  expect(other.code).toBe(1);
  expect(other.stderr).toMatch(
    /found the plans rotate \w{16}, reap \w{16}, .*expected 0123456789abcdef/,
  );
  expect(idsIn(stage)).toEqual([]);

  expect((await stage.run(command.split(' '))).code).toBe(0);
  expect(idsIn(stage)).toHaveLength(2);
});

it('says that a limit refused, and how to approve exactly this', async () => {
  const stage = await openDeployedStage();
  await stage.run(['rotate', 'telegraf', 'grafana']);
  const secret = stage.sandbox.aws.state.secrets[TELEGRAF];
  Object.assign(secret!.tags, { 'keyturn:cluster': 'https://elsewhere.example.com' });

  const refused = await stage.run(['rotate', 'grafana', '--dry-run']);
  expect(refused.stdout).toContain(
    'refused: 1 secrets (keyturn/prod/telegraf, …) hold tokens of another',
  );
  const { code, stdout, stderr } = await stage.run(['rotate', 'grafana']);
  expect({ code, stdout }).toEqual({ code: 4, stdout: '' });
  expect(stderr).toMatch(
    /^keyturn: 1 secrets .* Nothing was applied\. .*repeat with --approve \w{16}\n$/,
  );
});

it('names the function that it does not find', async () => {
  const stage = await openDeployedStage();
  const { code, stderr } = await stage.run(['plan', '--function-prefix', 'other-']);
  expect(code).toBe(1);
  expect(stderr).toMatch(
    /^keyturn: found no function other-\w+ in this account and Region, expected .*--local\n$/,
  );
});
