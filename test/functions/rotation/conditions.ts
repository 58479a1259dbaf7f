import { HOUR } from '../../world/policy.ts';
import type { World } from '../../world/world.ts';

type Schedules = Pick<World, 'rotate' | 'reap' | 'wait'>;

/** The condition of the policy's first entry, as a run of `rotate` reports it. */
export const conditionOf = async ({ rotate }: Pick<World, 'rotate'>): Promise<string> =>
  (await rotate()).result.entries[0].condition;

/** Its conditions hour by hour, each once, with both schedules running. */
export async function conditionsOf(world: Schedules, hours: number): Promise<string[]> {
  const seen = new Set<string>();
  for (let hour = 0; hour < hours; hour += 1) {
    await world.wait(HOUR);
    await world.reap();
    seen.add(await conditionOf(world));
  }
  return [...seen];
}
