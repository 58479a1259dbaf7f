import { isDeepStrictEqual } from 'node:util';
import type { Fault } from './faults.ts';
import type { Laboratory, Ran, Saved } from './laboratory.ts';
import { normalise } from './normalise.ts';
import { unsettled } from './outcomes.ts';
import type { Scenario } from './scenarios.ts';

export interface Found {
  readonly cases: number;
  /** Remote calls of the undisturbed runs. */
  readonly calls: number;
  readonly violations: readonly string[];
}

const MINUTE_MS = 60_000;
/** Later runs of both functions: how long each waits for the one before. */
const TICK_MS = 61 * MINUTE_MS;
const MOST_TICKS = 16;
const FEWEST_TICKS = 2;

/** Lets the schedules run until everything is settled, or ought to be. Returns what still is not. */
async function heal(laboratory: Laboratory): Promise<readonly string[]> {
  const { invoke, pass, aws } = laboratory;
  let complaints: readonly string[] = [];
  await pass(5 * MINUTE_MS);
  aws.readLagMs = 0;
  aws.listLagMs = 0;
  for (let tick = 0; tick < MOST_TICKS; tick += 1) {
    const answers = [await invoke('rotate'), await invoke('reap')];
    const failed = answers.flatMap((answer) =>
      'error' in answer ? [`D: ${answer.error.errorMessage}`] : [],
    );
    complaints = [...failed, ...unsettled(laboratory.view(), laboratory.history)];
    if (complaints.length === 0 && tick >= FEWEST_TICKS) break;
    await pass(TICK_MS);
  }
  return complaints;
}

async function runCase(
  laboratory: Laboratory,
  { run, event = {} }: Scenario,
  saved: Saved,
  obstacle: ReturnType<Fault['at']>,
): Promise<{ readonly ran: Ran; readonly end: object; readonly violations: readonly string[] }> {
  await laboratory.restore(saved);
  const ran = await laboratory.invokeAgainst(obstacle, run, event);
  const complaints = await heal(laboratory);
  const violations = [...new Set([...laboratory.violations, ...complaints])].slice(0, 2);
  return { ran, end: normalise(laboratory.view(), laboratory.history), violations };
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
  const clean = await runCase(laboratory, scenario, saved, async (_call, _n, effect) => effect());
  const violations = clean.violations.map((text) => `${scenario.name}, undisturbed: ${text}`);
  let cases = 0;
  for (const fault of faults) {
    for (let number = 1; ; number += 1) {
      const tried = await runCase(laboratory, scenario, saved, fault.at(number, laboratory));
      if (tried.ran.calls < number) break;
      cases += 1;
      const where = `${scenario.name}, ${fault.name} call ${number}`;
      violations.push(...tried.violations.map((text) => `${where}: ${text}`));
      if (!fault.diverts && !isDeepStrictEqual(tried.end, clean.end)) {
        const [was, is] = [clean.end, tried.end].map((end) => JSON.stringify(end));
        violations.push(`${where}: ended as ${is}, undisturbed as ${was}`);
      }
    }
  }
  return { cases, calls: clean.ran.calls, violations };
}
