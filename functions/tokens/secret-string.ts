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
  /** The text before it; needed if `isShapeShown` says no. */
  readonly previous?: TokenValue | undefined;
}

/** The fingerprints of a secret's tokens, that of AWSCURRENT's first. */
export function fingerprintsOf(seen: ObservedSecret): readonly string[] {
  const tokens = [ownedCurrent(seen), ...seen.tokens];
  return [...new Set(tokens.flatMap((each) => each?.marker.fp ?? []))];
}

/** A secret's text, and the JSON object that it is. */
interface Parsed {
  readonly text: string;
  readonly root: JsonNode | undefined;
}

function parse(value: TokenValue): Parsed {
  const text = value.reveal();
  return { text, root: jsonObject(text) };
}

const isOwn = ({ root }: Parsed) =>
  root !== undefined && OWN_KEYS.every((key) => nodeAt(root, key));

const hasOthersKeys = ({ entries = [] }: JsonNode) =>
  !entries.every(([name]) => OWN_KEYS.some((own) => own === name));

function stringUnder(root: JsonNode, key: string): Place | undefined {
  const node = nodeAt(root, key);
  return node && placeOfNode(node);
}

function placeUnder(root: JsonNode | undefined, key: string): Place {
  if (!root) throw new PlaceError('does not contain a JSON object');
  const place = stringUnder(root, key);
  if (!place) throw new PlaceError(`has no string under "${key}"`);
  return place;
}

/** Every place where a token string may be: the whole text, or the strings of its JSON. */
const allPlaces = ({ text, root }: Parsed): readonly Place[] =>
  root ? stringsIn(root) : [wholeText(text)].flatMap((each) => each ?? []);

/** The places of a string with one of these fingerprints. */
function placesByFingerprint(parsed: Parsed, fingerprints: readonly string[]): readonly Place[] {
  const byFingerprint = Map.groupBy(allPlaces(parsed), ({ string }) =>
    new TokenValue(string).fingerprint(),
  );
  return fingerprints.map((each) => byFingerprint.get(each)).find((each) => each) ?? [];
}

/** `apiv1_` and base64: what is a token of InfluxDB by its form alone, whether or not anybody knows it. */
const TOKEN_FORM = /^apiv\d+_\S+$/;

const placesByForm = (parsed: Parsed): readonly Place[] =>
  allPlaces(parsed).filter(({ string }) => TOKEN_FORM.test(string));

/** Where the entry says that the token string is. */
function placeByEntry({ key }: NonNullable<Entry['adopt']>, { text, root }: Parsed): Place {
  if (key !== undefined) return placeUnder(root, key);
  const place = wholeText(text);
  if (!place) throw new PlaceError('has an empty value');
  return place;
}

/** `found` if there is one; undefined: there is none. */
function onlyOne(found: readonly Place[], what: string): Place | undefined {
  const [place, another] = found;
  if (another) throw new PlaceError(`has ${what} more than once; say which in adopt.key`);
  return place;
}

/**
 * Where the token string is, as far as that is certain: what Keyturn wrote shows itself; elsewhere the entry
 * says it; and if its `adopt` is no longer there, the fingerprint of a token. Undefined: none of these.
 */
function certainPlace(
  { adopt }: Entry,
  parsed: Parsed,
  fingerprints: readonly string[],
): Place | 'own' | undefined {
  if (isOwn(parsed)) return 'own';
  if (adopt) return placeByEntry(adopt, parsed);
  return onlyOne(placesByFingerprint(parsed, fingerprints), 'the token string');
}

/** A text whose shape a new version gets, and where its token string is. `own`: in the shape of Keyturn. */
interface Model {
  readonly parsed: Parsed;
  readonly place: Place | 'own';
}

const modelIf = (parsed: Parsed, place: Place | 'own' | undefined): Model | undefined =>
  place && { parsed, place };

/** The same, undefined too where the text is not as the entry says. */
function placeIfShown(...where: Parameters<typeof certainPlace>): Place | 'own' | undefined {
  try {
    return certainPlace(...where);
  } catch (error) {
    if (error instanceof PlaceError) return undefined;
    throw error;
  }
}

/** By the entry. Of a text that has no such place the one before it is asked: somebody wrote a placeholder over it. */
function modelByEntry(
  entry: Entry,
  current: Parsed,
  previous: Parsed | undefined,
): Model | undefined {
  const before = current.root ? undefined : previous;
  if (before && !placeIfShown(entry, current, [])) {
    const place = placeIfShown(entry, before, []);
    if (place) return { parsed: before, place };
  }
  return modelIf(current, certainPlace(entry, current, []));
}

/**
 * Whose shape a new version gets. Undefined: nothing shows one, so it gets Keyturn's own. That no token is
 * known by its fingerprint must not take the shape from consumers: people delete tokens and take markers away.
 */
function modelOf(entry: Entry, former: FormerText): Model | undefined {
  const { fingerprints } = former;
  const current = parse(former.text);
  const previous = former.previous && parse(former.previous);
  if (entry.adopt) return modelByEntry(entry, current, previous);
  const certain = modelIf(current, certainPlace(entry, current, fingerprints));
  if (certain) return certain;
  const isBare = !current.root || !hasOthersKeys(current.root);
  // A string that a person put in the place of the whole of our own JSON.
  if (isBare && previous && isOwn(previous)) return { parsed: previous, place: 'own' };
  const byForm = onlyOne(placesByForm(current), 'a token string');
  const named = current.root && stringUnder(current.root, TOKEN_KEY);
  // A string under our own key is meant as its token, whatever another key has.
  if (byForm && (!named || named.from === byForm.from)) return { parsed: current, place: byForm };
  if (!isBare || !previous) return undefined;
  const before = certainPlace(entry, previous, fingerprints);
  return modelIf(previous, before ?? onlyOne(placesByForm(previous), 'a token string'));
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
    const parsed = parse(text);
    if (isOwn(parsed)) return new TokenValue(placeUnder(parsed.root, TOKEN_KEY).string);
    if (entry.adopt) return new TokenValue(placeByEntry(entry.adopt, parsed).string);
    const [known] = placesByFingerprint(parsed, fingerprints);
    const [formed, another] = placesByForm(parsed);
    const place = known ?? (another ? undefined : formed) ?? placeUnder(parsed.root, TOKEN_KEY);
    return new TokenValue(place.string);
  });
}

/** The string that consumers send: where the value has another form than expected, all of it. */
export function stringForConsumers(
  entry: Entry,
  text: TokenValue,
  fingerprints: readonly string[],
): TokenValue {
  try {
    return readTokenString(entry, text, fingerprints);
  } catch (error) {
    if (!(error instanceof SecretShapeError)) throw error;
    return new TokenValue(text.reveal().trim());
  }
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

/** Whether a text shows by itself where its token string is; otherwise the text before it must be asked too. */
export const isShapeShown = (entry: Entry, { text, fingerprints }: FormerText): boolean =>
  placeIfShown(entry, parse(text), fingerprints) !== undefined;

/**
 * Whether a pending text is no longer what AWSCURRENT's would become: people changed something beside the
 * token string since it was stored, and promoting it would undo that.
 * @throws SecretShapeError
 */
export function isOutdated(entry: Entry, pending: FormerText, current: FormerText): boolean {
  const value = readTokenString(entry, pending.text, pending.fingerprints);
  return inSecret(entry.secret, () => {
    const model = modelOf(entry, current);
    if (!model) return false;
    const { parsed, place } = model;
    if (place !== 'own')
      return writeAt(parsed.text, place, value.reveal()) !== pending.text.reveal();
    const own = ownIn(parse(pending.text));
    return own !== undefined && updateOwn(parsed.text, own) !== pending.text.reveal();
  });
}

/** What a text of our own shape has under our keys. */
function ownIn(parsed: Parsed): Own | undefined {
  const { text, root } = parsed;
  if (!root || !isOwn(parsed)) return undefined;
  const written = (key: (typeof OWN_KEYS)[number]) => {
    const { from = 0, to = 0 } = nodeAt(root, key) ?? {};
    return text.slice(from, to);
  };
  return {
    token: written('token'),
    tokenId: written('tokenId'),
    url: written('url'),
    databases: written('databases'),
    expiresAt: written('expiresAt'),
  };
}

/** What a secret that Keyturn created has under its keys, each as JSON. */
type Own = Readonly<Record<(typeof OWN_KEYS)[number], string>>;

const ownValues = (
  { permissions }: TokenPolicy,
  { cluster }: Policy,
  { token, value }: MintedToken,
): Own => ({
  token: JSON.stringify(value.reveal()),
  tokenId: JSON.stringify(token.id),
  url: JSON.stringify(cluster.dataUrl ?? cluster.url),
  databases: JSON.stringify([...new Set(permissions.map(({ resource }) => resource))]),
  expiresAt: JSON.stringify(token.expiresAt === undefined ? null : formatInstant(token.expiresAt)),
});

const ownText = (own: Own): string =>
  `{${OWN_KEYS.map((key) => `"${key}":${own[key]}`).join(',')}}`;

/** Keys that people added stay: only ours are written anew. */
function updateOwn(text: string, values: Own): string {
  return OWN_KEYS.reduce((updated, key) => {
    const root = jsonObject(updated);
    const node = root && nodeAt(root, key);
    return node ? replaced(updated, node, values[key]) : updated;
  }, text);
}

/** The model's text with another token. */
const written = ({ parsed: { text }, place }: Model, string: string, own: Own): string =>
  place === 'own' ? updateOwn(text, own) : writeAt(text, place, string);

/** A placeholder has no keys but those that Keyturn would write. */
function refuseOthersKeys(root: JsonNode | undefined): void {
  if (!root || !hasOthersKeys(root)) return;
  throw new PlaceError(
    'has keys of others, and no string that is known as its token; name its key in adopt.key',
  );
}

/** What a secret gets whose former text shows no shape. */
function withoutModel({ root, text }: Parsed, own: Own): string {
  // A person put a string under our own key, and keys of their own beside it.
  if (root && hasOthersKeys(root) && stringUnder(root, TOKEN_KEY)) return updateOwn(text, own);
  refuseOthersKeys(root);
  return ownText(own);
}

function compose(
  entry: TokenPolicy,
  policy: Policy,
  minted: MintedToken,
  former: FormerText | undefined,
): string {
  const string = minted.value.reveal();
  const own = ownValues(entry, policy, minted);
  if (former) {
    const model = modelOf(entry, former);
    return model ? written(model, string, own) : withoutModel(parse(former.text), own);
  }
  if (entry.adopt?.key !== undefined) {
    throw new PlaceError(
      `has no value whose shape could be kept; save its JSON again, with any string under "${entry.adopt.key}"`,
    );
  }
  return entry.adopt ? string : ownText(own);
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
