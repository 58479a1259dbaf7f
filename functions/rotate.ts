import { applyRotation } from './apply/apply-rotation.ts';
import { runPlan } from './apply/run-plan.ts';
import { atApiTime } from './apply/tools.ts';
import { parseRotateRequest } from './model/request.ts';
import { observe } from './observe/observe.ts';
import { planRotation, wantsDatabases } from './plan/plan-rotation.ts';
import { type InvocationContext, loadRuntime } from './runtime.ts';

const runtime = loadRuntime();

/** Safe at any time, twice, or after a crash: every run looks at both systems and plans anew. */
export function handler(event: unknown, context: InvocationContext) {
  const request = parseRotateRequest(event);
  return runtime.run(context, async (runTools) => {
    const { policy } = runTools;
    const observation = await observe(runTools, policy.owner, wantsDatabases(policy));
    const tools = atApiTime(runTools, observation);
    const plan = planRotation(policy, observation, request);
    return runPlan(plan, request, tools, () => applyRotation(plan, observation, tools));
  });
}
