import { expect, test } from 'vitest';
import { askWeeks } from './ask.ts';
import { drawWeeks } from './draw.ts';

// In each of them a page said once what was not so: of what an order replaced and froze, while nobody may read its log; and of a string that
// somebody saved over itself, while the secret is on hold.
test.each([1014, 2103, 2108])(
  'the page and the history of weeks tell what was so (seed %i)',
  async (seed) => {
    expect(await askWeeks(drawWeeks(seed))).toEqual([]);
  },
);
