import type { Lifetimes } from '../../policy/policy.ts';
import { holdOf } from '../../secrets-manager/secret.ts';
import { HOUR_MS } from '../../time.ts';
import type { ObservedSecret, OwnedToken } from '../../tokens/observation.ts';
import { isExpired, isInert, isStripped, ownedPending, provenCurrent } from '../../tokens/state.ts';
import type { RetirementStep } from './reaping-action.ts';

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

/** R11: a fenced token is retired only while consumers have another one that works. */
function decideFenced(
  { token }: OwnedToken,
  fenced: number,
  seen: ObservedSecret,
  { now, lifetimes, retire }: ReapingContext,
): RetirementStep | undefined {
  const successor = provenCurrent(seen, now);
  const proven = successor !== undefined && successor.token.id !== token.id;
  if (!(proven || retire) || !over(fenced, lifetimes.gracePeriod, now)) return undefined;
  return { kind: lifetimes.quarantine === 0 ? 'delete' : 'quarantine', reason: 'FenceOver' };
}

/** R8 to R12: from superseded to gone. */
function decideRetirement(
  owned: OwnedToken,
  seen: ObservedSecret,
  context: ReapingContext,
): RetirementStep | undefined {
  const { now, lifetimes } = context;
  const { superseded, fenced, quarantined } = owned.marker;
  // Fencing took AWSPREVIOUS off. It is back if somebody rolled back to the token and then away from it.
  const wasCurrentSince = fenced !== undefined && seen.secret.labels.AWSPREVIOUS === owned.version;
  if (superseded === undefined || (wasCurrentSince && quarantined === undefined)) {
    return { kind: 'supersede', reason: context.retire ? 'Removed' : 'Replaced' };
  }
  if (isInert(owned)) {
    return over(superseded, YOUNG_MS, now) ? { kind: 'delete', reason: 'Orphan' } : undefined;
  }
  if (quarantined !== undefined) {
    const ended = over(quarantined, lifetimes.quarantine, now);
    return ended ? { kind: 'delete', reason: 'QuarantineOver' } : undefined;
  }
  if (fenced !== undefined) return decideFenced(owned, fenced, seen, context);
  return over(superseded, lifetimes.gracePeriod, now)
    ? { kind: 'fence', reason: 'GraceOver' }
    : undefined;
}

/**
 * Decides about one owned token: from the listings, and again from the token and its secret as they are
 * right before acting. The first row that fits decides; docs/how-a-token-lives.md has the same rows (R1 to
 * R12). "Labelled" means AWSCURRENT or pending.
 *
 * | the token is                                              | decision                   |
 * |-----------------------------------------------------------|----------------------------|
 * | in a secret on hold, `frozen`, with permissions            | strip                      |
 * | in a secret on hold, `deleted`                             | delete                     |
 * | AWSCURRENT and stripped by a person                        | nothing: held              |
 * | younger than an hour                                       | nothing                    |
 * | expired, not AWSCURRENT                                    | delete                     |
 * | in a secret that is scheduled for deletion                 | nothing                    |
 * | labelled (unless its entry was removed: `onRemoval`)       | nothing                    |
 * | not superseded, or fenced and AWSPREVIOUS again            | supersede, from now        |
 * | inert, superseded for an hour                              | delete, Orphan             |
 * | superseded for the grace period                            | fence                      |
 * | fenced for the grace period, another is proven current     | quarantine (or delete)     |
 * | quarantined for the quarantine                             | delete                     |
 */
export function decideReaping(
  owned: OwnedToken,
  seen: ObservedSecret,
  context: ReapingContext,
): RetirementStep | undefined {
  const { token } = owned;
  const hold = holdOf(seen.secret);
  if (hold) return decideHeld(owned, hold);
  const isCurrent = seen.secret.labels.AWSCURRENT === owned.version;
  if (isCurrent && isStripped(owned) && owned.marker.quarantined === undefined) return undefined;
  if (context.now - token.createdAt < YOUNG_MS) return undefined;
  if (isExpired(token, context.now) && !isCurrent) return { kind: 'delete', reason: 'Expired' };
  // Such a secret may be restored, and then its token under AWSPREVIOUS must still work.
  if (seen.secret.deletedAt !== undefined) return undefined;
  const labelled = isCurrent || isPending(owned, seen);
  return labelled && !context.retire ? undefined : decideRetirement(owned, seen, context);
}

const isPending = ({ version }: OwnedToken, seen: ObservedSecret): boolean =>
  ownedPending(seen)?.version === version;
