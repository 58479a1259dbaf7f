import { expect, test } from 'vitest';
import { policyWith, SECRET } from '../crash/policy.ts';
import { openWorldForTest } from '../world/open-world.ts';
import { DAY, HOUR, MINUTE } from '../world/policy.ts';
import { createChance } from './chance.ts';
import { createDisturbance } from './disturb.ts';
import { createOracles } from './oracles.ts';

const RUN = 15 * MINUTE;

/** A world in which nothing was done yet, and what disturbs it. */
async function open() {
  const policy = policyWith({ telegraf: { permissions: { write: ['metrics'] } } });
  const databases = ['metrics', 'events'];
  const world = await openWorldForTest(policy, { databases, isSimulated: true });
  const disturbance = createDisturbance(world, createChance('a test'));
  world.intercept(disturbance.intercept);
  const calls: { readonly at: number; readonly operation: string }[] = [];
  world.watch((call, effect) => {
    if (call.caller !== undefined) calls.push({ at: world.clock.now(), operation: call.operation });
    return effect();
  });
  const lasted = async () => {
    const from = world.clock.now();
    const { error } = await world.rotate();
    return { ms: world.clock.now() - from, error };
  };
  return { world, disturbance, calls, lasted };
}

for (const isAfter of [false, true]) {
  test(`a process that is frozen ${isAfter ? 'behind' : 'before'} a call does nothing meanwhile, and goes on with its work`, async () => {
    const { world, disturbance, calls, lasted } = await open();
    let frozen = 0;
    const freeze = { at: 0, kind: 'freeze', call: 6, isAfter, lastsMs: 4 * MINUTE } as const;
    disturbance.freeze(freeze, () => {
      frozen += 1;
    });
    const { error } = await lasted();
    expect([frozen, error]).toEqual([1, undefined]);
    const gaps = calls.slice(1).map(({ at }, index) => at - (calls[index]?.at ?? 0));
    expect(Math.max(...gaps)).toBeGreaterThanOrEqual(4 * MINUTE);
    expect(gaps.findIndex((gap) => gap >= 4 * MINUTE)).toBe(isAfter ? 5 : 4);
    expect(world.accepts(world.string(SECRET))).toBe(true);
  });
}

test('a process that is frozen beyond its time-out is ended, and does nothing any more', async () => {
  const { world, disturbance, calls, lasted } = await open();
  const freeze = { at: 0, kind: 'freeze', call: 6, isAfter: true, lastsMs: 20 * MINUTE } as const;
  disturbance.freeze(freeze, () => {});
  const { ms, error } = await lasted();
  expect([ms, error?.errorType]).toEqual([RUN, 'Sandbox.Timedout']);
  const count = calls.length;
  await world.wait(HOUR);
  expect(calls.length).toBe(count);
});

for (const system of ['cluster', 'data-plane', 'aws'] as const) {
  test(`a run ends by itself where answers of ${system} come minutes later than anybody waits`, async () => {
    const { disturbance, lasted } = await open();
    disturbance.begin({ kind: 'weather', system, how: 'late', share: 1, lastsMs: DAY });
    const { ms, error } = await lasted();
    expect(ms).toBeLessThan(RUN);
    expect(error?.errorType).not.toBe('Sandbox.Timedout');
    expect(disturbance.met[`${system} late`]).toBeGreaterThan(0);
  });
}

test('a run that does not end by itself is seen, unless it was frozen', async () => {
  const { world } = await open();
  const about = { renewBefore: 6 * HOUR, everyMs: HOUR, rising: () => [] };
  const oracles = createOracles(world, about);
  const error = { errorType: 'Sandbox.Timedout', errorMessage: 'Task timed out' };
  const calm = { job: 'reap', isStormy: false, isDisturbed: true } as const;
  oracles.hear({ ...calm, isHeld: true }, { error }, []);
  expect(oracles.found).toEqual([]);
  oracles.hear(calm, { error }, []);
  expect(oracles.found.map(({ text }) => text)).toEqual([
    'M: reap did not end before its deadline',
  ]);
});
