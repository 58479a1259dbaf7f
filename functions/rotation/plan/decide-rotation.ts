import type { Permission, Token } from '../../management-api/token.ts';
import { jitterOf } from '../../policy/jitter.ts';
import type { TokenPolicy } from '../../policy/policy.ts';
import { withinWindows } from '../../policy/window.ts';
import type { Finding, Without } from '../../run/plan.ts';
import { holdOf } from '../../secrets-manager/hold.ts';
import { pendingVersion } from '../../secrets-manager/secret.ts';
import { HOUR_MS, MINUTE_MS } from '../../time.ts';
import { grantsHash } from '../../tokens/marker.ts';
import type { Holder, ObservedSecret, OwnedToken } from '../../tokens/observation.ts';
import {
  currentHolder,
  hasVersion,
  isExpired,
  isInert,
  isProven,
  isStripped,
  isUnknown,
  ownedCurrent,
  ownedPrevious,
  pendingHolder,
  strandedBySave,
  versionTime,
  wasArmed,
} from '../../tokens/state.ts';
import { tokenNamedBy } from '../../tokens/version-id.ts';
import { covers, grantable, type IsKnown } from './permissions.ts';
import type {
  RenewalAction,
  ReplacementReason,
  ResumptionReason,
  RotationAction,
} from './rotation-action.ts';

/**
 * Lambda and people repeat an invocation: a token that a forced rotation minted or promoted in this time is
 * the answer to the repetition, too. Lambda retries an asynchronous invocation twice within about three minutes.
 * https://docs.aws.amazon.com/lambda/latest/dg/invocation-async-error-handling.html
 */
const FORCE_ANSWERED_MS = 15 * MINUTE_MS;

/** No fourth token is minted while three were not stored: otherwise a store that always fails would mint for ever. */
const MOST_UNSTORED = 3;

/** For so long a version that Secrets Manager's own rotation made is left to it. */
const SECRETS_MANAGER_MS = HOUR_MS;

export interface RotationContext {
  readonly now: number;
  readonly timeZone: string;
  /** Somebody asked for this rotation by name. */
  readonly forced: boolean;
  /** How long an armed token waits until an ordinary rotation promotes it. */
  readonly settleMs: number;
  /** How long until the third run after this one, at most. */
  readonly thirdMs: number;
  readonly isKnown: IsKnown;
  /** In this run the whole data plane refused the string that nobody knows, and accepted another one. */
  readonly refused: boolean;
}

export interface Decision {
  readonly action?: RenewalAction;
  readonly findings: readonly Finding[];
}

/** Whether an action is taken because the current token is gone, or refused: the limit counts it. */
export const isBecauseGone = (
  { reason }: Pick<RotationAction, 'reason'>,
  seen: ObservedSecret | undefined,
): boolean =>
  reason === 'CurrentGone' ||
  (reason === 'Missing' && seen !== undefined && currentHolder(seen) !== undefined);

/** A version's token, and the instant from which `rotateEvery` counts: its minting, or its adoption. */
export function ageOf(
  holder: Holder | undefined,
): { readonly token: Token; readonly since: number } | undefined {
  if (holder?.state === 'foreign') return { token: holder.token, since: holder.token.createdAt };
  if (holder?.state !== 'owned') return undefined;
  const { token, marker } = holder.owned;
  return { token, since: marker.adopted ?? token.createdAt };
}

/** When `rotateEvery` counts from: of a string that nobody knows, from its version. */
export const sinceOf = (seen: ObservedSecret): number | undefined =>
  ageOf(currentHolder(seen))?.since ?? versionTime(seen, seen.secret.labels.AWSCURRENT ?? '');

/** When the rotation of an entry is due, apart from its windows. `since`: when `rotateEvery` counts from. */
export const dueAt = ({ secret, rotateEvery }: TokenPolicy, since: number): number =>
  since + rotateEvery - jitterOf(secret, rotateEvery);

/** Why AWSCURRENT is due by time, apart from windows. */
function dueByTime(
  entry: TokenPolicy,
  seen: ObservedSecret,
  now: number,
): ReplacementReason | undefined {
  const expiresAt = ageOf(currentHolder(seen))?.token.expiresAt;
  if (expiresAt !== undefined && now >= expiresAt) return 'Expired';
  if (expiresAt !== undefined && now >= expiresAt - entry.renewBefore) return 'NearExpiry';
  const since = sinceOf(seen);
  return since !== undefined && now >= dueAt(entry, since) ? 'Due' : undefined;
}

/**
 * When a rotation promoted AWSCURRENT's token over AWSPREVIOUS's, if that tells. The one that somebody rolled back
 * from is younger, and a grace period may also start long after the promotion.
 */
function promotedAt({ token }: OwnedToken, askedAt: number, seen: ObservedSecret): number {
  const previous = ownedPrevious(seen);
  const { superseded = 0 } = previous?.marker ?? {};
  const isOlder = previous !== undefined && previous.token.createdAt < token.createdAt;
  return isOlder && superseded - askedAt < HOUR_MS ? superseded : 0;
}

/** Whether a forced rotation was just done: its token was minted, or promoted, a moment ago. */
function wasJustForced(seen: ObservedSecret, now: number): boolean {
  const current = ownedCurrent(seen);
  if (!current?.marker.forced) return false;
  const askedAt = Math.max(current.token.createdAt, current.marker.asked ?? 0);
  return now - Math.max(askedAt, promotedAt(current, askedAt, seen)) < FORCE_ANSWERED_MS;
}

function narrowed(permissions: readonly Permission[], { token, marker }: OwnedToken): boolean {
  const untouched = marker.grants === grantsHash(token.permissions);
  return untouched && !covers(permissions, token.permissions);
}

/** Why AWSCURRENT is to be replaced. Undefined: it is not. */
function reasonToReplace(
  entry: TokenPolicy,
  permissions: readonly Permission[],
  seen: ObservedSecret,
  { now, forced, refused }: RotationContext,
): ReplacementReason | undefined {
  const current = currentHolder(seen);
  if (!current) return 'Missing';
  const due = dueByTime(entry, seen, now);
  if (due === 'Expired') return due;
  if (forced && !wasJustForced(seen, now)) return 'Forced';
  if (current.state === 'gone') return 'CurrentGone';
  if (isUnknown(seen, 'AWSCURRENT') && refused) return 'Missing';
  const isNarrowed = current.state === 'owned' && narrowed(permissions, current.owned);
  const why = due ?? (isNarrowed ? 'PermissionsNarrowed' : undefined);
  // What was rotated a moment ago and is due again is no answer to a person who asks for its rotation.
  return forced && why ? 'Forced' : why;
}

type Action = Without<RenewalAction, 'token' | 'secret'>;
/** Why there is no action, for people. */
type Note = Pick<Finding, 'kind' | 'message' | 'tokenId'>;

/** What is known about one entry when it is decided. */
interface Case {
  readonly entry: TokenPolicy;
  readonly permissions: readonly Permission[];
  readonly seen: ObservedSecret;
  readonly reason: ReplacementReason | undefined;
  readonly context: RotationContext;
}

/** Whether consumers cannot wait for a later run, or a person does not want to. */
function isUrgent({ seen, reason, context }: Case): boolean {
  const { now, settleMs, thirdMs } = context;
  switch (reason) {
    case 'Missing':
    case 'Expired':
    case 'CurrentGone':
    case 'Forced':
      return true;
    case 'NearExpiry':
    case 'Due':
    case 'PermissionsNarrowed': {
      // The second firing after the next one would promote it too late.
      const expiresAt = ageOf(currentHolder(seen))?.token.expiresAt;
      return expiresAt !== undefined && expiresAt < now + thirdMs + settleMs;
    }
    case undefined:
      return false;
    default:
      reason satisfies never;
      throw new Error('unknown reason');
  }
}

/** Windows hold back the promotion alone, and nothing that is near its expiry, or that a person asked for. */
const mayPromoteNow = ({ entry, reason, context }: Case): boolean =>
  reason === 'NearExpiry' || withinWindows(entry.windows, context.timeZone, context.now);

/** A version whose id is no token's id was made by Secrets Manager's own rotation, which fills and promotes it. */
function isLeftToSecretsManager({ seen, reason, context }: Case, version: string): boolean {
  const named = tokenNamedBy(version);
  const ofKeyturn = named?.certain || seen.tokens.some(({ token }) => token.id === named?.tokenId);
  if (ofKeyturn || (reason && isUrgentAnyhow(reason))) return false;
  const madeAt = versionTime(seen, version);
  return madeAt === undefined || context.now - madeAt < SECRETS_MANAGER_MS;
}

const isUrgentAnyhow = (reason: ReplacementReason) =>
  ['Missing', 'Expired', 'CurrentGone', 'Forced', 'NearExpiry'].includes(reason);

/** Whether AWSPENDING is on a token that may be promoted. */
function isUsable(
  holder: Holder | undefined,
  { now }: RotationContext,
): holder is Holder & {
  readonly state: 'owned';
} {
  if (holder?.state !== 'owned') return false;
  const { marker, token } = holder.owned;
  return !isStripped(holder.owned) && marker.frozen === undefined && !isExpired(token, now);
}

/** Whether AWSCURRENT is younger than the token that waits: then a person, or another run, was faster. */
function isOlderThanCurrent({ token }: OwnedToken, { seen }: Case): boolean {
  const current = currentHolder(seen);
  if (!current || current.state === 'gone') return false;
  const owned = current.state === 'owned' || current.state === 'foreign';
  const currentSince = owned
    ? ageOf(current)?.token.createdAt
    : versionTime(seen, seen.secret.labels.AWSCURRENT ?? '');
  return currentSince !== undefined && token.createdAt < currentSince;
}

/** P6: what is left to do for a token that waits, and whether it is done now or by a later run. */
function decideWaiting(owned: OwnedToken, about: Case): Action | undefined {
  const { permissions, reason: replace, context } = about;
  const { token, marker } = owned;
  const reason: ResumptionReason = replace ?? 'Pending';
  const tokenId = token.id;
  if (isUrgent(about) || marker.forced || context.forced) {
    return { kind: 'resume', reason, tokenId };
  }
  const isComplete =
    wasArmed(owned) &&
    marker.armed !== undefined &&
    marker.grants === grantsHash(permissions) &&
    marker.grants === grantsHash(token.permissions);
  if (!isComplete) return { kind: 'arm', reason, tokenId };
  const hasSettled = context.now >= (marker.armed ?? 0) + context.settleMs;
  return hasSettled && mayPromoteNow(about) ? { kind: 'resume', reason, tokenId } : undefined;
}

/** P7: a token that would wait, had not a person's save taken AWSPENDING off it, gets the label back and goes on. */
function decideStranded(about: Case): Action | undefined {
  const { permissions, seen, reason, context } = about;
  const owned = reason && seen.versionTimes && strandedBySave(seen);
  if (!owned || isExpired(owned.token, context.now)) return undefined;
  const given = grantsHash(owned.token.permissions);
  if (owned.marker.grants !== given || given !== grantsHash(permissions)) return undefined;
  return decideWaiting(owned, about) ?? { kind: 'arm', reason, tokenId: owned.token.id };
}

/** P2 to P7: what happens to the pending version. `waits`: nothing, and nothing is minted beside it. */
function decidePending(about: Case): Action | 'waits' | undefined {
  const { seen, reason, context } = about;
  const version = pendingVersion(seen.secret);
  if (version === undefined) return decideStranded(about);
  if (isLeftToSecretsManager(about, version)) return 'waits';
  const pending = pendingHolder(seen);
  // Another one would be shown as late as this one.
  if (pending?.state === 'unshown' && !context.forced) return 'waits';
  const detached = (why: 'PendingDead' | 'PendingOlder' | 'PendingNotDue'): Action | undefined =>
    reason ? undefined : { kind: 'detach-pending', version, reason: why };
  if (!isUsable(pending, context)) return detached('PendingDead');
  if (isOlderThanCurrent(pending.owned, about)) {
    return detached('PendingOlder');
  }
  if (!reason && !pending.owned.marker.forced) return detached('PendingNotDue');
  return decideWaiting(pending.owned, about) ?? 'waits';
}

/** D1: what forbids every change of this secret. */
export function forbidden({ secret }: ObservedSecret): Note | undefined {
  const hold = holdOf(secret);
  if (hold) return { kind: 'Held', message: `on hold (${hold}) until a person removes the hold` };
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

/** Why a person's hand keeps AWSCURRENT as it is. Undefined: nothing does. */
export function heldByPerson(owned: OwnedToken): Note | undefined {
  const tokenId = owned.token.id;
  const { frozen, quarantined } = owned.marker;
  if (frozen !== undefined) return { kind: 'Held', message: 'frozen by a person', tokenId };
  if (quarantined !== undefined || !isStripped(owned)) return undefined;
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
  if (marker.quarantined !== undefined) {
    // A rotation by name gives them back, too, before it does anything else.
    return reason === 'Forced' ? undefined : { kind: 'give-back', reason: 'RolledBack', tokenId };
  }
  // An orphan that a person made current is deleted; nothing arms it any more. Adoption is not this step's.
  const waits = !wasArmed(owned) && isProven(owned) && marker.superseded === undefined;
  return waits && !isExpired(token, now)
    ? { kind: 'resume', reason: 'Unarmed', tokenId }
    : undefined;
}

/** D7: a new token for AWSCURRENT, or why none is minted. */
function decideMinting(about: Case, reason: ReplacementReason): Action | Note {
  return cannotStore(about.seen) ?? { kind: isUrgent(about) ? 'rotate' : 'mint', reason };
}

/** Why no more tokens are minted for a secret. Undefined: nothing forbids it. */
export function cannotStore(seen: ObservedSecret): Note | undefined {
  const unstored = seen.tokens.filter((each) => isUnstored(each, seen)).length;
  if (unstored < MOST_UNSTORED) return undefined;
  const message = `${unstored} tokens were minted and not stored; no more are minted until reap has deleted them`;
  return { kind: 'CannotStore', message };
}

/** D9 and D11. A policy that takes away and adds is followed in two steps: this one, then a successor with less. */
function decideGrants(
  { permissions }: Case,
  { token, marker }: OwnedToken,
): Action | Note | undefined {
  const given = grantsHash(token.permissions);
  const tokenId = token.id;
  const fits = grantsHash(permissions) === given;
  const isOurs = marker.grants === given;
  if (!fits && !isOurs) {
    const message = 'a person changed its permissions; the next rotation follows the policy again';
    return { kind: 'PermissionsChanged', message, tokenId };
  }
  // Only a successor gets less; what is new is given at once, beside what the token has. And where permissions fit and the marker does not, a server stored half of a request.
  const isSettled = fits ? isOurs : covers(token.permissions, permissions);
  return isSettled ? undefined : { kind: 'widen', reason: 'PermissionsWidened', tokenId };
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
  const waits = isWidened && reason === 'PermissionsNarrowed' && !isUrgent(about);
  return !pending && reason && !waits ? decideMinting(about, reason) : kept;
}

/** D9 to D11: what is done to an AWSCURRENT that is not replaced now. */
function decideKept(about: Case, owned: OwnedToken): Action | Note | undefined {
  const decided = decideGrants(about, owned);
  if (owned.marker.refused === undefined || decided?.kind === 'widen') return decided;
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
      const message =
        'AWSCURRENT has a string that is no token of ours: a person put it there; rotate it by name to replace it';
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
 * | `frozen`                                            | any        | nothing, reported: held        |
 * | `quarantined` (somebody rolled back), not forced    | any        | give-back, RolledBack          |
 * | an unexpired token that was never armed             | any        | resume, Unarmed                |
 * | a token that a person stripped                      | any        | nothing, reported: held        |
 * | due, expired, gone, refused, forced, narrowed, none | of use     | arm, wait, or resume           |
 * | the same                                            | one that lost its label by a save | the same |
 * | the same                                            | other/none | mint, or rotate if it is urgent |
 * | a token that is not due                             | forced     | resume, Pending                |
 * | a token that is not due                             | other      | detach-pending                 |
 * | not all permissions of the policy                   | none       | widen                          |
 * | `refused` (the cluster did not accept it in time)   | none       | verify, Refused                |
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
  if (!decided) return { findings };
  if ('message' in decided) return { findings: [...findings, { ...about, ...decided }] };
  return { action: { ...about, ...decided }, findings };
}

/** An inert token whose string is in no labelled version: its run died before storing it, or another run stored its own. */
function isUnstored(owned: OwnedToken, seen: ObservedSecret): boolean {
  const labelled = Object.values(seen.secret.labels);
  return isInert(owned) && !labelled.some((version) => hasVersion(seen, owned, version));
}
