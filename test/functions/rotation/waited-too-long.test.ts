import { expect, test } from 'vitest';
import { openWorldForTest } from '../../world/open-world.ts';
import { DAY, HOUR, MINUTE, policyWith, TELEGRAF, writer } from '../../world/policy.ts';
import type { World } from '../../world/world.ts';
import { openWaiting, PERIOD } from './open-waiting.ts';

/** The minutes of so many firings in which what consumers read is refused. */
async function refusedMinutes(world: World, firings: number): Promise<number> {
  let refused = 0;
  for (let firing = 0; firing < firings; firing += 1) {
    for (let minute = 0; minute < PERIOD / MINUTE; minute += 1) {
      await world.wait(MINUTE);
      if (!world.accepts(world.string(TELEGRAF))) refused += 1;
    }
    await world.rotate();
  }
  return refused;
}

test.each([5, 90, 400])(
  'nothing ran for days: a token that waited, and has %i minutes left, is not what consumers get',
  async (minutes) => {
    const { world, expiresAt } = await openWaiting();
    await world.wait(expiresAt - minutes * MINUTE - world.clock.now());

    const { result } = await world.rotate();
    expect(result?.entries).toMatchObject([{ condition: 'works' }]);
    expect(await refusedMinutes(world, 3)).toBe(0);
  },
);

test('one that has enough left for the next runs is promoted, and is told to expire', async () => {
  const { world, expiresAt } = await openWaiting();
  await world.wait(expiresAt - 10 * HOUR - world.clock.now());
  const pending = world.holders(TELEGRAF).AWSPENDING;

  const { result } = await world.rotate();
  expect(world.holders(TELEGRAF).AWSCURRENT).toBe(pending);
  expect(result?.entries).toMatchObject([{ condition: 'expiring', tokenId: pending }]);
  const measured = world.metrics().flatMap((each) => each['Owner=prod UnusableTokens'] ?? []);
  expect(measured.at(-1)).toBe(1);
  expect(await refusedMinutes(world, 3)).toBe(0);
});

test('whoever asks for a rotation by name gets no token that expires in minutes', async () => {
  const { world, expiresAt } = await openWaiting();
  await world.revoke({ token: 'telegraf', way: 'freeze', reason: 'an incident' });
  await world.wait(expiresAt - 10 * MINUTE - world.clock.now());
  await world.revoke({ token: 'telegraf', way: 'unfreeze', reason: 'it is over' });

  const { error } = await world.rotate({ tokens: ['telegraf'], force: true });
  expect(error).toBeUndefined();
  expect(await refusedMinutes(world, 2)).toBe(0);
});

test('nobody is said to be cut short of what gave way, since nobody had it', async () => {
  const { world, expiresAt } = await openWaiting();
  await world.wait(expiresAt - 5 * HOUR - world.clock.now());
  for (let run = 0; run < 5; run += 1) {
    expect((await world.rotate()).result?.entries).toMatchObject([{ condition: 'works' }]);
    await world.wait(HOUR);
    expect((await world.reap()).error).toBeUndefined();
    await world.wait(HOUR);
  }
});

test('a save that took AWSPENDING off brings no token back that expires in minutes', async () => {
  const { world, expiresAt } = await openWaiting();
  await world.people.saveValue(TELEGRAF, world.value(TELEGRAF));
  await world.wait(expiresAt - 30 * MINUTE - world.clock.now());
  await world.rotate();
  expect(await refusedMinutes(world, 2)).toBe(0);
});

test.each([
  ['nightly', 'cron(0 3 * * ? *)', '4d', 3],
  ['on workdays', 'cron(0 3 ? * MON-FRI *)', '7d', 5],
])(
  'where routers learn later than a run waits, %s, one run’s token is the next one’s',
  async (_, rotate, expiresAfter, third) => {
    const startAt = Date.UTC(2026, 2, 2, 3);
    const defaults = { rotateEvery: '1d', expiresAfter, gracePeriod: '1h', renewBefore: '12h' };
    const late = { startAt, activationDelayMs: 7 * MINUTE };
    const world = await openWorldForTest(
      policyWith({ telegraf: writer }, { defaults, schedules: { rotate } }),
      late,
    );
    const currents = new Set<string | undefined>();
    for (let day = 0; day < 16; day += 1) {
      const at = startAt + day * DAY;
      await world.wait(Math.max(0, at - world.clock.now()));
      if (third === 5 && [0, 6].includes(new Date(at).getUTCDay())) continue;
      const seconds = { nextInSeconds: 86_400, thirdInSeconds: third * 86_400 };
      await world.rotate({
        scheduled: { at: `${new Date(at).toISOString().slice(0, 19)}Z`, ...seconds },
      });
      currents.add(world.holders(TELEGRAF).AWSCURRENT);
      if (day > 0) expect(world.accepts(world.string(TELEGRAF))).toBe(true);
    }
    const minted = world.cluster.state.tokens.filter(({ description }) =>
      description.includes('[keyturn:1 '),
    );
    expect(currents.size).toBeGreaterThanOrEqual(minted.length - 1);
  },
);

test('what waits is not minted anew in every run, however briefly it lives', async () => {
  const brief = { rotateEvery: '1d', expiresAfter: '75h', gracePeriod: '6h', renewBefore: '12h' };
  const world = await openWorldForTest(
    policyWith(
      { telegraf: writer },
      { defaults: { ...brief, quarantine: '1h' }, schedules: { rotate: 'rate(1 day)' } },
    ),
  );
  const currents = new Set<string | undefined>();
  for (let day = 0; day < 12; day += 1) {
    expect((await world.rotate()).error).toBeUndefined();
    currents.add(world.holders(TELEGRAF).AWSCURRENT);
    await world.wait(24 * HOUR);
    expect(world.accepts(world.string(TELEGRAF))).toBe(true);
  }
  // Each that was minted became current, but perhaps for the last.
  const minted = world.cluster.state.tokens.filter(({ description }) =>
    description.includes('[keyturn:1 '),
  );
  expect(currents.size).toBeGreaterThanOrEqual(minted.length - 1);
});
