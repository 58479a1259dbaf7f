import { join } from 'node:path';
import { PassThrough } from 'node:stream';
import { afterEach, expect, it, vi } from 'vitest';
import { createProgram, runProgram } from '../../bin/keyturn/program.ts';
import { createTerminal } from '../../bin/keyturn/terminal.ts';
import { DAY, HOUR } from '../world/policy.ts';
import { temporaryFolder } from './cli.ts';
import { openDeployed } from './operator.ts';
import { accountState, serveAccount } from './serve-account.ts';

afterEach(() => {
  vi.unstubAllEnvs();
  process.exitCode = undefined;
});

/** Nobody is there to answer, and standard output is read by a program. */
function openPipes() {
  const [stdin, stdout, stderr] = [new PassThrough(), new PassThrough(), new PassThrough()];
  stdin.end();
  const streams = { stdin, stdout, stderr } as unknown as Parameters<typeof createTerminal>[0];
  return { terminal: createTerminal(streams), printed: () => String(stdout.read() ?? '') };
}

/** What it prints is a script for a shell, which is no data. */
const WITHOUT_JSON = ['completion'];

it('every command prints one JSON document with --json', { timeout: 300_000 }, async () => {
  const { world, env } = await openDeployed();
  const { AWS_ENDPOINT_URL_LAMBDA: lambda = '', KEYTURN_POLICY: policy = '' } = env;
  const account = await serveAccount(accountState(policy), lambda);
  const { managementToken: KEYTURN_MANAGEMENT_TOKEN } = world.cluster;
  for (const [name, value] of Object.entries({ ...env, ...account, KEYTURN_MANAGEMENT_TOKEN })) {
    vi.stubEnv(name, value);
  }
  await world.rotate();
  await world.wait(HOUR);
  await world.rotate({ tokens: ['grafana'], force: true });
  // One is quarantined, which can be restored.
  for (let day = 0; day < 3; day += 1) {
    await world.wait(DAY);
    await world.reap();
  }
  const [{ id = '' } = {}] = world.tokens();
  const folder = temporaryFolder();
  const order = ['telegraf', '--dry-run'];
  const words: Readonly<Record<string, readonly string[]>> = {
    init: [
      ...[join(folder, 'keyturn.yaml'), '--from-cluster'],
      ...['--url', world.cluster.url, '--owner', 'plant'],
    ],
    validate: [],
    schema: [],
    doctor: [],
    plan: [],
    status: [],
    history: [],
    report: ['--html', join(folder, 'keyturn.html')],
    rotate: order,
    adopt: [...order, '--confirm'],
    takeover: ['--all', '--dry-run', '--confirm'],
    apply: ['--job', 'enforce', '--yes'],
    whois: ['--token-id', id],
    revoke: ['--token', ...order],
    unfreeze: order,
    lift: order,
    restore: ['grafana', '--dry-run'],
    pause: ['--dry-run'],
    resume: ['--dry-run'],
  };
  const { commands } = createProgram(openPipes().terminal);
  expect(commands.map((command) => command.name()).toSorted()).toEqual(
    [...Object.keys(words), ...WITHOUT_JSON].toSorted(),
  );
  for (const [name, more] of Object.entries(words)) {
    const { terminal, printed } = openPipes();
    const ran = runProgram(terminal, ['node', 'keyturn', name, ...more, '--json']);
    await expect(ran, name).resolves.toBeUndefined();
    const text = printed();
    expect(() => JSON.parse(text), `${name}: ${text.slice(0, 200)}`).not.toThrow();
  }
});
