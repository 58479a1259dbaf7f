import { describe, expect, test } from 'vitest';
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

/** A token that a person made, and that is taken over; the rotations of its secret are looked at. */
async function adopting(policy: object, startAt: number, expiresAt?: number) {
  const world = await openWorldForTest(policyWith({}, policy), { startAt });
  const made = await world.people.mint({
    description: 'telegraf',
    permissions: [{ action: 'write', resource: 'telemetry' }],
    ...(expiresAt !== undefined && { expiresAt: new Date(expiresAt).toISOString() }),
  });
  await world.people.createSecret(TELEGRAF, made.accessToken);
  const telegraf = { ...writer, secret: TELEGRAF, adopt: { tokenId: made.id } };
  return { world, deployed: world.deploy(policyWith({ telegraf }, policy)) };
}

const mintedIn = ({ cluster }: World) =>
  cluster.state.tokens.filter(({ description }) => description.includes('[keyturn:1 ')).length;

describe('windows', () => {
  const nightly = { windows: ['daily 02:00-05:00'] };
  const weekly = {
    ...{ rotateEvery: '2d', expiresAfter: '7d', renewBefore: '2d' },
    windows: ['Sun 02:00-05:00'],
  };

  test.each([
    ['a night', nightly, 5, {}],
    ['a night', nightly, 90, {}],
    ['Sunday night', weekly, 90, {}],
    ['a night, and a person rotates', nightly, 30, { tokens: ['telegraf'], force: true }],
  ])(
    'keep nobody’s token alive: one that waited for %s, and has minutes left, is not what consumers get',
    async (_, lifetimes, minutes, event) => {
      const { world, expiresAt } = await openWaiting(lifetimes);
      await world.wait(expiresAt - minutes * MINUTE - world.clock.now());
      await world.rotate(event);
      expect(await refusedMinutes(world, 2)).toBe(0);
    },
  );

  const SUNDAY = Date.UTC(2026, 2, 8, 2);

  test.each([
    ['minutes', SUNDAY - 7 * DAY + 2 * HOUR, HOUR / 2, 'rate(30 minutes)'],
    ['3 hours', SUNDAY - 7 * DAY + 5 * HOUR, HOUR / 2, 'rate(30 minutes)'],
    [
      '6 hours, and one firing,',
      SUNDAY + 11 * MINUTE - 27 * 6 * HOUR,
      6 * HOUR,
      'cron(11 2/6 * * ? *)',
    ],
  ])(
    'a token without expiry is not replaced by one that has %s left when its window comes',
    async (_, startAt, everyMs, rotate) => {
      const defaults = {
        ...{ rotateEvery: '2d', expiresAfter: '5d', gracePeriod: '6h', renewBefore: '2d' },
        ...{ quarantine: '1h', windows: ['Sun 02:00-04:00'] },
      };
      const { world, deployed } = await adopting({ defaults, schedules: { rotate } }, startAt);
      /** What each had left when it became current. */
      const lives = new Map<string | undefined, number>();
      for (let at = startAt; at < SUNDAY + 12 * HOUR; at += everyMs) {
        await deployed.rotate();
        const { AWSCURRENT } = world.holders(TELEGRAF);
        const token = world.cluster.state.tokens.find(({ id }) => id === AWSCURRENT);
        const left = (token?.expiresAt ?? Number.POSITIVE_INFINITY) - world.clock.now();
        if (!lives.has(AWSCURRENT)) lives.set(AWSCURRENT, left);
        await world.wait(everyMs);
        expect(world.accepts(world.string(TELEGRAF))).toBe(true);
      }
      expect(lives.size).toBeGreaterThan(1);
      // It is not due again at once.
      expect(Math.min(...lives.values())).toBeGreaterThan(1.5 * DAY);
    },
    60_000,
  );

  const nights = (lifetimes: object) => ({
    defaults: { gracePeriod: '6h', quarantine: '1h', windows: ['Sun 02:00-04:00'], ...lifetimes },
    schedules: { rotate: 'cron(0 3 * * ? *)' },
  });

  /** A run each night, and what it says of the entry. */
  async function liveNights(
    { world, deployed }: Awaited<ReturnType<typeof adopting>>,
    count: number,
    startAt: number,
  ) {
    const entries = [];
    const currents = new Set<string | undefined>();
    for (let night = 0; night < count; night += 1) {
      await world.wait(Math.max(0, startAt + night * DAY - world.clock.now()));
      expect(world.accepts(world.string(TELEGRAF))).toBe(true);
      entries.push((await deployed.rotate()).result?.entries?.[0]);
      currents.add(world.holders(TELEGRAF).AWSCURRENT);
      await world.wait(8 * HOUR);
      await deployed.reap();
      expect(world.accepts(world.string(TELEGRAF))).toBe(true);
    }
    return { entries, currents };
  }

  /** On a Sunday, after its window, a token is taken over; then the cluster learns of new ones so late. */
  async function adoptedOn(policy: object, activationDelayMs: number) {
    const adopted = await adopting(policy, SUNDAY - 7 * DAY + 6 * HOUR);
    await adopted.deployed.rotate();
    adopted.world.cluster.activationDelayMs = activationDelayMs;
    return adopted;
  }
  const MONDAY = SUNDAY - 6 * DAY;
  const onSundays = nights({ rotateEvery: '2d', expiresAfter: '7d', renewBefore: '3d' });

  test('bring no token in vain to a cluster that learns of one later than a run waits', async () => {
    const adopted = await adoptedOn(onSundays, 7 * MINUTE);
    const { currents } = await liveNights(adopted, 24, MONDAY + HOUR);
    expect(currents.size).toBeGreaterThan(4);
    expect(mintedIn(adopted.world) - currents.size).toBeLessThanOrEqual(1);
  });

  test('put no rotation off for ever where a night is an hour longer once a year', async () => {
    const brief = nights({ rotateEvery: '2d', expiresAfter: '5d', renewBefore: '60h' });
    const adopted = await adoptedOn({ ...brief, timeZone: 'Europe/Berlin' }, 0);
    const { currents } = await liveNights(adopted, 16, MONDAY);
    expect(currents.size).toBeGreaterThan(2);
  });

  test('hide from nobody that no new token is ever accepted', async () => {
    const adopted = await adoptedOn(onSundays, 1_000 * DAY);
    const { entries } = await liveNights(adopted, 28, MONDAY + HOUR);
    expect(entries.slice(21).map((entry) => entry?.late)).toEqual(Array(7).fill(true));
  });

  test('make nothing late that waits for its time, where a policy is shortened', async () => {
    const long = nights({ rotateEvery: '30d', expiresAfter: '90d', windows: [] });
    const adopted = await adoptedOn(long, 0);
    await liveNights(adopted, 1, MONDAY + HOUR);
    await adopted.world.wait(14 * DAY);
    const telegraf = { ...writer, secret: TELEGRAF };
    const deployed = adopted.world.deploy(policyWith({ telegraf }, onSundays));
    const shortened = { world: adopted.world, deployed };
    const { entries, currents } = await liveNights(shortened, 8, MONDAY + 15 * DAY + HOUR);
    expect(entries.map((entry) => entry?.late)).toEqual(Array(8).fill(false));
    expect(currents.size).toBeGreaterThan(1);
  });

  test('near the expiry of what consumers have, nothing is promoted that ends before that', async () => {
    const startAt = Date.UTC(2026, 2, 2, 3);
    const brief = nights({ rotateEvery: '20h', expiresAfter: '3d12h', renewBefore: '2d12h' });
    const adopted = await adopting(brief, startAt, startAt + 150 * HOUR);
    await liveNights(adopted, 8, startAt);
  });
});

test('over a weekend, a token is replaced while what it has left is as long as its grace period', async () => {
  const defaults = { rotateEvery: '7d', expiresAfter: '16d', gracePeriod: '4d', renewBefore: '4d' };
  const schedules = { rotate: 'cron(0 9 ? * MON-FRI *)' };
  const startAt = Date.UTC(2026, 2, 3, 16);
  const policy = policyWith({ telegraf: writer }, { defaults, schedules });
  const world = await openWorldForTest(policy, { startAt });
  await world.rotate();
  const read = world.string(TELEGRAF);
  // Nothing ran until this Friday; the next firing is on Monday.
  for (const day of [13, 16, 17]) {
    await world.wait(Date.UTC(2026, 2, day, 9) - world.clock.now());
    const { result } = await world.rotate();
    expect(result?.entries).toMatchObject([{ condition: 'works' }]);
  }
  expect(world.string(TELEGRAF)).not.toBe(read);
  expect(world.accepts(read)).toBe(true);
});
