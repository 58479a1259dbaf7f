import { readFileSync } from 'node:fs';
import { beforeAll, expect, test } from 'vitest';
import { firingsOf, nextFiring } from '../../lib/schedule/gaps.ts';
import type { Call, Reply } from '../../sandbox/interception.ts';
import { measuredIn } from '../crash/alarms.ts';
import { type DeployedAlarms, deployedAlarms, metricOf } from '../lib/deployed-alarms.ts';
import { POLICY } from '../lib/synthesize.ts';
import { changesOf, FURTHER_BACK } from '../world/cloudwatch.ts';
import { openWorld } from '../world/open-world.ts';
import { HOUR, MINUTE, policyWith, writer } from '../world/policy.ts';
import type { World } from '../world/world.ts';

const DEFAULTS = POLICY.replace(/^schedules:.*\n/m, '');
const SCHEDULES = { rotate: 'rate(30 minutes)', reap: 'rate(1 hour)' } as const;
type Scheduled = keyof typeof SCHEDULES;
const PERIODS = { rotate: 30 * MINUTE, reap: HOUR };
/** Where an hourly schedule fires in its flexible window of a quarter of an hour, one firing after the other. */
const LATE = [2, 13, 7, 0].map((minutes) => minutes * MINUTE);
const BEFORE = 5 * HOUR;
const AFTER = 9 * HOUR;

interface Scenario {
  readonly what: string;
  readonly lasts: number;
  /** How it answers a call; undefined: as ever. */
  readonly meet?: (call: Call) => Reply | undefined;
  /** The schedule that does not fire meanwhile. */
  readonly stopped?: Scheduled;
  /** Which alarms ring, and no others. */
  readonly rings: readonly string[];
}

const keys = ['CreateSecret', 'PutSecretValue', 'GetSecretValue'];
const isOfTheKey = ({ operation, subject = '' }: Call) =>
  keys.includes(operation) && subject.includes('keyturn/');

const SCENARIOS: readonly Scenario[] = [
  {
    what: 'the key of the secrets is disabled for 30 hours, and a token is due',
    lasts: 30 * HOUR,
    meet: (call) => {
      if (!isOfTheKey(call)) return undefined;
      const __type =
        call.operation === 'GetSecretValue' ? 'DecryptionFailure' : 'EncryptionFailure';
      const body = JSON.stringify({ __type, Message: 'the KMS key is disabled' });
      return { status: 400, headers: { 'content-type': 'application/x-amz-json-1.1' }, body };
    },
    rings: ['RotateFailed', 'RotationOverdue'],
  },
  {
    what: 'the cluster answers nothing but 503 for 3 hours',
    lasts: 3 * HOUR,
    meet: (call) =>
      ['management-api', 'data-plane'].includes(call.server)
        ? { status: 503, body: '{"code": 503, "message": "down"}' }
        : undefined,
    rings: ['ReapFailed', 'RotateFailed'],
  },
  {
    what: 'one run of `rotate` fails',
    lasts: 20 * MINUTE,
    meet: (call) =>
      call.caller?.includes('rotate') && call.server === 'management-api'
        ? { status: 401, body: '{"code": 401, "message": "unauthorized"}' }
        : undefined,
    rings: [],
  },
  {
    what: 'the schedule of `rotate` does not fire for 6 hours',
    lasts: 6 * HOUR,
    stopped: 'rotate',
    rings: ['RotateNotRunning'],
  },
];

interface Point {
  readonly metric: string;
  readonly value: number;
  readonly at: number;
}

const atOf = (at: number) => `${new Date(at).toISOString().slice(0, 19)}Z`;

/** One firing: what CloudWatch gets of it, from Lambda and from the lines. */
async function fire(world: World, job: Scheduled, planned: number, points: Point[]) {
  const from = world.clock.now();
  const seen = world.lines().length;
  const event = { scheduled: { at: atOf(planned), ...firingsOf(SCHEDULES[job], 'UTC') } };
  const { error } = await world.invoke(job, event);
  const metric = `FunctionName=keyturn-prod-${job} Errors`;
  points.push({ metric, value: error ? 1 : 0, at: from });
  points.push(...measuredIn(world.lines(seen), world.clock.now()));
}

/** Both schedules before, during and after it; nothing of `enforce`. */
async function live(scenario: Scenario): Promise<{ start: number; end: number; points: Point[] }> {
  const short = { rotateEvery: '2d', renewBefore: '2d', gracePeriod: '6h', expiresAfter: '20d' };
  const world = await openWorld(policyWith({ telegraf: { ...writer, ...short }, grafana: writer }));
  const points: Point[] = [];
  await world.rotate();
  await world.wait(HOUR);
  await world.rotate();
  // Due for a rotation an hour after the scenario began.
  const open = world.clock.now() + 43 * HOUR - BEFORE + 2 * HOUR;
  const [start, end] = [open + BEFORE, open + BEFORE + scenario.lasts];
  const firings = (Object.keys(PERIODS) as Scheduled[]).flatMap((job) =>
    Array.from({ length: (end + AFTER - open) / PERIODS[job] }, (_, n) => {
      const planned = open + (n + 1) * PERIODS[job];
      const late = job === 'reap' ? (LATE[n % LATE.length] ?? 0) : 0;
      return { job, planned, at: planned + late };
    }),
  );
  for (const { job, planned, at } of firings.sort((a, b) => a.at - b.at)) {
    const during = at >= start && at < end;
    if (during && scenario.stopped === job) continue;
    if (at > world.clock.now()) await world.clock.runUntil(at);
    world.intercept((call, effect) =>
      Promise.resolve((during ? scenario.meet?.(call) : undefined) ?? effect()),
    );
    await fire(world, job, planned, points);
  }
  await world.close();
  return { start, end, points: points.sort((a, b) => a.at - b.at) };
}

interface Ring {
  readonly alarm: string;
  /** Milliseconds after the beginning. */
  readonly from: number;
  /** Milliseconds after the end; undefined: it rings on. */
  readonly until?: number;
}

function ringsOf(
  alarms: DeployedAlarms,
  { start, end, points }: Awaited<ReturnType<typeof live>>,
  furtherBack = FURTHER_BACK,
): Ring[] {
  return Object.entries(alarms).flatMap(([alarm, properties]) => {
    const its = points.filter(({ metric }) => metric === metricOf(properties));
    const changes = changesOf(properties, its, furtherBack);
    return changes.flatMap(({ state, at }, index): Ring[] => {
      if (state !== 'ALARM' || at > (points.at(-1)?.at ?? 0)) return [];
      const next = changes[index + 1]?.at;
      return [{ alarm, from: at - start, ...(next !== undefined && { until: next - end }) }];
    });
  });
}

/** To the minute: `1 h 5 min`. */
function told(ms: number): string {
  const minutes = Math.ceil(Math.abs(ms) / MINUTE);
  const [days, hours, rest] = [
    Math.floor(minutes / 1_440),
    Math.floor(minutes / 60) % 24,
    minutes % 60,
  ];
  const parts = [days && `${days} d`, hours && `${hours} h`, rest && `${rest} min`];
  return parts.filter(Boolean).join(' ') || 'at once';
}

let alarms: DeployedAlarms;
const seen = new Map<string, Ring[]>();
beforeAll(() => {
  alarms = deployedAlarms(DEFAULTS);
}, 120_000);

test.each(SCENARIOS)(
  'where $what, $rings ring, and are quiet again when it is over',
  async (scenario) => {
    const lived = await live(scenario);
    const rings = ringsOf(alarms, lived);
    const names = (of: readonly Ring[]) => [...new Set(of.map(({ alarm }) => alarm))].sort();
    expect(names(rings)).toEqual(scenario.rings);
    // Nobody is told twice of one trouble.
    expect(rings).toHaveLength(scenario.rings.length);
    expect(rings.filter(({ from }) => from < 0)).toEqual([]);
    expect(rings.filter(({ until }) => until === undefined)).toEqual([]);
    // How far CloudWatch looks back where data is missing is not published: it must not matter.
    for (const further of [1, 4])
      expect(names(ringsOf(alarms, lived, further))).toEqual(scenario.rings);
    seen.set(scenario.what, rings);
  },
  600_000,
);

test('a daily run that fails once rings once, until the next one, however late each is', () => {
  const daily = deployedAlarms(`${DEFAULTS}schedules: { reap: rate(1 day) }\n`).ReapFailed;
  if (!daily) throw new Error('no alarm');
  const lates = [0, 7 * MINUTE, 14 * MINUTE];
  const orders = lates.flatMap((a) => lates.flatMap((b) => lates.map((c) => [a, b, c, 0, b])));
  const rung = orders.map((late) => {
    const samples = late.map((each, day) => ({
      value: day === 0 ? 1 : 0,
      at: day * 24 * HOUR + each,
    }));
    return changesOf(daily, samples).filter(({ state }) => state === 'ALARM').length;
  });
  expect(new Set(rung)).toEqual(new Set([1]));
  const [alarm, ok] = changesOf(
    daily,
    [1, 0].map((value, day) => ({ value, at: day * 24 * HOUR })),
  );
  const what = 'one run of a daily `reap` fails';
  seen.set(what, [{ alarm: 'ReapFailed', from: alarm?.at ?? 0, until: ok?.at ?? Number.NaN }]);
}, 60_000);

test('an hourly schedule rings at the second failure in a row, also where clocks change', () => {
  const inZone = (zone: string) =>
    deployedAlarms(
      `${DEFAULTS.replace('Europe/Berlin', zone)}schedules: { reap: cron(0 * * * ? *) }\n`,
    ).ReapFailed;
  const hourly = inZone('Europe/Berlin');
  if (!hourly) throw new Error('no alarm');
  expect(hourly).toEqual(inZone('UTC'));
  // No run in the hour that comes twice: 25 October 2026 in Berlin.
  const from = Date.UTC(2026, 9, 24, 12);
  const hours = Array.from({ length: 36 }, (_, n) => from + n * HOUR).filter(
    (at) => at !== Date.UTC(2026, 9, 25, 1),
  );
  const rings = (...failed: readonly number[]) =>
    changesOf(
      hourly,
      hours.map((at, n) => ({ value: failed.includes(n) ? 1 : 0, at })),
    ).flatMap(({ state, at }) => (state === 'ALARM' ? [at] : []));
  for (let n = 3; n < 30; n += 1) {
    expect(rings(n)).toEqual([]);
    const [rung = Number.NaN] = rings(n, n + 1);
    expect(rung - (hours[n + 1] ?? 0)).toBeLessThan(30 * MINUTE);
  }
}, 60_000);

const WEEKLY = 'cron(0 3 ? * SUN *)';

test('a weekly schedule rings when it stopped, and at no time before, nor when clocks change', () => {
  const weekly = deployedAlarms(`${DEFAULTS}schedules: { enforce: ${WEEKLY} }\n`);
  const watched = weekly.EnforceNotRunning;
  if (!watched) throw new Error('no alarm');
  const fired: number[] = [];
  let at = Date.UTC(2026, 8, 1);
  while (fired.length < 12) {
    at = nextFiring(WEEKLY, 'Europe/Berlin', at) ?? Number.NaN;
    fired.push(at);
  }
  const samples = fired.map((each, n) => ({ value: 1, at: each + (LATE[n % LATE.length] ?? 0) }));
  const [ok, rung, ...more] = changesOf(watched, samples);
  expect(ok?.state).toBe('OK');
  expect(rung?.state).toBe('ALARM');
  expect(more).toEqual([]);
  const last = fired.at(-1) ?? 0;
  expect(rung?.at).toBeGreaterThan(last + 7 * 24 * HOUR);
  const what = 'a weekly schedule of `enforce` stops for good';
  seen.set(what, [{ alarm: 'EnforceNotRunning', from: (rung?.at ?? 0) - last }]);
}, 60_000);

test('a monthly schedule rings once for a run that fails, and at no other time', () => {
  const monthly = deployedAlarms(`${DEFAULTS}schedules: { reap: 'cron(0 3 1 * ? *)' }\n`);
  expect(Object.keys(monthly)).not.toContain('ReapNotRunning');
  const { ReapFailed } = monthly;
  if (!ReapFailed) throw new Error('no alarm');
  const samples = [0, 1, 0, 0].map((value, month) => ({ value, at: Date.UTC(2026, month, 1, 2) }));
  const failedAt = samples[1]?.at ?? 0;
  const rung = changesOf(ReapFailed, samples).filter(({ state }) => state === 'ALARM');
  expect(rung).toHaveLength(1);
  const from = (rung[0]?.at ?? 0) - failedAt;
  const ok = changesOf(ReapFailed, samples).find(
    ({ at, state }) => state !== 'ALARM' && at > failedAt,
  );
  seen.set('one run of a monthly `reap` fails', [
    { alarm: 'ReapFailed', from, until: (ok?.at ?? Number.NaN) - failedAt },
  ]);
}, 60_000);

const BEGIN = '<!-- written by npx vitest run test/docs/alarms.test.ts -u -->\n';
const END = '<!-- end of what is written -->\n';

test('docs/runbook.md says which alarm rings when, and when it is quiet again', async () => {
  const rows = [...seen].flatMap(([what, rings]) => {
    if (rings.length === 0) return [`| ${what} | none | | |`];
    return rings.map(({ alarm, from, until }, index) => {
      const quiet = until === undefined ? '' : until <= 0 ? `${told(until)} before` : told(until);
      return `| ${index === 0 ? what : ''} | \`${alarm}\` | ${told(from)} | ${quiet} |`;
    });
  });
  rows.push('| a monthly schedule stops | none: `keyturn validate` warns of it | | |');
  const head = '| what happens | rings | after | quiet again, after its end |\n|---|---|---|---|\n';
  const runbook = readFileSync('docs/runbook.md', 'utf8');
  const [before = '', rest = ''] = runbook.split(BEGIN);
  const [, after = ''] = rest.split(END);
  await expect(
    `${before}${BEGIN}\n${head}${rows.join('\n')}\n\n${END}${after}`,
    'to rewrite it: npx vitest run test/docs/alarms.test.ts -u',
  ).toMatchFileSnapshot(`${process.cwd()}/docs/runbook.md`);
});
