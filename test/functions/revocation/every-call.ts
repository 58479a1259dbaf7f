import { type Disturbance, disturb } from '../../world/faults.ts';
import { TELEGRAF } from '../../world/policy.ts';
import type { Answered, Saved, World } from '../../world/world.ts';

/** `CRASH_POINTS=all`: every call, in minutes; otherwise one of a few neighbours, another one for each disturbance. */
export const STRIDE = process.env.CRASH_POINTS === 'all' ? 1 : 3;

function* callNumbers(index: number): Generator<number> {
  for (let number = 1 + (index % STRIDE); ; number += STRIDE) yield number;
}

export interface Subject {
  readonly world: World;
  readonly saved: Saved;
  run(): Promise<Answered>;
  /** What is wrong afterwards; `string`: AWSCURRENT's before the run. */
  complaints(string: string): Promise<readonly string[]>;
}

/** A run from the same state again and again, disturbed at one call after the other. */
export async function atEveryCall(
  { world, saved, run, complaints }: Subject,
  disturbances: Readonly<Record<string, Disturbance>>,
): Promise<{ readonly tried: number; readonly found: readonly string[] }> {
  const found: string[] = [];
  let tried = 0;
  for (const [index, [name, disturbance]] of Object.entries(disturbances).entries()) {
    for (const number of callNumbers(index)) {
      await world.restore(saved);
      const string = world.string(TELEGRAF);
      const { calls } = await disturb(world, run, number, disturbance);
      if (calls < number) break;
      tried += 1;
      const wrong = await complaints(string);
      found.push(...wrong.map((each) => `${name}, call ${number}: ${each}`));
    }
  }
  return { tried, found };
}
