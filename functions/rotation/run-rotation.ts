import type { TokenAction } from '../run/plan.ts';
import type { RotateRequest } from '../run/request.ts';
import { type Report, runPlan } from '../run/run-plan.ts';
import { atApiTime, type RunTools } from '../run/tools.ts';
import { observe } from '../tokens/observe.ts';
import { applyRotation } from './apply-rotation.ts';
import { measureTokens } from './plan/measure-tokens.ts';
import { planRotation, wantsDatabases } from './plan/plan-rotation.ts';

/** One run of `rotate`, in Lambda or on a laptop. */
export async function runRotation(
  request: RotateRequest,
  runTools: RunTools,
): Promise<Report<TokenAction>> {
  const { policy } = runTools;
  const observation = await observe(runTools, policy, wantsDatabases(policy));
  const tools = atApiTime(runTools, observation);
  const plan = planRotation(policy, observation, request);
  if (!request.tokens) tools.measure(measureTokens(policy, observation, plan));
  return runPlan(plan, request, tools, () => applyRotation(plan, observation, tools));
}
