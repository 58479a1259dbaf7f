import { runEnforcement } from './enforcement/run-enforcement.ts';
import { parseEnforceRequest } from './run/request.ts';
import { type InvocationContext, loadRuntime } from './runtime.ts';

const runtime = loadRuntime();

/** Safe at any time, twice, or after a crash: every run looks at the cluster and plans anew. */
export function handler(event: unknown, context: InvocationContext) {
  const request = parseEnforceRequest(event);
  return runtime.run(context, (tools) => runEnforcement(request, tools));
}
