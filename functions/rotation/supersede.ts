import { InfluxError } from '../management-api/influx-error.ts';
import type { Tools } from '../run/tools.ts';
import { changeToken, freshToken, superseding } from '../tokens/change-token.ts';
import type { ObservedSecret, OwnedToken } from '../tokens/observation.ts';
import {
  armedSince,
  isSame,
  leftBehind,
  ownedCurrent,
  ownedPrevious,
  wasArmed,
  wasCurrent,
} from '../tokens/state.ts';

/** An order may end it in that moment: there is nothing to mark then. */
function unlessGone(error: unknown): void {
  if (!(error instanceof InfluxError && error.gone)) throw error;
}

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
    const change = { marker: { ...marker, ...(promoted && { promoted }) } };
    await changeToken(tools, fresh, change).catch(unlessGone);
  }
}

/**
 * The grace period of what a person left begins: what AWSPREVIOUS has was AWSCURRENT, whatever its marker says; and so was,
 * beside AWSCURRENT's token or the one that is promoted over it (`next`), what a placeholder, say, has pushed out of both.
 */
export async function supersedeLeft(
  seen: ObservedSecret,
  gracePeriod: number,
  tools: Tools,
  next = ownedCurrent(seen),
): Promise<void> {
  const previous = ownedPrevious(seen);
  const isLeft = previous?.marker.superseded === undefined && !isSame(previous, next);
  const left = [...(previous && isLeft ? [previous] : []), ...leftBehind(seen, next)];
  for (const each of left) await supersede(each, gracePeriod, tools);
}
