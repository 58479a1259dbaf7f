import type { Token } from '../management-api/token.ts';
import type { Secret } from '../secrets-manager/secret.ts';
import { homeOf, type Marker, parseMarker } from './marker.ts';

/** A token that has our marker and whose secret is ours. */
export interface OwnedToken {
  readonly token: Token;
  readonly marker: Marker;
  /** The text before the marker, for people. */
  readonly text: string;
  /** Id of the secret version that has its string. */
  readonly version: string;
}

/** A token, and what its marker says if it is ours. */
export interface ObservedToken {
  readonly token: Token;
  /** Absent: the token is not ours. */
  readonly owned?: OwnedToken;
}

/** The token whose string is in a secret version. */
export type Holder =
  | { readonly state: 'owned'; readonly owned: OwnedToken }
  | { readonly state: 'foreign'; readonly token: Token }
  /** A `GET` by id said so. That a listing does not show a token is not enough. */
  | { readonly state: 'gone' };

/** A secret of ours with the tokens whose markers name it, without revoked ones. */
export interface ObservedSecret {
  readonly secret: Secret;
  readonly tokens: readonly OwnedToken[];
  /** By version id: whose string is in the versions under AWSCURRENT and AWSPENDING. */
  readonly holders: ReadonlyMap<string, Holder>;
}

/** What both systems said. */
export interface Observation {
  /** The Management API's time in milliseconds since 1970; all ages are counted by it. */
  readonly at: number;
  /** How many milliseconds the Management API's clock is ahead of ours. */
  readonly skewMs: number;
  /** By name, with those that are scheduled for deletion. */
  readonly secrets: ReadonlyMap<string, ObservedSecret>;
  /** All tokens that are not ours, by id, without revoked ones. */
  readonly foreign: ReadonlyMap<string, Token>;
  /** Names of the databases. Absent: they were not needed. */
  readonly databases?: ReadonlySet<string>;
}

export type SecretNamed = (name: string) => Secret | undefined;

/**
 * The version that has a token's string. Its id is the token's id, except for an adopted token and for
 * a version that Secrets Manager's own rotation made. There the marker names it, and only the marker of
 * an armed token is believed.
 */
const versionOf = (token: Token, marker: Marker) =>
  marker.version !== undefined && marker.fp !== undefined ? marker.version : token.id;

/**
 * Reads a token as ours: its marker can be read, names our owner and a secret that we know, and was
 * not copied from another token. Undefined: the token is foreign.
 */
export function asOwned(
  token: Token,
  owner: string,
  secretNamed: SecretNamed,
): OwnedToken | undefined {
  const parsed = parseMarker(token.description);
  if (!parsed) return undefined;
  const { marker, text } = parsed;
  const secret = secretNamed(marker.secret);
  if (marker.owner !== owner || !secret || homeOf(secret.arn) !== marker.home) return undefined;
  if (marker.id !== undefined && marker.id !== token.id) return undefined;
  return { token, marker, text, version: versionOf(token, marker) };
}

/** A listing of tokens, sorted into ours and foreign ones. */
export interface SortedTokens {
  /** Ours, by the name of the secret in their markers. */
  readonly owned: ReadonlyMap<string, readonly OwnedToken[]>;
  /** All others, by id. */
  readonly foreign: ReadonlyMap<string, Token>;
}

/** Sorts tokens into ours and foreign ones, without revoked ones. */
export function sortByOwner(
  tokens: Iterable<Token>,
  owner: string,
  secretNamed: SecretNamed,
): SortedTokens {
  const owned = new Map<string, OwnedToken[]>();
  const foreign = new Map<string, Token>();
  for (const token of tokens) {
    if (token.revokedAt !== undefined) continue;
    const mine = asOwned(token, owner, secretNamed);
    const its = mine && owned.get(mine.marker.secret);
    if (!mine) foreign.set(token.id, token);
    else if (its) its.push(mine);
    else owned.set(mine.marker.secret, [mine]);
  }
  return { owned, foreign };
}

/** Whose string is in a version, if the listings show it. Undefined: only a `GET` by id can say. */
export function listedHolder(
  version: string,
  tokens: readonly OwnedToken[],
  foreign: ReadonlyMap<string, Token>,
): Holder | undefined {
  const owned = tokens.find((each) => each.version === version);
  if (owned) return { state: 'owned', owned };
  const token = foreign.get(version);
  return token && { state: 'foreign', token };
}

/**
 * The token that was minted for a version of Secrets Manager's own rotation, armed or not. Its marker
 * is believed even before it is armed, because this version is the pending one.
 */
export function mintedFor(version: string, tokens: readonly OwnedToken[]): OwnedToken | undefined {
  const found = tokens.find(({ marker }) => marker.version === version);
  return found && { ...found, version };
}

/** How many tokens are ours. */
export const countOwned = ({ secrets }: Pick<Observation, 'secrets'>): number =>
  [...secrets.values()].reduce((sum, { tokens }) => sum + tokens.length, 0);
