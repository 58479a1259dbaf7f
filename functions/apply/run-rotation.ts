import type { TokenAction } from '../model/plan.ts';
import type { RotateRequest } from '../model/request.ts';
import { observe } from '../observe/observe.ts';
import { measureTokens } from '../plan/measure-tokens.ts';
import { planRotation, wantsDatabases } from '../plan/plan-rotation.ts';
import { applyRotation } from './apply-rotation.ts';
import { type Report, runPlan } from './run-plan.ts';
import { atApiTime, type RunTools } from './tools.ts';

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
