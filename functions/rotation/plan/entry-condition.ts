import type { Permission, Token } from '../../management-api/token.ts';
import type { Policy, TokenPolicy } from '../../policy/policy.ts';
import { spareOf } from '../../policy/spare.ts';
import { holdOf, holdSince } from '../../secrets-manager/hold.ts';
import { DAY_MS } from '../../time.ts';
import { isEndedByOrder } from '../../tokens/ended-tag.ts';
import { parseMarker } from '../../tokens/marker.ts';
import type { Observation, ObservedSecret, OwnedToken } from '../../tokens/observation.ts';
import { covers, stillGiven } from '../../tokens/permission-sets.ts';
import {
  currentHolder,
  graceOf,
  isCondemned,
  isExpired,
  isFrozen,
  isPreviousDead,
  isProven,
  isUnknown,
  mayHavePrevious,
  ownedPrevious,
  tokenIdOf,
  tokenUnder,
  wasArmed,
  wasCurrent,
} from '../../tokens/state.ts';
import { versionIdOf } from '../../tokens/version-id.ts';
import { grantable, type IsKnown, knownDatabases } from './permissions.ts';

/** How it is with the token that an entry's consumers read. */
export type EntryCondition =
  /** Known, live, with permissions. */
  | 'works'
  /** It works, and expires before somebody could be told in time. */
  | 'expiring'
  /** It works, and a token that it replaced, which consumers may still have, does not work through its grace period. */
  | 'cut-short'
  /** It works, and a database that the entry grants neither exists nor is declared: consumers of that are refused. */
  | 'no-database'
  /** A hold, by a person's order. */
  | 'held'
  /** The token was taken away, or has expired, or never got permissions, or lost them without a hold. */
  | 'gone'
  | 'expired'
  | 'unarmed'
  | 'stripped'
  /** Consumers have it, and the data plane was not seen to accept it; or it refuses what is to be adopted. */
  | 'refused'
  /** Nobody knows whose string it is, or it is that of another secret. */
  | 'unknown'
  | 'shared'
  /** There is no secret, or no version that consumers could read. */
  | 'missing'
  /** An adoption is under way or waits for a person. Consumers have the string that was there before. */
  | 'unadopted'
  /** Nobody can read the secret: its deletion is scheduled. */
  | 'deleted'
  /** It works, and another Region writes it. */
  | 'replica';

/** What a condition depends on, beside the secret. */
export interface Context {
  readonly at: number;
  readonly settleMs: number;
  readonly timeZone: string;
  /** How long until the next run, at most. */
  readonly nextMs: number;
  /** How long until the third run after this one, at most. */
  readonly thirdMs: number;
  readonly isKnown: IsKnown;
  /** Secrets whose AWSCURRENT the data plane refused in this run. */
  readonly refused: ReadonlySet<string>;
}

/** @param databases those that exist, if they were listed */
export function contextOf(
  policy: Policy,
  { at, databases }: Pick<Observation, 'at' | 'databases'>,
  {
    thirdMs,
    nextMs = thirdMs / 3,
    refused,
  }: Pick<Context, 'thirdMs' | 'refused'> & { readonly nextMs?: number | undefined },
): Context {
  const { settle: settleMs, timeZone } = policy;
  const isKnown = knownDatabases(policy, databases);
  return { at, settleMs, timeZone, nextMs, thirdMs, isKnown, refused };
}

/**
 * Since when a secret that is on hold is so: its tag may be of a later order, or not say it, but what worked until then was
 * taken by the order, or the run, that came first. Whoever changes the secret later makes the hold no younger.
 */
export function heldSince(seen: ObservedSecret): number {
  const { secret, tokens, revoked = [] } = seen;
  const version = secret.labels.AWSCURRENT ?? '';
  const id = tokenIdOf(seen.holders.get(version), version);
  const isConsumers = ({ token }: OwnedToken) => id === undefined || token.id === id;
  // What else was frozen, or deleted, was so by itself. Where nobody knows what consumers have, it was all taken then.
  const frozen = tokens.filter((each) => isFrozen(each) && isConsumers(each));
  const ended = id === undefined ? [] : revoked.filter(isConsumers);
  const taken = [
    ...frozen.flatMap(({ marker }) => marker.frozen ?? []),
    ...ended.flatMap(({ token }) => token.revokedAt ?? []),
  ];
  const since = holdSince(secret);
  return taken.length === 0 ? since : Math.min(since, Math.max(...taken));
}

/**
 * How long before its expiry a token alarms: a day, or three runs, so that somebody can act. Shorter for tokens
 * that live so briefly that they are always as near to their expiry, but never than the grace period: consumers
 * who read it now may use it for as long.
 */
const horizon = (entry: TokenPolicy, { thirdMs }: Context): number =>
  Math.max(entry.gracePeriod, Math.min(Math.max(DAY_MS, thirdMs), spareOf(entry) / 2));

/** Whether a token expires before somebody could be told in time. */
export const isExpiring = (
  entry: TokenPolicy,
  { expiresAt = Number.POSITIVE_INFINITY }: Pick<Token, 'expiresAt'>,
  context: Context,
): boolean => expiresAt <= context.at + horizon(entry, context);

/** Whether a token that was replaced at an instant, and worked until then, expires before consumers must have read another one. */
export function isCutShort(
  { expiresAt = Number.POSITIVE_INFINITY, permissions }: Token,
  replacedAt: number,
  { gracePeriod }: TokenPolicy,
): boolean {
  return permissions.length > 0 && replacedAt < expiresAt && expiresAt < replacedAt + gracePeriod;
}

/** Whether consumers may still have a token that was cut short. */
const hasCutShort = (entry: TokenPolicy, { tokens }: ObservedSecret, { at }: Context): boolean =>
  tokens.some((owned) => {
    const { superseded } = owned.marker;
    if (superseded === undefined || at >= superseded + entry.gracePeriod) return false;
    // What was minted and never promoted nobody has.
    return wasCurrent(owned) && isCutShort(owned.token, superseded, entry);
  });

/** Whether an order ended what AWSPREVIOUS has. An order that freezes marks what it freezes, if that has a marker. */
function wasPreviousEnded(seen: ObservedSecret): boolean {
  const version = seen.secret.labels.AWSPREVIOUS ?? '';
  const id = tokenIdOf(seen.holders.get(version), version) ?? '';
  return ownedPrevious(seen)?.marker.frozen !== undefined || isEndedByOrder(id, seen.secret);
}

/**
 * Whether somebody ended the token that consumers had last, and may still have, or took permissions of one that is not
 * ours any more; an order tells of itself.
 */
function hasLostPrevious(entry: TokenPolicy, seen: ObservedSecret, context: Context): boolean {
  if (!mayHavePrevious(seen, entry, context.at)) return false;
  if (isPreviousDead(seen, context.at)) return !wasPreviousEnded(seen);
  const holder = seen.holders.get(seen.secret.labels.AWSPREVIOUS ?? '');
  if (holder?.state !== 'foreign' || isExpired(holder.token, context.at)) return false;
  return isReduced(holder.token, foreignGrants(holder.token), entry, context);
}

/**
 * Whether a person went back from a token that was deleted: consumers have, or had since, one that is older. No run may have
 * looked between that and the deletion, so nothing else tells of it.
 */
function isRolledBackFrom({ id, createdAt, revokedAt }: Token, seen: ObservedSecret): boolean {
  const current = tokenUnder(seen, 'AWSCURRENT');
  if (revokedAt === undefined || current?.id === id) return false;
  const previous = tokenUnder(seen, 'AWSPREVIOUS');
  return [current, previous].some((each) => each !== undefined && each.createdAt < createdAt);
}

/**
 * When a token was replaced, as far as is known. Of one that was deleted before anybody could write that, since a placeholder,
 * say, had taken AWSCURRENT from it, the deletion is the latest instant; AWSPREVIOUS shows what stood between.
 */
function replacedAt(
  { token, marker }: OwnedToken,
  seen: ObservedSecret,
  all: readonly OwnedToken[],
): number | undefined {
  if (marker.superseded !== undefined) return marker.superseded;
  if (isRolledBackFrom(token, seen)) return token.revokedAt;
  if (!isUnknown(seen, 'AWSPREVIOUS')) return undefined;
  const { revokedAt = Number.POSITIVE_INFINITY } = token;
  return all.some((each) => wasMintedBehind(revokedAt, each, seen)) ? undefined : revokedAt;
}

/**
 * Whether consumers had a token that was minted after an instant, and before what stood between took AWSCURRENT from it: the run
 * that promoted it saw what had ended by that instant, and told of it. Secrets Manager's own rotation tells of nothing.
 */
function wasMintedBehind(instant: number, owned: OwnedToken, seen: ObservedSecret): boolean {
  const { id, createdAt } = owned.token;
  if (owned.marker.minted !== undefined) return false;
  // What was promoted over that is current by its own version; what a person put back is not.
  const isFirstBehind = seen.secret.labels.AWSCURRENT === versionIdOf(id);
  return wasCurrent(owned) && createdAt > instant && !isFirstBehind;
}

/** Whether consumers may still have a token that was replaced, and that nobody retired. */
function mayStillHave(
  owned: OwnedToken,
  entry: TokenPolicy,
  seen: ObservedSecret,
  { at, all }: { readonly at: number; readonly all: readonly OwnedToken[] },
): boolean {
  const { fenced, quarantined } = owned.marker;
  const since = replacedAt(owned, seen, all);
  const isRetired = fenced !== undefined || quarantined !== undefined;
  if (since === undefined || isRetired || !wasCurrent(owned)) return false;
  return at < since + graceOf(owned, entry) && !isExpired(owned.token, at);
}

/**
 * Whether somebody deleted any token that was replaced, and that consumers may still have, or took permissions of it:
 * also of one that has no label any more, because of another rotation, or of a save.
 */
function hasLostFormer(entry: TokenPolicy, seen: ObservedSecret, context: Context): boolean {
  const deleted = seen.revoked ?? [];
  // An order that freezes marks what it freezes. What a person deleted under a hold stays so when that is over.
  const isTaken = ({ token, marker }: OwnedToken) =>
    marker.frozen === undefined && isReduced(token, marker.grants, entry, context);
  const lost = [
    ...seen.tokens.filter(isTaken),
    ...deleted.filter(({ token }) => !isEndedByOrder(token.id, seen.secret)),
  ];
  const all = [...seen.tokens, ...deleted];
  return lost.some(
    (each) =>
      mayStillHave(each, entry, seen, { at: context.at, all }) && !isCondemned(each, seen, all),
  );
}

/** Consumers are refused for certain, whether or not anybody asks. Not `missing`: a first issue takes nothing from anybody. */
export const REFUSED: ReadonlySet<EntryCondition> = new Set([
  'gone',
  'expired',
  'stripped',
  'unarmed',
]);

/** By the state of AWSCURRENT's holder, where no token is known. */
const WITHOUT_TOKEN = {
  none: 'missing',
  gone: 'gone',
  shared: 'shared',
  unknown: 'unknown',
  empty: 'unknown',
  unshown: 'unknown',
} as const;

/**
 * Whether a person took permissions away: it may not do all that Keyturn gave, nor all that the policy grants. What the
 * policy has added since, nobody took; but without a marker nobody can know that, and what a successor would get
 * counts as taken.
 */
function isReduced(
  { permissions }: Token,
  grants: string | undefined,
  entry: TokenPolicy,
  { isKnown }: Pick<Context, 'isKnown'>,
): boolean {
  if (permissions.length === 0) return true;
  const wanted = grants ? entry.permissions : grantable(entry, permissions, isKnown);
  return !covers(permissions, wanted) && !stillGiven(permissions, grants, entry);
}

/** What was given to a token by its own marker, which names another owner or another home: the policy's was renamed, or a replica promoted. */
function foreignGrants({ id, description }: Token): string | undefined {
  const marker = parseMarker(description)?.marker;
  return marker?.id === id ? marker.grants : undefined;
}

export function conditionOfToken(
  entry: TokenPolicy,
  token: Token,
  grants: string | undefined,
  context: Context,
): EntryCondition {
  const { expiresAt = Number.POSITIVE_INFINITY } = token;
  if (expiresAt <= context.at) return 'expired';
  if (isReduced(token, grants, entry, context)) return 'stripped';
  return isExpiring(entry, token, context) ? 'expiring' : 'works';
}

export function conditionOf(
  entry: TokenPolicy,
  seen: ObservedSecret | undefined,
  context: Context,
): EntryCondition {
  if (!seen) return 'missing';
  if (seen.secret.deletedAt !== undefined) return 'deleted';
  // What is frozen and on no hold is no order's: nobody set one, or a person took it away by hand and gave nothing back.
  if (holdOf(seen.secret)) return seen.secret.replica ? 'replica' : 'held';
  const ofCurrent = conditionOfCurrent(entry, seen, context);
  const isLosing = [hasCutShort, hasLostPrevious, hasLostFormer].some((has) =>
    has(entry, seen, context),
  );
  const isWithout =
    ofCurrent === 'works' &&
    lacksDatabase(entry, tokenUnder(seen, 'AWSCURRENT')?.permissions, context);
  const ofDatabases = isWithout ? 'no-database' : ofCurrent;
  const condition = ofDatabases === 'works' && isLosing ? 'cut-short' : ofDatabases;
  return seen.secret.replica && condition === 'works' ? 'replica' : condition;
}

/** Of permissions that the token does not have, a refused plan tells. */
export function lacksDatabase(
  entry: TokenPolicy,
  has: readonly Permission[] = [],
  { isKnown }: Pick<Context, 'isKnown'>,
): boolean {
  return entry.permissions.some((each) => !isKnown(each.resource) && covers(has, [each]));
}

/** Nobody here writes a replica, but its consumers are refused like all others. */
function conditionOfCurrent(
  entry: TokenPolicy,
  seen: ObservedSecret,
  context: Context,
): EntryCondition {
  const holder = currentHolder(seen);
  if (holder?.state === 'foreign') {
    const { token } = holder;
    return conditionOfToken(entry, token, foreignGrants(token), context);
  }
  if (holder?.state !== 'owned') return WITHOUT_TOKEN[holder?.state ?? 'none'];
  const { owned } = holder;
  const waits = isProven(owned) && !wasArmed(owned) && !isExpired(owned.token, context.at);
  if (waits) return 'unarmed';
  const found = conditionOfToken(entry, owned.token, owned.marker.grants, context);
  // A roll back that nothing answered yet, or a give-back whose run ended between its two requests.
  const isHalf = owned.marker.quarantined !== undefined && found !== 'expired';
  const condition = isHalf ? 'stripped' : found;
  const isLive = condition === 'works' || condition === 'expiring';
  const isRefused = owned.marker.refused !== undefined || context.refused.has(entry.secret);
  return isLive && isRefused ? 'refused' : condition;
}
