import type { Token } from '../management-api/token.ts';
import { pendingVersion } from '../secrets-manager/secret.ts';
import type { Marker } from './marker.ts';
import type { Holder, ObservedSecret, OwnedToken } from './observation.ts';

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

/** It works: it got permissions after its string was stored, and still has some. */
const isArmed = ({ token, marker }: Marked) =>
  marker.fp !== undefined && token.permissions.length > 0;

/** Minted and never armed: it can do nothing. */
export const isInert = ({ token, marker }: Marked) =>
  marker.fp === undefined && token.permissions.length === 0;

/** Its permissions were taken away after it was armed. */
export const isStripped = ({ token, marker }: Marked) =>
  marker.fp !== undefined && token.permissions.length === 0;

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
  if (marker?.frozen !== undefined) return 'frozen';
  if (marker?.quarantined !== undefined) return 'quarantined';
  if (marker && isInert({ token, marker })) return 'inert';
  if (token.permissions.length === 0) return 'stripped';
  return label ?? (marker?.superseded === undefined ? 'live' : 'superseded');
}

/** Whose string is in the version under AWSCURRENT. Undefined: no version has the label. */
export const currentHolder = ({ secret, holders }: ObservedSecret): Holder | undefined =>
  holders.get(secret.labels.AWSCURRENT ?? '');

/** The token under AWSCURRENT, if it is ours. */
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

/** The token under AWSCURRENT, if it is proven current: owned, armed and not expired. */
export function provenCurrent(seen: ObservedSecret, now: number): OwnedToken | undefined {
  const current = ownedCurrent(seen);
  return current && isArmed(current) && !isExpired(current.token, now) ? current : undefined;
}
