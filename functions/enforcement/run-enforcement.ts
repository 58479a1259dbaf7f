import { atApiTime } from '../run/api-time.ts';
import type { EnforceRequest } from '../run/request.ts';
import { type Report, runPlan } from '../run/run-plan.ts';
import type { RunTools } from '../run/tools.ts';
import { observeDatabases } from './database-reading.ts';
import type { DatabaseAction } from './plan/database-action.ts';
import { planEnforcement } from './plan/plan-enforcement.ts';
import { countDrifted, reportDrift } from './report-databases.ts';
import { writeDatabases } from './write-databases.ts';

/** One run of `enforce`, in Lambda or on a laptop: observe, plan, check the limits, apply. */
export async function runEnforcement(
  request: EnforceRequest,
  runTools: RunTools,
): Promise<Report<DatabaseAction>> {
  const observation = await observeDatabases(runTools);
  const tools = atApiTime(runTools, observation);
  const plan = planEnforcement(runTools.policy, observation, request);
  tools.measure({ driftedDatabases: countDrifted(plan) });
  if (!request.dryRun) reportDrift(plan, tools);
  return runPlan(plan, request, tools, (actions) => writeDatabases(actions, tools));
}
