import type { TokenPolicy } from '../../policy/policy.ts';
import { waitForWindows } from '../../policy/spare.ts';
import { nextWithin } from '../../policy/window.ts';
import { pendingVersion } from '../../secrets-manager/secret.ts';
import { HOUR_MS } from '../../time.ts';
import { grantsHash } from '../../tokens/marker.ts';
import type { Holder, ObservedSecret, OwnedToken } from '../../tokens/observation.ts';
import { isUnproven } from '../../tokens/proof.ts';
import {
  currentHolder,
  isExpired,
  isStripped,
  ownedCurrent,
  pendingHolder,
  strandedBySave,
  versionTime,
} from '../../tokens/state.ts';
import { tokenNamedBy } from '../../tokens/version-id.ts';
import { ageOf, expiryOf, renewalLead } from './reason-to-replace.ts';
import type { ReplacementReason, ResumptionReason } from './rotation-action.ts';
import type { Action, Case, RotationContext } from './rotation-case.ts';

/** For so long a version that Secrets Manager's own rotation made is left to it. */
const SECRETS_MANAGER_MS = HOUR_MS;

type Pace = Pick<RotationContext, 'settleMs' | 'nextMs' | 'thirdMs'>;

/** With less than this left a token cannot wait: the second firing after the next one would replace it too late, or the next one for its grace period. */
const urgentMs = ({ gracePeriod }: TokenPolicy, { settleMs, nextMs, thirdMs }: Pace): number =>
  Math.max(thirdMs, nextMs + gracePeriod) + settleMs;

const endOfCurrent = ({ seen }: Case): number =>
  expiryOf(currentHolder(seen)) ?? Number.POSITIVE_INFINITY;

/** The first instant at which AWSCURRENT has so little left. */
const urgentFrom = (about: Case): number =>
  endOfCurrent(about) - urgentMs(about.entry, about.context) + 1;

/** Whether consumers cannot wait for a later run, or a person does not want to. */
export function isUrgent(about: Case): boolean {
  const { reason, context } = about;
  switch (reason) {
    case 'Missing':
    case 'Expired':
    case 'CurrentGone':
    case 'Forced':
      return true;
    case 'NearExpiry':
    case 'Due':
    case 'PermissionsNarrowed':
    case 'PermissionsWidened':
      return context.now >= urgentFrom(about);
    case undefined:
      return false;
    default:
      reason satisfies never;
      throw new Error('unknown reason');
  }
}

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

/**
 * Whether AWSCURRENT is younger than the token that waits: then a person, or another run, was faster. Tokens are
 * compared by the cluster's clock; with a string that nobody knows, the versions by that of Secrets Manager.
 */
function isOlderThanCurrent({ token }: OwnedToken, version: string, { seen }: Case): boolean {
  const current = currentHolder(seen);
  if (!current || current.state === 'gone') return false;
  const currentSince = ageOf(current)?.token.createdAt;
  if (currentSince !== undefined) return token.createdAt < currentSince;
  const putAt = versionTime(seen, version);
  const currentPutAt = versionTime(seen, seen.secret.labels.AWSCURRENT ?? '');
  return putAt !== undefined && currentPutAt !== undefined && putAt < currentPutAt;
}

function waitsForProof(seen: ObservedSecret | undefined): boolean {
  const current = seen && ownedCurrent(seen);
  return current !== undefined && isUnproven(current.marker);
}

/**
 * Until when an armed token waits at most. What was taken over and never proven can be proven as long as it is AWSCURRENT, and
 * nothing retires it otherwise: so its successor waits for the proof, but not for one that always fails, nor until it is itself urgent
 * to replace.
 */
function waitsUntil(
  {
    at,
    expiresAt = Number.POSITIVE_INFINITY,
  }: { readonly at: number; readonly expiresAt?: number | undefined },
  entry: TokenPolicy,
  seen: ObservedSecret | undefined,
  pace: Pace,
): number {
  const settled = at + pace.settleMs;
  if (!waitsForProof(seen)) return settled;
  return Math.max(settled, Math.min(settled + pace.thirdMs, expiresAt - urgentMs(entry, pace)));
}

/** Whether the windows hold this rotation back: nothing that is near its expiry, or that a person asked for. */
const waitsForWindow = (about: Case): boolean =>
  about.entry.windows.length > 0 && !isUrgent(about) && about.reason !== 'NearExpiry';

/** From when on a run may promote a token that is ready then. */
const promotableFrom = (about: Case, readyAt: number): number =>
  waitsForWindow(about)
    ? nextWithin(about.entry.windows, about.context.timeZone, readyAt)
    : readyAt;

/** How long one that is minted now waits at least; a firing promotes it, which may come long after the wait for a proof is over. */
const leastWaitMs = ({ seen, context: { nextMs, settleMs, thirdMs } }: Case): number =>
  Math.max(nextMs, settleMs + (waitsForProof(seen) ? thirdMs : 0));

/** With less than this left, a token that waits gives way; the firing that promotes one may come a gap after it became urgent to replace. */
const spentMs = ({ entry, context }: Case): number => urgentMs(entry, context) - context.nextMs;

/**
 * Whether tokens of the policy live so long that one which is minted in time need not give way when it is promoted. The last run that is
 * in time for a window may be a gap earlier than need be, and the one that promotes a gap after the window opens.
 */
function canLast(about: Case): boolean {
  const { expiresAfter = Number.POSITIVE_INFINITY } = about.entry;
  const aroundWindowMs = waitsForWindow(about) ? 2 * about.context.nextMs : 0;
  return expiresAfter >= leastWaitMs(about) + aroundWindowMs + spentMs(about);
}

/** Whether consumers have what works for longer than that, so that they lose nothing by waiting for another one. */
function isOutlived(until: number, about: Case): boolean {
  const { reason } = about;
  if (reason === 'Missing' || reason === 'Expired' || reason === 'CurrentGone') return false;
  return endOfCurrent(about) > until;
}

/**
 * Whether a token waited for so long that one which is minted now serves consumers longer. The new one may have to wait, too, also
 * where it is urgent and routers learn of it late; and it must not give way in its turn, or tokens were minted for ever.
 */
function isSpent({ token: { expiresAt } }: OwnedToken, about: Case): boolean {
  if (expiresAt === undefined) return false;
  const { entry, seen, context } = about;
  if (expiresAt >= context.now + urgentMs(entry, context)) return false;
  if (isOutlived(expiresAt, about)) {
    const neededUntil = canLast(about)
      ? promotableFrom(about, context.now) + spentMs(about)
      : context.now + context.nextMs + context.settleMs;
    if (expiresAt < neededUntil) return true;
  }
  const { expiresAfter = Number.POSITIVE_INFINITY } = entry;
  const proofMs = waitsForProof(seen) ? context.thirdMs : 0;
  const windowMs = waitsForWindow(about) ? waitForWindows(entry) : 0;
  const left = expiresAt - context.now;
  return left < expiresAfter - (context.settleMs + context.thirdMs + proofMs + windowMs);
}

/**
 * Whether a token that is minted now would be urgent to replace, or due, when its window opens, while what consumers have outlives it, and
 * another run comes that is in time for that window.
 */
export function isTooEarly(about: Case): boolean {
  const { entry, context } = about;
  if (entry.expiresAfter === undefined || !waitsForWindow(about) || !canLast(about)) return false;
  const expiresAt = context.now + entry.expiresAfter;
  // Of nearly every token this is all: where its windows are is dear to know.
  if (!isOutlived(expiresAt, about)) return false;
  const readyAt = context.now + leastWaitMs(about);
  const from = promotableFrom(about, readyAt);
  const isLastInTime = readyAt + context.nextMs > from;
  const leftMs = Math.max(urgentMs(entry, context), renewalLead(entry, context));
  return !isLastInTime && expiresAt < from + leftMs;
}

/** A token that waits to be promoted. */
export interface Waiting {
  readonly tokenId: string;
  /** When it was armed, or can be at the earliest. */
  readonly at: number;
  readonly expiresAt?: number | undefined;
  /** Somebody asked for its rotation. */
  readonly forced: boolean;
}

/** What the policy gives, or gave meanwhile, is missing: it is armed anew before it is promoted. */
const isComplete = ({ token, marker }: OwnedToken, { permissions }: Case): boolean =>
  marker.armed !== undefined &&
  marker.grants === grantsHash(permissions) &&
  marker.grants === grantsHash(token.permissions);

export const waitingAs = (owned: OwnedToken, about: Case): Waiting => ({
  tokenId: owned.token.id,
  at: (isComplete(owned, about) ? owned.marker.armed : undefined) ?? about.context.now,
  expiresAt: owned.token.expiresAt,
  forced: owned.marker.forced === true,
});

/** Whether neither its settling nor a window is waited for. */
const cannotWait = ({ forced }: Waiting, about: Case): boolean =>
  forced || about.context.forced || isUrgent(about);

/** From when on a run promotes what waits, if nothing changes until then. */
export function promotedFrom(waiting: Waiting, about: Case): number {
  if (cannotWait(waiting, about)) return waiting.at;
  const { entry, seen, context } = about;
  const readyAt = Math.max(waitsUntil(waiting, entry, seen, context), context.now);
  // Windows hold back the promotion alone, and nothing that is near its expiry.
  const nearFrom = Math.max(readyAt, endOfCurrent(about) - renewalLead(entry, context));
  const from = Math.min(nextWithin(entry.windows, context.timeZone, readyAt), nearFrom);
  return Math.min(from, Math.max(context.now, urgentFrom(about)));
}

/** P6: what is left to do for a token that waits, and whether it is done now or by a later run. */
function decideWaiting(owned: OwnedToken, about: Case): Action | undefined {
  const reason: ResumptionReason = about.reason ?? 'Pending';
  const waiting = waitingAs(owned, about);
  const { tokenId } = waiting;
  if (cannotWait(waiting, about)) return { kind: 'resume', reason, tokenId };
  if (!isComplete(owned, about)) return { kind: 'arm', reason, tokenId };
  const isReady = promotedFrom(waiting, about) <= about.context.now;
  return isReady ? { kind: 'resume', reason, tokenId } : undefined;
}

/** P7: a token that would wait, had not a person's save taken AWSPENDING off it, gets the label back and goes on. */
function decideStranded(about: Case): Action | undefined {
  const { permissions, seen, reason, context } = about;
  const owned = reason && seen.versionTimes && strandedBySave(seen);
  if (!owned || isExpired(owned.token, context.now) || isSpent(owned, about)) return undefined;
  const given = grantsHash(owned.token.permissions);
  if (owned.marker.grants !== given || given !== grantsHash(permissions)) return undefined;
  return decideWaiting(owned, about) ?? { kind: 'arm', reason, tokenId: owned.token.id };
}

/** P2 to P7: what happens to the pending version. `waits`: nothing, and nothing is minted beside it. */
export function decidePending(about: Case): Action | 'waits' | undefined {
  const { seen, reason, context } = about;
  const version = pendingVersion(seen.secret);
  if (version === undefined) return decideStranded(about);
  if (isLeftToSecretsManager(about, version)) return 'waits';
  const pending = pendingHolder(seen);
  // Another one would be shown as late as this one.
  if (pending?.state === 'unshown' && !context.forced) return 'waits';
  // Where another one is minted, that takes the label.
  const isReplaced = reason && !isTooEarly(about);
  const detached = (why: 'PendingDead' | 'PendingOlder' | 'PendingNotDue'): Action | undefined =>
    isReplaced ? undefined : { kind: 'detach-pending', version, reason: why };
  if (!isUsable(pending, context)) return detached('PendingDead');
  if (isOlderThanCurrent(pending.owned, version, about)) return detached('PendingOlder');
  if (isSpent(pending.owned, about)) return detached('PendingDead');
  if (!reason && !pending.owned.marker.forced) return detached('PendingNotDue');
  return decideWaiting(pending.owned, about) ?? 'waits';
}

/**
 * P1: AWSPENDING stayed on the version that somebody rolled back from. Nothing promotes that again, but while it has the
 * label, Secrets Manager refuses its own rotation.
 */
export function decideLeft({ secret: { labels } }: ObservedSecret): Action | undefined {
  const { AWSPENDING: version, AWSPREVIOUS, AWSCURRENT } = labels;
  const isLeft = version !== undefined && version === AWSPREVIOUS && version !== AWSCURRENT;
  return isLeft ? { kind: 'detach-pending', version, reason: 'PendingDead' } : undefined;
}
