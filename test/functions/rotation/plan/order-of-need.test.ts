import { expect, test } from 'vitest';
import { inOrderOfNeed } from '../../../../functions/rotation/plan/order-of-need.ts';
import { armed, DAY, NOW, observationOf, secretOf } from '../../builders.ts';

const left: Readonly<Record<string, number>> = {
  expired: 0,
  'within a day': DAY,
  'within a week': 7 * DAY,
  later: 7 * DAY + 1_000,
  'much later': 80 * DAY,
};
const names = Object.keys(left);
const observation = observationOf({
  secrets: [
    ...names.map((name, n) => secretOf({ AWSCURRENT: n }, { name })),
    secretOf({ AWSCURRENT: 99 }, { name: 'gone' }),
    secretOf({}, { name: 'never filled' }),
    secretOf({ AWSCURRENT: 'a version that a person put here' }, { name: 'refused' }),
  ],
  tokens: names.map((name, n) => armed(n, { name, expiresAt: NOW + (left[name] ?? 0) })),
});
const ordered = (some: readonly string[], ...drawn: readonly number[]) => {
  const rest = [...drawn];
  return inOrderOfNeed(some, {
    ...observation,
    refused: new Set(['refused']),
    random: () => rest.shift() ?? 0,
  });
};

test('takes those first whose consumers have nothing that works, then by the time to expiry', () => {
  const first = ['gone', 'expired', 'never filled', 'no secret', 'refused'];
  const backwards = [...first, ...names.slice(1)].toReversed();
  const found = ordered(backwards);
  expect(new Set(found.slice(0, 5))).toEqual(new Set(first));
  expect(found.slice(5, 7)).toEqual(['within a day', 'within a week']);
  expect(new Set(found.slice(7))).toEqual(new Set(['later', 'much later']));
});

test('draws the order of those that are in equal need', () => {
  expect(ordered(['later', 'much later'], 0.1, 0.9)).toEqual(['later', 'much later']);
  expect(ordered(['later', 'much later'], 0.9, 0.1)).toEqual(['much later', 'later']);
  expect(ordered(['within a day', 'expired'], 0.1, 0.9)).toEqual(['expired', 'within a day']);
});
