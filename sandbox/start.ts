import './require-node-24.ts';
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { nextAfter, provenBy, type Shown } from './demo/ending.ts';
import { createDatabases } from './demo/incidents.ts';
import { LEAK_PROVEN } from './demo/leak.ts';
import { writeMonthPage } from './demo/month-page.ts';
import { demoPolicy } from './demo/policy.ts';
import { type Month, runMonth } from './demo/run-month.ts';
import { SABOTAGES, type Sabotage } from './demo/sabotage.ts';
import { painted, wrapped } from './demo/screen.ts';
import { formatTimeline, readRejections } from './demo/timeline.ts';
import { readFunctions } from './lambda/functions.ts';
import { readSchedules } from './lambda/schedules.ts';
import { type Sandbox, startSandbox } from './sandbox.ts';
import { VirtualClock } from './virtual-clock.ts';

const REPOSITORY = resolve(import.meta.dirname, '..');
const START_AT = Date.parse('2026-01-01T00:00:00Z');
const DAYS = '30';
const PAGE = 'keyturn-month.html';
/** In a real cluster "a few seconds to a few minutes", and each router has a copy of its own. */
const DELAY_MS = 90_000;
const ROUTERS = { count: 12, spreadMs: 240_000 };
const STACK = 'Keyturn-demo';

// Nobody reads any more (`| head`): it goes on to its end, which takes away what it has made.
process.stdout.on('error', () => {});
const print = (text: string) => process.stdout.write(`${text}\n`);

interface Flags {
  readonly sabotage: Sabotage | undefined;
  readonly days: number;
  /** Where the page of the month is written. */
  readonly page: string;
}

function readFlags(): Flags {
  const options = {
    sabotage: { type: 'string' },
    days: { type: 'string', default: DAYS },
    page: { type: 'string', default: PAGE },
  } as const;
  const { sabotage: name, days, page } = parseArgs({ options }).values;
  const sabotage = SABOTAGES.find((each) => each === name);
  if (name !== sabotage) {
    throw new Error(`--sabotage is one of ${SABOTAGES.join(', ')}, not "${name}"`);
  }
  if (!/^[1-9]\d{0,2}$/.test(days)) throw new Error(`--days is a number from 1, not "${days}"`);
  return { sabotage, days: Number(days), page };
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

const rotatedIn = ({ state: { events } }: Sandbox['aws']) =>
  events.filter(({ detailType }) => detailType === 'Token Rotated');

const shownBy = (
  { rejections, failures, broken, requests, moments }: Month,
  { aws }: Sandbox,
  of: Pick<Shown, 'days' | 'page'>,
): Shown => ({
  ...of,
  requests,
  rotations: rotatedIn(aws).length,
  routers: ROUTERS.count,
  rejections: rejections.length,
  failures: failures.length,
  broken: broken.length,
  acts: moments.filter(({ who }) => ['person', 'incident'].includes(who)).length,
  isLeakProven: moments.some(({ who, what }) => who === 'leak' && what === LEAK_PROVEN),
});

function summarize(month: Month, { cluster, aws, clock }: Sandbox): string {
  const rotated = rotatedIn(aws);
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
  const { sabotage, days, page } = readFlags();
  const clock = new VirtualClock(START_AT);
  const delays = { activationDelayMs: DELAY_MS, revocationDelayMs: DELAY_MS };
  await using cleanup = new AsyncDisposableStack();
  const sandbox = await startSandbox({ clock, ...delays, routers: ROUTERS, random: countUp() });
  cleanup.defer(() => sandbox.close());
  await createDatabases(sandbox);
  const directory = mkdtempSync(join(tmpdir(), 'keyturn-start-'));
  cleanup.defer(() => rmSync(directory, { recursive: true, force: true }));

  const { cluster, aws } = sandbox;
  print(
    wrapped(`The cluster is at ${cluster.url}, AWS at ${aws.url}; both end with this program.`),
  );
  const policyFile = join(directory, 'keyturn.yaml');
  const policy = demoPolicy(sandbox.cluster.url, 'keyturn/management-token', sabotage !== 'grace');
  writeFileSync(policyFile, JSON.stringify(policy));
  const assembly = join(directory, 'cdk.out');
  synthesize(policyFile, assembly);
  const functions = readFunctions(assembly, STACK);
  const schedules = readSchedules(assembly, STACK);
  const skipping = `Its schedules now run for ${days} days, by a clock that skips the waiting.`;
  print(`${wrapped(`Synthesized ${STACK}. ${skipping}`)}\n`);

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
  for (const each of month.broken) print(painted('red', wrapped(`  broken: ${each}`, 4)));
  // From here on this process waits for the command alone, however long that takes.
  clock.close();
  const written = { sandbox, host: month.host, functions, policyFile, startAt: START_AT };
  print(`\n${await writeMonthPage({ ...written, file: page })}`);
  const { rejections, failures, broken } = month;
  const isGood = rejections.length + failures.length + broken.length === 0;
  if (!isGood) process.exitCode = 1;
  const shown = shownBy(month, sandbox, { days, page });
  print(`\n${painted(isGood ? 'green' : 'red', wrapped(provenBy(shown)))}`);
  print(wrapped(nextAfter(shown)));
}

try {
  await main();
} catch (error) {
  process.stderr.write(`${error instanceof Error ? error.message : error}\n`);
  process.exitCode = 2;
}
