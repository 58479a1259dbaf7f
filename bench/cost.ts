import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { isMetric } from '../functions/environment.ts';
import { type Calls, during, isOfSecrets, minus, sumOf } from './calls.ts';
import { DAYS_A_MONTH, GIGABYTES, HOURS_A_MONTH, IDLE_RUN_SECONDS, PRICES } from './prices.ts';
import type { Row } from './table.ts';
import { type Bench, type Job, openBench } from './world.ts';

const TOKENS = 1_000;
/** Whose whole lives are counted; a run's own calls are taken off, so that any number will do. */
const LIVES = 40;
const HALF_AN_HOUR_MS = 1_800_000;
const HOUR_MS = 2 * HALF_AN_HOUR_MS;
const DAY_MS = 24 * HOUR_MS;

/** What is paid for by use, in a day of all or in the life of one. */
interface Use {
  readonly calls: number;
  readonly events: number;
  readonly runs: number;
  readonly seconds: number;
  readonly logBytes: number;
}

const bytesOf = (lines: readonly string[]) =>
  lines.reduce((sum, line) => sum + Buffer.byteLength(line), 0);

const dollars = (use: Use) =>
  use.calls * PRICES.secretsManagerCall +
  use.events * PRICES.event +
  use.runs * (PRICES.lambdaRequest + PRICES.firing) +
  use.seconds * GIGABYTES * PRICES.lambdaGigabyteSecond +
  (use.logBytes / 1e9) * PRICES.logGigabyte;

/** The default schedules for a day on which nothing is due. */
async function idleDay(bench: Bench): Promise<Use> {
  const { clock } = bench;
  let runs = 0;
  const fire = async (job: Job, periodMs: number) => {
    runs += 1;
    await bench.fire(job, periodMs);
  };
  const calls = await during(bench, async () => {
    for (let halfHour = 0; halfHour < 48; halfHour += 1) {
      const at = clock.now();
      await fire('rotate', HALF_AN_HOUR_MS);
      if (halfHour % 2 === 0)
        for (const job of ['reap', 'enforce'] as const) await fire(job, HOUR_MS);
      await clock.runUntil(at + HALF_AN_HOUR_MS);
    }
  });
  return {
    calls: sumOf(calls, isOfSecrets),
    events: 0,
    runs,
    seconds: runs * IDLE_RUN_SECONDS,
    logBytes: bytesOf(bench.lines()),
  };
}

/** From the rotation of a token to the deletion of the one before, beside what runs ask that find nothing to do. */
async function life(): Promise<Use> {
  const bench = await openBench({ tokens: LIVES, writesPerSecond: 20 });
  try {
    const { clock } = bench;
    bench.addOthers(await bench.issueFirst());
    const of = (job: Job) => during(bench, () => bench.fire(job, HOUR_MS));
    const idle = { rotate: await of('rotate'), reap: await of('reap') };
    await clock.runUntil(clock.now() + 31 * DAY_MS);
    bench.forgetLines();
    const events = bench.events();
    const asked: Calls[] = [];
    let seconds = 0;
    // Mint and arm; promote; fence; quarantine; delete.
    const steps = [
      ['rotate', HOUR_MS],
      ['rotate', 25 * HOUR_MS],
      ['reap', 25 * HOUR_MS],
      ['reap', 8 * DAY_MS],
      ['reap', 0],
    ] as const;
    for (const [job, thenMs] of steps) {
      const at = clock.now();
      asked.push(minus(await of(job), idle[job]));
      seconds += (clock.now() - at) / 1_000;
      await clock.runUntil(clock.now() + thenMs);
    }
    const left = bench.living();
    if (left !== LIVES) throw new Error(`${left} tokens were left of ${LIVES} that were replaced`);
    return {
      calls: asked.reduce((sum, calls) => sum + sumOf(calls, isOfSecrets), 0) / LIVES,
      events: (bench.events() - events) / LIVES,
      runs: 0,
      seconds: seconds / LIVES,
      logBytes: bytesOf(bench.lines()) / LIVES,
    };
  } finally {
    await bench.close();
  }
}

interface Embedded {
  readonly _aws: {
    readonly Timestamp: number;
    readonly CloudWatchMetrics: readonly [
      {
        readonly Dimensions: readonly [readonly string[]];
        readonly Metrics: readonly { readonly Name: string }[];
      },
    ];
  };
  readonly [key: string]: unknown;
}

/** Each metric in each hour in which it has a value: that is what CloudWatch charges. */
function metricHours(lines: readonly string[], wanted: string): number {
  const hours = new Set<string>();
  for (const line of lines.filter((each) => each.includes('"_aws"'))) {
    const embedded = JSON.parse(line) as Embedded;
    const { Timestamp, CloudWatchMetrics } = embedded._aws;
    const [{ Dimensions, Metrics }] = CloudWatchMetrics;
    const where = Dimensions[0].map((name) => embedded[name]).join();
    for (const { Name } of Metrics.filter((each) => isMetric(wanted, each.Name))) {
      hours.add([Name, where, Math.floor(Timestamp / HOUR_MS)].join());
    }
  }
  return hours.size;
}

const CHOICES = [
  { metrics: 'full', dashboard: true },
  { metrics: 'alarms', dashboard: false },
  { metrics: 'none', dashboard: false },
] as const;

interface Template {
  readonly Resources: Readonly<
    Record<
      string,
      {
        readonly Type: string;
        readonly Properties?: { readonly Metrics?: readonly { readonly MetricStat?: object }[] };
      }
    >
  >;
}

/** What is paid for by the month, of each choice: metrics that alarms look at, and dashboards, as they are synthesized. */
function synthesized(): readonly { readonly alarmed: number; readonly dashboards: number }[] {
  const root = join(import.meta.dirname, '..');
  const folder = mkdtempSync(join(tmpdir(), 'keyturn-cost-'));
  try {
    const files = CHOICES.map((deployment) => {
      const file = join(folder, `${deployment.metrics}.yaml`);
      const cluster = {
        url: 'https://influxdb.example.com',
        managementToken: 'influxdb/management',
      };
      const tokens = { telegraf: { permissions: { write: ['telemetry'] } } };
      writeFileSync(
        file,
        JSON.stringify({ owner: deployment.metrics, cluster, tokens, deployment }),
      );
      return file;
    });
    execFileSync(process.execPath, ['--import', './bin/node-24.js', 'bin/app.ts'], {
      cwd: root,
      env: { ...process.env, KEYTURN_POLICY: files.join(), CDK_OUTDIR: join(folder, 'out') },
      stdio: 'ignore',
    });
    return CHOICES.map(({ metrics }) => {
      const file = join(folder, 'out', `Keyturn-${metrics}.template.json`);
      const { Resources } = JSON.parse(readFileSync(file, 'utf8')) as Template;
      const of = (type: string) => Object.values(Resources).filter(({ Type }) => Type === type);
      const alarmed = of('AWS::CloudWatch::Alarm').map(
        ({ Properties }) => Properties?.Metrics?.filter(({ MetricStat }) => MetricStat).length ?? 1,
      );
      return {
        alarmed: alarmed.reduce((sum, count) => sum + count, 0),
        dashboards: of('AWS::CloudWatch::Dashboard').length,
      };
    });
  } finally {
    rmSync(folder, { recursive: true });
  }
}

/** A month of a thousand tokens that rotate once, by the default schedules, besides their storage. */
export async function measureCost(): Promise<readonly Row[]> {
  const ofLife = await life();
  const bench = await openBench({ tokens: TOKENS, writesPerSecond: 20 });
  try {
    bench.addOthers(await bench.issueFirst());
    bench.forgetLines();
    const ofDay = await idleDay(bench);
    const idle = dollars(ofDay) * DAYS_A_MONTH;
    const lives = dollars(ofLife) * TOKENS;
    const cents = (amount: number) => `$${amount.toFixed(3)}`;
    const fixed = synthesized().map(({ alarmed, dashboards }, index): Row => {
      const { metrics = 'none' } = CHOICES[index] ?? {};
      const hours = metricHours(bench.lines(), metrics) * DAYS_A_MONTH;
      const ofMetrics = (hours / HOURS_A_MONTH) * PRICES.metricMonth;
      return {
        figure: `a month, fixed, metrics: ${metrics}`,
        unit: 'USD',
        value: alarmed * PRICES.alarmMonth + dashboards * PRICES.dashboardMonth + ofMetrics,
        ...(metrics === 'alarms' && { goal: { of: 'this', atMost: 2, noise: 0 } }),
        note: `${alarmed} alarmed metrics, ${dashboards} dashboards, ${(hours / HOURS_A_MONTH).toFixed(1)} metrics: ${cents(ofMetrics)}`,
      };
    });
    return [
      {
        figure: `a month of ${TOKENS} tokens, besides storage`,
        unit: 'USD',
        value: idle + lives,
        goal: { of: 'this', atMost: 0.25, noise: 0 },
        note: `schedules ${cents(idle)}, of which ${ofDay.calls} calls of Secrets Manager a day ${cents(ofDay.calls * PRICES.secretsManagerCall * DAYS_A_MONTH)}; rotations ${cents(lives)}, ${ofLife.calls} calls each`,
      },
      ...fixed,
    ];
  } finally {
    await bench.close();
  }
}
