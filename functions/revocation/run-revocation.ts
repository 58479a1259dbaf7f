import { atApiTime, type RunTools } from '../run/tools.ts';
import { applyRevocation } from './apply-revocation.ts';
import { planRevocation } from './plan/plan-revocation.ts';
import type { RevocationReport } from './report.ts';
import type { RevocationRequest } from './request.ts';
import { survey } from './survey.ts';

/** One run of `revoke`, in Lambda or on a laptop. */
export async function runRevocation(
  request: RevocationRequest,
  runTools: RunTools,
): Promise<RevocationReport> {
  const startedAt = runTools.now();
  const seen = await survey(runTools);
  const tools = atApiTime(runTools, seen);
  const plan = planRevocation(runTools.policy, seen, request);
  return applyRevocation(plan, request, seen, startedAt, tools);
}
