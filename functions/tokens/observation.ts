import type { Token } from '../management-api/token.ts';
import type { Secret } from '../secrets-manager/secret.ts';
import { HOUR_MS } from '../time.ts';
import { homeOf, type Marker, parseMarker } from './marker.ts';
import { versionIdOf } from './version-id.ts';

/** A Management API that lags behind its own writes by more than that cannot be worked with. */
export const LONGEST_LAG_MS = HOUR_MS;

/** A token that has our marker and whose secret is ours. */
export interface OwnedToken {
  readonly token: Token;
  readonly marker: Marker;
  /** The text before the marker, for people. */
  readonly text: string;
  /** Ids of the versions that have its string, as far as their ids or its marker say so. Not all need to exist. */
  readonly versions: readonly string[];
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
  | {
      readonly state: 'foreign';
      readonly token: Token;
      /** When it was taken over: it was ours until it lost its marker. */
      readonly adoptedAt?: number;
    }
  /** A `GET` by id said so. That a listing does not show a token is not enough. */
  | {
      readonly state: 'gone';
      /** Absent: the id of the version names it, or `adopted` does. */
      readonly tokenId?: string;
      /** The token, of which only the secret's tag knows: not made here, and with whatever permissions. */
      readonly adopted?: { readonly tokenId: string; readonly fp: string };
    }
  /** A `GET` by id does not show it, and its version is too young for that to mean anything: the API may lag. */
  | { readonly state: 'unshown' }
  /** The string of a token that belongs to another secret of ours: a person copied it. */
  | { readonly state: 'shared'; readonly owned: OwnedToken }
  /** The version has no value yet: Secrets Manager's own rotation made it. */
  | { readonly state: 'empty' }
  /** A string that is no token's of ours, as far as this function may look. Unknown is not gone. */
  | {
      readonly state: 'unknown';
      /** Nobody could read it, so it may be any token's. Absent: it was read, or nobody tried to. */
      readonly isUnreadable?: true;
    };

/** A secret of ours with the tokens whose markers name it, without revoked ones. */
export interface ObservedSecret {
  readonly secret: Secret;
  readonly tokens: readonly OwnedToken[];
  /** By version id: whose string is in the versions under AWSCURRENT, AWSPREVIOUS and AWSPENDING. */
  readonly holders: ReadonlyMap<string, Holder>;
  /** Its revoked tokens, as far as the API still shows them. Absent: nobody looked. */
  readonly revoked?: readonly OwnedToken[];
  /** When each version was made, in milliseconds since 1970, by version id. Absent: nobody asked. */
  readonly versionTimes?: ReadonlyMap<string, number>;
  /** Why Secrets Manager did not say when they were made: then nothing of this secret is judged by its age. */
  readonly unreadable?: string;
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
  /** Revoked tokens of ours, by the name of their secret, as far as the API still shows them. */
  readonly revoked?: SortedTokens['revoked'];
  /** All that the API lists, ours or not, revoked or not. */
  readonly listed?: readonly Token[];
  /** Names of the databases. Absent: they were not needed. */
  readonly databases?: ReadonlySet<string>;
}

export type SecretNamed = (name: string) => Secret | undefined;

/**
 * The versions of a token. Only the marker of a token with `fp` is believed, because nobody else's
 * string can have that fingerprint. The bare id is how Keyturn 0.1 put its versions.
 */
function versionsOf({ id }: Token, { fp, version = [], minted }: Marker): readonly string[] {
  const marked = fp === undefined ? [] : [...version, ...(minted === undefined ? [] : [minted])];
  return [versionIdOf(id), id, ...marked];
}

/** A token with its parsed marker, as ours. */
export const ownedToken = (
  token: Token,
  { marker, text }: { readonly marker: Marker; readonly text: string },
): OwnedToken => ({ token, marker, text, versions: versionsOf(token, marker) });

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
  const { marker } = parsed;
  const secret = secretNamed(marker.secret);
  if (marker.owner !== owner || !secret || homeOf(secret.arn) !== marker.home) return undefined;
  if (marker.id !== undefined && marker.id !== token.id) return undefined;
  return ownedToken(token, parsed);
}

/** A listing of tokens, sorted into ours and foreign ones. */
export interface SortedTokens {
  /** Ours, by the name of the secret in their markers. */
  readonly owned: ReadonlyMap<string, readonly OwnedToken[]>;
  /** All others, by id. */
  readonly foreign: ReadonlyMap<string, Token>;
  /** Ours that are revoked, as far as the API still shows them, by the name of the secret in their markers. */
  readonly revoked: ReadonlyMap<string, readonly OwnedToken[]>;
}

/** Sorts tokens into ours and foreign ones, and tells revoked ones of ours apart. */
export function sortByOwner(
  tokens: Iterable<Token>,
  owner: string,
  secretNamed: SecretNamed,
): SortedTokens {
  const owned = new Map<string, OwnedToken[]>();
  const revoked = new Map<string, OwnedToken[]>();
  const foreign = new Map<string, Token>();
  for (const token of tokens) {
    const isRevoked = token.revokedAt !== undefined;
    const mine = asOwned(token, owner, secretNamed);
    if (!mine) {
      if (!isRevoked) foreign.set(token.id, token);
      continue;
    }
    const kind = isRevoked ? revoked : owned;
    const its = kind.get(mine.marker.secret);
    if (its) its.push(mine);
    else kind.set(mine.marker.secret, [mine]);
  }
  return { owned, foreign, revoked };
}

/** The secrets of an observation, by name. */
export const secretNamedIn =
  ({ secrets }: Pick<Observation, 'secrets'>): SecretNamed =>
  (name) =>
    secrets.get(name)?.secret;

/** How many tokens are ours. */
export const countOwned = ({ secrets }: Pick<Observation, 'secrets'>): number =>
  [...secrets.values()].reduce((sum, { tokens }) => sum + tokens.length, 0);
