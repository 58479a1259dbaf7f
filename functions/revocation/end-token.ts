import type { Permission } from '../management-api/token.ts';
import { entryOf } from '../policy/policy.ts';
import type { Tools } from '../run/tools.ts';
import {
  type Arming,
  changeToken,
  freshToken,
  NOT_KEPT,
  restored,
  stripped,
  takenAfter,
  takenFrom,
} from '../tokens/change-token.ts';
import type { ObservedToken, OwnedToken } from '../tokens/observation.ts';
import { isAsBefore } from '../tokens/permission-sets.ts';
import { isExpired, isInert } from '../tokens/state.ts';
import type { ArmingTools } from '../tokens/under-hold.ts';
import { canGiveBack, mendedBy } from './plan/decide-token.ts';
import { grantsOf } from './plan/known-token.ts';
import type { RevokedToken } from './report.ts';

/** What happened to a token, and what is needed to verify that its string is refused. */
export interface TokenResult extends RevokedToken {
  /** Its permissions, or before it was ended. Absent: nobody knows them, because somebody took them away without a trace. */
  readonly had?: readonly Permission[];
  /** Ids of the secret versions that may have its string. Absent: the string is not known. */
  readonly versions?: readonly string[];
  readonly fingerprint?: string;
  /** It was so before this run, which did nothing to it. */
  readonly wasBefore?: true;
  /** Consumers have it though it was not seen accepted: it is asked again, with more patience. */
  readonly wasRefused?: boolean;
}

export function resultOf(
  { token, owned }: ObservedToken,
  result: TokenResult['result'],
): TokenResult {
  const { marker, versions } = owned ?? {};
  const had = grantsOf(token, marker);
  const isKnown = had.length > 0 || (owned && isInert(owned));
  return {
    tokenId: token.id,
    result,
    ...(isKnown && { had }),
    ...(marker && { secret: marker.secret }),
    ...(versions && { versions }),
    ...(marker?.fp !== undefined && { fingerprint: marker.fp }),
  };
}

/**
 * Takes all permissions away. `noUndo`: also if neither the description has room to keep them, nor the policy says them.
 * False: it is gone, or not ours any more.
 */
async function stripOwned(owned: OwnedToken, noUndo: boolean, tools: Tools): Promise<boolean> {
  const fresh = await freshToken(tools, owned);
  if (!fresh) return false;
  if (!noUndo && !canGiveBack(fresh, tools.policy, tools.apiNow())) {
    throw new Error(`the description of ${fresh.token.id} has no room for its permissions`);
  }
  await changeToken(tools, fresh, stripped(fresh, 'frozen', tools.apiNow()));
  return true;
}

/** Undefined: it was ours, and is gone or not ours any more: nothing was done to it. */
export async function strip(
  observed: ObservedToken,
  noUndo: boolean,
  tools: Tools,
): Promise<TokenResult | undefined> {
  if (!observed.owned) await tools.api.updateToken(observed.token.id, { permissions: [] });
  else if (!(await stripOwned(observed.owned, noUndo, tools))) return undefined;
  return resultOf(observed, 'frozen');
}

/** Undoes a freeze. What was quarantined before stays so, and what was never armed gets nothing. */
function unfrozen(owned: OwnedToken, fallback?: readonly Permission[]): Arming {
  const { marker } = owned;
  if (marker.quarantined !== undefined || marker.grants === undefined) {
    return { marker: { frozen: undefined } };
  }
  const giveBack = takenFrom(owned, fallback);
  return {
    marker: { frozen: undefined, ...takenAfter(owned, giveBack) },
    ...(giveBack && { permissions: giveBack }),
  };
}

export const QUARANTINED = 'it is quarantined; restore it';

/** Gives back the permissions that a freeze or the quarantine took away; those of the policy if they were not kept. */
export async function giveBack(
  owned: OwnedToken,
  undo: 'freeze' | 'quarantine',
  tools: ArmingTools,
): Promise<TokenResult> {
  const fresh = await freshToken(tools, owned);
  if (!fresh) return resultOf({ token: owned.token, owned }, 'gone');
  const entry = entryOf(tools.policy, fresh.marker.secret);
  const fallback = entry?.permissions;
  const change = undo === 'freeze' ? unfrozen(fresh, fallback) : restored(fresh, fallback);
  const changed = await tools.armInUse(fresh, change);
  const result = resultOf({ token: changed, owned: fresh }, 'given-back');
  const left = { ...result, result: 'left' as const, had: [] };
  if (isExpired(changed, tools.apiNow())) {
    return { ...left, unconfirmed: `it is expired, and nothing makes it work; ${mendedBy(entry)}` };
  }
  if (changed.permissions.length > 0) {
    // Of what was quarantined before, unfreezing gives nothing.
    const isLeft = undo === 'freeze' && fresh.marker.quarantined !== undefined;
    if (isLeft) return { ...left, unconfirmed: QUARANTINED };
    return isAsBefore(changed, fresh) ? result : { ...result, unconfirmed: NOT_KEPT };
  }
  const isMeant = fresh.marker.quarantined === undefined && fresh.marker.grants !== undefined;
  if (undo === 'freeze' && !isMeant) return left; // it had none to give back
  const unconfirmed =
    'its permissions were not kept, and no entry of the policy says them; replace it';
  return { ...left, unconfirmed };
}
