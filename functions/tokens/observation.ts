import type { Token } from '../management-api/token.ts';
import type { Secret } from '../secrets-manager/secret.ts';
import { homeOf, type Marker, parseMarker } from './marker.ts';

/** A token that has our marker and whose secret is ours. */
export interface OwnedToken {
  readonly token: Token;
  readonly marker: Marker;
  /** The text for people that is before the marker. */
  readonly text: string;
  /** Id of the secret version that holds its string. */
  readonly version: string;
}

/** A token with as much as is known of it. */
export interface ObservedToken {
  readonly token: Token;
  /** Absent: not ours. */
  readonly owned?: OwnedToken;
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

export type SecretNamed = (name: string) => Secret | undefined;

/**
 * Which version holds a token's string: their ids are the same, except for an adopted token and for
 * a version that Secrets Manager's own rotation made. A claim to another version counts only of an
 * armed token.
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

/** A listing of tokens, told apart by whose they are. */
export interface SortedTokens {
  /** By the secret that their markers name. */
  readonly owned: ReadonlyMap<string, readonly OwnedToken[]>;
  /** All others by id. */
  readonly foreign: ReadonlyMap<string, Token>;
}

/** Tells our tokens from those of others; revoked ones are left out. */
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

/** Which token a version holds, as far as listings show it; undefined: only the cluster can say. */
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
 * The token that was minted for a version of Secrets Manager's own rotation, armed or not: its
 * claim is believed because that very version is pending.
 */
export function mintedFor(version: string, tokens: readonly OwnedToken[]): OwnedToken | undefined {
  const found = tokens.find(({ marker }) => marker.version === version);
  return found && { ...found, version };
}

/** How many tokens are ours. */
export const countOwned = ({ secrets }: Pick<Observation, 'secrets'>): number =>
  [...secrets.values()].reduce((sum, { tokens }) => sum + tokens.length, 0);
