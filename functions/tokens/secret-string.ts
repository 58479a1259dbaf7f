import { findCredentials } from '../credentials.ts';
import type { MintedToken } from '../management-api/management-api.ts';
import type { Policy, TokenPolicy } from '../policy/policy.ts';
import { formatInstant } from '../time.ts';
import { TokenValue } from '../token-value.ts';
import type { JsonNode } from './json-tree.ts';
import type { ObservedSecret } from './observation.ts';
import { ownedCurrent } from './state.ts';
import {
  jsonObject,
  nodeAt,
  type Place,
  PlaceError,
  placeOfNode,
  replaced,
  stringsIn,
  wholeText,
  writeAt,
} from './string-place.ts';

/** Key of the token string in the secrets that Keyturn creates. */
const TOKEN_KEY = 'token';
const TOKEN_ID_KEY = 'tokenId';
/** The keys of the secrets that Keyturn creates: a JSON object that has them all is one. */
const OWN_KEYS = [TOKEN_KEY, TOKEN_ID_KEY, 'url', 'databases', 'expiresAt'] as const;

/** A secret's string does not have the form that the policy says; nothing of it is quoted. */
export class SecretShapeError extends Error {
  override readonly name = 'SecretShapeError';
}

type Entry = Pick<TokenPolicy, 'secret' | 'adopt'>;

/** A text that was in a secret, and the fingerprints by which its token string is found in it. */
export interface FormerText {
  readonly text: TokenValue;
  /** Of the tokens whose strings it may have; the likeliest first. */
  readonly fingerprints: readonly string[];
}

/** The fingerprints of a secret's tokens, that of AWSCURRENT's first. */
export function fingerprintsOf(seen: ObservedSecret): readonly string[] {
  const tokens = [ownedCurrent(seen), ...seen.tokens];
  return [...new Set(tokens.flatMap((each) => each?.marker.fp ?? []))];
}

const isOwn = (root: JsonNode) => OWN_KEYS.every((key) => nodeAt(root, key));

function placeUnder(root: JsonNode | undefined, key: string): Place {
  if (!root) throw new PlaceError('does not contain a JSON object');
  const node = nodeAt(root, key);
  const place = node && placeOfNode(node);
  if (!place) throw new PlaceError(`has no string under "${key}"`);
  return place;
}

/** The places of a string with one of these fingerprints, which is the whole text or a string of its JSON. */
function placesByFingerprint(
  text: string,
  root: JsonNode | undefined,
  fingerprints: readonly string[],
): readonly Place[] {
  const places = root ? stringsIn(root) : [wholeText(text)].flatMap((each) => each ?? []);
  const byFingerprint = Map.groupBy(places, ({ string }) => new TokenValue(string).fingerprint());
  return fingerprints.map((each) => byFingerprint.get(each)).find((each) => each) ?? [];
}

/**
 * Where the token string is. What Keyturn wrote shows itself; elsewhere the entry names the key; and if
 * its `adopt` is no longer there, the token's fingerprint shows the string, once or more. Empty: none of these.
 */
function findPlaces(
  { adopt }: Entry,
  text: string,
  root: JsonNode | undefined,
  fingerprints: readonly string[],
): readonly Place[] {
  if (root && isOwn(root)) return [placeUnder(root, TOKEN_KEY)];
  if (adopt?.key !== undefined) return [placeUnder(root, adopt.key)];
  if (!adopt) return placesByFingerprint(text, root, fingerprints);
  const place = wholeText(text);
  if (!place) throw new PlaceError('has an empty value');
  return [place];
}

/** The only place of the token string; undefined: it is nowhere. */
function findPlace(...where: Parameters<typeof findPlaces>): Place | undefined {
  const [place, another] = findPlaces(...where);
  if (another) throw new PlaceError('has the token string more than once; say which in adopt.key');
  return place;
}

/** @throws SecretShapeError instead of PlaceError, with the secret's name */
function inSecret<T>(secret: string, work: () => T): T {
  try {
    return work();
  } catch (error) {
    if (!(error instanceof PlaceError)) throw error;
    throw new SecretShapeError(`${secret} ${error.message}`, { cause: error });
  }
}

/**
 * Finds the token string in a secret's string.
 * @param fingerprints of the tokens whose strings it may have; needed if the entry's `adopt` was removed
 * @throws SecretShapeError
 */
export function readTokenString(
  entry: Entry,
  text: TokenValue,
  fingerprints: readonly string[] = [],
): TokenValue {
  return inSecret(entry.secret, () => {
    const revealed = text.reveal();
    const root = jsonObject(revealed);
    const [place = placeUnder(root, TOKEN_KEY)] = findPlaces(entry, revealed, root, fingerprints);
    return new TokenValue(place.string);
  });
}

/** Whether the string of a fingerprint is anywhere in a secret's text: the whole of it, a string of its JSON, or inside one. */
export function holdsString(text: TokenValue, fingerprint: string): boolean {
  const revealed = text.reveal();
  const root = jsonObject(revealed);
  const inJson = root ? stringsIn(root).map(({ string }) => string) : [];
  const inText = findCredentials(revealed).strings.flatMap(({ readings }) => readings);
  const values = [revealed.trim(), ...inJson].map((each) => new TokenValue(each));
  return [...values, ...inText].some((each) => each.fingerprint() === fingerprint);
}

/**
 * Whether a pending text is no longer what AWSCURRENT's would become: people changed something beside the
 * token string since it was stored, and promoting it would undo that.
 * @throws SecretShapeError
 */
export function isOutdated(entry: Entry, pending: FormerText, current: FormerText): boolean {
  const value = readTokenString(entry, pending.text, pending.fingerprints);
  const text = current.text.reveal();
  const root = jsonObject(text);
  return inSecret(entry.secret, () => {
    if (root && isOwn(root)) return false;
    const place = findPlace(entry, text, root, current.fingerprints);
    return place !== undefined && writeAt(text, place, value.reveal()) !== pending.text.reveal();
  });
}

/** What a secret that Keyturn created has under its keys. */
const ownValues = (
  { permissions }: TokenPolicy,
  { cluster }: Policy,
  { token, value }: MintedToken,
): Readonly<Record<(typeof OWN_KEYS)[number], unknown>> => ({
  token: value.reveal(),
  tokenId: token.id,
  url: cluster.dataUrl ?? cluster.url,
  databases: [...new Set(permissions.map(({ resource }) => resource))],
  expiresAt: token.expiresAt === undefined ? null : formatInstant(token.expiresAt),
});

/** Keys that people added stay: only ours are written anew. */
function updateOwn(text: string, values: ReturnType<typeof ownValues>): string {
  return OWN_KEYS.reduce((updated, key) => {
    const root = jsonObject(updated);
    const node = root && nodeAt(root, key);
    return node ? replaced(updated, node, JSON.stringify(values[key])) : updated;
  }, text);
}

const hasOthersKeys = ({ entries = [] }: JsonNode) =>
  !entries.every(([name]) => OWN_KEYS.some((own) => own === name));

function stringUnder(root: JsonNode, key: string): Place | undefined {
  const node = nodeAt(root, key);
  return node && placeOfNode(node);
}

/** A placeholder has no keys but those that Keyturn would write. */
function refuseOthersKeys(root: JsonNode | undefined): void {
  if (!root || !hasOthersKeys(root)) return;
  throw new PlaceError(
    'has keys of others, and no string that is known as its token; name its key in adopt.key',
  );
}

function compose(
  entry: TokenPolicy,
  policy: Policy,
  minted: MintedToken,
  former: FormerText | undefined,
): string {
  const string = minted.value.reveal();
  const own = ownValues(entry, policy, minted);
  if (!former) {
    if (entry.adopt?.key !== undefined) throw new PlaceError('has no value that can be copied');
    return entry.adopt ? string : JSON.stringify(own);
  }
  const text = former.text.reveal();
  const root = jsonObject(text);
  if (root && isOwn(root)) return updateOwn(text, own);
  const place = findPlace(entry, text, root, former.fingerprints);
  if (place) return writeAt(text, place, string);
  // A person put a string under our own key, and keys of their own beside it.
  if (root && !entry.adopt && hasOthersKeys(root) && stringUnder(root, TOKEN_KEY)) {
    return updateOwn(text, own);
  }
  refuseOthersKeys(root);
  return JSON.stringify(own);
}

/** In place of a token and its string, while only the shape of the secret is checked. */
const NOBODY = {
  token: { id: '', description: '', permissions: [], createdAt: 0 },
  value: new TokenValue('nobody'),
};

/**
 * Checks, before a token is minted, that its string will find its place in the secret.
 * @throws SecretShapeError if the token string is not found where it must be
 */
export function refuseOtherShape(
  entry: TokenPolicy,
  policy: Policy,
  former: FormerText | undefined,
): void {
  composeSecretString(entry, policy, NOBODY, former);
}

/**
 * The value of a new version. The secret keeps the shape of `former`, AWSCURRENT's value: an adopted one
 * differs from it in the token string alone. A secret without a value, or with a placeholder, gets the
 * token and what consumers need to use it, as JSON.
 * @throws SecretShapeError if the token string is not found where it must be
 */
export const composeSecretString = (
  entry: TokenPolicy,
  policy: Policy,
  minted: MintedToken,
  former: FormerText | undefined,
): TokenValue =>
  inSecret(entry.secret, () => new TokenValue(compose(entry, policy, minted, former)));
