import type { Token } from '../management-api/token.ts';
import { pendingVersion } from '../secrets-manager/secret.ts';
import type { Marker } from './marker.ts';
import type { Holder, ObservedSecret, OwnedToken } from './observation.ts';

/** Where a token is in its life; docs/how-a-token-lives.md draws it. */
export type TokenState =
  | 'revoked'
  | 'expired'
  | 'frozen'
  | 'quarantined'
  | 'inert'
  | 'superseded'
  | 'pending'
  | 'current'
  /** Has no permissions, and no marker says why. */
  | 'stripped'
  /** Works; which label its version has was not asked, or it has none. */
  | 'live';

type Marked = Pick<OwnedToken, 'token' | 'marker'>;

/** Expired by the Management API's time; a token without `expiresAt` never is. */
export const isExpired = ({ expiresAt }: Token, now: number) =>
  expiresAt !== undefined && expiresAt <= now;

/** Works: it was given permissions after its string was stored, and has some. */
const isArmed = ({ token, marker }: Marked) =>
  marker.fp !== undefined && token.permissions.length > 0;

/** Minted and never armed: it can do nothing. */
export const isInert = ({ token, marker }: Marked) =>
  marker.fp === undefined && token.permissions.length === 0;

/** Somebody took its permissions away after it was armed. */
export const isStripped = ({ token, marker }: Marked) =>
  marker.fp !== undefined && token.permissions.length === 0;

/** What is known of a token: without its marker it is somebody else's, without a label it is on no version that matters. */
interface Facts {
  readonly token: Token;
  readonly marker?: Marker | undefined;
  readonly label?: 'current' | 'pending' | undefined;
}

/** The one answer to what state a token is in. The first that fits is said. */
export function stateOf({ token, marker, label }: Facts, now: number): TokenState {
  if (token.revokedAt !== undefined) return 'revoked';
  if (isExpired(token, now)) return 'expired';
  if (marker?.frozen !== undefined) return 'frozen';
  if (marker?.quarantined !== undefined) return 'quarantined';
  if (marker && isInert({ token, marker })) return 'inert';
  if (token.permissions.length === 0) return 'stripped';
  return label ?? (marker?.superseded === undefined ? 'live' : 'superseded');
}

/** What the version under AWSCURRENT holds; undefined: there is none. */
export const currentHolder = ({ secret, holders }: ObservedSecret): Holder | undefined =>
  holders.get(secret.labels.AWSCURRENT ?? '');

/** AWSCURRENT's token, if it is ours. */
export function ownedCurrent(seen: ObservedSecret): OwnedToken | undefined {
  const holder = currentHolder(seen);
  return holder?.state === 'owned' ? holder.owned : undefined;
}

/**
 * What waits to be promoted: AWSPENDING on a version that has no other label, whose token was
 * neither superseded nor quarantined (somebody may have rolled back from it).
 */
export function pendingHolder(seen: ObservedSecret): Holder | undefined {
  const holder = seen.holders.get(pendingVersion(seen.secret) ?? '');
  if (holder?.state !== 'owned') return holder;
  const { superseded, quarantined } = holder.owned.marker;
  return superseded === undefined && quarantined === undefined ? holder : undefined;
}

/** The token that waits to be promoted, if it is ours. */
export function ownedPending(seen: ObservedSecret): OwnedToken | undefined {
  const holder = pendingHolder(seen);
  return holder?.state === 'owned' ? holder.owned : undefined;
}

/** The token under AWSCURRENT, if it is live, armed and unexpired: consumers have something that works. */
export function provenCurrent(seen: ObservedSecret, now: number): OwnedToken | undefined {
  const current = ownedCurrent(seen);
  return current && isArmed(current) && !isExpired(current.token, now) ? current : undefined;
}
