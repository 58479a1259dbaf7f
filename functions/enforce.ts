import { applyEnforcement } from './apply/apply-enforcement.ts';
import { reportDrift } from './apply/report-databases.ts';
import { runPlan } from './apply/run-plan.ts';
import { atApiTime } from './apply/tools.ts';
import { parseEnforceRequest } from './model/request.ts';
import { observeDatabases } from './observe/observe-databases.ts';
import { planEnforcement } from './plan/plan-enforcement.ts';
import { type InvocationContext, loadRuntime } from './runtime.ts';

const runtime = loadRuntime();

/** Safe at any time, twice, or after a crash: every run looks at the cluster and plans anew. */
export function handler(event: unknown, context: InvocationContext) {
  const request = parseEnforceRequest(event);
  return runtime.run(context, async (runTools) => {
    const observation = await observeDatabases(runTools);
    const tools = atApiTime(runTools, observation);
    const plan = planEnforcement(runTools.policy, observation, request);
    if (!request.dryRun) reportDrift(plan, tools);
    return runPlan(plan, request, tools, () => applyEnforcement(plan, tools));
  });
}
