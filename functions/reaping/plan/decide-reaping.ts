import type { Lifetimes } from '../../policy/policy.ts';
import { holdOf } from '../../secrets-manager/secret.ts';
import { HOUR_MS } from '../../time.ts';
import type { ObservedSecret, OwnedToken } from '../../tokens/observation.ts';
import { isExpired, isInert, isStripped, ownedPending, provenCurrent } from '../../tokens/state.ts';
import type { RetirementStep } from './reaping-action.ts';

/** `ListSecrets` may be five minutes old and a run lasts fifteen, so nothing younger is touched. */
const YOUNG_MS = HOUR_MS;

export interface ReapingContext {
  readonly now: number;
  readonly lifetimes: Pick<Lifetimes, 'gracePeriod' | 'quarantine'>;
  /** The token's entry left the policy, and the policy says to retire such tokens. */
  readonly retire: boolean;
}

function decideHeld({ token }: OwnedToken, hold: 'frozen' | 'deleted'): RetirementStep | undefined {
  if (hold === 'deleted') return { kind: 'delete', reason: 'HoldDeleted' };
  return token.permissions.length > 0 ? { kind: 'strip', reason: 'HoldFrozen' } : undefined;
}

const over = (since: number, length: number, now: number) => now >= since + length;

/** A fenced token goes only while consumers have another one that works. */
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

/** From superseded to gone: the second half of a token's life. */
function decideRetirement(
  owned: OwnedToken,
  seen: ObservedSecret,
  context: ReapingContext,
): RetirementStep | undefined {
  const { now, lifetimes } = context;
  const { superseded, fenced, quarantined } = owned.marker;
  // Fencing took AWSPREVIOUS off; it is back where somebody rolled back to the token and away again.
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
 * Decides about one owned token, from the listings and again from a fresh look right before
 * acting. The first row that fits decides; "labelled" means AWSCURRENT or pending.
 *
 * | the token is                                              | decision                   |
 * |-----------------------------------------------------------|----------------------------|
 * | in a secret on hold, `frozen`, with permissions            | strip                      |
 * | in a secret on hold, `deleted`                             | delete                     |
 * | AWSCURRENT and stripped by a person                        | nothing: held              |
 * | younger than an hour                                       | nothing                    |
 * | expired, not AWSCURRENT                                    | delete                     |
 * | in a secret that is scheduled for deletion                 | nothing                    |
 * | labelled (unless its entry was removed and is to retire)   | nothing                    |
 * | unmarked, or fenced and AWSPREVIOUS again                  | supersede, from now        |
 * | inert, superseded for an hour                              | delete, Orphan             |
 * | superseded for the grace period                            | fence                      |
 * | fenced for the grace period, another is proven AWSCURRENT  | quarantine (or delete)     |
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
  // It may be restored, and AWSPREVIOUS must then still name a token that works.
  if (seen.secret.deletedAt !== undefined) return undefined;
  const labelled = isCurrent || isPending(owned, seen);
  return labelled && !context.retire ? undefined : decideRetirement(owned, seen, context);
}

const isPending = ({ version }: OwnedToken, seen: ObservedSecret): boolean =>
  ownedPending(seen)?.version === version;
