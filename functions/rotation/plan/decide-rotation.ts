import type { Permission, Token } from '../../management-api/token.ts';
import { jitterOf } from '../../policy/jitter.ts';
import type { TokenPolicy } from '../../policy/policy.ts';
import { withinWindows } from '../../policy/window.ts';
import type { Finding, Without } from '../../run/plan.ts';
import { holdOf, pendingVersion } from '../../secrets-manager/secret.ts';
import { MINUTE_MS } from '../../time.ts';
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

/**
 * Lambda and people repeat an invocation: a token that a forced rotation minted in this time is the answer to
 * the repetition, too. Lambda retries an asynchronous invocation twice within about three minutes.
 * https://docs.aws.amazon.com/lambda/latest/dg/invocation-async-error-handling.html
 */
const FORCE_ANSWERED_MS = 15 * MINUTE_MS;

/** No fourth token is minted while three were not stored: otherwise a store that always fails would mint for ever. */
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

/** Whether `declared` contains every permission of `given`. */
function covers(declared: readonly Permission[], given: readonly Permission[]): boolean {
  const keys = new Set(declared.map((each) => `${each.action} ${each.resource}`));
  return given.every((each) => keys.has(`${each.action} ${each.resource}`));
}

type Held = Exclude<Holder, { state: 'gone' }>;

/** A version's token, and the instant from which `rotateEvery` counts: its minting, or its adoption. */
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
  // Near its expiry a token does not wait for a window.
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

/** Why AWSCURRENT is due. Undefined: it is not. */
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

/** P3 to P6: what happens to the pending version. */
function decidePending(
  seen: ObservedSecret,
  replace: ReplacementReason | undefined,
  now: number,
): Action | undefined {
  const pending = pendingHolder(seen);
  const version = pendingVersion(seen.secret);
  if (!pending || version === undefined) return undefined;
  if (pending.state !== 'owned' || isStripped(pending.owned) || isExpired(pending.owned.token, now))
    return replace ? undefined : { kind: 'detach-pending', version, reason: 'PendingDead' };
  const { token, marker } = pending.owned;
  if (replace || marker.forced)
    return { kind: 'resume', reason: replace ?? 'Pending', tokenId: token.id };
  return { kind: 'detach-pending', version, reason: 'PendingNotDue' };
}

/** D1: what forbids every change of this secret. */
function forbidden({ secret }: ObservedSecret): Note | undefined {
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

/** D2 to D5: what the state of the current token decides, whether or not it is due. */
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

/** D7: a new token for AWSCURRENT, or why none is minted. */
function decideMinting(seen: ObservedSecret, reason: ReplacementReason): Action | Note {
  const unstored = seen.tokens.filter((each) => isUnstored(each, seen)).length;
  if (unstored < MOST_UNSTORED) return { kind: 'rotate', reason };
  const message = `${unstored} tokens were minted and not stored; no more are minted until reap has deleted them`;
  return { kind: 'CannotStore', message };
}

/** D9 and D10. */
function decideGrants(
  entry: TokenPolicy,
  { token, marker }: OwnedToken,
): Action | Note | undefined {
  const given = grantsHash(token.permissions);
  const tokenId = token.id;
  if (grantsHash(entry.permissions) === given) return undefined;
  if (marker.grants === given) return { kind: 'widen', reason: 'PermissionsWidened', tokenId };
  const message = 'a person changed its permissions; the next rotation follows the policy again';
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
 * Decides about one token of the policy: from the listings, and again from the secret as it is right
 * before acting. The first row that fits decides; docs/how-a-token-lives.md has the same rows (D1 to D10).
 *
 * | AWSCURRENT has                                     | AWSPENDING | decision                       |
 * |----------------------------------------------------|------------|--------------------------------|
 * | (the secret is on hold, is a replica or deleted)    | any        | nothing, reported              |
 * | an unexpired token without `fp` (a first version)   | any        | resume, Unarmed                |
 * | `frozen`, or stripped by a person                   | any        | nothing, reported: held        |
 * | `quarantined` (somebody rolled back)                | any        | give-back, RolledBack          |
 * | due, expired, gone, forced, narrowed, or nothing    | of use     | resume                         |
 * | the same                                            | other/none | rotate                         |
 * | a token that is not due                             | forced     | resume, Pending                |
 * | a token that is not due                             | other      | detach-pending                 |
 * | fewer permissions than the policy                   | none       | widen                          |
 * | permissions that a person changed                   | none       | nothing, reported              |
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
      'AWSCURRENT has a token without our marker; it is left alone, also after it is replaced';
    findings.push({ ...about, tokenId: current.token.id, kind: 'LostMarker', message });
  }
  const decided = decide(entry, seen, context);
  if (!decided) return { findings };
  if ('message' in decided) return { findings: [...findings, { ...about, ...decided }] };
  return { action: { ...about, ...decided }, findings };
}

/** An inert token whose string is in no labelled version: its run died before storing it, or another run stored its own. */
function isUnstored(owned: OwnedToken, { secret }: ObservedSecret): boolean {
  return isInert(owned) && !Object.values(secret.labels).includes(owned.version);
}
