import { expect, test } from 'vitest';
import { acts } from '../crash/acts.ts';
import { drawPlan } from './plan.ts';
import { policyOf, UNCHANGED } from './policies.ts';
import type { Trouble } from './trouble.ts';

type Hand = Extract<Trouble, { readonly kind: 'hand' }>;

const isBehindALook = (trouble: Trouble): trouble is Hand =>
  trouble.kind === 'hand' && trouble.write !== undefined;

test('a seed draws the same life each time', () => {
  expect(drawPlan(7, {})).toEqual(drawPlan(7, {}));
});

test('in a hundred lives people do everything that they do behind the look of a run, and in some of them often', () => {
  const lives = Array.from({ length: 100 }, (_, seed) =>
    drawPlan(seed + 1, {}).troubles.filter(isBehindALook),
  );
  const done = new Set(lives.flat().map(({ act }) => act));
  expect([...done].sort()).toEqual(Object.keys(acts).sort());
  expect(lives.filter(({ length }) => length === 0).length).toBeGreaterThan(30);
  expect(lives.filter(({ length }) => length > 50).length).toBeGreaterThan(10);
});

test('in a hundred lives there are entries that only read beside others, in some all do, and their policy says so', () => {
  const plans = Array.from({ length: 100 }, (_, seed) => drawPlan(seed + 1, { tokens: 4 }));
  const counts = plans.map(({ reading = [] }) => reading.length);
  expect(new Set(counts)).toEqual(new Set([0, 1, 2, 3, 4]));
  const some = plans.find(({ reading = [] }) => reading.length === 1) ?? drawPlan(1, {});
  const { tokens } = policyOf(some, UNCHANGED) as {
    readonly tokens: Readonly<Record<string, { readonly permissions: object }>>;
  };
  const uses = Object.values(tokens).flatMap(({ permissions }) => Object.keys(permissions));
  expect(uses.sort()).toEqual(['read', 'write', 'write', 'write']);
});
