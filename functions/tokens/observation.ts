import type { Token } from '../management-api/token.ts';
import { pendingVersion, type Secret } from '../secrets-manager/secret.ts';
import { homeOf, type Marker, parseMarker } from './marker.ts';

/** A token that carries our marker and lives in a secret of ours. */
export interface OwnedToken {
  readonly token: Token;
  readonly marker: Marker;
  /** The text for people that stands before the marker. */
  readonly text: string;
  /** Id of the secret version that holds its string. */
  readonly version: string;
}

/** What a secret version turned out to hold. */
export type Holder =
  | { readonly state: 'owned'; readonly owned: OwnedToken }
  | { readonly state: 'foreign'; readonly token: Token }
  /** A `GET` by id says so; a listing that lacks it does not. */
  | { readonly state: 'gone' };

/** A secret of ours with the tokens whose markers name it, revoked ones left out. */
export interface ObservedSecret {
  readonly secret: Secret;
  readonly tokens: readonly OwnedToken[];
  /** What the versions under AWSCURRENT and AWSPENDING hold. */
  readonly holders: ReadonlyMap<string, Holder>;
}

/** What both systems said. */
export interface Observation {
  /** The Management API's time, by which all ages are told. */
  readonly at: number;
  /** How far the Management API's clock is ahead of ours. */
  readonly skewMs: number;
  /** By name; those scheduled for deletion included. */
  readonly secrets: ReadonlyMap<string, ObservedSecret>;
  /** All tokens that are not ours by id, revoked ones left out. */
  readonly foreign: ReadonlyMap<string, Token>;
  /** Names of the databases; absent where nobody needed to ask. */
  readonly databases?: ReadonlySet<string>;
}

/**
 * The one place that maps a token to its secret version: their ids are the same, except for an
 * adopted token and for a version that Secrets Manager's own rotation made. A claim to another
 * version counts only of an armed token.
 */
const versionOf = (token: Token, marker: Marker) =>
  marker.version !== undefined && marker.fp !== undefined ? marker.version : token.id;

/**
 * Reads a token as ours: its marker parses, names our owner and a secret that we know, and was
 * not copied from another token. Undefined means foreign.
 */
export function asOwned(
  token: Token,
  owner: string,
  secretNamed: (name: string) => Secret | undefined,
): OwnedToken | undefined {
  const parsed = parseMarker(token.description);
  if (!parsed) return undefined;
  const { marker, text } = parsed;
  const secret = secretNamed(marker.secret);
  if (marker.owner !== owner || !secret || homeOf(secret.arn) !== marker.home) return undefined;
  if (marker.id !== undefined && marker.id !== token.id) return undefined;
  return { token, marker, text, version: versionOf(token, marker) };
}

export const currentHolder = ({ secret, holders }: ObservedSecret): Holder | undefined =>
  holders.get(secret.labels.AWSCURRENT ?? '');

/** Expired by the Management API's time; a token without `expiresAt` never is. */
export const isExpired = ({ expiresAt }: Token, now: number) =>
  expiresAt !== undefined && expiresAt <= now;

const isArmed = ({ token, marker }: OwnedToken) =>
  marker.fp !== undefined && token.permissions.length > 0;

/** Minted and never armed: it can do nothing. */
export const isInert = ({ token, marker }: OwnedToken) =>
  marker.fp === undefined && token.permissions.length === 0;

/** Somebody took its permissions away after it was armed. */
export const isStripped = ({ token, marker }: OwnedToken) =>
  marker.fp !== undefined && token.permissions.length === 0;

/**
 * What waits to be promoted: AWSPENDING on a version that bears no other label, whose token was
 * neither superseded nor quarantined (somebody may have rolled back from it).
 */
export function pendingHolder(seen: ObservedSecret): Holder | undefined {
  const holder = seen.holders.get(pendingVersion(seen.secret) ?? '');
  if (holder?.state !== 'owned') return holder;
  const { superseded, quarantined } = holder.owned.marker;
  return superseded === undefined && quarantined === undefined ? holder : undefined;
}

/** The token under AWSCURRENT, if it is live, armed and unexpired: consumers have something that works. */
export function provenCurrent(seen: ObservedSecret, now: number): OwnedToken | undefined {
  const holder = currentHolder(seen);
  if (holder?.state !== 'owned') return undefined;
  return isArmed(holder.owned) && !isExpired(holder.owned.token, now) ? holder.owned : undefined;
}
