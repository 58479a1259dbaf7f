import type { Lifetimes } from '../../policy/policy.ts';
import { holdOf } from '../../secrets-manager/hold.ts';
import { HOUR_MS } from '../../time.ts';
import type { ObservedSecret, OwnedToken } from '../../tokens/observation.ts';
import {
  graceOf,
  isExpired,
  isInert,
  isProven,
  isSame,
  isStripped,
  isUnknown,
  ownedCurrent,
  ownedPending,
  ownedPrevious,
  provenCurrent,
} from '../../tokens/state.ts';
import type { RetirementStep } from './reaping-action.ts';
import { wasSavedByPersonSince } from './saved-by-person.ts';

/**
 * R4: without a hold, no token younger than this is changed. `ListSecrets` may miss the last five minutes, and a run lasts
 * up to fifteen. https://docs.aws.amazon.com/secretsmanager/latest/apireference/API_ListSecrets.html
 */
const YOUNG_MS = HOUR_MS;

export interface ReapingContext {
  readonly now: number;
  readonly lifetimes: Pick<Lifetimes, 'gracePeriod' | 'quarantine'>;
  /** The token's entry left the policy, and `onRemoval` is `retire`. */
  readonly retire: boolean;
}

/** R1 and R2. */
function decideHeld({ token }: OwnedToken, hold: 'frozen' | 'deleted'): RetirementStep | undefined {
  if (hold === 'deleted') return { kind: 'delete', reason: 'HoldDeleted' };
  return token.permissions.length > 0 ? { kind: 'strip', reason: 'HoldFrozen' } : undefined;
}

const over = (since: number, length: number, now: number) => now >= since + length;

/** Whether consumers have another token that works. */
function isReplaced(owned: OwnedToken, seen: ObservedSecret, { now }: ReapingContext): boolean {
  const current = provenCurrent(seen, now);
  return current !== undefined && !isSame(current, owned);
}

/**
 * R14: a fenced token is retired only while consumers have another one that works, and nobody who saved
 * the secret by hand may have handed this one out within the grace period.
 */
function decideFenced(
  owned: OwnedToken,
  fenced: number,
  seen: ObservedSecret,
  context: ReapingContext,
): RetirementStep | undefined {
  const { now, lifetimes, retire } = context;
  const grace = graceOf(owned, context.lifetimes);
  if (!over(fenced, grace, now)) return undefined;
  const mayBeGiven = wasSavedByPersonSince(seen, now - grace);
  if (!retire && (!isReplaced(owned, seen, context) || mayBeGiven)) return undefined;
  return { kind: lifetimes.quarantine === 0 ? 'delete' : 'quarantine', reason: 'FenceOver' };
}

/** R8 to R15: from superseded to gone. */
function decideRetirement(
  owned: OwnedToken,
  seen: ObservedSecret,
  context: ReapingContext,
): RetirementStep | undefined {
  const { retire } = context;
  const { superseded, shared, promoted } = owned.marker;
  if (isInert(owned)) return decideOrphan(owned, context);
  // Nobody knows which string consumers have, or another secret of ours has this one.
  const unclear = isUnknown(seen, 'AWSCURRENT') || isUnknown(seen, 'AWSPREVIOUS');
  if ((unclear && !retire) || shared !== undefined) return undefined;
  if (superseded === undefined) {
    if (retire) return { kind: 'supersede', reason: 'Removed' };
    // Whatever says that consumers have another one may be older than its promotion; and what `rotate` has written since it moved
    // the label may not be shown yet, and would be written over.
    const since = Math.max(promoted ?? 0, seen.secret.changedAt);
    if (context.now - since < YOUNG_MS) return undefined;
    return isReplaced(owned, seen, context) ? { kind: 'supersede', reason: 'Replaced' } : undefined;
  }
  // Until it is proven that the adopted string is this token's, somebody else may use it.
  return isProven(owned) ? decideSuperseded(owned, superseded, seen, context) : undefined;
}

/** R8: it was never given a permission, so nobody can use it. */
function decideOrphan(
  { marker: { superseded } }: OwnedToken,
  { now }: ReapingContext,
): RetirementStep | undefined {
  if (superseded === undefined) return { kind: 'supersede', reason: 'Replaced' };
  return over(superseded, YOUNG_MS, now) ? { kind: 'delete', reason: 'Orphan' } : undefined;
}

/** R12 to R15. */
function decideSuperseded(
  owned: OwnedToken,
  superseded: number,
  seen: ObservedSecret,
  context: ReapingContext,
): RetirementStep | undefined {
  const { now, lifetimes } = context;
  const { fenced, quarantined } = owned.marker;
  if (quarantined !== undefined) {
    // Its permissions came back, to one that somebody rolled back to, and consumers have read it since.
    if (owned.token.permissions.length > 0) return { kind: 'supersede', reason: 'Replaced' };
    const ended = over(quarantined, lifetimes.quarantine, now);
    return ended ? { kind: 'delete', reason: 'QuarantineOver' } : undefined;
  }
  // Fencing took AWSPREVIOUS off. It is back if somebody rolled back to the token and then away from it.
  if (fenced !== undefined && isSame(ownedPrevious(seen), owned)) {
    return { kind: 'fence', reason: 'PreviousAgain' };
  }
  if (fenced !== undefined) return decideFenced(owned, fenced, seen, context);
  return over(superseded, graceOf(owned, context.lifetimes), now)
    ? { kind: 'fence', reason: 'GraceOver' }
    : undefined;
}

/**
 * Decides about one owned token: from the listings, and again from the token and its secret as they are
 * right before acting. The first row that fits decides; docs/how-a-token-lives.md has the same rows (R1 to
 * R15). "Labelled" means AWSCURRENT or pending.
 *
 * | the token is                                              | decision                   |
 * |-----------------------------------------------------------|----------------------------|
 * | in a secret on hold, `deleted`                             | delete                     |
 * | in a secret on hold, `frozen`, with permissions            | strip                      |
 * | AWSCURRENT and stripped by a person                        | nothing: held              |
 * | younger than an hour                                       | nothing                    |
 * | expired, not AWSCURRENT                                    | delete                     |
 * | in a secret that is scheduled for deletion                 | nothing                    |
 * | labelled (unless its entry was removed: `onRemoval`)       | nothing                    |
 * | inert                                                     | supersede; an hour later delete, Orphan |
 * | of a secret whose AWSCURRENT or AWSPREVIOUS nobody knows   | nothing: no clock runs     |
 * | `shared`: another secret of ours has its string            | the same                   |
 * | promoted within the hour                                  | nothing                    |
 * | not superseded, and another one is proven current          | supersede, from now        |
 * | adopted and not proven                                     | nothing                    |
 * | quarantined, with permissions                              | supersede, from now        |
 * | quarantined for the quarantine                             | delete                     |
 * | fenced, and AWSPREVIOUS again                              | fence, from now            |
 * | fenced for the grace period, another is proven current     | quarantine (or delete)     |
 * | superseded for the grace period                            | fence                      |
 */
export function decideReaping(
  owned: OwnedToken,
  seen: ObservedSecret,
  context: ReapingContext,
): RetirementStep | undefined {
  const { token } = owned;
  const hold = holdOf(seen.secret);
  if (hold) return decideHeld(owned, hold);
  const isCurrent = isSame(ownedCurrent(seen), owned);
  if (isCurrent && isStripped(owned) && owned.marker.quarantined === undefined) return undefined;
  if (context.now - token.createdAt < YOUNG_MS) return undefined;
  if (isExpired(token, context.now) && !isCurrent && isProven(owned)) {
    return { kind: 'delete', reason: 'Expired' };
  }
  // Such a secret may be restored, and then its token under AWSPREVIOUS must still work.
  if (seen.secret.deletedAt !== undefined) return undefined;
  const labelled = isCurrent || isSame(ownedPending(seen), owned) || claimsPending(owned, seen);
  return labelled && !context.retire ? undefined : decideRetirement(owned, seen, context);
}

/**
 * An inert token whose version waits under AWSPENDING: only the marker says so. Of several that were minted for one
 * version, the youngest: another one was minted only because the version had no value.
 */
function claimsPending(owned: OwnedToken, { secret, tokens }: ObservedSecret): boolean {
  const pending = secret.labels.AWSPENDING ?? '';
  const claims = ({ marker: { minted, version = [] } }: OwnedToken) =>
    minted === pending || version.includes(pending);
  const isReplaced = tokens.some(
    (each) => claims(each) && each.token.createdAt > owned.token.createdAt,
  );
  return isInert(owned) && claims(owned) && !isReplaced;
}
