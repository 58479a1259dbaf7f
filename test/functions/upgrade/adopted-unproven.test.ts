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
