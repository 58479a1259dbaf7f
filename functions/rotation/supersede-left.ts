import type { Tools } from '../run/tools.ts';
import { changeToken, freshToken, superseding } from '../tokens/change-token.ts';
import type { ObservedSecret, OwnedToken } from '../tokens/observation.ts';
import { leftTokens } from '../tokens/state.ts';

/**
 * Marks the tokens that a person went back from, before the mark goes that tells of it: that of the token which is current
 * again. Afterwards they would look like tokens that wait for their promotion. Their grace period starts now.
 * @param back the token that is current again
 */
export async function supersedeLeft(
  seen: ObservedSecret,
  back: OwnedToken,
  gracePeriod: number,
  tools: Tools,
): Promise<void> {
  for (const each of leftTokens(seen)) {
    if (each.token.id === back.token.id) continue;
    const fresh = await freshToken(tools, each);
    if (fresh?.marker.superseded !== undefined || !fresh) continue;
    await changeToken(tools, fresh, superseding(fresh, gracePeriod, tools.apiNow()));
  }
}
