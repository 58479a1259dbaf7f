import { InfluxError } from '../management-api/influx-error.ts';
import type { Tools } from '../run/tools.ts';
import { changeToken, freshToken, supersedingFormer } from '../tokens/change-token.ts';
import type { ObservedSecret, OwnedToken } from '../tokens/observation.ts';
import { isSame, leftBehind, ownedCurrent, ownedPrevious } from '../tokens/state.ts';

/** An order may end it in that moment: there is nothing to mark then. */
function unlessGone(error: unknown): void {
  if (!(error instanceof InfluxError && error.gone)) throw error;
}

/**
 * The grace period of a token that had AWSCURRENT begins now, unless a fresh look shows that it has begun. `hadItUntilNow`:
 * this run has just moved AWSCURRENT off it, so that whatever it bears is of an earlier retirement.
 */
export async function supersede(
  owned: OwnedToken,
  gracePeriod: number,
  tools: Tools,
  hadItUntilNow = false,
): Promise<void> {
  const fresh = await freshToken(tools, owned);
  if (fresh && (hadItUntilNow || fresh.marker.superseded === undefined)) {
    const change = supersedingFormer(fresh, gracePeriod, tools.apiNow());
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
