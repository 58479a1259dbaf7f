import { isDeepStrictEqual } from 'node:util';
import { MINUTE } from '../world/policy.ts';
import type { Fault } from './faults.ts';
import type { Laboratory, Saved } from './laboratory.ts';
import { normalise } from './normalise.ts';
import { unsettled } from './outcomes.ts';
import type { Scenario } from './scenarios.ts';

export interface Found {
  readonly cases: number;
  /** Remote calls of the undisturbed runs. */
  readonly calls: number;
  readonly violations: readonly string[];
}

/** Later runs of both functions: how long each waits for the one before. */
const TICK = 61 * MINUTE;
const MOST_TICKS = 16;
const FEWEST_TICKS = 2;

/** Lets the schedules run until everything is settled, or ought to be. Returns what still is not. */
async function heal(laboratory: Laboratory): Promise<readonly string[]> {
  const { invoke, world } = laboratory;
  let complaints: readonly string[] = [];
  await world.wait(5 * MINUTE);
  world.aws.readLagMs = 0;
  world.aws.listLagMs = 0;
  for (let tick = 0; tick < MOST_TICKS; tick += 1) {
    const answers = [await invoke({ job: 'rotate' }), await invoke({ job: 'reap' })];
    const failed = answers.flatMap(({ error }) => (error ? [`D: ${error.errorMessage}`] : []));
    complaints = [...failed, ...unsettled(laboratory.view(), laboratory.history)];
    if (complaints.length === 0 && tick >= FEWEST_TICKS) break;
    await world.wait(TICK);
  }
  return complaints;
}

const none: Fault = {
  name: 'undisturbed',
  representative: true,
  in: () => ({ meet: async (_call, effect) => effect() }),
};

async function runCase(
  laboratory: Laboratory,
  { run }: Scenario,
  saved: Saved,
  { number, fault }: { readonly number: number; readonly fault: Fault },
): Promise<{
  readonly calls: number;
  readonly end: object;
  readonly violations: readonly string[];
}> {
  await laboratory.restore(saved);
  const calls = await laboratory.invokeDisturbed(run, number, fault.in(laboratory));
  const complaints = await heal(laboratory);
  const violations = [...new Set([...laboratory.violations, ...complaints])].slice(0, 2);
  return { calls, end: normalise(laboratory.view(), laboratory.history), violations };
}

async function prepare(laboratory: Laboratory, scenario: Scenario, empty: Saved): Promise<Saved> {
  await laboratory.restore(empty);
  await scenario.prepare(laboratory);
  const { violations } = laboratory;
  if (violations.length > 0) throw new Error(`preparing ${scenario.name}: ${violations[0]}`);
  return laboratory.save();
}

/** Every fault at every remote call of a scenario's run. */
export async function explore(
  laboratory: Laboratory,
  scenario: Scenario,
  faults: readonly Fault[],
  empty: Saved,
): Promise<Found> {
  const saved = await prepare(laboratory, scenario, empty);
  const clean = await runCase(laboratory, scenario, saved, { number: 1, fault: none });
  const violations = clean.violations.map((text) => `${scenario.name}, undisturbed: ${text}`);
  let cases = 0;
  for (const fault of faults) {
    for (let number = 1; ; number += 1) {
      const tried = await runCase(laboratory, scenario, saved, { number, fault });
      if (tried.calls < number) break;
      cases += 1;
      const where = `${scenario.name}, ${fault.name} call ${number}`;
      violations.push(...tried.violations.map((text) => `${where}: ${text}`));
      if (!fault.diverts && !isDeepStrictEqual(tried.end, clean.end)) {
        const [was, is] = [clean.end, tried.end].map((end) => JSON.stringify(end));
        violations.push(`${where}: ended as ${is}, undisturbed as ${was}`);
      }
    }
  }
  return { cases, calls: clean.calls, violations };
}
