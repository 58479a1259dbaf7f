import { expect, test } from 'vitest';
import { answering } from '../../world/faults.ts';
import { JOBS } from '../../world/jobs.ts';
import { openWorldForTest } from '../../world/open-world.ts';
import { MINUTE, policyWith, TELEGRAF, writer } from '../../world/policy.ts';
import type { World } from '../../world/world.ts';

const SECOND = 1_000;
const scheduledJobs = JOBS.filter((job) => ['rotate', 'reap', 'enforce'].includes(job));

/** The event of a schedule that was to fire so long ago, and fires every five minutes. */
const firedAgo = (world: World, agoMs: number, nextInSeconds = 300) => {
  const at = new Date(world.clock.now() - agoMs).toISOString();
  return {
    scheduled: { at: `${at.slice(0, 19)}Z`, nextInSeconds, thirdInSeconds: 3 * nextInSeconds },
  };
};

/** How long a run takes whose Management API is busy, and asks every time to come back in three minutes. */
async function lengthOfRun(agoMs: number, nextInSeconds?: number): Promise<number> {
  const world = await openWorldForTest(policyWith({ telegraf: writer }));
  const headers = { 'retry-after': '180' };
  world.intercept(answering('GET /tokens', { status: 503, body: '', headers }));
  const event = nextInSeconds === undefined ? {} : firedAgo(world, agoMs, nextInSeconds);
  const before = world.clock.now();
  const { error } = await world.reap(event);
  expect(error?.errorType).toBe('InfluxError');
  return world.clock.now() - before;
}

test('a scheduled run is over ten seconds before its schedule fires again', async () => {
  const length = await lengthOfRun(30 * SECOND, 600);
  expect(length).toBeGreaterThan(9 * MINUTE);
  expect(length).toBeLessThanOrEqual((600 - 30 - 10) * SECOND);
});

test("a person's run, and that of a rare schedule, last as long as Lambda lets them", async () => {
  for (const nextInSeconds of [undefined, 86_400]) {
    const length = await lengthOfRun(0, nextInSeconds);
    expect(length).toBeGreaterThan(12 * MINUTE);
    expect(length).toBeLessThan(15 * MINUTE);
  }
});

test.each(scheduledJobs)(
  '%s, begun too late, reads and changes nothing, and says so',
  async (job) => {
    const world = await openWorldForTest(policyWith({ telegraf: writer }));
    let calls = 0;
    world.watch((_call, effect) => {
      calls += 1;
      return effect();
    });
    const { result, error } = await world.invoke(job, firedAgo(world, 290 * SECOND));
    expect(error).toBeUndefined();
    expect(result).toEqual({
      late: true,
      at: '2026-03-02T11:55:10Z',
      until: '2026-03-02T12:00:00Z',
      message:
        'the schedule was to fire at 2026-03-02T11:55:10Z; this run should have been over by 2026-03-02T12:00:00Z, so it did nothing, and the next one does all that is left',
    });
    expect(calls).toBe(0);
    expect(world.lines().filter((line) => line.includes('"message":"late"'))).toHaveLength(1);
    expect(world.metrics()).toEqual([]);
  },
);

test('a delivery that is tried again, and still in time, does what is left', async () => {
  const world = await openWorldForTest(policyWith({ telegraf: writer }));
  const { result } = await world.reap(firedAgo(world, 4 * MINUTE));
  expect(result.plan.job).toBe('reap');
  await world.rotate(firedAgo(world, 0, 1_800));
  expect(world.labels(TELEGRAF)).toHaveProperty('AWSCURRENT');
});

test.each(scheduledJobs)('a run of %s that its schedule began is counted', async (job) => {
  const world = await openWorldForTest(policyWith({ telegraf: writer }));
  const counted = { [`Owner=prod Function=${job} ScheduledRuns`]: 1 };
  await world.invoke(job);
  expect(world.metrics()).not.toContainEqual(counted);
  await world.invoke(job, firedAgo(world, 0, 1_800));
  expect(world.metrics()).toContainEqual(counted);
});

test('a scheduled run that fails has run all the same: another alarm tells of failures', async () => {
  const world = await openWorldForTest(policyWith({ telegraf: writer }));
  await world.people.saveValue('influxdb/management', 'nonsense');
  const { error } = await world.rotate(firedAgo(world, 0, 1_800));
  expect(error).toBeDefined();
  expect(world.metrics()).toContainEqual({ 'Owner=prod Function=rotate ScheduledRuns': 1 });
});

test.each([
  ['<aws.scheduler.scheduled-time>', 300],
  ['tomorrow', 300],
  ['2026-03-02T12:00:00Z', 0],
  ['2026-03-02T12:00:00Z', undefined],
])('what no schedule says is refused: %s, next in %s seconds', async (at, nextInSeconds) => {
  const world = await openWorldForTest(policyWith({ telegraf: writer }));
  const { error } = await world.rotate({ scheduled: { at, nextInSeconds, thirdInSeconds: 900 } });
  expect(error?.errorType).toBe('RequestError');
  expect(world.tokens()).toEqual([]);
});

test.each([false, true])(
  'the notice of a rotation is sent again for as long as the run may last; where another token fails: %s',
  async (fails) => {
    const world = await openWorldForTest(policyWith({ telegraf: writer, other: writer }));
    const opensAt = world.clock.now() + 3 * MINUTE;
    const busy = {
      status: 400,
      headers: { 'x-amzn-errortype': 'ThrottlingException' },
      body: '{}',
    };
    const denied = { ...busy, headers: { 'x-amzn-errortype': 'AccessDeniedException' } };
    world.intercept(({ operation, subject = '' }, effect) => {
      const isShut = operation === 'PutEvents' && world.clock.now() < opensAt;
      const isRefused = fails && operation === 'CreateSecret' && subject.endsWith('/other');
      return Promise.resolve((isShut && busy) || (isRefused && denied) || effect());
    });
    const { error } = await world.rotate(firedAgo(world, 0, 1_800));
    expect(error !== undefined).toBe(fails);
    const told = world.aws.state.events.filter(({ source }) => source === 'keyturn');
    expect(told.map(({ detailType }) => detailType)).toContain('Token Rotated');
  },
);
