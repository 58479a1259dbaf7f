import type { Tools } from '../run/tools.ts';
import { changeToken, freshToken, superseding } from '../tokens/change-token.ts';
import type { OwnedToken } from '../tokens/observation.ts';

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
