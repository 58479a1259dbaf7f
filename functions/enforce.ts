import { runEnforcement } from './enforcement/run-enforcement.ts';
import { parseEnforceRequest } from './run/request.ts';
import { type InvocationContext, loadRuntime } from './runtime.ts';

const runtime = loadRuntime();

/** Safe at any time, twice, or after a crash: every run reads the cluster and makes a new plan. */
export function handler(event: unknown, context: InvocationContext) {
  const request = parseEnforceRequest(event);
  const { scheduled, dryRun } = request;
  const invocation = { job: 'enforce', scheduled, dryRun } as const;
  return runtime.runScheduled(invocation, context, (tools) => runEnforcement(request, tools));
}
