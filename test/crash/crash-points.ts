import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { explore } from './explore.ts';
import type { Fault } from './faults.ts';
import { type Laboratory, openLaboratory, type Saved } from './laboratory.ts';
import { scenarios } from './scenarios.ts';

/** `CRASH_POINTS=all`: every fault of every run, in minutes; otherwise what is marked as representative. */
const all = process.env.CRASH_POINTS === 'all';

const LONGEST_MS = 600_000;

/** One test for each scenario: every remote call of its run meets every fault. */
export function describeCrashPoints(title: string, faults: readonly Fault[]): void {
  describe(title, () => {
    const chosen = faults.filter(({ representative }) => all || representative);
    const tried = scenarios.filter(({ representative }) => all || representative);
    let laboratory: Laboratory;
    let empty: Saved;
    let cases = 0;
    let violations = 0;

    beforeAll(async () => {
      laboratory = await openLaboratory();
      empty = laboratory.save();
    });
    afterAll(async () => {
      console.log(`crash points: ${cases} cases, ${violations} violations (${title})`);
      await laboratory.close();
    });

    it.each(tried)('$name', { timeout: LONGEST_MS }, async (scenario) => {
      const found = await explore(laboratory, scenario, chosen, empty);
      cases += found.cases;
      violations += found.violations.length;
      expect(found.violations).toEqual([]);
    });
  });
}
