import { searchSeeds } from '../soak/search-seeds.ts';
import { askWeeks } from './ask.ts';
import { drawWeeks } from './draw.ts';

/**
 * Lives weeks that are drawn from seeds, and compares what `keyturn report` and `keyturn history` tell of them with what was so, at every
 * instant: `npm run pages -- --seed 1 --pages 50`. Exits with 1 where they tell what was not.
 */
await searchSeeds('pages', async (seed) => {
  const weeks = drawWeeks(seed);
  const about = weeks.steps.map(({ act }) => act).join('; ');
  return { about, wrong: await askWeeks(weeks) };
});
