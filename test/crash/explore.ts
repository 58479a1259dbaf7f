import { isDeepStrictEqual } from 'node:util';
import { HOUR, MINUTE } from '../world/policy.ts';
import type { Fault } from './faults.ts';
import type { Laboratory, Saved } from './laboratory.ts';
import { leftBehind } from './left-behind.ts';
import { normalise } from './normalise.ts';
import type { Sample } from './sample.ts';
import type { Scenario } from './scenarios/scenario.ts';

/** Later runs of both functions: how long each waits for the one before. */
const TICKS: readonly number[] = Array(16).fill(61 * MINUTE);
/** And then, while a string that nobody knows makes everybody wait until its version comes of age: ten days in the orders' policy. */
const LATER_TICKS: readonly number[] = Array(40).fill(7 * HOUR);
const FEWEST_TICKS = 2;

interface Healed {
  /** What still is not settled. */
  readonly complaints: readonly string[];
  /** What the schedules answered and logged meanwhile. */
  readonly runs: readonly Awaited<ReturnType<Laboratory['invoke']>>[];
}

/** Lets the schedules run until everything is settled, or ought to be. */
export async function heal(
  laboratory: Laboratory,
  { isRefused, repeated }: Pick<Scenario, 'isRefused' | 'repeated'>,
): Promise<Healed> {
  const { invoke, world, unsettled, hasOthers, hasUnknown } = laboratory;
  let complaints: readonly string[] = [];
  const runs: Healed['runs'][number][] = [];
  await world.wait(5 * MINUTE);
  world.aws.readLagMs = 0;
  world.aws.listLagMs = 0;
  world.cluster.manners = {};
  if (repeated) runs.push(await invoke(repeated));
  const ticks = [...TICKS, ...(hasUnknown() || hasOthers() ? LATER_TICKS : [])];
  for (const [tick, length] of ticks.entries()) {
    const answers = [await invoke({ job: 'rotate' }), await invoke({ job: 'reap' })];
    runs.push(...answers);
    const failed = answers.flatMap(({ error }) => (error ? [`D: ${error.errorMessage}`] : []));
    const mayFail = isRefused || isDisowned(laboratory) || laboratory.waitsForPeople();
    complaints = [...(mayFail ? [] : failed), ...unsettled()];
    if (complaints.length === 0 && tick >= FEWEST_TICKS) break;
    await world.wait(length);
  }
  return { complaints, runs };
}

/** A person took our tag off a secret: then runs fail on purpose, until somebody puts it back. */
const isDisowned = ({ view }: Laboratory) =>
  [...view().secrets.values()].some(({ tags }) => tags['keyturn:owner'] === undefined);

export const none: Fault = {
  name: 'undisturbed',
  in: () => ({ meet: async (_call, effect) => effect() }),
};

interface Tried {
  /** How many remote calls the run made. */
  readonly calls: number;
  /** Where everything ended. Absent: a run before left the same behind, so it was not healed once more. */
  readonly end?: object;
  readonly violations: readonly string[];
}

async function runCase(
  laboratory: Laboratory,
  scenario: Scenario,
  { saved, isNew }: { readonly saved: Saved; readonly isNew: (left: string) => boolean },
  { number, fault }: { readonly number: number; readonly fault: Fault },
): Promise<Tried> {
  await laboratory.restore(saved);
  const { calls } = await laboratory.invokeDisturbed(scenario.run, number, fault.in(laboratory));
  const few = (texts: readonly string[]) => [...new Set(texts)].slice(0, 2);
  if (!isNew(`${scenario.name} ${fault.diverts === true} ${leftBehind(laboratory.save())}`)) {
    return { calls, violations: few(laboratory.violations) };
  }
  const { complaints } = await heal(laboratory, scenario);
  const end = normalise(laboratory.view(), laboratory.history);
  return { calls, end, violations: few([...laboratory.violations, ...complaints]) };
}

async function prepare(laboratory: Laboratory, scenario: Scenario, empty: Saved): Promise<Saved> {
  await laboratory.restore(empty);
  await scenario.prepare(laboratory);
  const { violations } = laboratory;
  if (violations.length > 0) throw new Error(`preparing ${scenario.name}: ${violations[0]}`);
  return laboratory.save();
}

/**
 * What goes wrong with a scenario: its run as it is, and with the chosen faults at each of its remote calls. What
 * comes after it is looked at once for all runs that left the same behind.
 */
export async function explore(
  laboratory: Laboratory,
  scenario: Scenario,
  { faults, sample, empty }: { faults: readonly Fault[]; sample: Sample; empty: Saved },
): Promise<readonly string[]> {
  const saved = await prepare(laboratory, scenario, empty);
  const { isNew } = sample;
  const from = { saved, isNew };
  const clean = await runCase(laboratory, scenario, from, { number: 1, fault: none });
  const violations = clean.violations.map((text) => `${scenario.name}, undisturbed: ${text}`);
  for (const fault of faults) {
    for (let number = 1; number <= clean.calls; number += 1) {
      if (!sample.next()) continue;
      const tried = await runCase(laboratory, scenario, from, { number, fault });
      const where = `${scenario.name}, ${fault.name} call ${number}`;
      violations.push(...tried.violations.map((text) => `${where}: ${text}`));
      if (!fault.diverts && tried.end && !isDeepStrictEqual(tried.end, clean.end)) {
        const [was, is] = [clean.end, tried.end].map((end) => JSON.stringify(end));
        violations.push(`${where}: ended as ${is}, undisturbed as ${was}`);
      }
    }
  }
  return violations;
}
