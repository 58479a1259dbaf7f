import type { Tools } from '../run/tools.ts';
import { changeToken, freshToken, superseding } from '../tokens/change-token.ts';
import type { ObservedSecret, OwnedToken } from '../tokens/observation.ts';
import { leftTokens } from '../tokens/state.ts';

/** The grace period of a token begins now, unless a fresh look shows that it has begun. */
export async function supersede(
  owned: OwnedToken,
  gracePeriod: number,
  tools: Tools,
): Promise<void> {
  const fresh = await freshToken(tools, owned);
  if (fresh && fresh.marker.superseded === undefined) {
    await changeToken(tools, fresh, superseding(fresh, gracePeriod, tools.apiNow()));
  }
}

/**
 * Marks the tokens that a person went back from, before the mark goes that tells of it: that of the token which is current
 * again. Afterwards they would look like tokens that wait for their promotion.
 * @param back the token that is current again
 */
export async function supersedeLeft(
  seen: ObservedSecret,
  back: OwnedToken,
  gracePeriod: number,
  tools: Tools,
): Promise<void> {
  for (const each of leftTokens(seen)) {
    if (each.token.id !== back.token.id) await supersede(each, gracePeriod, tools);
  }
}
