import { parseRevokeRequest } from './revocation/request.ts';
import { runRevocation } from './revocation/run-revocation.ts';
import { type InvocationContext, loadRuntime } from './runtime.ts';

const runtime = loadRuntime();

/** Invoked by people. Repeated, it goes on where it ended, and never issues a second successor. */
export function handler(event: unknown, context: InvocationContext) {
  const request = parseRevokeRequest(event);
  return runtime.run(context, (tools) => runRevocation(request, tools));
}
