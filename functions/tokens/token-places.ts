import type { Token } from '../management-api/token.ts';
import type { TokenPolicy } from '../policy/policy.ts';
import { TokenValue } from '../token-value.ts';
import type { JsonNode, JsonObject } from './json-tree.ts';
import {
  jsonObject,
  nodeAt,
  type Place,
  PlaceError,
  placeOfNode,
  samePlace,
  stringsIn,
  wholeText,
} from './string-place.ts';

/** Key of the token string in the secrets that Keyturn creates. */
export const TOKEN_KEY = 'token';
const TOKEN_ID_KEY = 'tokenId';
/** The keys of the secrets that Keyturn creates: a JSON object that has them all is one. */
export const OWN_KEYS = [TOKEN_KEY, TOKEN_ID_KEY, 'url', 'databases', 'expiresAt'] as const;

/** The part of an entry that says where its token string is. */
export type Entry = Pick<TokenPolicy, 'secret' | 'adopt'>;

/** What a text of ours says of a token beside its string. */
export type Described = Pick<Token, 'id' | 'permissions' | 'expiresAt'>;

/** How the token string of a text is found, where neither its shape nor the entry says it. */
export interface Hints {
  /** The fingerprint of the token whose string the version is known to have. */
  readonly own?: string | undefined;
  /** Of all tokens whose strings it may have. */
  readonly known: readonly string[];
  /** The tokens that Keyturn may have described in it. */
  readonly tokens?: readonly Described[] | undefined;
  /** The text before it. */
  readonly previous?: { readonly text: TokenValue; readonly own?: string | undefined } | undefined;
}

/** A secret's text, and the JSON object that it is. */
export interface Parsed {
  readonly text: string;
  readonly root: JsonObject | undefined;
}

export function parse(value: TokenValue): Parsed {
  const text = value.reveal();
  return { text, root: jsonObject(text) };
}

export const isOwn = ({ root }: Parsed) =>
  root !== undefined && OWN_KEYS.every((key) => nodeAt(root, key));

export const hasOthersKeys = ({ entries }: JsonObject) =>
  !entries.every(([name]) => OWN_KEYS.some((own) => own === name));

export function stringUnder(root: JsonNode, key: string): Place | undefined {
  const node = nodeAt(root, key);
  return node && placeOfNode(node);
}

export function placeUnder(root: JsonNode | undefined, key: string): Place {
  if (!root) throw new PlaceError('does not contain a JSON object');
  const place = stringUnder(root, key);
  if (!place) throw new PlaceError(`has no string under "${key}"`);
  return place;
}

/** Every place where a token string may be: the whole text, or the strings of its JSON. */
export const allPlaces = ({ text, root }: Parsed): readonly Place[] =>
  root ? stringsIn(root) : [wholeText(text)].flatMap((each) => each ?? []);

/** The places of strings with one of these fingerprints. */
export const placesByFingerprint = (
  parsed: Parsed,
  fingerprints: readonly string[],
): readonly Place[] =>
  fingerprints.length === 0
    ? []
    : allPlaces(parsed).filter(({ string }) =>
        fingerprints.includes(new TokenValue(string).fingerprint()),
      );

/**
 * `apiv1_` and base64: what is a token of InfluxDB by its form alone, whether or not anybody knows it. A byte order mark
 * or a space of another width beside it is meant to be no part of it, though consumers send it.
 */
const TOKEN_FORM = /^\s*apiv\d+_\S+\s*$/;

export const hasTokenForm = ({ string }: Pick<Place, 'string'>) => TOKEN_FORM.test(string);

/** Where the entry says that the token string is. */
function placeByEntry({ key }: NonNullable<Entry['adopt']>, { text, root }: Parsed): Place {
  if (key !== undefined) return placeUnder(root, key);
  const place = wholeText(text);
  if (!place) throw new PlaceError('has an empty value');
  return place;
}

/** Where a JSON has its token string if it is where the text before it had its own. */
function placeAsBefore(root: JsonNode, { known, previous }: Hints): Place | undefined {
  if (!previous) return undefined;
  const before = parse(previous.text);
  if (isOwn(before)) return stringUnder(root, TOKEN_KEY);
  const [place, another] = placesIn({}, before, { own: previous.own, known });
  return before.root && place && !another ? samePlace(root, before.root, place) : undefined;
}

/** A person may keep a former string, or one of another token, beside the one that consumers read. */
function possiblePlaces(parsed: Parsed, hints: Hints): readonly Place[] {
  const ours = placesByFingerprint(parsed, hints.known);
  const named = parsed.root && stringUnder(parsed.root, TOKEN_KEY);
  // A string under our own key is meant as its token, unless another one is of ours.
  if (named && ours.every(({ from }) => from === named.from)) return [named];
  const places = [...(named ? [named] : []), ...ours, ...allPlaces(parsed).filter(hasTokenForm)];
  return [...new Map(places.map((place) => [place.from, place])).values()];
}

/**
 * Where the token string may be in a text of another shape than ours. The first that answers: the entry; the string
 * that the version is known to have; the place that it had in the text before; what has the fingerprint or the form
 * of a token. Of several places nobody can tell which one consumers read.
 */
export function placesIn(
  { adopt }: Pick<Entry, 'adopt'>,
  parsed: Parsed,
  hints: Hints,
): readonly Place[] {
  if (adopt) return [placeByEntry(adopt, parsed)];
  const { root } = parsed;
  const exact = hints.own === undefined ? [] : placesByFingerprint(parsed, [hints.own]);
  if (exact.length === 1) return exact;
  const before = root && placeAsBefore(root, hints);
  if (before && (exact.length === 0 || exact.some(({ from }) => from === before.from))) {
    return [before];
  }
  return exact.length > 0 ? exact : possiblePlaces(parsed, hints);
}

export type OwnKey = (typeof OWN_KEYS)[number];
