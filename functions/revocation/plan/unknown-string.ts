import type { Token } from '../../management-api/token.ts';
import { counted } from '../../run/counted.ts';
import { parseMarker } from '../../tokens/marker.ts';
import { works } from '../../tokens/state.ts';
import type { Unseen } from './unseen.ts';

/** What the values in Secrets Manager said about a fingerprint that no marker bears. */
export interface LeakedSearch {
  /** The token that has the string. Absent: no value has it, or nobody knows whose it is. */
  readonly tokenId?: string;
  /** The secret whose version has that token's string. */
  readonly secret?: string;
  /** Names of the secrets whose consumers read the string, get it next, or did. */
  readonly secrets: readonly string[];
  /** Names of those whose consumers read it. */
  readonly inUse: readonly string[];
  /** The secrets whose consumers read the string, or get it next, with the labels of its versions. */
  readonly places: readonly string[];
  /** Those that have it as their consumers' string in other versions alone: no successor takes its place there. */
  readonly past: readonly string[];
  /** Those that have it elsewhere in their value: beside the string that consumers read, or in a text of another form. */
  readonly beside: readonly string[];
  /** How many values were compared. */
  readonly compared: number;
  /** How many values could not be read. */
  readonly unread: number;
  /** Of how many secrets the versions could not be listed. */
  readonly unlisted: number;
}

/** Nothing was searched. */
export const NOWHERE: LeakedSearch = {
  secrets: [],
  inUse: [],
  places: [],
  past: [],
  beside: [],
  compared: 0,
  unread: 0,
  unlisted: 0,
};

/** How many ids one sentence names. */
const MOST_SAID = 10;
export const listed = (ids: readonly string[]) =>
  `${ids.slice(0, MOST_SAID).join(', ')}${ids.length > MOST_SAID ? ', …' : ''}`;

function* whereItIs({ places, past, beside, compared }: LeakedSearch): Generator<string> {
  if (places.length > 0) {
    yield `the string is in ${places.join(' and ')}, and nobody knows whose it is: replace it there first (--token or --secret), so that its consumers get another one, and then end it by its id`;
  }
  if (past.length > 0) {
    yield `the string is in ${past.join(' and ')}, which consumers of AWSCURRENT do not read, and nobody knows whose it is: a replacement there changes nothing for it, so end it by its id`;
  }
  if (beside.length > 0) {
    yield `the string is in the value of ${beside.join(' and ')}, where consumers do not expect theirs, and nobody knows whose it is: end it by its id, and take it out there`;
  }
  if (places.length + past.length + beside.length === 0) {
    yield `the string is in none of ${counted(compared, 'value')} of our secrets`;
  }
}

/** Why nobody knows whose string has a fingerprint, and what could not be looked at. */
export function unknownBecause(
  fingerprint: string,
  search: LeakedSearch,
  { awsError, unseen = [] }: { readonly awsError?: string; readonly unseen?: readonly Unseen[] },
  isCut: boolean,
): string {
  const { unread, unlisted } = search;
  const shown = isCut ? ' that the listing shows (it is cut)' : '';
  const found =
    awsError === undefined
      ? [...whereItIs(search)]
      : [`no value could be compared: Secrets Manager could not be asked (${awsError})`];
  if (unread > 0) found.push(`${counted(unread, 'value')} could not be read`);
  if (unlisted > 0)
    found.push(`the versions of ${counted(unlisted, 'secret')} could not be listed`);
  found.push(...unseen.map(({ said }) => said));
  return `no marker${shown} has the fingerprint ${fingerprint}, and ${found.join('; ')}`;
}

/**
 * The live tokens that may have a string whose fingerprint no marker bears: those whose string Keyturn never saw. A
 * marker that was copied from another token says nothing.
 */
export function candidatesAmong({
  tokens,
  at,
}: {
  readonly tokens: readonly Token[];
  readonly at: number;
}): Token[] {
  const isUnseen = ({ id, description }: Token) => {
    const { marker } = parseMarker(description) ?? {};
    return marker?.fp === undefined || (marker.id ?? id) !== id;
  };
  return tokens
    .filter((token) => works(token, at) && isUnseen(token))
    .sort((a, b) => b.createdAt - a.createdAt);
}

/** Whose string it may be, for the error of an order. */
export function mayBeOneOf(candidates: readonly Token[], isCut: boolean): string {
  if (candidates.length > 0) {
    const ids = listed(candidates.map(({ id }) => id));
    const orOther = isCut ? ', or another one, because the listing is cut' : '';
    return `it may be one of ${counted(candidates.length, 'live token')} whose string Keyturn never saw: ${ids}${orOther}; way "whois" describes them, and tokenId names one`;
  }
  return isCut
    ? 'every token that the listing shows has another fingerprint, but the listing is cut'
    : 'every live token has another fingerprint';
}
