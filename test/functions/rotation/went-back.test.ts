import { describe, expect, test } from 'vitest';
import { openWorldForTest } from '../../world/open-world.ts';
import { DAY, HOUR, MINUTE, policyWith, TELEGRAF, writer } from '../../world/policy.ts';
import type { World } from '../../world/world.ts';

const named = { tokens: ['telegraf'], force: true };

/** Rotates by name, and lets `reap` see it. */
async function rotateByName(world: World): Promise<void> {
  await world.rotate(named);
  await world.wait(2 * HOUR);
  await world.reap();
}

/** A secret whose token was just replaced by one that turns out bad. */
async function openBad() {
  const world = await openWorldForTest(policyWith({ telegraf: writer, grafana: writer }));
  await world.rotate();
  await world.wait(2 * HOUR);
  await world.reap();
  const first = world.labels(TELEGRAF).AWSCURRENT;
  await rotateByName(world);
  const second = world.labels(TELEGRAF).AWSCURRENT;
  await rotateByName(world);
  return { world, first, second, bad: world.string(TELEGRAF) };
}

/** What consumers read at the end of each of four runs. */
async function stringsAfter(world: World): Promise<Set<string>> {
  const strings = new Set<string>();
  for (let run = 0; run < 4; run += 1) {
    await world.wait(10 * MINUTE);
    await world.rotate();
    strings.add(world.string(TELEGRAF));
  }
  return strings;
}

test('who rolls back twice keeps what they went back to: no schedule promotes what they left', async () => {
  const { world, first, second, bad } = await openBad();
  await world.people.makeCurrent(TELEGRAF, second);
  await world.wait(15 * MINUTE);
  await world.rotate();
  await world.wait(5 * MINUTE);
  await world.people.makeCurrent(TELEGRAF, first);
  expect(await stringsAfter(world)).toEqual(new Set([world.string(TELEGRAF)]));
  expect(world.string(TELEGRAF)).not.toBe(bad);
  expect(world.labels(TELEGRAF).AWSCURRENT).toBe(first);
});

test('nor where AWSPREVIOUS is taken off the bad version, so that nobody goes forward again', async () => {
  const { world, second } = await openBad();
  await world.people.makeCurrent(TELEGRAF, second);
  await world.wait(15 * MINUTE);
  await world.rotate();
  await world.people.takeOff(TELEGRAF, 'AWSPREVIOUS');
  expect(await stringsAfter(world)).toEqual(new Set([world.string(TELEGRAF)]));
  expect(world.labels(TELEGRAF).AWSCURRENT).toBe(second);
});

test('who rolls back, saves the secret and asks for a rotation gets another token than the one that was left', async () => {
  const { world, second, bad } = await openBad();
  await world.people.makeCurrent(TELEGRAF, second);
  await world.wait(20 * MINUTE);
  await world.rotate();
  await world.wait(5 * MINUTE);
  await world.people.saveValue(TELEGRAF, world.value(TELEGRAF));
  await world.wait(5 * MINUTE);
  const back = world.string(TELEGRAF);
  await world.rotate(named);
  expect([back, bad]).not.toContain(world.string(TELEGRAF));
  expect(world.accepts(world.string(TELEGRAF))).toBe(true);
});

test('the token that was left keeps its whole grace period, and is current again for who goes forward', async () => {
  const { world, second, bad } = await openBad();
  const left = world.labels(TELEGRAF).AWSCURRENT;
  await world.people.makeCurrent(TELEGRAF, second);
  await world.wait(15 * MINUTE);
  await world.rotate();
  await world.wait(20 * HOUR);
  await world.reap();
  expect(world.accepts(bad)).toBe(true);
  await world.people.makeCurrent(TELEGRAF, left);
  await world.wait(15 * MINUTE);
  await world.rotate();
  for (let days = 0; days < 4; days += 1) {
    await world.wait(24 * HOUR);
    await world.rotate();
    await world.reap();
  }
  expect(world.string(TELEGRAF)).toBe(bad);
  expect(world.accepts(bad)).toBe(true);
});

test('who goes back while a run promotes, after whatever it has just read, keeps what they went back to', async () => {
  let acted = 0;
  for (let nth = 1; acted === nth - 1; nth += 1) {
    const { world, first } = await openBad();
    let looks = 0;
    world.intercept(async ({ operation, caller }, effect) => {
      const reply = effect();
      if (operation === 'DescribeSecret' && caller !== undefined) {
        looks += 1;
        if (looks === nth) {
          acted += 1;
          await world.people.makeCurrent(TELEGRAF, first);
        }
      }
      return reply;
    });
    await world.rotate(named);
    if (acted === nth) expect(world.labels(TELEGRAF).AWSCURRENT).toBe(first);
  }
  expect(acted).toBeGreaterThan(2);
});

test('after a roll back Secrets Manager rotates at once again, as soon as one run has noted it', async () => {
  const { world, second, bad } = await openBad();
  await world.people.makeCurrent(TELEGRAF, second);
  const back = world.string(TELEGRAF);
  await world.wait(15 * MINUTE);
  await world.rotate();
  await world.rotateSecret(TELEGRAF);
  expect([back, bad]).not.toContain(world.string(TELEGRAF));
  expect(world.accepts(world.string(TELEGRAF))).toBe(true);
});

test('a tool that tags the secret every hour makes no run mint in vain, while an unknown string waits for its window', async () => {
  // The world begins on a Thursday.
  const windows = ['Sat 10:00-12:00'];
  const world = await openWorldForTest(policyWith({ telegraf: { ...writer, windows } }));
  await world.rotate();
  await world.wait(20 * DAY);
  await world.rotate(named);
  await world.wait(DAY);
  await world.people.saveValue(TELEGRAF, 'CHANGE_ME');
  await world.wait(29 * DAY);
  const ids = new Set<string>();
  for (let hours = 0; hours < 48; hours += 1) {
    await world.people.tag(TELEGRAF, { 'team:seen': `${hours}` });
    await world.rotate();
    for (const { id } of world.tokens(TELEGRAF)) ids.add(id);
    await world.wait(HOUR);
  }
  expect(ids.size).toBeLessThanOrEqual(3);
});

test('a rotation by name right after a run gave a token its permissions back mints another one', async () => {
  const { world, second } = await openBad();
  for (let days = 0; days < 4; days += 1) {
    await world.wait(DAY);
    await world.reap();
  }
  await world.people.makeCurrent(TELEGRAF, second);
  await world.wait(10 * MINUTE);
  await world.rotate();
  const back = world.string(TELEGRAF);
  await world.wait(10 * MINUTE);
  await world.rotate(named);
  expect(world.string(TELEGRAF)).not.toBe(back);
});

/** A rotation by name whose process dies as soon as AWSCURRENT was moved. */
async function promoteAndDie(world: World): Promise<void> {
  let isPromoted = false;
  world.intercept(async (call, effect) => {
    if (isPromoted && call.caller !== undefined) {
      await world.kill(call);
      return 'reset';
    }
    isPromoted = call.operation === 'UpdateSecretVersionStage';
    return effect();
  });
  await world.rotate(named);
  world.intercept();
  await world.wait(HOUR);
}

test('what was left is not promoted again, though the run that promoted it died before it could write that', async () => {
  const world = await openWorldForTest(policyWith({ telegraf: writer, grafana: writer }));
  await world.rotate();
  await world.wait(2 * HOUR);
  const first = world.labels(TELEGRAF).AWSCURRENT;
  await promoteAndDie(world);
  const bad = world.string(TELEGRAF);
  await world.people.makeCurrent(TELEGRAF, first);
  expect(world.string(TELEGRAF)).not.toBe(bad);
  await world.wait(20 * MINUTE);
  await world.rotate();
  await world.people.saveValue(TELEGRAF, world.value(TELEGRAF));
  await world.wait(5 * MINUTE);
  await world.rotate(named);
  expect(world.string(TELEGRAF)).not.toBe(bad);
});

test.each(['a run dies behind the promotion', 'a person promotes what waits'])(
  'who rolls back twice between two runs keeps what they went back to, though %s',
  async (how) => {
    const { world, first } = await openBad();
    const second = world.labels(TELEGRAF).AWSCURRENT;
    if (how === 'a run dies behind the promotion') await promoteAndDie(world);
    else {
      await world.wait(30 * DAY);
      await world.rotate();
      await world.people.makeCurrent(TELEGRAF, world.labels(TELEGRAF).AWSPENDING);
    }
    await world.rotate();
    await world.reap();
    const bad = world.string(TELEGRAF);
    await world.people.makeCurrent(TELEGRAF, second);
    await world.wait(5 * MINUTE);
    await world.people.makeCurrent(TELEGRAF, first);
    for (const string of await stringsAfter(world)) expect(string).not.toBe(bad);
  },
);

test('the run that notes a roll back begins the grace period of what was left', async () => {
  const { world, second } = await openBad();
  const { AWSCURRENT: left } = world.holders(TELEGRAF);
  await world.people.makeCurrent(TELEGRAF, second);
  await world.wait(10 * MINUTE);
  await world.rotate();
  const token = world.tokens(TELEGRAF).find(({ id }) => id === left);
  expect(token?.marker).toHaveProperty('superseded');
});

test('Secrets Manager rotates at once after a roll back to a token whose permissions a person changed, too', async () => {
  const { world, second } = await openBad();
  await world.people.makeCurrent(TELEGRAF, second);
  const { AWSCURRENT: back } = world.holders(TELEGRAF);
  const both = ['read', 'write'].map((action) => ({ action, resource: 'telemetry' }));
  await world.people.changeToken(back, { permissions: both as never });
  await world.wait(15 * MINUTE);
  await world.rotate();
  const { result } = await world.rotate();
  expect(result.plan.findings).toMatchObject([{ kind: 'PermissionsChanged' }]);
  await world.rotateSecret(TELEGRAF);
  expect(world.holders(TELEGRAF).AWSCURRENT).not.toBe(back);
});

describe('the rotation that a run begins after a roll back is not late', () => {
  const lifetimes = { rotateEvery: '14d', expiresAfter: '90d', gracePeriod: '10d' };
  const daily = (windows: readonly string[]) =>
    policyWith(
      { telegraf: writer },
      {
        defaults: { ...lifetimes, renewBefore: '20d', quarantine: '7d', windows },
        schedules: { rotate: 'rate(1 day)' },
      },
    );

  /** So many tokens were current, one after the other. Resolves to their versions. */
  async function openRotated(windows: readonly string[], count: number) {
    const world = await openWorldForTest(daily(windows));
    const versions = new Set<string>();
    while (versions.size < count) {
      await world.rotate();
      versions.add(world.labels(TELEGRAF).AWSCURRENT ?? '');
      await world.reap();
      await world.wait(DAY);
    }
    return { world, versions: [...versions] };
  }

  async function expectNeverLate(world: World): Promise<void> {
    const bad = world.labels(TELEGRAF).AWSCURRENT;
    for (let day = 0; day < 8; day += 1) {
      const { result } = await world.rotate();
      expect(result.entries).toMatchObject([{ condition: 'works', late: false }]);
      await world.wait(DAY);
    }
    expect(world.labels(TELEGRAF).AWSCURRENT).not.toBe(bad);
  }

  test.each([[[]], [['Sun 11:00-14:00']]])(
    'though a save took AWSPREVIOUS off what was left, with windows %o',
    async (windows) => {
      const { world, versions } = await openRotated(windows, 4);
      for (let day = 0; day < 3; day += 1) {
        await world.rotate();
        await world.wait(DAY);
      }
      await world.people.makeCurrent(TELEGRAF, versions.at(-2));
      await world.people.saveValue(TELEGRAF, world.value(TELEGRAF));
      await expectNeverLate(world);
    },
  );

  test('though it was over two generations, and one of them lost AWSPREVIOUS', async () => {
    const { world, versions } = await openRotated(['Sun 11:00-14:00'], 4);
    await world.people.makeCurrent(TELEGRAF, versions.at(-3));
    await expectNeverLate(world);
  });
});
