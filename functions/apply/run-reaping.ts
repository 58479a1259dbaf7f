import type { Action } from '../model/plan.ts';
import type { ReapRequest } from '../model/request.ts';
import { observe } from '../observe/observe.ts';
import { planReaping } from '../plan/plan-reaping.ts';
import { applyReaping } from './apply-reaping.ts';
import { type Report, runPlan } from './run-plan.ts';
import { atApiTime, type RunTools } from './tools.ts';

/** One run of `reap`, in Lambda or on a laptop. */
export async function runReaping(
  request: ReapRequest,
  runTools: RunTools,
): Promise<Report<Action>> {
  const { policy } = runTools;
  const observation = await observe(runTools, policy, true);
  const tools = atApiTime(runTools, observation);
  const plan = planReaping(policy, observation);
  return runPlan(plan, request, tools, () => applyReaping(plan, observation, tools));
}
