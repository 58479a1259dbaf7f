import { expect, test } from 'vitest';
import { drawCase } from './draw.ts';
import { judge } from './judge.ts';
import { liveCase } from './live.ts';

// Without `isTooEarly` the first mints in vain; without `isSpent` the last gives consumers what expires.
test.each([12, 20, 56])(
  'a policy that a synthesis accepts does what it says for weeks (seed %i)',
  async (seed) => {
    const about = drawCase(seed);
    expect(judge(about, await liveCase(about))).toEqual([]);
  },
);
