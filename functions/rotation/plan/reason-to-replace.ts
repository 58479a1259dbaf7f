import type { Permission, Token } from '../../management-api/token.ts';
import { HIGHEST_JITTER, jitterOf } from '../../policy/jitter.ts';
import type { Lifetimes, TokenPolicy } from '../../policy/policy.ts';
import { spareOf } from '../../policy/spare.ts';
import { MINUTE_MS } from '../../time.ts';
import { grantsHash } from '../../tokens/marker.ts';
import type { Holder, ObservedSecret, OwnedToken } from '../../tokens/observation.ts';
import { covers } from '../../tokens/permission-sets.ts';
import { currentHolder, isUnknown, ownedCurrent, versionTime } from '../../tokens/state.ts';
import type { ReplacementReason, RotationAction } from './rotation-action.ts';
import type { RotationContext } from './rotation-case.ts';

/**
 * Lambda and people repeat an invocation: a token that a forced rotation minted or promoted in this time is
 * the answer to the repetition, too. Lambda retries an asynchronous invocation twice within about three minutes.
 * https://docs.aws.amazon.com/lambda/latest/dg/invocation-async-error-handling.html
 */
const FORCE_ANSWERED_MS = 15 * MINUTE_MS;

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
  if (holder?.state === 'foreign') {
    const { token, adoptedAt = token.createdAt } = holder;
    return { token, since: adoptedAt };
  }
  if (holder?.state !== 'owned') return undefined;
  const { token, marker } = holder.owned;
  return { token, since: marker.adopted ?? token.createdAt };
}

/** When the string under a label ends. One that a person pasted from another secret of ours ends with that one's token. */
export const expiryOf = (holder: Holder | undefined): number | undefined =>
  holder?.state === 'shared' ? holder.owned.token.expiresAt : ageOf(holder)?.token.expiresAt;

/** When `rotateEvery` counts from: of a string that nobody knows, from its version. */
export const sinceOf = (seen: ObservedSecret): number | undefined =>
  ageOf(currentHolder(seen))?.since ?? versionTime(seen, seen.secret.labels.AWSCURRENT ?? '');

/** When the rotation of an entry is due, apart from its windows. `since`: when `rotateEvery` counts from. */
export const dueAt = ({ secret, rotateEvery }: TokenPolicy, since: number): number =>
  since + rotateEvery - jitterOf(secret, rotateEvery);

/** Before that no jitter makes it due: most are younger, and need no hash. */
const earliestDue = ({ rotateEvery }: TokenPolicy, since: number): number =>
  since + rotateEvery - Math.ceil(HIGHEST_JITTER * rotateEvery);

/**
 * How much of its life is left to a token that is replaced at any age: `renewBefore`, or, where that is longer, what its
 * grace period and three runs need, of which one may fail. It is never longer than what the policy leaves to its own
 * tokens when they are due: otherwise those that live briefly would be replaced in every run.
 */
export const renewalLead = (
  entry: Lifetimes,
  { thirdMs, settleMs }: Pick<RotationContext, 'thirdMs' | 'settleMs'>,
): number =>
  Math.max(entry.renewBefore, Math.min(entry.gracePeriod + thirdMs + settleMs, spareOf(entry)));

/** Why AWSCURRENT is due by time, apart from windows. */
function dueByTime(
  entry: TokenPolicy,
  seen: ObservedSecret,
  context: RotationContext,
): ReplacementReason | undefined {
  const { now } = context;
  const expiresAt = expiryOf(currentHolder(seen));
  if (expiresAt !== undefined && now >= expiresAt) return 'Expired';
  if (expiresAt !== undefined && now >= expiresAt - renewalLead(entry, context))
    return 'NearExpiry';
  const since = sinceOf(seen);
  if (since === undefined || now < earliestDue(entry, since)) return undefined;
  return now >= dueAt(entry, since) ? 'Due' : undefined;
}

/** Whether a forced rotation was just done: its token was minted, or promoted, a moment ago. */
function wasJustForced(seen: ObservedSecret, now: number): boolean {
  const current = ownedCurrent(seen);
  if (!current?.marker.forced) return false;
  const { asked = 0, promoted = 0 } = current.marker;
  return now - Math.max(current.token.createdAt, asked, promoted) < FORCE_ANSWERED_MS;
}

function narrowed(permissions: readonly Permission[], { token, marker }: OwnedToken): boolean {
  return !covers(permissions, token.permissions) && marker.grants === grantsHash(token.permissions);
}

/** A token that is not ours, because its marker is lost, is given nothing; its successor gets what it lacks. */
function reasonByGrants(
  permissions: readonly Permission[],
  current: Holder,
): ReplacementReason | undefined {
  if (current.state === 'owned') {
    return narrowed(permissions, current.owned) ? 'PermissionsNarrowed' : undefined;
  }
  const has = current.state === 'foreign' ? current.token.permissions : [];
  return has.length > 0 && !covers(has, permissions) ? 'PermissionsWidened' : undefined;
}

/** Why AWSCURRENT is to be replaced. Undefined: it is not. */
export function reasonToReplace(
  entry: TokenPolicy,
  permissions: readonly Permission[],
  seen: ObservedSecret,
  context: RotationContext,
): ReplacementReason | undefined {
  const { now, forced, refused } = context;
  const current = currentHolder(seen);
  if (!current) return 'Missing';
  const due = dueByTime(entry, seen, context);
  if (due === 'Expired') return due;
  if (forced && !wasJustForced(seen, now)) return 'Forced';
  if (current.state === 'gone') return 'CurrentGone';
  if (isUnknown(seen, 'AWSCURRENT') && refused) return 'Missing';
  const why = due ?? reasonByGrants(permissions, current);
  // What was rotated a moment ago and is due again is no answer to a person who asks for its rotation.
  return forced && why ? 'Forced' : why;
}
