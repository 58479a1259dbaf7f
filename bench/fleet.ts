import '../sandbox/require-node-24.ts';
import { parseArgs } from 'node:util';
import { wave } from './wave.ts';
import { type Bench, type Job, openBench } from './world.ts';

/** What the rotation of a fleet asks of both systems, how long it takes, and what an idle day costs. */
const { values } = parseArgs({
  options: {
    tokens: { type: 'string', default: '1000' },
    /** Only a rotation of all, on the default schedule. */
    wave: { type: 'boolean', default: false },
  },
});
const tokens = Number(values.tokens);

const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;
const DAY_MS = 24 * HOUR_MS;
// Nobody reads any more (`| head`): it goes on to its end, which takes away what it has made.
process.stdout.on('error', () => {});
const print = (text: string) => process.stdout.write(`${text}\n`);

const differenceOf = (before: ReturnType<Bench['count']>, after: ReturnType<Bench['count']>) =>
  (Object.keys(before) as (keyof typeof before)[])
    .map((key) => `${key} ${after[key] - before[key]}`)
    .join(', ');

/** One invocation: its virtual duration, its real duration, and its calls. */
async function measure(bench: Bench, title: string, job: Job): Promise<void> {
  const { clock } = bench;
  const before = bench.count();
  const startedAt = clock.now();
  const startedReally = performance.now();
  await bench.run(job);
  const virtual = ((clock.now() - startedAt) / 1_000).toFixed(0);
  const real = ((performance.now() - startedReally) / 1_000).toFixed(1);
  const calls = differenceOf(before, bench.count());
  print(`${title.padEnd(36)} ${virtual.padStart(4)} s (${real} s here)  ${calls}`);
}

/** What must hold of every fleet since an instant, when so many tokens were needed. */
function judge(
  bench: Bench,
  { since, minted, needed }: { since: number; minted: number; needed: number },
  writesPerSecond: number,
): void {
  const inVain = bench.minted() - minted - needed;
  const busiest = bench.busiest(since);
  print(`  minted in vain: ${inVain}`);
  print(`  most writes per second, over ten seconds: ${busiest}`);
  if (inVain !== 0 || busiest > writesPerSecond) process.exitCode = 1;
}

async function lifeOfAFleet(): Promise<void> {
  const writesPerSecond = 20;
  print(`${tokens} tokens; activation takes 90 s; ${writesPerSecond} secret writes per second`);
  const bench = await openBench({ tokens, writesPerSecond });
  const { clock } = bench;
  const begun = { since: clock.now(), minted: bench.minted() };
  await measure(bench, 'issue all', 'rotate');
  await measure(bench, 'rotate, nothing to do (warm)', 'rotate');
  await clock.runUntil(clock.now() + 30 * DAY_MS);
  const issued = bench.rotated();
  await measure(bench, 'rotate all: mint and arm', 'rotate');
  await clock.runUntil(clock.now() + 30 * MINUTE_MS);
  await measure(bench, 'rotate all: promote', 'rotate');
  print(`${''.padEnd(36)} ${bench.rotated() - issued} rotations`);
  await clock.runUntil(clock.now() + 25 * HOUR_MS);
  await measure(bench, 'reap: fence all', 'reap');
  await clock.runUntil(clock.now() + 25 * HOUR_MS);
  await measure(bench, 'reap: quarantine all', 'reap');
  await clock.runUntil(clock.now() + 8 * DAY_MS);
  await measure(bench, 'reap: delete all', 'reap');
  await idleDay(bench);
  judge(bench, { ...begun, needed: 2 * tokens }, writesPerSecond);
  await bench.close();
}

/** The default schedules for a day on which nothing is due. */
async function idleDay(bench: Bench): Promise<void> {
  const { clock } = bench;
  const before = bench.count();
  const startedReally = performance.now();
  for (let halfHour = 0; halfHour < 48; halfHour += 1) {
    await bench.run('rotate');
    if (halfHour % 2 === 0) for (const job of ['reap', 'enforce'] as const) await bench.run(job);
    await clock.runUntil(clock.now() + 30 * MINUTE_MS);
  }
  const real = ((performance.now() - startedReally) / 1_000).toFixed(1);
  print(
    `${'an idle day, 96 runs'.padEnd(36)}      (${real} s here)  ${differenceOf(before, bench.count())}`,
  );
}

/** All are due at once, on a schedule and with so many writes. */
async function due(periodMs: number, writesPerSecond: number): Promise<void> {
  print(
    `\n${tokens} tokens due at once; every ${periodMs / MINUTE_MS} minutes; ${writesPerSecond} secret writes per second`,
  );
  const found = await wave({ tokens, periodMs, writesPerSecond });
  const seconds = (ms: number) => `${Math.round(ms / 1_000)} s`;
  print(
    `  ${found.firings} firings, ${(found.elapsedMs / MINUTE_MS).toFixed(1)} minutes from the first minting to the last promotion`,
  );
  print(
    `  busy for ${seconds(found.busyMs)}; the writes take ${seconds(found.dictatedMs)}: ${(found.busyMs / found.dictatedMs).toFixed(3)}`,
  );
  print(`  minted in vain: ${found.inVain}`);
  print(`  most writes per second, over ten seconds: ${found.busiest}`);
  if (found.inVain !== 0 || found.busiest > writesPerSecond) process.exitCode = 1;
}

if (values.wave) await due(30 * MINUTE_MS, 20);
else {
  await lifeOfAFleet();
  await due(5 * MINUTE_MS, 2);
}
