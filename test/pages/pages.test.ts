import { expect, test } from 'vitest';
import { askWeeks } from './ask.ts';
import { drawWeeks } from './draw.ts';

// In each of them a string is saved over itself, which a page may not take for another one (`leaveOpen`).
test.each([3, 12, 46])(
  'the page and the history of weeks tell what was so (seed %i)',
  async (seed) => {
    expect(await askWeeks(drawWeeks(seed))).toEqual([]);
  },
);
