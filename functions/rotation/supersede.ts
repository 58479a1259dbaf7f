import type { Tools } from '../run/tools.ts';
import { changeToken, freshToken, superseding } from '../tokens/change-token.ts';
import type { ObservedSecret, OwnedToken } from '../tokens/observation.ts';
import { isSame, ownedCurrent, ownedPrevious } from '../tokens/state.ts';

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

/** The grace period of what a person left begins: it had AWSCURRENT, whatever its marker says, and nothing promotes it again. */
export async function supersedeLeft(
  seen: ObservedSecret,
  gracePeriod: number,
  tools: Tools,
): Promise<void> {
  const left = ownedPrevious(seen);
  if (left && !isSame(left, ownedCurrent(seen))) await supersede(left, gracePeriod, tools);
}
