import { expect, test } from 'vitest';
import { openWorldForTest } from '../../world/open-world.ts';
import { DAY, HOUR } from '../../world/policy.ts';
import type { World } from '../../world/world.ts';
import { instant, keyturn01, type Left, policy, SECRET } from './left-by-0-1.ts';

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
