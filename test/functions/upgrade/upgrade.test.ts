import { afterAll, beforeAll, expect, test } from 'vitest';
import { INSTANT } from '../../world/marker.ts';
import { openWorld, openWorldForTest } from '../../world/open-world.ts';
import { DAY, HOUR, MINUTE } from '../../world/policy.ts';
import type { Deployment, World } from '../../world/world.ts';
import { instant, keyturn01, type Left, policy, SECRET } from './left-by-0-1.ts';

type Old = ReturnType<typeof keyturn01>;
type Prepare = (old: Old, world: World) => Promise<unknown>;

const NOTHING: never[] = [];

/** A current token that is due, and its successor after each step of 0.1. */
async function due(old: Old, world: World): Promise<Left> {
  const current = await old.issue();
  await world.wait(2 * DAY);
  return current;
}

async function replaced(old: Old, world: World): Promise<readonly [Left, Left]> {
  const former = await due(old, world);
  const current = await old.mint();
  await old.store(current);
  await old.arm(current);
  await old.promote(current);
  return [former, current];
}

/** Each is a state in which a run of 0.1 stopped. */
const stopped: Readonly<Record<string, Prepare>> = {
  'a first issue, minted': async (old) => {
    await old.createSecret();
    await old.mint();
  },
  'a first issue, stored': async (old) => {
    await old.createSecret();
    await old.store(await old.mint());
  },
  'a first issue, armed': (old) => old.issue(),
  'a rotation, due': due,
  'a rotation, minted': async (old, world) => {
    await due(old, world);
    await old.mint();
  },
  'a rotation, stored': async (old, world) => {
    await due(old, world);
    await old.store(await old.mint());
  },
  'a rotation, armed': async (old, world) => {
    await due(old, world);
    const left = await old.mint();
    await old.store(left);
    await old.arm(left);
  },
  'a forced rotation, armed': async (old) => {
    await old.issue();
    const left = await old.mint({ forced: 'yes' });
    await old.store(left);
    await old.arm(left, { forced: 'yes' });
  },
  'a rotation, promoted': replaced,
  'a rotation, superseded': async (old, world) => {
    const [former] = await replaced(old, world);
    await old.mark(former, { superseded: instant(world.clock.now()) });
  },
  'a retirement, AWSPREVIOUS taken off': async (old, world) => {
    const [former] = await replaced(old, world);
    await old.mark(former, { superseded: instant(world.clock.now()) });
    await world.wait(HOUR);
    await world.people.takeOff(SECRET, 'AWSPREVIOUS');
  },
  'a retirement, fenced': async (old, world) => {
    const [former] = await replaced(old, world);
    const superseded = instant(world.clock.now());
    await world.wait(HOUR);
    await world.people.takeOff(SECRET, 'AWSPREVIOUS');
    await old.mark(former, { superseded, fenced: instant(world.clock.now()) });
  },
  'a retirement, quarantined': async (old, world) => {
    const [former] = await replaced(old, world);
    await world.people.takeOff(SECRET, 'AWSPREVIOUS');
    const at = instant(world.clock.now());
    const marks = { superseded: at, fenced: at, quarantined: at, was: 'write:telemetry' };
    await old.mark(former, marks, NOTHING);
  },
  'a rollback to a quarantined token': async (old, world) => {
    const [former] = await replaced(old, world);
    const at = instant(world.clock.now());
    const marks = { superseded: at, fenced: at, quarantined: at, was: 'write:telemetry' };
    await old.mark(former, marks, NOTHING);
    await old.promote(former);
  },
  "Secrets Manager's own rotation, minted": async (old, world) => {
    await old.issue();
    const version = '11111111-2222-4333-8444-555555555555';
    await old.store(await old.mint({ forced: 'yes', version }), version);
    await world.wait(HOUR);
  },
  "Secrets Manager's own rotation, armed": async (old, world) => {
    await old.issue();
    const version = '11111111-2222-4333-8444-555555555555';
    const left = await old.mint({ forced: 'yes', version });
    await old.store(left, version);
    await old.arm(left, { forced: 'yes', version });
    await world.wait(HOUR);
  },
};

/** What an order of 0.1 that replaces did of it: each behind those above it. */
const ORDERED = [
  [
    'minted its successor',
    (old: Old, leaked: Left) => old.mint({ replaces: leaked.id, forced: 'yes' }),
  ],
  ['stored it', (old: Old, _leaked: Left, left: Left) => old.store(left)],
  [
    'armed it',
    (old: Old, { id }: Left, left: Left) => old.arm(left, { replaces: id, forced: 'yes' }),
  ],
  ['promoted it', (old: Old, _leaked: Left, left: Left) => old.promote(left)],
  [
    'took AWSPREVIOUS off',
    (_old: Old, _leaked: Left, _left: Left, { people }: World) =>
      people.takeOff(SECRET, 'AWSPREVIOUS'),
  ],
  [
    'deleted what it replaced',
    (_old: Old, leaked: Left, _left: Left, { people }: World) => people.deleteToken(leaked.id),
  ],
] as const;

/** A current token, and an order to replace it that stopped behind one of its steps. */
async function ordered(world: World, last: (typeof ORDERED)[number][0]): Promise<Left> {
  const old = keyturn01(world);
  const leaked = await old.issue();
  let left = leaked;
  for (const [step, take] of ORDERED) {
    left = (await take(old, leaked, left, world)) ?? left;
    if (step === last) break;
  }
  return leaked;
}

async function adopted(old: Old): Promise<Left> {
  const left = await old.inherit();
  await old.markAdopted(left);
  await old.tag();
  return left;
}

async function adoptedAndDue(old: Old, world: World): Promise<void> {
  await adopted(old);
  await world.wait(2 * DAY);
}

/** Of a token that people made: where an adoption stopped, and the first rotation after it. */
const stoppedAdopting: Readonly<Record<string, Prepare>> = {
  'an adoption, before it': (old) => old.inherit(),
  'an adoption, its token marked': async (old) => {
    await old.markAdopted(await old.inherit());
  },
  'an adoption, its secret tagged': adopted,
  'a rotation of an adopted token, due': adoptedAndDue,
  'a rotation of an adopted token, minted': async (old, world) => {
    await adoptedAndDue(old, world);
    await old.mint();
  },
  'a rotation of an adopted token, stored': async (old, world) => {
    await adoptedAndDue(old, world);
    await old.storeAdopted(await old.mint());
  },
  'a rotation of an adopted token, armed': async (old, world) => {
    await adoptedAndDue(old, world);
    const left = await old.mint();
    await old.storeAdopted(left);
    await old.arm(left);
  },
};

/** The schedules, thinned out, for as long as every token lives; what consumers read works at every moment. */
async function carryOn(world: World, { rotate, reap }: Deployment = world): Promise<void> {
  const check = async (run: () => Promise<{ readonly error?: unknown }>) => {
    expect((await run()).error).toBeUndefined();
    expect(world.accepts(world.string(SECRET))).toBe(true);
  };
  for (let round = 0; round < 11; round += 1) {
    await check(rotate);
    await world.wait(11 * MINUTE);
    await check(rotate);
    await check(reap);
    await world.wait(6 * HOUR);
  }
}

let world: World;
let empty: ReturnType<World['save']>;
beforeAll(async () => {
  world = await openWorld(policy);
  empty = world.save();
});
afterAll(() => world.close());

/** Nothing works but what consumers have or may go back to, and what 0.1 left is gone or about to go. */
function expectCarriedOn(): void {
  const { AWSCURRENT: current, AWSPREVIOUS: previous } = world.holders(SECRET);
  const working = world.tokens(SECRET).filter(({ permissions }) => permissions.length > 0);
  expect(new Set(working.map(({ id }) => id))).toEqual(
    new Set([current, previous].filter(Boolean)),
  );
  expect(world.tokens(SECRET).length).toBeLessThanOrEqual(3);
  expect(world.labels(SECRET).AWSCURRENT).toBe(`keyturn-${current}`);
}

test.each(Object.entries(stopped))(
  '0.1 stopped in %s, and is carried on',
  async (_name, prepare) => {
    await world.restore(empty);
    await prepare(keyturn01(world), world);
    // A first issue that died serves nobody yet; whatever served somebody must go on to.
    const served = world.labels(SECRET).AWSCURRENT && world.accepts(world.string(SECRET));
    if (!served) await world.rotate();
    await carryOn(world);
    expectCarriedOn();
  },
);

const SHAPES = {
  'a plain string': {},
  'JSON with other keys': {
    key: 'token',
    text: (string: string) => JSON.stringify({ username: 'telegraf', token: string }),
  },
} as const;
type Shape = { readonly key?: string; readonly text?: (string: string) => string };

const adoptions = Object.entries<Shape>(SHAPES).flatMap(([shape, how]) =>
  Object.entries(stoppedAdopting).map(([name, prepare]) => ({ name, shape, how, prepare })),
);

test.each(adoptions)(
  '0.1 stopped in $name, in a secret that is $shape, and is carried on',
  async ({ how: { key, text }, prepare }) => {
    await world.restore(empty);
    await prepare(keyturn01(world, text), world);
    const string = world.string(SECRET);
    const [tokenId] = Object.values(world.holders(SECRET));
    const { telegraf } = policy.tokens;
    const adopt = { tokenId, ...(key && { key }) };
    const deployment = world.deploy({ ...policy, tokens: { telegraf: { ...telegraf, adopt } } });
    // None of these runs falls into the minutes in which its successor settles.
    for (let run = 0; run < 2; run += 1) {
      expect((await deployment.rotate()).error).toBeUndefined();
      await world.wait(HOUR);
    }
    const inherited = world.tokens(SECRET).find(({ id }) => id === tokenId);
    expect(inherited?.marker).toMatchObject({ proven: expect.stringMatching(INSTANT) });
    await carryOn(world, deployment);
    expectCarriedOn();
    expect(world.accepts(string)).toBe(false);
    if (text) expect(world.value(SECRET)).toBe(text(world.string(SECRET)));
  },
);

const STEPS = ORDERED.map(([step]) => step);

test.each(STEPS)(
  'an order of 0.1 that %s, and stopped, is carried on by the schedules',
  async (step) => {
    await world.restore(empty);
    await ordered(world, step);
    await carryOn(world);
    expectCarriedOn();
  },
);

test.each(STEPS)(
  'an order of 0.1 that %s, and stopped, is finished by the same order',
  async (step) => {
    await world.restore(empty);
    const leaked = await ordered(world, step);
    const order = { way: 'replace', token: 'telegraf', reason: 'leaked' };
    const { result, error } = await world.revoke(order);
    expect(error).toBeUndefined();
    expect(result).toMatchObject({ done: true });
    expect(world.accepts(leaked.string)).toBe(false);
    await carryOn(world);
    expectCarriedOn();
  },
);

/** A token under AWSCURRENT and its former one, and how far an order of 0.1 came. */
type PrepareHold = (old: Old, pair: readonly [Left, Left], world: World) => Promise<unknown>;

const strip = (old: Old, left: Left, world: World, marks: object = {}) => {
  const frozen = instant(world.clock.now());
  return old.mark(left, { frozen, was: 'write:telemetry', ...marks }, NOTHING);
};

const holds: Readonly<Record<string, PrepareHold>> = {
  'a freeze, its tag set': (_old, _pair, { people }) => people.hold(SECRET, 'frozen'),
  'a freeze, one token stripped': async (old, [former], world) => {
    await world.people.hold(SECRET, 'frozen');
    await strip(old, former, world, { superseded: instant(world.clock.now()) });
  },
  'a freeze, all stripped': async (old, [former, current], world) => {
    await world.people.hold(SECRET, 'frozen');
    await strip(old, former, world, { superseded: instant(world.clock.now()) });
    await strip(old, current, world);
  },
  'a deletion, its tag set': (_old, _pair, { people }) => people.hold(SECRET, 'deleted'),
  'a deletion, AWSPREVIOUS taken off': async (_old, _pair, { people }) => {
    await people.hold(SECRET, 'deleted');
    await people.takeOff(SECRET, 'AWSPREVIOUS');
  },
  'a deletion, one token deleted': async (_old, [former], { people }) => {
    await people.hold(SECRET, 'deleted');
    await people.takeOff(SECRET, 'AWSPREVIOUS');
    await people.deleteToken(former.id);
  },
  'a deletion, all deleted': async (_old, pair, { people }) => {
    await people.hold(SECRET, 'deleted');
    await people.takeOff(SECRET, 'AWSPREVIOUS');
    for (const { id } of pair) await people.deleteToken(id);
  },
};

test.each(Object.entries(holds))(
  '0.1 stopped in %s: all stays dead until a person lifts it',
  async (name, prepare) => {
    await world.restore(empty);
    const old = keyturn01(world);
    const pair = await replaced(old, world);
    await old.mark(pair[0], { superseded: instant(world.clock.now()) });
    await prepare(old, pair, world);
    const isFrozen = name.startsWith('a freeze');
    for (let round = 0; round < 6; round += 1) {
      await world.rotate();
      await world.reap();
      for (const { string } of pair) expect(world.accepts(string)).toBe(false);
      const left = world.tokens(SECRET);
      expect(left.filter(({ permissions }) => permissions.length > 0)).toEqual([]);
      if (!isFrozen) expect(left).toEqual([]);
      await world.wait(DAY);
    }
    const way = isFrozen ? 'unfreeze' : 'lift';
    await world.revoke({ way, token: 'telegraf', reason: 'all clear' });
    await world.wait(HOUR);
    await world.rotate();
    expect(world.accepts(world.string(SECRET))).toBe(true);
  },
);

test.each(['its tag taken off', 'one token given back'])(
  '0.1 stopped in an unfreeze, %s: repeated, it gives consumers their string back',
  async (step) => {
    await world.restore(empty);
    const old = keyturn01(world);
    const [former, current] = await replaced(old, world);
    const superseded = instant(world.clock.now());
    if (step.startsWith('one')) await old.mark(former, { superseded });
    else await strip(old, former, world, { superseded });
    await strip(old, current, world);
    await world.wait(10 * MINUTE);
    await world.rotate();
    await world.reap();
    expect(world.string(SECRET)).toBe(current.string);
    expect(world.accepts(current.string)).toBe(false);
    await world.revoke({ way: 'unfreeze', token: 'telegraf', reason: 'all clear' });
    expect(world.accepts(current.string)).toBe(true);
    await carryOn(world);
    expectCarriedOn();
  },
);

test.each(['goes back', 'takes AWSPREVIOUS off, too', 'saves the secret, too'])(
  'what 0.1 promoted is not promoted again, if a person %s',
  async (how) => {
    const world = await openWorldForTest(policy);
    const old = keyturn01(world);
    const [former, left] = await replaced(old, world);
    await old.mark(former, { superseded: instant(world.clock.now()) });
    await world.wait(10 * MINUTE);
    await world.people.makeCurrent(SECRET, former.id);
    if (how.startsWith('takes')) await world.people.takeOff(SECRET, 'AWSPREVIOUS');
    for (let run = 0; run < 4; run += 1) {
      await world.wait(10 * MINUTE);
      await world.rotate();
      expect(world.string(SECRET)).not.toBe(left.string);
      const isFirst = run === 0 && how.startsWith('saves');
      if (isFirst) await world.people.saveValue(SECRET, world.value(SECRET));
    }
    expect(world.accepts(world.string(SECRET))).toBe(true);
  },
);
