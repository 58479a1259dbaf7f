import { openWorldForTest } from '../world/open-world.ts';
import { HOUR, MINUTE, policyWith, TELEGRAF, writer } from '../world/policy.ts';
import type { World } from '../world/world.ts';

/** A world with one token that was just issued, for programs that go by the world's clock. */
export async function openIssuedWorld(token: object, more: object = {}): Promise<World> {
  const policy = policyWith({ telegraf: { ...writer, ...token } }, more);
  const world = await openWorldForTest(policy, { isSimulated: true });
  await world.rotate();
  await world.wait(MINUTE);
  return world;
}

export interface Meter {
  /** What the cluster answered to a consumer's writes: 204, 401 or 403. */
  readonly statuses: number[];
  /** How often a consumer read its secret. */
  reads: number;
}

/** Counts what consumers ask of both systems. */
export function meter(world: World): Meter {
  const seen: Meter = { statuses: [], reads: 0 };
  world.watch((call, effect) => {
    const reply = effect();
    if (world.origin(call)) return reply;
    if (call.operation === 'GetSecretValue') seen.reads += 1;
    if (call.operation === 'POST /api/v2/write') seen.statuses.push(reply.status);
    return reply;
  });
  return seen;
}

/** Works every five minutes for a while, in which `reap` runs every hour. */
export async function workFor(
  world: World,
  lastsMs: number,
  work: () => Promise<unknown>,
): Promise<void> {
  const end = world.clock.now() + lastsMs;
  let reapAt = world.clock.now() + HOUR;
  while (world.clock.now() < end) {
    await world.wait(5 * MINUTE);
    if (world.clock.now() >= reapAt) {
      reapAt += HOUR;
      await world.reap();
    }
    await work();
  }
}

/** Replaces the token in one run. */
export const rotateNow = (world: World) => world.rotate({ tokens: ['telegraf'], force: true });

/**
 * Lets time pass until the token expires two minutes after its grace period would end. So it is after schedules were off: `rotate`
 * replaces it at once, and it has one grace period and not two.
 */
export async function untilTheLastMoment(world: World, gracePeriodMs: number): Promise<void> {
  const { expiresAt } = JSON.parse(world.value(TELEGRAF));
  await world.clock.runUntil(Date.parse(expiresAt) - gracePeriodMs - 2 * MINUTE);
}
