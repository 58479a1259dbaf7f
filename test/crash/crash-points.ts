import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { explore } from './explore.ts';
import { allFaults } from './faults.ts';
import { type Laboratory, openLaboratory, type Saved } from './laboratory.ts';
import { sampleOf } from './sample.ts';
import type { Scenario } from './scenarios/scenario.ts';

/** Prime to the numbers of faults and of most runs' calls, so that every fault meets calls of all kinds. */
const ONE_IN = 37;
const LONGEST_MS = 3_600_000;

/** One test for each scenario: every remote call of its run meets every fault. */
export function describeCrashPoints(title: string, scenarios: readonly Scenario[]): void {
  describe(title, () => {
    const sample = sampleOf(ONE_IN);
    let laboratory: Laboratory;
    let empty: Saved;
    let violations = 0;

    beforeAll(async () => {
      laboratory = await openLaboratory();
      empty = laboratory.save();
    }, LONGEST_MS);
    afterAll(async () => {
      const { ran, cases, alike } = sample.counts;
      const counted = `${ran} of ${cases} cases (${alike} left the same behind as another one)`;
      console.log(`crash points: ${counted}, ${violations} violations (${title})`);
      await laboratory.close();
    }, LONGEST_MS);

    it.each(scenarios)('$name', { timeout: LONGEST_MS }, async (scenario) => {
      const found = await explore(laboratory, scenario, { faults: allFaults, sample, empty });
      violations += found.length;
      expect(found).toEqual([]);
    });
  });
}
