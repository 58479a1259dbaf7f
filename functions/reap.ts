import { applyReaping } from './apply/apply-reaping.ts';
import { runPlan } from './apply/run-plan.ts';
import { atApiTime } from './apply/tools.ts';
import { parseReapRequest } from './model/request.ts';
import { observe } from './observe/observe.ts';
import { planReaping } from './plan/plan-reaping.ts';
import { type InvocationContext, loadRuntime } from './runtime.ts';

const runtime = loadRuntime();

/** Safe at any time, twice, or after a crash: every run looks at both systems and plans anew. */
export function handler(event: unknown, context: InvocationContext) {
  const request = parseReapRequest(event);
  return runtime.run(context, async (runTools) => {
    const { policy } = runTools;
    const observation = await observe(runTools, policy.owner, true);
    const tools = atApiTime(runTools, observation);
    const plan = planReaping(policy, observation);
    return runPlan(plan, request, tools, () => applyReaping(plan, observation, tools));
  });
}
