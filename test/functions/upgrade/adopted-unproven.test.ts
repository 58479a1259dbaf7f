import { expect, test } from 'vitest';
import { openWorldForTest } from '../../world/open-world.ts';
import { DAY, HOUR } from '../../world/policy.ts';
import type { World } from '../../world/world.ts';
import { instant, keyturn01, type Left, policy, SECRET, WRITE } from './left-by-0-1.ts';

type Old = ReturnType<typeof keyturn01>;

/** 0.1 adopted without a proof: `adopted` is all that it wrote. */
async function adoptedAndReplaced(old: Old, world: World): Promise<Left> {
  const adopted = await old.issue();
  const at = { adopted: instant(world.clock.now()) };
  await old.mark(adopted, at);
  await world.wait(2 * DAY);
  const successor = await old.mint();
  await old.store(successor);
  await old.arm(successor);
  await old.promote(successor);
  return adopted;
}

test.each([
  ['replaced', () => ({})],
  ['superseded', (now: number) => ({ superseded: instant(now) })],
  ['fenced', (now: number) => ({ superseded: instant(now), fenced: instant(now) })],
])(
  'a token that 0.1 had adopted and %s is told, and ended by the command that is told',
  async (_, marked) => {
    const world = await openWorldForTest(policy);
    const old = keyturn01(world);
    const adopted = await adoptedAndReplaced(old, world);
    const now = world.clock.now();
    await old.mark(adopted, { adopted: instant(now - 2 * DAY), ...marked(now) });
    await world.wait(DAY);

    const { result } = await world.reap({ dryRun: true });
    const told = result?.plan.findings.find(({ kind }: { kind: string }) => kind === 'Lingering');
    expect(told).toMatchObject({ secret: SECRET, tokenId: adopted.id });
    const [, tokenId] = /keyturn revoke --token-id (\S+) --delete$/.exec(told?.message ?? '') ?? [];
    await world.revoke({ way: 'delete', tokenId, reason: 'nobody else uses it' });

    expect(world.accepts(adopted.string)).toBe(false);
    for (let hour = 0; hour < 3; hour += 1) {
      expect((await world.rotate()).error).toBeUndefined();
      expect((await world.reap()).error).toBeUndefined();
      await world.wait(HOUR);
    }
    expect(world.accepts(world.string(SECRET))).toBe(true);
  },
);

const ALL = ['read', 'write'].map((action) => ({ action, resource: '*' }));

type Inherit = (old: Old, world: World) => Promise<Left>;

const withStringOfAnother: Inherit = async (old, { people }) => {
  const { string } = await old.inherit();
  const { id } = await people.mint({ description: 'telegraf', permissions: WRITE });
  return { id, string };
};

const withAllPermissions: Inherit = async (old, { people }) => {
  const adopted = await old.inherit();
  await people.changeToken(adopted.id, { permissions: ALL });
  return adopted;
};

/** Waits until the schedule fires for so many times. */
const waitForFiring = (world: World, from: number, run: number) =>
  world.wait(from + (run * HOUR) / 2 - world.clock.now());

/** Adopted by 0.1, due when this version first runs, and impossible to prove. */
async function adoptedAndDue(world: World, inherit: Inherit): Promise<Left> {
  const old = keyturn01(world);
  const left = await inherit(old, world);
  const permissions = permissionsOf(left, world) as typeof WRITE;
  const { AWSCURRENT: version = '' } = world.labels(SECRET);
  await old.mark(left, { version, adopted: instant(world.clock.now()) }, permissions);
  await old.tag();
  await world.wait(2 * DAY);
  return left;
}

const permissionsOf = (left: Left, world: World) =>
  world.tokens().find(({ id }) => id === left.id)?.permissions;

test.each([
  ['whose string is that of another token', withStringOfAnother],
  ['that may read and write everything', withAllPermissions],
])(
  'a token that 0.1 had adopted, %s, keeps its rotation waiting for three firings, and is told and not retired',
  async (_, inherit) => {
    const world = await openWorldForTest(policy);
    const left = await adoptedAndDue(world, inherit);
    const permissions = permissionsOf(left, world);

    const waiting: boolean[] = [];
    const began = world.clock.now();
    for (let run = 0; run < 6; run += 1) {
      await waitForFiring(world, began, run);
      const { error } = await world.rotate();
      const isWaiting = world.string(SECRET) === left.string;
      // A person is told as long as a person can help.
      expect(error === undefined).toBe(run === 0 || !isWaiting);
      waiting.push(isWaiting);
      expect(world.accepts(world.string(SECRET))).toBe(true);
    }
    expect(waiting).toEqual([true, true, true, true, false, false]);
    await world.wait(DAY);
    const { result } = await world.reap();
    expect(result?.plan.findings).toContainEqual(
      expect.objectContaining({ kind: 'Lingering', tokenId: left.id }),
    );
    expect(permissionsOf(left, world)).toEqual(permissions);
  },
);

test('a token that 0.1 had adopted, and that a person confirms while its successor waits, is retired', async () => {
  const world = await openWorldForTest(policy);
  const left = await adoptedAndDue(world, withAllPermissions);
  await world.rotate();
  const { error } = await world.rotate({ tokens: ['telegraf'], confirmAdoption: 'an engineer' });
  expect(error).toBeUndefined();
  expect(world.string(SECRET)).toBe(left.string);

  await world.wait(HOUR / 2);
  expect((await world.rotate()).error).toBeUndefined();
  expect(world.string(SECRET)).not.toBe(left.string);
  for (let hour = 0; hour < 5; hour += 1) {
    await world.wait(HOUR);
    expect((await world.reap()).error).toBeUndefined();
    expect(world.accepts(world.string(SECRET))).toBe(true);
  }
  expect(world.accepts(left.string)).toBe(false);
});

test.each(['5d', '6d', '156h', '7d', '8d'])(
  'a token that nobody can prove is replaced, and once, where its successor lives for %s and waits for days',
  async (expiresAfter) => {
    const daily = { rotateEvery: '1d', gracePeriod: '6h', renewBefore: '1d', expiresAfter };
    const world = await openWorldForTest({
      ...policy,
      schedules: { rotate: 'rate(1 day)' },
      defaults: { ...policy.defaults, ...daily },
    });
    const left = await adoptedAndDue(world, withAllPermissions);
    const currents = new Set<string>();
    for (let day = 0; day < 10; day += 1) {
      await world.rotate();
      currents.add(world.string(SECRET));
      await world.wait(DAY);
      expect(world.accepts(world.string(SECRET))).toBe(true);
      if (day === 4) expect(world.string(SECRET)).not.toBe(left.string);
    }
    // But for the last one, which may wait, each that was minted became current.
    const minted = world.tokens(SECRET).length;
    expect(currents.size).toBeGreaterThanOrEqual(minted - 1);
  },
);

test('a successor that lives briefly waits no longer for a proof than it is of use', async () => {
  const schedules = { rotate: 'cron(0 9 ? * MON-FRI *)' };
  const lifetimes = { rotateEvery: '1d', gracePeriod: '6h', renewBefore: '1d', expiresAfter: '6d' };
  const world = await openWorldForTest({
    ...policy,
    schedules,
    defaults: { ...policy.defaults, ...lifetimes },
  });
  const left = await adoptedAndDue(world, withAllPermissions);
  const nine = Math.floor(world.clock.now() / DAY) * DAY + 9 * HOUR;
  for (let day = 0; day < 14; day += 1) {
    const at = nine + day * DAY;
    await world.wait(Math.max(0, at - world.clock.now()));
    const isWorkday = ![0, 6].includes(new Date(at).getUTCDay());
    const seconds = { nextInSeconds: 86_400, thirdInSeconds: 5 * 86_400 };
    if (isWorkday) await world.rotate({ scheduled: { at: instant(at), ...seconds } });
    for (let hour = 0; hour < 23; hour += 1) {
      expect(world.accepts(world.string(SECRET))).toBe(true);
      await world.wait(HOUR);
    }
  }
  expect(world.string(SECRET)).not.toBe(left.string);
});

const lingering = async (world: Pick<World, 'reap'>) =>
  (await world.reap({ dryRun: true })).result?.plan.findings.filter(
    ({ kind }: { kind: string }) => kind === 'Lingering',
  );

test('a token that 0.1 had adopted, and whose entry is to be retired, is told with the order that ends it', async () => {
  const world = await openWorldForTest(policy);
  const left = await adoptedAndDue(world, withAllPermissions);
  const { telegraf: other } = policy.tokens;
  const without = world.deploy({ ...policy, onRemoval: 'retire', tokens: { other } });
  for (let day = 0; day < 4; day += 1) {
    await without.reap();
    await world.wait(DAY);
  }
  expect(world.accepts(left.string)).toBe(true);
  const told = `if nobody does: keyturn revoke --token-id ${left.id} --delete`;
  expect(await lingering(without)).toMatchObject([{ message: expect.stringContaining(told) }]);

  await without.revoke({ way: 'delete', tokenId: left.id, reason: 'nobody else uses it' });
  expect(world.accepts(left.string)).toBe(false);
  expect(await lingering(without)).toEqual([]);
});

test('of a token that 0.1 had adopted and replaced, and that has expired, it is not told that somebody may use it', async () => {
  const world = await openWorldForTest(policy);
  const old = keyturn01(world);
  const adopted = await adoptedAndReplaced(old, world);
  await world.wait(5 * DAY);
  expect(world.accepts(adopted.string)).toBe(false);
  const told = await lingering(world);
  expect(told).toMatchObject([{ message: expect.stringContaining('cannot be used as it is') }]);
});

test('of a token that 0.1 had adopted, and whose string another secret has, no order is told', async () => {
  const world = await openWorldForTest({
    ...policy,
    tokens: { ...policy.tokens, grafana: policy.tokens.telegraf },
  });
  await world.rotate({ tokens: ['grafana'] });
  const old = keyturn01(world);
  const adopted = await adoptedAndReplaced(old, world);
  await world.people.saveValue('keyturn/prod/grafana', JSON.stringify({ token: adopted.string }));
  await world.rotate();
  const [told] = (await lingering(world)) ?? [];
  expect(told?.message).toContain('keyturn/prod/grafana was seen to have its string');
  expect(told?.message).not.toContain('--delete');
});

test('the run that proves a token says that its successor waits', async () => {
  const world = await openWorldForTest(policy);
  const left = await adoptedAndDue(world, (old) => old.inherit());
  const { result: first } = await world.rotate();
  const pending = first?.entries[0]?.pending;
  expect(pending).toBeDefined();
  await world.wait(HOUR / 2);
  const { result } = await world.rotate();
  expect(world.string(SECRET)).toBe(left.string);
  // It has settled, and waits for nothing else.
  const now = Math.floor(world.clock.now() / 1_000) * 1_000;
  const told = result?.entries[0]?.pending;
  expect(told).toMatchObject({ tokenId: pending?.tokenId });
  expect(told?.promotedFrom).toBeLessThanOrEqual(now);
});
