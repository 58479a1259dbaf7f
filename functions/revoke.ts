import { parseRevokeRequest } from './revocation/request.ts';
import { giveOrder } from './revocation/run-revocation.ts';
import { type InvocationContext, loadRuntime } from './runtime.ts';

const runtime = loadRuntime();

/** Invoked by people. A repeated order continues where the first one stopped, and mints no second successor. */
export function handler(event: unknown, context: InvocationContext) {
  const request = parseRevokeRequest(event);
  return giveOrder(request, (work) => runtime.run(context, work));
}
