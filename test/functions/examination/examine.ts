import { expect } from 'vitest';
import type { World } from '../../world/world.ts';

export interface Seen {
  readonly check: string;
  readonly state: string;
  readonly found: string;
  readonly advice?: string;
}

/** What `rotate` sees when it is asked to examine, in its order. */
export async function examine(world: World): Promise<readonly Seen[]> {
  const { result, error } = await world.rotate({ examine: true });
  expect(error).toBeUndefined();
  return result.checks;
}
