import type { DatabaseAction } from '../run/plan.ts';
import type { EnforceRequest } from '../run/request.ts';
import { type Report, runPlan } from '../run/run-plan.ts';
import { atApiTime, type RunTools } from '../run/tools.ts';
import { observeDatabases } from './observe-databases.ts';
import { planEnforcement } from './plan/plan-enforcement.ts';
import { countDrifted, reportDrift } from './report-databases.ts';
import { applyEnforcement } from './write-databases.ts';

/** One run of `enforce`, in Lambda or on a laptop. */
export async function runEnforcement(
  request: EnforceRequest,
  runTools: RunTools,
): Promise<Report<DatabaseAction>> {
  const observation = await observeDatabases(runTools);
  const tools = atApiTime(runTools, observation);
  const plan = planEnforcement(runTools.policy, observation, request);
  tools.measure({ driftedDatabases: countDrifted(plan) });
  if (!request.dryRun) reportDrift(plan, tools);
  return runPlan(plan, request, tools, () => applyEnforcement(plan, tools));
}
