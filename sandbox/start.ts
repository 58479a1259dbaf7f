import './require-node-24.ts';
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { createDatabases } from './demo/incidents.ts';
import { demoPolicy } from './demo/policy.ts';
import { type Month, runMonth } from './demo/run-month.ts';
import { SABOTAGES, type Sabotage } from './demo/sabotage.ts';
import { formatTimeline, readRejections } from './demo/timeline.ts';
import { readFunctions } from './lambda/functions.ts';
import { readSchedules } from './lambda/schedules.ts';
import { type Sandbox, startSandbox } from './sandbox.ts';
import { VirtualClock } from './virtual-clock.ts';

const REPOSITORY = resolve(import.meta.dirname, '..');
const START_AT = Date.parse('2026-01-01T00:00:00Z');
const DAYS = '30';
/** In a real cluster "a few seconds to a few minutes", and each router has a copy of its own. */
const DELAY_MS = 90_000;
const ROUTERS = { count: 12, spreadMs: 240_000 };
const STACK = 'Keyturn-demo';

// Nobody reads any more (`| head`): it goes on to its end, which takes away what it has made.
process.stdout.on('error', () => {});
const print = (text: string) => process.stdout.write(`${text}\n`);

function readFlags(): { readonly sabotage: Sabotage | undefined; readonly days: number } {
  const options = {
    sabotage: { type: 'string' },
    days: { type: 'string', default: DAYS },
  } as const;
  const { sabotage: name, days } = parseArgs({ options }).values;
  const sabotage = SABOTAGES.find((each) => each === name);
  if (name !== sabotage) {
    throw new Error(`--sabotage is one of ${SABOTAGES.join(', ')}, not "${name}"`);
  }
  if (!/^[1-9]\d{0,2}$/.test(days)) throw new Error(`--days is a number from 1, not "${days}"`);
  return { sabotage, days: Number(days) };
}

/** Chance of the cluster: the same ids, and so the same slow routers, at every start. */
function countUp(): () => string {
  let count = 0;
  return () => `npm start ${++count}`;
}

/** Makes the template and assets that `cdk deploy` would upload. */
function synthesize(policyFile: string, directory: string): void {
  const cdk = join(REPOSITORY, 'node_modules/aws-cdk/bin/cdk');
  const parameters = ['synth', '--quiet', '-c', `policy=${policyFile}`, '--output', directory];
  const { status, stderr } = spawnSync(process.execPath, [cdk, ...parameters], {
    cwd: REPOSITORY,
    encoding: 'utf8',
  });
  if (status !== 0) throw new Error(`cdk synth failed:\n${stderr}`);
}

function summarize(month: Month, { cluster, aws, clock }: Sandbox): string {
  const rotated = aws.state.events.filter(({ detailType }) => detailType === 'Token Rotated');
  const { tokens } = cluster.state;
  const now = clock.now();
  const live = tokens.filter(
    ({ revokedAt, expiresAt = Number.POSITIVE_INFINITY }) => !revokedAt && expiresAt > now,
  );
  const rows = [
    ['invocations', month.invocations],
    ['rotations', rotated.length],
    ['consumer requests', month.requests],
    ['rejected requests', month.rejections.length],
    ['failed invocations', month.failures.length],
    ['broken invariants', month.broken.length],
    ['live tokens at the end', live.length],
    ['minted tokens in all', tokens.length],
  ] as const;
  return rows.map(([what, count]) => `  ${what.padEnd(22)}${String(count).padStart(6)}`).join('\n');
}

async function main(): Promise<void> {
  const { sabotage, days } = readFlags();
  const clock = new VirtualClock(START_AT);
  const delays = { activationDelayMs: DELAY_MS, revocationDelayMs: DELAY_MS };
  await using cleanup = new AsyncDisposableStack();
  const sandbox = await startSandbox({ clock, ...delays, routers: ROUTERS, random: countUp() });
  cleanup.defer(() => sandbox.close());
  await createDatabases(sandbox);
  const directory = mkdtempSync(join(tmpdir(), 'keyturn-start-'));
  cleanup.defer(() => rmSync(directory, { recursive: true, force: true }));

  print(
    `The cluster is at ${sandbox.cluster.url}, AWS at ${sandbox.aws.url}; both end with this program.`,
  );
  const policyFile = join(directory, 'keyturn.yaml');
  const policy = demoPolicy(sandbox.cluster.url, 'keyturn/management-token', sabotage !== 'grace');
  writeFileSync(policyFile, JSON.stringify(policy));
  const assembly = join(directory, 'cdk.out');
  synthesize(policyFile, assembly);
  const functions = readFunctions(assembly, STACK);
  const schedules = readSchedules(assembly, STACK);
  print(
    `Synthesized ${STACK}. Its schedules now run for ${days} days, by a clock that skips the waiting.\n`,
  );

  const month = await runMonth({ sandbox, clock, functions, schedules, days, sabotage });
  cleanup.defer(() => month.host.close());
  const rejected = readRejections(month.rejections);
  print(formatTimeline([...month.moments, ...rejected, ...month.failures], START_AT));
  print('');
  for (const { name, assetHash } of functions) {
    const ids = month.host.instances.filter(({ id }) => id.startsWith(`${name}-`));
    if (ids.length === 0) continue;
    print(
      `  ${name.padEnd(8)} asset ${assetHash.slice(0, 16)}, process ${ids.map(({ pid }) => pid).join(', ')}`,
    );
  }
  print(`\n${summarize(month, sandbox)}`);
  for (const each of month.broken) print(`  broken: ${each}`);
  const { rejections, failures, broken } = month;
  if (rejections.length + failures.length + broken.length > 0) process.exitCode = 1;
}

try {
  await main();
} catch (error) {
  process.stderr.write(`${error instanceof Error ? error.message : error}\n`);
  process.exitCode = 2;
}
