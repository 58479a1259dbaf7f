import { searchSeeds } from '../soak/search-seeds.ts';
import { drawCase } from './draw.ts';
import { judge } from './judge.ts';
import { liveCase } from './live.ts';

/**
 * Lives random policies that a synthesis accepts without a word, each for weeks in which nothing goes wrong:
 * `npm run policies -- --seed 1 --policies 50`. Exits with 1 where consumers were refused, something was told in vain or minted in
 * vain, or a rotation was put off.
 */
let firings = 0;
await searchSeeds(
  'policies',
  async (seed) => {
    const about = drawCase(seed);
    const life = await liveCase(about);
    firings += life.firings.length;
    return { about: JSON.stringify(about), wrong: judge(about, life) };
  },
  () => `, ${firings} firings`,
);
