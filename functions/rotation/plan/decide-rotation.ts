import type { Permission, Token } from '../../management-api/token.ts';
import { jitterOf } from '../../policy/jitter.ts';
import type { TokenPolicy } from '../../policy/policy.ts';
import { withinWindows } from '../../policy/window.ts';
import type { Finding, Without } from '../../run/plan.ts';
import { holdOf } from '../../secrets-manager/secret.ts';
import { grantsHash } from '../../tokens/marker.ts';
import type { Holder, ObservedSecret, OwnedToken } from '../../tokens/observation.ts';
import {
  currentHolder,
  isExpired,
  isInert,
  isStripped,
  ownedCurrent,
  pendingHolder,
} from '../../tokens/state.ts';
import type { RenewalAction, ReplacementReason } from './rotation-action.ts';

/** Lambda and people repeat an invocation; a forced rotation this fresh answers the repetition. */
const FORCE_ANSWERED_MS = 15 * 60_000;

/** A secret gets no fourth token while three wait to be stored: a put that always fails must not mint for ever. */
const MOST_UNSTORED = 3;

export interface RotationContext {
  readonly now: number;
  readonly timeZone: string;
  /** Somebody asked for this rotation by name. */
  readonly forced: boolean;
}

export interface Decision {
  readonly action?: RenewalAction;
  readonly findings: readonly Finding[];
}

/** Whether `wanted` grants everything that `given` does. */
function covers(wanted: readonly Permission[], given: readonly Permission[]): boolean {
  const keys = new Set(wanted.map((each) => `${each.action} ${each.resource}`));
  return given.every((each) => keys.has(`${each.action} ${each.resource}`));
}

type Held = Exclude<Holder, { state: 'gone' }>;

/** The token that a version holds, and since when its `rotateEvery` counts: its minting, or its adoption. */
export function ageOf(holder: Held): { readonly token: Token; readonly since: number } {
  if (holder.state === 'foreign') return { token: holder.token, since: holder.token.createdAt };
  const { token, marker } = holder.owned;
  return { token, since: marker.adopted ?? token.createdAt };
}

function dueByTime(
  entry: TokenPolicy,
  holder: Held,
  { now, timeZone }: RotationContext,
): ReplacementReason | undefined {
  const { token, since } = ageOf(holder);
  if (isExpired(token, now)) return 'Expired';
  // Near expiry no window is waited for: better at noon than not at all.
  if (token.expiresAt !== undefined && now >= token.expiresAt - entry.renewBefore)
    return 'NearExpiry';
  const dueAt = since + entry.rotateEvery - jitterOf(entry.secret, entry.rotateEvery);
  return now >= dueAt && withinWindows(entry.windows, timeZone, now) ? 'Due' : undefined;
}

function forcedBy({ token, marker }: OwnedToken, { forced, now }: RotationContext): boolean {
  return forced && !(marker.forced && now - token.createdAt < FORCE_ANSWERED_MS);
}

function narrowed(entry: TokenPolicy, { token, marker }: OwnedToken): boolean {
  const untouched = marker.grants === grantsHash(token.permissions);
  return untouched && !covers(entry.permissions, token.permissions);
}

/** Why AWSCURRENT needs a successor; undefined while it does not. */
function reasonToReplace(
  entry: TokenPolicy,
  seen: ObservedSecret,
  context: RotationContext,
): ReplacementReason | undefined {
  const current = currentHolder(seen);
  if (!current) return 'Missing';
  if (current.state === 'gone') return context.forced ? 'Forced' : 'CurrentGone';
  const reason = dueByTime(entry, current, context);
  if (reason) return reason;
  if (current.state === 'foreign') return context.forced ? 'Forced' : undefined;
  if (forcedBy(current.owned, context)) return 'Forced';
  return narrowed(entry, current.owned) ? 'PermissionsNarrowed' : undefined;
}

type Action = Without<RenewalAction, 'token' | 'secret'>;
/** Why there is no action, for people. */
type Note = Pick<Finding, 'kind' | 'message' | 'tokenId'>;

/** What is to be done with a version that waits to be promoted. */
function decidePending(
  seen: ObservedSecret,
  replace: ReplacementReason | undefined,
  now: number,
): Action | undefined {
  const pending = pendingHolder(seen);
  if (!pending) return undefined;
  if (pending.state !== 'owned' || isStripped(pending.owned) || isExpired(pending.owned.token, now))
    return replace ? undefined : { kind: 'detach-pending', reason: 'PendingDead' };
  const { token, marker } = pending.owned;
  if (replace || marker.forced)
    return { kind: 'resume', reason: replace ?? 'Pending', tokenId: token.id };
  return { kind: 'detach-pending', reason: 'PendingNotDue' };
}

/** What forbids every change of this secret. */
function forbidden({ secret }: ObservedSecret): Note | undefined {
  const hold = holdOf(secret);
  if (hold) return { kind: 'Held', message: `on hold (${hold}) until a person lifts it` };
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

/** What the state of the current token alone decides, before anybody asks whether it is due. */
function decideCurrent(owned: OwnedToken, now: number): Action | Note | undefined {
  const { token, marker } = owned;
  const tokenId = token.id;
  if (marker.fp === undefined && !isExpired(token, now)) {
    return { kind: 'resume', reason: 'Unarmed', tokenId };
  }
  if (marker.frozen !== undefined) return { kind: 'Held', message: 'frozen by a person', tokenId };
  if (marker.quarantined !== undefined) return { kind: 'give-back', reason: 'RolledBack', tokenId };
  if (!isStripped(owned)) return undefined;
  return { kind: 'Held', message: 'a person took its permissions away', tokenId };
}

/** A successor for AWSCURRENT, or why there can be none. */
function decideMinting(seen: ObservedSecret, reason: ReplacementReason): Action | Note {
  const unstored = seen.tokens.filter((each) => isUnstored(each, seen)).length;
  if (unstored < MOST_UNSTORED) return { kind: 'rotate', reason };
  const message = `${unstored} tokens were minted and not stored; no more until they are reaped`;
  return { kind: 'CannotStore', message };
}

function decideGrants(
  entry: TokenPolicy,
  { token, marker }: OwnedToken,
): Action | Note | undefined {
  const given = grantsHash(token.permissions);
  const tokenId = token.id;
  if (grantsHash(entry.permissions) === given) return undefined;
  if (marker.grants === given) return { kind: 'widen', reason: 'PermissionsWidened', tokenId };
  const message = 'a person changed its permissions; the next rotation brings the policy’s';
  return { kind: 'PermissionsChanged', message, tokenId };
}

function decide(
  entry: TokenPolicy,
  seen: ObservedSecret,
  context: RotationContext,
): Action | Note | undefined {
  const owned = ownedCurrent(seen);
  const decided = forbidden(seen) ?? (owned && decideCurrent(owned, context.now));
  if (decided) return decided;
  const replace = reasonToReplace(entry, seen, context);
  const pending = decidePending(seen, replace, context.now);
  if (pending) return pending;
  if (replace) return decideMinting(seen, replace);
  return owned && decideGrants(entry, owned);
}

/**
 * Decides about one token of the policy, from the listings and again from a fresh look at the
 * secret right before acting. The first row that fits decides.
 *
 * | AWSCURRENT holds                                   | AWSPENDING | decision                       |
 * |----------------------------------------------------|------------|--------------------------------|
 * | (the secret bears a hold, is a replica or deleted)  | any        | nothing, reported              |
 * | an unexpired token without `fp` (a first version)   | any        | resume, Unarmed                |
 * | `frozen`, or stripped by a person                   | any        | nothing, reported: held        |
 * | `quarantined` (somebody rolled back)                | any        | give-back, RolledBack          |
 * | due, expired, gone, forced, narrowed, or nothing    | alive      | resume                         |
 * | the same                                            | dead, none | rotate                         |
 * | a token that is not due                             | forced     | resume, Pending                |
 * | a token that is not due                             | other      | detach-pending                 |
 * | grants fewer than the policy                        | none       | widen                          |
 * | grants that a person changed                        | none       | nothing, reported              |
 */
export function decideRotation(
  entry: TokenPolicy,
  seen: ObservedSecret | undefined,
  context: RotationContext,
): Decision {
  const about = { token: entry.name, secret: entry.secret };
  if (!seen) return { action: { kind: 'rotate', reason: 'Missing', ...about }, findings: [] };
  const findings: Finding[] = [];
  const current = currentHolder(seen);
  if (current?.state === 'foreign') {
    const message =
      'AWSCURRENT holds a token without our marker, which is left alone when replaced';
    findings.push({ ...about, tokenId: current.token.id, kind: 'LostMarker', message });
  }
  const decided = decide(entry, seen, context);
  if (!decided) return { findings };
  if ('message' in decided) return { findings: [...findings, { ...about, ...decided }] };
  return { action: { ...about, ...decided }, findings };
}

/** An inert token that no labelled version holds: its run died between minting and storing, or another run's put won. */
function isUnstored(owned: OwnedToken, { secret }: ObservedSecret): boolean {
  return isInert(owned) && !Object.values(secret.labels).includes(owned.version);
}
