import { expect, test } from 'vitest';
import { endedTag, isEndedByOrder } from '../../../functions/tokens/ended-tag.ts';

const id = (number: number) => `${String(number).padStart(8, '0')}-77aa-4029-8512-b43fc79727ac`;

test('the tag keeps what orders ended last, within what Secrets Manager takes', () => {
  const ids = Array.from({ length: 40 }, (_, index) => id(index));
  let tags: Record<string, string> = {};
  for (const each of ids) tags = endedTag([each], { tags });
  expect(tags['keyturn:ended']?.length).toBeLessThanOrEqual(256);
  const kept = ids.filter((each) => isEndedByOrder(each, { tags }));
  expect(kept).toEqual(ids.slice(-18));
});

test('a token that was ended again takes no second place', () => {
  const once = endedTag([id(1), id(2)], { tags: {} });
  expect(endedTag([id(1)], { tags: once })).toEqual(once);
});
