import type { Tools } from '../run/tools.ts';
import { changeToken, freshToken, superseding } from '../tokens/change-token.ts';
import type { ObservedSecret, OwnedToken } from '../tokens/observation.ts';
import {
  armedSince,
  isSame,
  ownedCurrent,
  ownedPrevious,
  wasArmed,
  wasCurrent,
} from '../tokens/state.ts';

/**
 * The grace period of a token that had AWSCURRENT begins now, unless a fresh look shows that it has begun. Who gave it
 * AWSCURRENT may have had no time to write that.
 */
export async function supersede(
  owned: OwnedToken,
  gracePeriod: number,
  tools: Tools,
): Promise<void> {
  const fresh = await freshToken(tools, owned);
  if (fresh && fresh.marker.superseded === undefined) {
    const { marker } = superseding(fresh, gracePeriod, tools.apiNow());
    const promoted = wasArmed(fresh) && !wasCurrent(fresh) ? armedSince(fresh) : undefined;
    await changeToken(tools, fresh, { marker: { ...marker, ...(promoted && { promoted }) } });
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
