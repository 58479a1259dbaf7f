import { expect, test } from 'vitest';
import { drawPlan, type LifePlan } from './plan.ts';
import { kindOf, shrink } from './shrink.ts';

const plan = drawPlan(1, { days: 90, tokens: 3, faultRate: 3 });
/** So that each has a place of its own. */
const at = ({ troubles }: LifePlan) => troubles.map((trouble) => plan.troubles.indexOf(trouble));

test('of all troubles those are left that lead to a violation together', async () => {
  const needed = [3, 17, plan.troubles.length - 1];
  const isStill = async (fewer: LifePlan) => needed.every((each) => at(fewer).includes(each));
  expect(at(await shrink(plan, { isStill, mayGoOn: () => true, endedMs: Infinity }))).toEqual(
    needed,
  );
});

test('nothing is left of a violation that no trouble leads to', async () => {
  const shrunk = await shrink(plan, {
    isStill: async () => true,
    mayGoOn: () => true,
    endedMs: Infinity,
  });
  expect(shrunk.troubles).toEqual([]);
});

test('what was to come after a violation is left out at once', async () => {
  const { at: endedMs = 0 } = plan.troubles[4] ?? {};
  const search = { isStill: async () => false, mayGoOn: () => true, endedMs };
  expect(at(await shrink(plan, search))).toEqual([0, 1, 2, 3, 4]);
});

test('what was found is kept when the time is over', async () => {
  let tries = 0;
  const isStill = async (fewer: LifePlan) => at(fewer).includes(3);
  const shrunk = await shrink(plan, { isStill, mayGoOn: () => tries++ < 6, endedMs: Infinity });
  expect(at(shrunk)).toContain(3);
  expect(shrunk.troubles.length).toBeLessThan(plan.troubles.length);
});

test('violations are of one kind whatever token and instant they are about', () => {
  expect(kindOf('B: 0a1b2c3d was deleted after 12 hours')).toBe(
    kindOf('B: ffffffff was deleted after 3 hours'),
  );
  expect(kindOf('B: 0a1b2c3d was deleted')).not.toBe(kindOf('J: 0a1b2c3d was deleted'));
});
