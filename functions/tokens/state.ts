import type { Token } from '../management-api/token.ts';
import type { Lifetimes } from '../policy/policy.ts';
import { LIFTED_TAG } from '../secrets-manager/hold.ts';
import {
  CLUSTER_TAG,
  MOVED_TAG,
  PREVIOUS_ONLY,
  pendingVersion,
} from '../secrets-manager/secret.ts';
import { DAY_MS } from '../time.ts';
import type { Marker } from './marker.ts';
import type { Holder, ObservedSecret, OwnedToken } from './observation.ts';
import { isUnproven } from './proof.ts';
import { tokenNamedBy, versionIdOf } from './version-id.ts';

/** The state of a token, as people read it; docs/how-a-token-lives.md explains them (S1 to S8). */
export type TokenState =
  | 'revoked'
  | 'expired'
  | 'frozen'
  | 'quarantined'
  | 'inert'
  | 'superseded'
  | 'pending'
  | 'current'
  /** It has no permissions, and no marker says why. */
  | 'stripped'
  /** It works; its version has no label that matters, or AWS was not asked. */
  | 'live';

type Marked = Pick<OwnedToken, 'token' | 'marker'>;

/** Whether a token is past its expiry by the Management API's time `now`. Without `expiresAt` it never is. */
export const isExpired = ({ expiresAt }: Token, now: number) =>
  expiresAt !== undefined && expiresAt <= now;

/** Whether somebody who has its string can do something with it. */
export const works = (token: Token, now: number) =>
  token.revokedAt === undefined && token.permissions.length > 0 && !isExpired(token, now);

/** It was armed at some time. Secrets Manager's own rotation writes `fp` before that, so `fp` does not tell. */
export const wasArmed = ({ marker }: Pick<Marked, 'marker'>) => marker.grants !== undefined;

/** Since when it may do something, as far as is known. `refused` of the same instant is asked about, and is no outage. */
export const armedSince = ({ token, marker }: Marked): number => marker.armed ?? token.createdAt;

/**
 * Whether consumers have had a token, as far as its marker tells, unlike the loser of two rotations. What Keyturn 0.1 armed
 * bears no mark of that.
 */
export function wasCurrent({ marker }: Pick<Marked, 'marker'>): boolean {
  const { promoted, adopted, armed } = marker;
  const isOld = wasArmed({ marker }) && armed === undefined;
  return promoted !== undefined || adopted !== undefined || isOld;
}

/** It works: it got permissions after its string was stored, and still has some. */
export const isArmed = (marked: Marked) =>
  marked.marker.fp !== undefined && wasArmed(marked) && marked.token.permissions.length > 0;

/** Minted and never armed: it can do nothing. */
export const isInert = (marked: Marked) =>
  !wasArmed(marked) && marked.token.permissions.length === 0;

/** Its permissions were taken away after it was armed. */
export const isStripped = (marked: Marked) =>
  wasArmed(marked) && marked.token.permissions.length === 0;

/** A freeze took its permissions. Whoever gave it permissions again has ended that. */
export const isFrozen = ({ token, marker }: Marked): boolean =>
  marker.frozen !== undefined && token.permissions.length === 0;

/** What is known of a token. No marker: it is foreign. No label: its version has none that matters. */
interface Facts {
  readonly token: Token;
  readonly marker?: Marker | undefined;
  readonly label?: 'current' | 'pending' | undefined;
}

/** The state of a token: the first one that fits. */
export function stateOf({ token, marker, label }: Facts, now: number): TokenState {
  if (token.revokedAt !== undefined) return 'revoked';
  if (isExpired(token, now)) return 'expired';
  // With permissions it works, whatever half of a request has left in its marker.
  if (token.permissions.length === 0) {
    if (marker?.frozen !== undefined) return 'frozen';
    if (marker?.quarantined !== undefined) return 'quarantined';
    return marker && isInert({ token, marker }) ? 'inert' : 'stripped';
  }
  return label ?? (marker?.superseded === undefined ? 'live' : 'superseded');
}

const underLabel = ({ secret, holders }: ObservedSecret, label: string): Holder | undefined =>
  holders.get(secret.labels[label] ?? '');

const ownedBy = (holder: Holder | undefined): OwnedToken | undefined =>
  holder?.state === 'owned' ? holder.owned : undefined;

/** Whose string is in the version under AWSCURRENT. Undefined: no version has the label. */
export const currentHolder = (seen: ObservedSecret): Holder | undefined =>
  underLabel(seen, 'AWSCURRENT');

/** The token under AWSCURRENT, if it is ours. */
export const ownedCurrent = (seen: ObservedSecret): OwnedToken | undefined =>
  ownedBy(currentHolder(seen));

/** Whether the cluster has the token under AWSCURRENT, whosever it is and whatever it may do. */
export function isCurrentHere(seen: ObservedSecret): boolean {
  const state = currentHolder(seen)?.state;
  return state === 'owned' || state === 'foreign';
}

/** The token under AWSPREVIOUS, if it is ours. */
export const ownedPrevious = (seen: ObservedSecret): OwnedToken | undefined =>
  ownedBy(underLabel(seen, 'AWSPREVIOUS'));

/** The token of a version that the cluster has, whosever it is; undefined too for a string of another secret. */
export const tokenOf = (holder: Holder | undefined): Token | undefined =>
  holder?.state === 'foreign' ? holder.token : ownedBy(holder)?.token;

/** Which token of its secret a version has, as far as that is known, also if that is gone. */
export function tokenIdOf(holder: Holder | undefined, version: string): string | undefined {
  if (holder?.state !== 'gone') return tokenOf(holder)?.id;
  return holder.tokenId ?? holder.adopted?.tokenId ?? tokenNamedBy(version)?.tokenId;
}

/** The token under a label that the cluster has, whosever it is. */
export function tokenUnder(
  seen: ObservedSecret,
  label: 'AWSCURRENT' | 'AWSPREVIOUS',
): Token | undefined {
  return tokenOf(underLabel(seen, label));
}

/** Whether a version of this label has a string that nobody knows, or whose token is not shown yet. */
export function isUnknown(seen: ObservedSecret, label: 'AWSCURRENT' | 'AWSPREVIOUS'): boolean {
  const state = underLabel(seen, label)?.state;
  return state === 'unknown' || state === 'shared' || state === 'empty' || state === 'unshown';
}

/**
 * Whether nobody can do anything with what AWSPREVIOUS has. Not of the token that AWSCURRENT has, too: what becomes of
 * that decides about both.
 */
export function isPreviousDead(seen: ObservedSecret, now: number): boolean {
  const token = tokenUnder(seen, 'AWSPREVIOUS');
  if (!token) return isGone(seen, 'AWSPREVIOUS');
  return !works(token, now) && ownedCurrent(seen)?.token.id !== token.id;
}

/** The grace period that was promised, or today's if that is longer, in milliseconds. */
export const graceOf = (
  { marker }: Pick<OwnedToken, 'marker'>,
  { gracePeriod }: Pick<Lifetimes, 'gracePeriod'>,
): number => Math.max((marker.grace ?? 0) * 1_000, gracePeriod);

/** The token of AWSPREVIOUS, also a revoked one, as far as the cluster shows it. */
function previousShown(seen: ObservedSecret): OwnedToken | undefined {
  const version = seen.secret.labels.AWSPREVIOUS ?? '';
  const id = tokenIdOf(seen.holders.get(version), version);
  return [...seen.tokens, ...(seen.revoked ?? [])].find(({ token }) => token.id === id);
}

/**
 * When AWSPREVIOUS was replaced, at the latest: by the secret's last change, which a tool that tags it moves on and on. Where its
 * token is older than AWSCURRENT's, and so nobody went back, that one's promotion tells.
 */
function previousSince(seen: ObservedSecret): number {
  const current = ownedCurrent(seen);
  const previous = previousShown(seen);
  const { changedAt } = seen.secret;
  const { promoted } = current?.marker ?? {};
  if (!current || !previous || promoted === undefined) return changedAt;
  const { superseded, fenced, quarantined } = previous.marker;
  // A person went back to it; or fencing took the label off, and a person put it back.
  const isBack = superseded === undefined || fenced !== undefined || quarantined !== undefined;
  if (isBack || previous.token.createdAt >= current.token.createdAt) return changedAt;
  return Math.min(changedAt, Math.max(promoted, superseded));
}

/** Whether consumers may have what AWSPREVIOUS has: it was replaced within the grace period. */
export function mayHavePrevious(
  seen: ObservedSecret,
  lifetimes: Pick<Lifetimes, 'gracePeriod'>,
  now: number,
): boolean {
  const owned = ownedPrevious(seen);
  const grace = owned ? graceOf(owned, lifetimes) : lifetimes.gracePeriod;
  return now < previousSince(seen) + grace;
}

/**
 * Whether nobody can use what a label has, because its token is gone. One that another cluster made is gone from this
 * one only: nothing here tells what becomes of it there.
 */
export const isGone = (seen: ObservedSecret, label: string): boolean =>
  underLabel(seen, label)?.state === 'gone' && !isElsewhere(seen, label);

/** Whether it must be known when a secret's versions were made before one of them is said to be gone: `isElsewhere`. */
export const mayBeElsewhere = ({ secret, holders }: ObservedSecret): boolean =>
  secret.tags[MOVED_TAG] !== undefined &&
  [...holders.values()].some(({ state }) => state === 'gone');

/** Whether the token of a label, which the cluster does not have, may be another cluster's. Needs the versions' times. */
export const isElsewhere = (seen: ObservedSecret, label: string): boolean =>
  underLabel(seen, label)?.state === 'gone' &&
  mayBeOfAnother(seen, seen.secret.labels[label] ?? '');

/**
 * Whether a version may have another cluster's token: it is older than the move to this one, or nobody knows which
 * cluster the secret is of. Needs the versions' times.
 */
export function mayBeOfAnother(seen: ObservedSecret, version: string): boolean {
  const { tags } = seen.secret;
  if (tags[CLUSTER_TAG] === undefined && !isCurrentHere(seen)) return true;
  if (tags[MOVED_TAG] === undefined) return false;
  const madeAt = seen.versionTimes?.get(version);
  const movedAt = Date.parse(tags[MOVED_TAG].replace(PREVIOUS_ONLY, ''));
  return madeAt === undefined || madeAt < movedAt;
}

export const isSame = (a: OwnedToken | undefined, b: OwnedToken | undefined): boolean =>
  a !== undefined && a.token.id === b?.token.id;

/** Whether a version has this token's string: as it was observed, or by its id or the token's marker. */
export function hasVersion(
  { holders }: Pick<ObservedSecret, 'holders'>,
  owned: OwnedToken,
  version: string,
): boolean {
  const holder = holders.get(version);
  return holder ? isSame(ownedBy(holder), owned) : owned.versions.includes(version);
}

/**
 * Whether a version has the string of a token: as it was observed, or, where nobody knows that, because it is one of those that
 * are said to have it.
 */
export function isVersionOf(
  { id, versions }: { readonly id: string; readonly versions: readonly string[] },
  { holders }: Pick<ObservedSecret, 'holders'>,
  version: string,
): boolean {
  const known = tokenIdOf(holders.get(version), version);
  return known === undefined ? versions.includes(version) : known === id;
}

/**
 * Whether a grace period that starts again would keep something for consumers. Not that of a token which a person stripped:
 * nobody can use it, so its old clock tells until when consumers miss it. But where AWSPREVIOUS shows that it was current a
 * moment ago, consumers may have read it since. An orphan nobody can have used, and it is deleted an hour after its mark.
 */
export function hasGrace(
  owned: OwnedToken,
  seen: Pick<ObservedSecret, 'secret' | 'holders'>,
): boolean {
  const { superseded, quarantined, frozen } = owned.marker;
  if (superseded === undefined || quarantined !== undefined || isInert(owned)) return false;
  const isTaken = isStripped(owned) && frozen === undefined;
  return !isTaken || hasVersion(seen, owned, seen.secret.labels.AWSPREVIOUS ?? '');
}

/**
 * Whether AWSCURRENT's token came back from its retirement, which began after this one was minted: of what Keyturn 0.1
 * promoted, no marker says that.
 */
function wasBackSince({ token: { createdAt } }: OwnedToken, seen: ObservedSecret): boolean {
  const { superseded } = ownedCurrent(seen)?.marker ?? {};
  return superseded !== undefined && createdAt <= superseded && superseded < seen.secret.changedAt;
}

/**
 * What waits to be promoted: AWSPENDING on a version that has no other label, whose token was
 * never promoted, superseded or quarantined (somebody may have rolled back from it).
 */
export function pendingHolder(seen: ObservedSecret): Holder | undefined {
  const holder = seen.holders.get(pendingVersion(seen.secret) ?? '');
  if (holder?.state !== 'owned') return holder;
  const { promoted, superseded, quarantined } = holder.owned.marker;
  // Labels that were read as they were before the promotion say nothing: reads of Secrets Manager may be late.
  const wasPromoted = promoted !== undefined && promoted < seen.secret.changedAt;
  const isOver = wasPromoted || superseded !== undefined || quarantined !== undefined;
  return isOver || wasBackSince(holder.owned, seen) ? undefined : holder;
}

/** The token that waits to be promoted, if it is ours. */
export const ownedPending = (seen: ObservedSecret): OwnedToken | undefined =>
  ownedBy(pendingHolder(seen));

/**
 * Tokens that consumers have had, that nothing is going to give them again, and whose grace period nobody has begun: what
 * took AWSCURRENT from them was no token of ours. Needs to know what AWSCURRENT has, or is about to get.
 */
export function leftBehind(seen: ObservedSecret, next = ownedCurrent(seen)): OwnedToken[] {
  if (!next) return [];
  const inUse = [next, ownedCurrent(seen), ownedPending(seen)];
  return seen.tokens.filter((each) => {
    const { superseded, promoted = 0 } = each.marker;
    // Labels that were read as they were before its promotion say nothing.
    const isOver = wasCurrent(each) && promoted < seen.secret.changedAt;
    return isOver && superseded === undefined && !inUse.some((other) => isSame(other, each));
  });
}

/**
 * The token that waited, armed, until a person saved the secret, which takes AWSPENDING off: the youngest one that
 * nobody promoted, retired, stopped or ordered. Where the label was taken off without a save, a person gave it up.
 * Without the versions' times: the one that they are needed for.
 */
export function strandedBySave(seen: ObservedSecret): OwnedToken | undefined {
  const { secret, tokens, versionTimes } = seen;
  const { AWSCURRENT = '', ...others } = secret.labels;
  const current = tokenUnder(seen, 'AWSCURRENT');
  const isSaved = current !== undefined && !tokenNamedBy(AWSCURRENT)?.certain;
  // One that came back from its retirement was replaced: by which one, a marker of Keyturn 0.1 does not say.
  const isBack = ownedCurrent(seen)?.marker.superseded !== undefined;
  if (!isSaved || isBack || pendingVersion(secret)) return undefined;
  const labelled = Object.values(others);
  const waited = tokens.filter(
    (each) =>
      isArmed(each) &&
      each.token.createdAt > current.createdAt &&
      !labelled.includes(versionIdOf(each.token.id)) &&
      UNTOUCHED.every((field) => each.marker[field] === undefined),
  );
  const youngest = waited.sort((a, b) => b.token.createdAt - a.token.createdAt)[0];
  if (!youngest || !versionTimes) return youngest;
  const putAt = versionTimes.get(versionIdOf(youngest.token.id));
  const isSavedSince = putAt !== undefined && putAt <= (versionTime(seen, AWSCURRENT) ?? 0);
  return isSavedSince ? youngest : undefined;
}

/** Marks of a token that is not simply one which waits for its promotion. */
const UNTOUCHED = [
  'promoted',
  'superseded',
  'fenced',
  'quarantined',
  'frozen',
  'order',
  'minted',
  'adopted',
  'shared',
] as const;

/**
 * The token under AWSCURRENT, if it is proven current: its version's id or its marker says that it is,
 * it is armed, and not expired. An adopted one must have been seen to be the one in the secret.
 */
export function provenCurrent(seen: ObservedSecret, now: number): OwnedToken | undefined {
  const current = ownedCurrent(seen);
  if (!current || !isArmed(current) || isExpired(current.token, now)) return undefined;
  if (!current.versions.includes(seen.secret.labels.AWSCURRENT ?? '')) return undefined;
  return isProven(current) ? current : undefined;
}

/** Whether a token is the one whose string is in its secret: an adopted one must have been seen to be. */
export const isProven = ({ marker }: OwnedToken): boolean => !isUnproven(marker);

/** When a version was made, by Secrets Manager's time: one that is not listed counts as old as the secret's last change. */
export function versionTime(
  { secret, versionTimes }: ObservedSecret,
  version: string,
): number | undefined {
  return versionTimes && (versionTimes.get(version) ?? secret.changedAt);
}

/** So long after `lift` the replacement of what its order had deleted is what a person asked for. */
const LIFTED_MS = 7 * DAY_MS;

/** A move to another cluster was approved for all that follows from it, also by later runs. */
const MOVING_MS = DAY_MS;

/**
 * Whether AWSCURRENT's version is older than the instant in a tag, which counts for so long, and nobody went back to it
 * since, which puts AWSPREVIOUS on a younger one. Needs the versions' times.
 */
function isOlderThanTag(seen: ObservedSecret, tag: string, forMs: number, now: number): boolean {
  const { AWSCURRENT = '', AWSPREVIOUS } = seen.secret.labels;
  const taggedAt = Date.parse(seen.secret.tags[tag] ?? '');
  const isOlder = (version: string) =>
    (versionTime(seen, version) ?? Number.POSITIVE_INFINITY) < taggedAt;
  const isUntouched = AWSPREVIOUS === undefined || isOlder(AWSPREVIOUS);
  return isOlder(AWSCURRENT) && isUntouched && now < taggedAt + forMs;
}

/** Whether AWSCURRENT's token, which is not here, was ended by a deletion that was lifted since. Needs the versions' times. */
export const wasLifted = (seen: ObservedSecret, now: number): boolean =>
  isOlderThanTag(seen, LIFTED_TAG, LIFTED_MS, now);

/** The same, or by a move to this cluster. What was put or done after that is no part of it. Needs the versions' times. */
export const wasEndedByOrder = (seen: ObservedSecret, now: number): boolean =>
  wasLifted(seen, now) ||
  (!seen.secret.tags[MOVED_TAG]?.endsWith(PREVIOUS_ONLY) &&
    isOlderThanTag(seen, MOVED_TAG, MOVING_MS, now));

/**
 * Whether an order about the whole secret was to end a token: it condemns what is older than its successor. That it came so
 * far, only a successor that has had AWSCURRENT shows. When a token ended does not matter: an order may go on, or be given
 * again, hours later. What was adopted since is none of what it condemned.
 * @param among tokens of the secret, also deleted ones
 */
export const isCondemned = (
  { token: { createdAt }, marker: { adopted = createdAt } }: OwnedToken,
  seen: ObservedSecret,
  among: readonly OwnedToken[],
): boolean =>
  among.some(
    (each) =>
      each.marker.order !== undefined &&
      (wasCurrent(each) || isSame(each, ownedCurrent(seen))) &&
      adopted < each.token.createdAt,
  );
