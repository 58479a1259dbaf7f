import { runReaping } from './reaping/run-reaping.ts';
import { parseReapRequest } from './run/request.ts';
import { type InvocationContext, loadRuntime } from './runtime.ts';

const runtime = loadRuntime();

/** Safe at any time, twice, or after a crash: every run reads both systems and makes a new plan. */
export function handler(event: unknown, context: InvocationContext) {
  const request = parseReapRequest(event);
  const { scheduled, dryRun } = request;
  const invocation = { job: 'reap', scheduled, dryRun } as const;
  return runtime.runScheduled(invocation, context, (tools) => runReaping(request, tools));
}
