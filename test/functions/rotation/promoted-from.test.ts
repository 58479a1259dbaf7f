import { expect, test } from 'vitest';
import { openWorldForTest } from '../../world/open-world.ts';
import { DAY, MINUTE, policyWith, TELEGRAF, writer } from '../../world/policy.ts';

const lifetimes = { expiresAfter: '60d', gracePeriod: '6h', renewBefore: '20d' };
const daily = (rotateEvery: string, token: object = writer) =>
  policyWith(
    { telegraf: token },
    { defaults: { rotateEvery, ...lifetimes }, schedules: { rotate: 'rate(1 day)' } },
  );

/** A successor is armed, and waits; a day later, a policy is deployed. */
async function openEdited(policy: object) {
  const world = await openWorldForTest(daily('7d'));
  await world.rotate();
  await world.wait(7 * DAY);
  const { result } = await world.rotate();
  expect(result.entries).toMatchObject([{ pending: { tokenId: expect.any(String) } }]);
  await world.wait(DAY);
  return { world, deployed: world.deploy(policy) };
}

test('of a token that a run takes off AWSPENDING, neither that run nor a look before it says when it is promoted', async () => {
  const { world, deployed } = await openEdited(daily('14d'));
  const looked = await deployed.rotate({ dryRun: true });
  expect(looked.result.plan.actions).toMatchObject([{ reason: 'PendingNotDue' }]);
  expect(looked.result.entries[0]).not.toHaveProperty('pending');
  const { result } = await deployed.rotate();
  expect(world.labels(TELEGRAF)).not.toHaveProperty('AWSPENDING');
  expect(result.entries[0]).not.toHaveProperty('pending');
});

test('what waits is not said to be promoted now before it is armed with what a policy adds', async () => {
  const wider = { permissions: { write: ['telemetry', 'quality'] } };
  const { world, deployed } = await openEdited(daily('7d', wider));
  const kinds = [];
  for (const tells of [true, true, true, false]) {
    const { result } = await deployed.rotate({ dryRun: true });
    kinds.push(...result.plan.actions.map(({ kind }: { readonly kind: string }) => kind));
    const { promotedFrom } = result.entries[0].pending ?? {};
    expect(promotedFrom !== undefined).toBe(tells);
    expect(promotedFrom <= world.clock.now()).toBe(kinds.at(-1) === 'resume' && tells);
    await deployed.rotate();
    await world.wait(DAY);
  }
  expect(kinds).toEqual(['widen', 'arm', 'resume']);
});

const inNights = { gracePeriod: '6h', quarantine: '1h', windows: ['Sun 02:00-04:00'] };

test.each([
  ['outside them, too', { rotateEvery: '45h', expiresAfter: '157h', renewBefore: '55h' }],
  ['never in them', { rotateEvery: '3d', expiresAfter: '9d', renewBefore: '55h' }],
  ['in them alone', { rotateEvery: '30d', expiresAfter: '60d', renewBefore: '7d' }],
])(
  'with windows, what waits is promoted by no run before it was said to be, and by the first one then, %s',
  async (_where, brief) => {
    const schedules = { rotate: 'cron(30 2 * * ? *)' };
    const defaults = { ...inNights, ...brief };
    const startAt = Date.UTC(2026, 2, 1, 2, 30);
    const world = await openWorldForTest(
      policyWith({ telegraf: writer }, { defaults, schedules }),
      { startAt },
    );
    const told = [];
    let waiting: { readonly tokenId: string; readonly promotedFrom: number } | undefined;
    for (let night = 0; night < 40; night += 1) {
      const now = startAt + night * DAY;
      await world.wait(Math.max(0, now - world.clock.now()));
      const scheduled = {
        at: new Date(now).toISOString().replace('.000', ''),
        nextInSeconds: DAY / 1_000,
        thirdInSeconds: (3 * DAY) / 1_000,
      };
      const { result } = await world.rotate({ scheduled });
      const isPromoted = waiting?.tokenId === world.holders(TELEGRAF).AWSCURRENT;
      if (waiting) {
        // Instants in markers are whole seconds. And no run comes into the window in which it settled, once it has.
        const isTold = waiting.promotedFrom <= now + MINUTE;
        const isMissed = new Date(waiting.promotedFrom).toISOString().includes('T02:40:00');
        told.push({ isPromoted, isTold: isTold && !isMissed });
      }
      waiting = result.entries[0].pending;
    }
    expect(told.length).toBeGreaterThan(2);
    expect(told.filter(({ isPromoted, isTold }) => isPromoted !== isTold)).toEqual([]);
  },
);
