import type { Tools } from '../run/tools.ts';
import { changeToken, freshToken, superseding } from './change-token.ts';
import type { ObservedSecret, OwnedToken } from './observation.ts';
import { hasGrace } from './state.ts';

/** Starts the grace periods of these tokens of a secret again, each from a fresh look. */
export async function restartGrace(
  seen: ObservedSecret,
  tokens: readonly OwnedToken[],
  gracePeriod: number,
  tools: Tools,
): Promise<void> {
  for (const each of tokens) {
    const fresh = await freshToken(tools, each);
    if (!fresh || !hasGrace(fresh, seen)) continue;
    await changeToken(tools, fresh, superseding(fresh, gracePeriod, tools.apiNow()));
  }
}
