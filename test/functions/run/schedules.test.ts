import { expect, test } from 'vitest';
import type { Interceptor, Reply } from '../../../sandbox/interception.ts';
import { openWorldForTest } from '../../world/open-world.ts';
import { policyWith, writer } from '../../world/policy.ts';
import type { World } from '../../world/world.ts';

const JOBS = ['rotate', 'reap', 'enforce'] as const;
const open = () => openWorldForTest(policyWith({ telegraf: writer }));

/** Somebody changes it with UpdateSchedule. */
function change(world: World, job: string, more: object): void {
  const schedule = world.aws.state.schedules[`default/keyturn-prod-${job}`];
  if (!schedule) throw new Error('the world has no such schedule');
  world.aws.deploySchedule({ ...schedule, ...more });
}

const linesWith = (world: World, message: string) =>
  world.lines().filter((line) => line.includes(`"message":"${message}"`));
const readsOf = ({ aws }: World) => aws.state.calls.GetSchedule ?? 0;

test.each(JOBS)('%s, invoked by a person, says that its schedule is on', async (job) => {
  const world = await open();
  const { result } = await world.invoke(job, { dryRun: true });
  expect(result.plan.job).toBe(job);
  expect(result.schedule).toEqual({ name: `keyturn-prod-${job}`, state: 'on' });
  expect(readsOf(world)).toBe(1);
  expect(linesWith(world, 'the schedule does not fire')).toEqual([]);
});

test.each(JOBS)('%s says that its schedule is off, since when, by whom and why', async (job) => {
  const world = await open();
  const Description = `Keyturn (prod): ${job} [keyturn:paused 2026-03-02T11:00:00Z by assumed-role/on-call/alice: a drill]`;
  change(world, job, { State: 'DISABLED', Description });
  const { result } = await world.invoke(job);
  expect(result.outcomes).toBeDefined();
  expect(result.schedule).toEqual({
    name: `keyturn-prod-${job}`,
    state: 'off',
    since: '2026-03-02T11:00:00Z',
    by: 'assumed-role/on-call/alice',
    reason: 'a drill',
    lastChanged: '2026-03-02T12:00:00Z',
  });
  expect(linesWith(world, 'the schedule does not fire')).toMatchObject(
    [/alice.*a drill/].map((each) => expect.stringMatching(each)),
  );
});

test('a run that fails says it in its error, because nobody sees its answer', async () => {
  const world = await open();
  const Description =
    'x [keyturn:paused 2026-03-02T11:00:00Z by assumed-role/on-call/alice: a drill]';
  change(world, 'rotate', { State: 'DISABLED', Description });
  world.intercept(async (call, effect) =>
    call.operation === 'CreateSecret' ? { status: 500, body: 'down' } : effect(),
  );
  const { error } = await world.rotate();
  expect(error?.errorMessage).toMatch(
    /failed[\s\S]*keyturn-prod-rotate: this schedule is off since 2026-03-02T11:00:00Z by assumed-role\/on-call\/alice \(a drill\); keyturn resume starts it$/,
  );
});

test('what a run has held is not repeated by what stands beside its schedule', async () => {
  const managementToken = 'Zk3mQ9vTxL4pW7rB2nY8dH6sF1jC5gK0';
  const world = await openWorldForTest(policyWith({ telegraf: writer }), { managementToken });
  const Description = `x [keyturn:paused 2026-03-02T11:00:00Z by alice: for ${managementToken} is known]`;
  change(world, 'rotate', { State: 'DISABLED', Description });
  const { result } = await world.rotate();
  expect(result.schedule.reason).toBe('for [token] is known');
});

test('an order of revoke says which schedules are off, before it is given and after', async () => {
  const world = await open();
  await world.rotate();
  change(world, 'reap', { State: 'DISABLED' });
  const order = { way: 'freeze', token: 'telegraf', reason: 'a drill' };
  const states = [
    { name: 'keyturn-prod-rotate', state: 'on' },
    { name: 'keyturn-prod-reap', state: 'off' },
    { name: 'keyturn-prod-enforce', state: 'on' },
  ];
  expect((await world.revoke({ ...order, dryRun: true })).result?.schedules).toMatchObject(states);
  expect((await world.revoke(order)).result?.schedules).toMatchObject(states);
});

test('an order of revoke does not wait for schedules that nobody can read', async () => {
  const world = await open();
  await world.rotate();
  world.intercept((call, effect) =>
    call.operation === 'GetSchedule' ? new Promise(() => {}) : Promise.resolve(effect()),
  );
  const { result } = await world.revoke({ way: 'freeze', token: 'telegraf', reason: 'a drill' });
  expect(result?.schedules.map(({ state }) => state)).toEqual(['unknown', 'unknown', 'unknown']);
  expect(result?.done).toBe(true);
});

test('a schedule that was stopped otherwise is off at least since its last change', async () => {
  const world = await open();
  change(world, 'reap', { State: 'DISABLED' });
  await world.wait(60_000);
  expect((await world.reap()).result.schedule).toEqual({
    name: 'keyturn-prod-reap',
    state: 'off',
    lastChanged: '2026-03-02T12:00:00Z',
  });
});

test('a scheduled run does not ask: it is the proof that its schedule is on', async () => {
  const world = await open();
  const event = world.aws.firing('keyturn-prod-reap', world.clock.now());
  const { result } = await world.reap(event);
  expect(result.plan.job).toBe('reap');
  expect(result.schedule).toBeUndefined();
  expect(readsOf(world)).toBe(0);
});

test('a schedule that is not there is missing', async () => {
  const world = await open();
  world.aws.restore({ ...world.aws.snapshot(), schedules: {} });
  const { result } = await world.rotate();
  expect(result.schedule).toEqual({ name: 'keyturn-prod-rotate', state: 'missing' });
  expect(result.outcomes).toMatchObject([{ result: 'done' }]);
});

const error = (status: number, code: string): Reply => ({
  status,
  headers: { 'x-amzn-errortype': code },
  body: '{"Message":"no"}',
});

test.each<[string, Reply | 'reset']>([
  ['is forbidden', error(403, 'AccessDeniedException')],
  ['is throttled', error(429, 'ThrottlingException')],
  ['fails', { status: 500, body: 'down' }],
  ['is cut off', 'reset'],
  ['is garbage', { status: 200, body: '<html>' }],
  ['is empty', { status: 200, body: '{}' }],
])(
  'where the schedule’s reading %s, the run does its work and says that it does not know',
  async (_how, reply) => {
    const world = await open();
    const reading: Interceptor = (call, effect) =>
      Promise.resolve(call.operation === 'GetSchedule' ? reply : effect());
    world.intercept(reading);
    const { result } = await world.rotate();
    expect(result.schedule).toEqual({ name: 'keyturn-prod-rotate', state: 'unknown' });
    expect(result.outcomes).toMatchObject([{ action: { kind: 'rotate' }, result: 'done' }]);
    expect(readsOf(world)).toBe(1);
    expect(linesWith(world, 'it is not known whether the schedule fires')).toHaveLength(1);
  },
);

test('a reading that is never answered costs three seconds', async () => {
  const world = await open();
  world.intercept((call, effect) =>
    call.operation === 'GetSchedule' ? new Promise(() => {}) : Promise.resolve(effect()),
  );
  const before = world.clock.now();
  const { result } = await world.reap({ dryRun: true });
  expect(result.schedule.state).toBe('unknown');
  expect(world.clock.now() - before).toBeLessThan(4_000);
});
