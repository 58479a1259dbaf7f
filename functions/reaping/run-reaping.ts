import type { Action } from '../run/plan.ts';
import type { ReapRequest } from '../run/request.ts';
import { type Report, runPlan } from '../run/run-plan.ts';
import { atApiTime, type RunTools } from '../run/tools.ts';
import { observe } from '../tokens/observe.ts';
import { applyReaping } from './apply-reaping.ts';
import { planReaping } from './plan/plan-reaping.ts';

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
