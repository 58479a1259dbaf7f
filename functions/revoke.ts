import { applyRevocation } from './apply/apply-revocation.ts';
import { atApiTime } from './apply/tools.ts';
import { parseRevokeRequest } from './model/revocation-request.ts';
import { survey } from './observe/survey.ts';
import { planRevocation } from './plan/plan-revocation.ts';
import { type InvocationContext, loadRuntime } from './runtime.ts';

const runtime = loadRuntime();

/** Invoked by people. Repeated, it goes on where it ended, and never issues a second successor. */
export function handler(event: unknown, context: InvocationContext) {
  const request = parseRevokeRequest(event);
  return runtime.run(context, async (runTools) => {
    const startedAt = runTools.now();
    const seen = await survey(runTools);
    const tools = atApiTime(runTools, seen);
    const plan = planRevocation(runTools.policy, seen, request);
    return applyRevocation(plan, request, seen, startedAt, tools);
  });
}
