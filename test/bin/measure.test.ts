import { readFileSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it, vi } from 'vitest';
import { parseFlags } from '../../sandbox/flags.ts';
import { answeringLambda } from './answering-lambda.ts';
import { endOf, start, temporaryFolder, writeTemporary } from './cli.ts';
import { openDeployed, openLocal } from './operator.ts';

const databasesOf = (cluster: {
  readonly state: { readonly databases: readonly { name: string; deletedAt?: number }[] };
}) =>
  cluster.state.databases
    .filter(({ deletedAt }) => deletedAt === undefined)
    .map(({ name }) => name);

it('measures by the function, in lines that fit 80 columns, and writes a profile for the sandbox', async () => {
  const { run, world } = await openDeployed();
  // Every probe has a connection of its own, and is slow here: few are needed for what takes seconds.
  Object.assign(world.cluster, { activationDelayMs: 3_000, revocationDelayMs: 3_000 });
  const file = join(temporaryFolder(), 'cluster.json');
  const { code, stdout, stderr } = await run(['doctor', '--measure', '--yes', '--profile', file]);
  expect(stderr).toMatch(
    /^Measure the cluster 127\.0\.0\.1:\d+, from \S+rotate: for at most 10m, /,
  );
  expect(stderr).toContain(`wrote ${file}: npm run sandbox -- --profile ${file}\n`);
  expect(code).toBe(0);
  expect(stdout).toMatch(
    /^ok +a new token: a first router accepted it (?:within|after \S+ to) 3\S* s/m,
  );
  expect(stdout).toMatch(
    /^ok +settle: every router must know a new token within 10m, says the policy;\n +1m would/m,
  );
  expect(stdout).toMatch(/\n16 checks: 16 ok, 0 warnings, 0 failed, 0 unknown\n$/);
  expect(stdout.split('\n').filter((line) => line.length > 80)).toEqual([]);
  expect(databasesOf(world.cluster)).toEqual(['telemetry']);
  expect(world.tokens()).toEqual([]);

  const { activationDelayMs } = JSON.parse(readFileSync(file, 'utf8'));
  expect(parseFlags(['--profile', file])).toMatchObject({ activationDelayMs });
  expect(parseFlags(['--profile', file, '--activation-delay', '2s'])).toMatchObject({
    activationDelayMs: 2_000,
    routers: { count: 1, spreadMs: 0 },
  });
}, 120_000);

it('is refused without a terminal, with a file that is there, and without --measure', async () => {
  const { run, systems } = await openLocal();
  const unasked = await run(['doctor', '--local', '--measure']);
  expect(unasked.code).toBe(5);
  expect(unasked.stderr).toMatch(
    /found no terminal for the confirmation, expected --yes; nothing was done\n$/,
  );
  const profile = writeTemporary('profile.json', {});
  const there = await run(['doctor', '--local', '--measure', '--yes', '--profile', profile]);
  expect(there.code).toBe(1);
  expect(there.stderr).toContain('expected a file that is not there yet; nothing was done');
  const dangling = join(temporaryFolder(), 'dangling.json');
  symlinkSync('/nonexistent/x', dangling);
  for (const file of [join(temporaryFolder(), 'no/such/cluster.json'), dangling, '']) {
    const unwritable = await run(['doctor', '--local', '--measure', '--yes', '--profile', file]);
    expect(unwritable.code).toBe(1);
    expect(unwritable.stderr).toContain('that can be written; nothing was done');
  }
  const alone = await run(['doctor', '--local', '--profile', 'new.json']);
  expect(alone.stderr).toContain('found --profile without --measure, expected both or neither');
  expect(systems.cluster.state.tokens).toEqual([]);
  expect(databasesOf(systems.cluster)).toEqual(['telemetry']);
});

it('measures from this machine alone, and answers with records', async () => {
  const { run, systems } = await openLocal();
  const { code, stdout } = await run(['doctor', '--local', '--measure', '--yes', '--json']);
  expect(code).toBe(0);
  const { facts, left } = JSON.parse(stdout);
  expect(left).toEqual([]);
  expect(facts.activation.value.first.from).toBeLessThanOrEqual(500);
  expect(facts.activation.value.first.to).toBeGreaterThanOrEqual(500);
  expect(facts).toMatchObject({ secondDelete: { value: 404 }, patch: { value: 'both' } });
  expect(databasesOf(systems.cluster)).toEqual(['telemetry']);
  expect(systems.cluster.state.tokens.every(({ revokedAt }) => revokedAt !== undefined)).toBe(true);
}, 120_000);

it('after Ctrl-C on this machine, says that it ended, and leaves nothing', async () => {
  const { systems, env } = await openLocal({ activationDelayMs: 60_000 });
  const words = ['doctor', '--local', '--measure', '--yes', '--json'];
  const child = start(words, env);
  const made = () => databasesOf(systems.cluster).length > 1;
  await vi.waitUntil(made, { timeout: 60_000, interval: 100 });
  child.kill('SIGINT');
  const { code, stdout, stderr } = await endOf(child);
  expect(code).toBe(1);
  expect(stderr).toContain(
    'keyturn: stopped: the measurement was stopped; what it had made is removed',
  );
  expect(stderr).not.toContain('goes on');
  expect(JSON.parse(stdout).error.message).toMatch(/^stopped: /);
  expect(databasesOf(systems.cluster)).toEqual(['telemetry']);
  expect(systems.cluster.state.tokens.every(({ revokedAt }) => revokedAt !== undefined)).toBe(true);
}, 120_000);

it('after Ctrl-C, says that the measurement in Lambda goes on, and not that a repetition takes it up', async () => {
  const env = await answeringLambda(() => child.kill('SIGINT'));
  const child = start(['doctor', '--measure', '--yes'], env);
  const { code, stderr } = await endOf(child);
  expect(code).toBe(1);
  expect(stderr).toMatch(
    /keyturn: stopped waiting\. The measurement goes on in Lambda \(keyturn-prod-rotate\), for 10m at most, .*another one is refused\n$/,
  );
  expect(stderr).not.toContain('Repeat');
});
