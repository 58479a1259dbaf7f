import type { Permission } from '../../management-api/token.ts';
import type { TokenPolicy } from '../../policy/policy.ts';
import type { Finding } from '../../run/plan.ts';
import { holdOf, untilReleased } from '../../secrets-manager/hold.ts';
import { grantsHash } from '../../tokens/marker.ts';
import type { ObservedSecret, OwnedToken } from '../../tokens/observation.ts';
import { covers, isAsBefore, isSameList, stillGiven } from '../../tokens/permission-sets.ts';
import {
  currentHolder,
  hasVersion,
  isExpired,
  isInert,
  isProven,
  ownedCurrent,
  wasArmed,
} from '../../tokens/state.ts';
import { rightOn } from '../../tokens/unreadable-secrets.ts';
import { decideLeft, decidePending, isTooEarly, isUrgent } from './decide-pending.ts';
import { grantable, type IsKnown } from './permissions.ts';
import { ageOf, reasonToReplace } from './reason-to-replace.ts';
import type { RenewalAction, ReplacementReason } from './rotation-action.ts';
import type { Action, Case, Note, RotationContext } from './rotation-case.ts';

/** No fourth token is minted while three were not stored: otherwise a store that always fails would mint for ever. */
const MOST_UNSTORED = 3;

export interface Decision {
  readonly action?: RenewalAction;
  /** Why AWSCURRENT is to be replaced, also where that waits. */
  readonly reason?: ReplacementReason;
  readonly findings: readonly Finding[];
}

/** D1: what forbids every change of this secret. */
export function forbidden({ secret }: ObservedSecret): Note | undefined {
  const hold = holdOf(secret);
  if (hold) return { kind: 'Held', message: untilReleased(hold) };
  if (secret.deletedAt !== undefined) {
    return {
      kind: 'SecretDeleted',
      message: 'scheduled for deletion; restore it or remove the entry',
    };
  }
  if (secret.replica)
    return { kind: 'Replica', message: 'a replica; rotate it in its primary Region' };
  return undefined;
}

const FROZEN_WITHOUT_HOLD =
  'its token is frozen, and no hold stands; keyturn unfreeze gives its permissions back';

/** Why a person's hand keeps AWSCURRENT as it is. Undefined: nothing does. */
export function heldByPerson(owned: OwnedToken): Note | undefined {
  const { id: tokenId, permissions } = owned.token;
  const { frozen, quarantined } = owned.marker;
  // Whoever gave them back by hand has ended the freeze.
  if (permissions.length > 0) return undefined;
  if (frozen !== undefined) return { kind: 'Held', message: FROZEN_WITHOUT_HOLD, tokenId };
  if (quarantined !== undefined || !wasArmed(owned)) return undefined;
  return { kind: 'Held', message: 'a person took its permissions away', tokenId };
}

/** D2 to D5: what the state of the current token decides, whether or not it is due. */
function decideCurrent(
  owned: OwnedToken,
  { reason, context: { now } }: Case,
): Action | Note | undefined {
  const { token, marker } = owned;
  const tokenId = token.id;
  const held = heldByPerson(owned);
  if (held) return held;
  // Nothing gives life back to what has expired.
  if (isExpired(token, now)) return undefined;
  if (marker.quarantined !== undefined) {
    // A person gave back a part of what an order froze, and no run gives the rest.
    if (marker.frozen !== undefined && !isAsBefore(token, owned)) {
      return { kind: 'Held', message: FROZEN_WITHOUT_HOLD, tokenId };
    }
    // A rotation by name gives them back, too, before it does anything else.
    return reason === 'Forced' ? undefined : { kind: 'give-back', reason: 'RolledBack', tokenId };
  }
  // An orphan that a person made current is deleted; nothing arms it any more. Adoption is not this step's.
  const waits = !wasArmed(owned) && isProven(owned) && marker.superseded === undefined;
  return waits ? { kind: 'resume', reason: 'Unarmed', tokenId } : undefined;
}

/** D7: a new token for AWSCURRENT, or why none is minted. */
function decideMinting(about: Case, reason: ReplacementReason): Action | Note {
  return cannotStore(about.seen) ?? { kind: isUrgent(about) ? 'rotate' : 'mint', reason };
}

export const CANNOT_STORE = 'CannotStore';

/** Why no more tokens are minted for a secret. Undefined: nothing forbids it. */
export function cannotStore(seen: ObservedSecret): Note | undefined {
  const unstored = seen.tokens.filter((each) => isUnstored(each, seen)).length;
  if (unstored < MOST_UNSTORED) return undefined;
  const message = `${unstored} tokens were minted and not stored; no more are minted until reap has deleted them`;
  return { kind: CANNOT_STORE, message };
}

/** D9 and D11. A policy that takes away and adds is followed in two steps: this one, then a successor with less. */
function decideGrants(
  { entry, permissions }: Case,
  { token, marker }: OwnedToken,
): Action | Note | undefined {
  const has = grantsHash(token.permissions);
  const tokenId = token.id;
  const widen = { kind: 'widen', reason: 'PermissionsWidened', tokenId } as const;
  const isOurs = marker.grants === has;
  // Not what it may get now: where a database is unknown, that is what it has, also if a person took something.
  const fits =
    isSameList(entry.permissions, token.permissions) || grantsHash(entry.permissions) === has;
  // Where permissions fit and the marker does not, a server stored half of a request.
  if (fits) return isOurs ? undefined : widen;
  const given = stillGiven(token.permissions, marker.grants, { permissions });
  // Only a successor gets less; what is new is given at once, beside what the token has, also where a person added to that.
  if (given && !covers(given, permissions)) return widen;
  if (isOurs) return undefined;
  const message = 'a person changed its permissions; the next rotation follows the policy again';
  return { kind: 'PermissionsChanged', message, tokenId };
}

function decide(about: Case): Action | Note | undefined {
  const { seen, reason } = about;
  const owned = ownedCurrent(seen);
  const decided = forbidden(seen) ?? (owned && decideCurrent(owned, about));
  if (decided) return decided;
  const pending = decidePending(about);
  const kept = owned && decideKept(about, owned);
  // What a successor waits for need not keep a new permission from the token that consumers have.
  const isWidened = kept?.kind === 'widen';
  if (pending && pending !== 'waits') return pending.kind === 'arm' && isWidened ? kept : pending;
  const waits = isWidened && reason === 'PermissionsNarrowed';
  if (!pending && reason && !waits && !isTooEarly(about)) return decideMinting(about, reason);
  return kept && !('message' in kept) ? kept : (decideLeft(seen) ?? kept);
}

/** D9 to D11: what is done to an AWSCURRENT that is not replaced now. */
function decideKept(about: Case, owned: OwnedToken): Action | Note | undefined {
  const decided = decideGrants(about, owned);
  const isRefused = about.context.refused || owned.marker.refused !== undefined;
  if (!isRefused || decided?.kind === 'widen') return decided;
  return { kind: 'verify', reason: 'Refused', tokenId: owned.token.id };
}

/** What a person should know of AWSCURRENT, whatever is decided. */
function currentFindings(seen: ObservedSecret): Note[] {
  const current = currentHolder(seen);
  switch (current?.state) {
    case 'foreign': {
      const message =
        'AWSCURRENT has a token without our marker; it is left alone, also after it is replaced';
      return [{ tokenId: current.token.id, kind: 'LostMarker', message }];
    }
    case 'shared': {
      const { token, marker } = current.owned;
      const message = `AWSCURRENT has the string of ${marker.secret}; rotate it by name to give it its own`;
      return [{ tokenId: token.id, kind: 'SharedString', message }];
    }
    case 'unshown': {
      const message =
        'the cluster does not show the token that AWSCURRENT got within the last hour; after that it counts as gone';
      return [{ kind: 'NotShownYet', message }];
    }
    case 'unknown':
    case 'empty': {
      const isUnreadable = current.state === 'unknown' && current.isUnreadable === true;
      // Secrets Manager shows the value of no such secret.
      if (isUnreadable && seen.secret.deletedAt !== undefined) return [];
      const what = isUnreadable
        ? `could not be read, so nobody knows whose string it has (the log says why); ${rightOn('secretsmanager:GetSecretValue', seen.secret.name)} and the use of its key, or, if it has bytes,`
        : 'has a string that is no token of ours: a person put it there;';
      const message = `AWSCURRENT ${what} rotate it by name to replace it`;
      return [{ kind: 'UnknownVersion', message }];
    }
    default:
      return [];
  }
}

/** What the token under AWSCURRENT may do, or might before it was quarantined. */
export function givenIn(seen: ObservedSecret | undefined): readonly Permission[] {
  const holder = seen && currentHolder(seen);
  const { quarantined, was = [] } = holder?.state === 'owned' ? holder.owned.marker : {};
  return quarantined === undefined ? (ageOf(holder)?.token.permissions ?? []) : was;
}

/** The permissions of an entry's next token. */
export const permissionsOf = (
  entry: TokenPolicy,
  seen: ObservedSecret | undefined,
  isKnown: IsKnown,
): readonly Permission[] => grantable(entry, givenIn(seen), isKnown);

/**
 * Decides about one token of the policy: from the listings, and again from the secret as it is right
 * before acting. The first row that fits decides; docs/how-a-token-lives.md has the same rows (D1 to D11).
 *
 * | AWSCURRENT has                                     | AWSPENDING | decision                       |
 * |----------------------------------------------------|------------|--------------------------------|
 * | (the secret is on hold, is a replica or deleted)    | any        | nothing, reported              |
 * | `frozen`, without permissions                       | any        | nothing, reported: held        |
 * | unexpired, `quarantined` (rolled back), not forced  | any        | give-back, RolledBack          |
 * | an unexpired token that was never armed             | any        | resume, Unarmed                |
 * | a token that a person stripped                      | any        | nothing, reported: held        |
 * | due, expired, gone, refused, forced, narrowed, none | of use     | arm, wait, or resume           |
 * | the same                                            | one that lost its label by a save | the same |
 * | the same                                            | other/none | mint, or rotate if it is urgent |
 * | a token that is not due                             | forced     | resume, Pending                |
 * | a token that is not due                             | other      | detach-pending                 |
 * | not all permissions of the policy                   | none       | widen                          |
 * | `refused` (it was not seen accepted), or refused now | none      | verify, Refused                |
 * | permissions that a person changed                   | none       | nothing, reported              |
 */
export function decideRotation(
  entry: TokenPolicy,
  seen: ObservedSecret | undefined,
  context: RotationContext,
): Decision {
  const about = { token: entry.name, secret: entry.secret };
  if (!seen) {
    return { action: { kind: 'rotate', reason: 'Missing', ...about }, findings: [] };
  }
  const permissions = permissionsOf(entry, seen, context.isKnown);
  const reason = reasonToReplace(entry, permissions, seen, context);
  const findings = currentFindings(seen).map((note) => ({ ...about, ...note }));
  const decided = decide({ entry, permissions, seen, reason, context });
  const why = reason && { reason };
  if (!decided) return { ...why, findings };
  if ('message' in decided) return { ...why, findings: [...findings, { ...about, ...decided }] };
  return { ...why, action: { ...about, ...decided }, findings };
}

/** An inert token whose string is in no labelled version: its run died before storing it, or another run stored its own. */
function isUnstored(owned: OwnedToken, seen: ObservedSecret): boolean {
  const labelled = Object.values(seen.secret.labels);
  return isInert(owned) && !labelled.some((version) => hasVersion(seen, owned, version));
}
