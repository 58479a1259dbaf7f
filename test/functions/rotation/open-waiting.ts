import { openWorldForTest } from '../../world/open-world.ts';
import { HOUR, policyWith, TELEGRAF, writer } from '../../world/policy.ts';
import type { World } from '../../world/world.ts';

/** How often `rotate` runs. */
export const PERIOD = 2 * HOUR;

const policyOf = (lifetimes: object) =>
  policyWith(
    { telegraf: writer },
    {
      defaults: {
        rotateEvery: '1d',
        expiresAfter: '3d',
        gracePeriod: '6h',
        renewBefore: '12h',
        quarantine: '1h',
        ...lifetimes,
      },
      schedules: { rotate: 'rate(2 hours)' },
    },
  );

/** Until a successor is armed and waits; when it expires. */
export async function openWaiting(lifetimes: object = {}): Promise<{
  readonly world: World;
  readonly expiresAt: number;
}> {
  const world = await openWorldForTest(policyOf(lifetimes));
  await world.rotate();
  const pending = () => {
    const { AWSCURRENT, AWSPENDING } = world.holders(TELEGRAF);
    return AWSPENDING === AWSCURRENT ? undefined : AWSPENDING;
  };
  while (pending() === undefined) {
    await world.wait(PERIOD);
    await world.rotate();
  }
  const token = world.cluster.state.tokens.find(({ id }) => id === pending());
  return { world, expiresAt: token?.expiresAt ?? 0 };
}
