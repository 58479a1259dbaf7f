import { findCredentials } from '../credentials.ts';
import type { MintedToken } from '../management-api/management-api.ts';
import type { Token } from '../management-api/token.ts';
import type { Policy, TokenPolicy } from '../policy/policy.ts';
import { formatInstant } from '../time.ts';
import { TokenValue } from '../token-value.ts';
import type { JsonNode } from './json-tree.ts';
import type { ObservedSecret } from './observation.ts';
import { currentHolder } from './state.ts';
import {
  jsonObject,
  nodeAt,
  type Place,
  PlaceError,
  placeOfNode,
  replaced,
  samePlace,
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

/** The part of an entry that says where its token string is. */
export type Entry = Pick<TokenPolicy, 'secret' | 'adopt'>;

/** What a text of ours says of a token beside its string. */
type Described = Pick<Token, 'id' | 'permissions' | 'expiresAt'>;

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

/** A text that was in a secret. Its `previous` is needed if `isShapeShown` says no. */
export interface FormerText extends Hints {
  readonly text: TokenValue;
}

/** What a secret shows of AWSCURRENT's string, without a text. */
export function hintsOf(seen: ObservedSecret): Hints {
  const holder = currentHolder(seen);
  const current = holder && 'owned' in holder ? holder.owned : undefined;
  return {
    own: current?.marker.fp,
    known: [...new Set(seen.tokens.flatMap(({ marker }) => marker.fp ?? []))],
    tokens: [...seen.tokens, ...(current ? [current] : [])].map(({ token }) => token),
  };
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

/** The places of strings with one of these fingerprints. */
const placesByFingerprint = (parsed: Parsed, fingerprints: readonly string[]): readonly Place[] =>
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

const hasTokenForm = ({ string }: Pick<Place, 'string'>) => TOKEN_FORM.test(string);

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
function placesIn({ adopt }: Pick<Entry, 'adopt'>, parsed: Parsed, hints: Hints): readonly Place[] {
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

/** Undefined: there is none. */
function onlyPlace(...where: Parameters<typeof placesIn>): Place | undefined {
  const [place, another] = placesIn(...where);
  if (another) throw new PlaceError('has a token string more than once; say which in adopt.key');
  return place;
}

/** A text whose shape a new version gets, and where its token string is. `own`: in the shape of Keyturn. */
interface Model {
  readonly parsed: Parsed;
  readonly place: Place | 'own';
  /** Our own keys that are written anew beside the string. */
  readonly keys: readonly OwnKey[];
}

/** A value as JSON, in whatever order and with whatever spaces people's tools write it. */
function canonical(json: string): string {
  const value: unknown = JSON.parse(json);
  return JSON.stringify(Array.isArray(value) ? [...value].sort() : value);
}

/** Our keys in a JSON that is not wholly ours, as far as they still say what Keyturn wrote of a token. */
function keysLeft({ text, root }: Parsed, { tokens = [] }: Hints): readonly OwnKey[] {
  const said = tokens.map(description);
  return (['tokenId', 'databases', 'expiresAt'] as const).filter((key) => {
    const [entry, another] = root?.entries?.filter(([name]) => name === key) ?? [];
    if (!entry || another) return false;
    const value = canonical(text.slice(entry[1].from, entry[1].to));
    return said.some((each) => canonical(each[key]) === value);
  });
}

/** Whoever edits the key of an entry must not lose what stands under the new one, while the token stands elsewhere. */
function refuseOtherPlace(place: Place, parsed: Parsed, { own, known }: Hints): void {
  const ours = placesByFingerprint(parsed, own === undefined ? known : [own]);
  const isHere = ours.length === 0 || ours.some(({ from }) => from === place.from);
  // A person may keep a former string beside one that was made by hand.
  if (isHere || (own === undefined && hasTokenForm(place))) return;
  throw new PlaceError('has its token string in another place than its entry says (adopt.key)');
}

/** What has a copy of the string reads one that is retired, since only our own key gets the next one. */
function refuseCopies({ adopt }: Pick<Entry, 'adopt'>, parsed: Parsed): void {
  const place = parsed.root && stringUnder(parsed.root, TOKEN_KEY);
  if (!place || !hasTokenForm(place) || adopt?.key === TOKEN_KEY) return;
  if (allPlaces(parsed).filter(({ string }) => string.includes(place.string)).length > 1) {
    throw new PlaceError(
      `has its token string more than once, and only "${TOKEN_KEY}" would get the next one; remove the others, or say "${TOKEN_KEY}" in adopt.key`,
    );
  }
}

/** Our own shape shows itself. */
function modelOfText(entry: Pick<Entry, 'adopt'>, parsed: Parsed, hints: Hints): Model | undefined {
  if (isOwn(parsed)) {
    refuseCopies(entry, parsed);
    return { parsed, place: 'own', keys: OWN_KEYS };
  }
  const place = onlyPlace(entry, parsed, hints);
  if (place && entry.adopt) refuseOtherPlace(place, parsed, hints);
  return place && { parsed, place, keys: entry.adopt ? [] : keysLeft(parsed, hints) };
}

/** The same, undefined too where the text is not as the entry says. */
function modelIfShown(...where: Parameters<typeof modelOfText>): Model | undefined {
  try {
    return modelOfText(...where);
  } catch (error) {
    if (error instanceof PlaceError) return undefined;
    throw error;
  }
}

/** By the entry. Of a text that has no such place the one before it is asked: somebody wrote a placeholder over it. */
function modelByEntry(entry: Entry, current: Parsed, hints: Hints): Model | undefined {
  if (!current.root && hints.previous && !modelIfShown(entry, current, hints)) {
    const before = modelIfShown(entry, parse(hints.previous.text), hints);
    if (before) return before;
  }
  return modelOfText(entry, current, hints);
}

/**
 * Whose shape a new version gets. Undefined: nothing shows one, so it gets Keyturn's own. That no token is
 * known by its fingerprint must not take the shape from consumers: people delete tokens and take markers away.
 */
function modelOf(entry: Entry, former: FormerText): Model | undefined {
  const { known, previous } = former;
  const current = parse(former.text);
  if (entry.adopt) return modelByEntry(entry, current, former);
  const before = previous && parse(previous.text);
  const isBare = !current.root || !hasOthersKeys(current.root);
  const isOurs = placesByFingerprint(current, known).length > 0;
  // A string that a person put in the place of the whole of our own JSON.
  if (isBare && !isOurs && before && !isOwn(current) && isOwn(before)) {
    return { parsed: before, place: 'own', keys: OWN_KEYS };
  }
  const model = modelOfText(entry, current, former);
  if (model && !isPlaceholder(model)) return model;
  return isBare && before && !isOurs
    ? modelOfText(entry, before, { own: previous?.own, known, tokens: former.tokens })
    : undefined;
}

/** What is under our own key is replaced with all of our values, unless it is a token's string. */
function isPlaceholder({ parsed: { root }, place }: Model): boolean {
  if (!root || place === 'own' || hasTokenForm(place)) return false;
  return stringUnder(root, TOKEN_KEY)?.from === place.from;
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
 * @throws SecretShapeError if there is none, or if there are several and nothing shows which one consumers read
 */
export function readTokenString(entry: Entry, text: TokenValue, hints: Hints): TokenValue {
  return inSecret(entry.secret, () => {
    const parsed = parse(text);
    if (isOwn(parsed)) return new TokenValue(placeUnder(parsed.root, TOKEN_KEY).string);
    const strings = new Set(placesIn(entry, parsed, hints).map(({ string }) => string));
    if (strings.size > 1) {
      throw new PlaceError('has several token strings; say in adopt.key which one consumers read');
    }
    const [string = placeUnder(parsed.root, TOKEN_KEY).string] = strings;
    return new TokenValue(string);
  });
}

/**
 * The string that consumers send; where the value has none, all of a text that is no JSON. Undefined: nobody can
 * tell, because there is a token string in the text, and it is not where it is expected.
 */
export function stringForConsumers(
  entry: Entry,
  text: TokenValue,
  hints: Hints,
): TokenValue | undefined {
  const whole = () => new TokenValue(wholeText(text.reveal())?.string ?? '');
  const value = stringIfShown(entry, text, hints) ?? whole();
  const isWhole = hasTokenForm({ string: value.reveal() });
  return isWhole || findCredentials(value.reveal()).strings.length === 0 ? value : undefined;
}

function stringIfShown(...where: Parameters<typeof readTokenString>): TokenValue | undefined {
  try {
    return readTokenString(...where);
  } catch (error) {
    if (error instanceof SecretShapeError) return undefined;
    throw error;
  }
}

/** Whether the string of a fingerprint is anywhere in a secret's text: the whole of it, a string of its JSON, or inside one. */
export function holdsString(text: TokenValue, fingerprint: string): boolean {
  const revealed = text.reveal();
  const root = jsonObject(revealed);
  const inJson = root ? stringsIn(root).map(({ string }) => string) : [];
  const inText = findCredentials(revealed).strings.flatMap(({ readings }) => readings);
  const values = [revealed, ...inJson].map((each) => new TokenValue(each.trim()));
  return [...values, ...inText].some((each) => each.fingerprint() === fingerprint);
}

/**
 * Whether a text shows by itself where its token string is; otherwise the text before it must be asked too.
 * @throws SecretShapeError
 */
export function isShapeShown(entry: Entry, { text, own }: FormerText): boolean {
  const parsed = parse(text);
  if (inSecret(entry.secret, () => isOwn(parsed))) return true;
  if (entry.adopt) return modelIfShown(entry, parsed, { known: [] }) !== undefined;
  return own !== undefined && placesByFingerprint(parsed, [own]).length === 1;
}

/**
 * Whether a pending text is no longer what AWSCURRENT's would become: people changed something beside the
 * token string since it was stored, and promoting it would undo that.
 * @throws SecretShapeError
 */
export function isOutdated(entry: Entry, pending: FormerText, current: FormerText): boolean {
  const value = readTokenString(entry, pending.text, pending);
  return inSecret(entry.secret, () => {
    const model = modelOf(entry, current);
    if (!model) return false;
    const stored = parse(pending.text);
    if (model.place === 'own' && !isOwn(stored)) return false;
    return written(model, value.reveal(), ownIn(stored, model.keys)) !== stored.text;
  });
}

/** What a text has under some of our keys. */
const ownIn = ({ text, root }: Parsed, keys: readonly OwnKey[]): Partial<Own> =>
  Object.fromEntries(
    keys.flatMap((key) => {
      const node = root && nodeAt(root, key);
      return node ? [[key, text.slice(node.from, node.to)]] : [];
    }),
  );

type OwnKey = (typeof OWN_KEYS)[number];

/** What a secret that Keyturn created has under its keys, each as JSON. */
type Own = Readonly<Record<OwnKey, string>>;

const description = ({ id, permissions, expiresAt }: Described) => ({
  tokenId: JSON.stringify(id),
  databases: JSON.stringify([...new Set(permissions.map(({ resource }) => resource))]),
  expiresAt: JSON.stringify(expiresAt === undefined ? null : formatInstant(expiresAt)),
});

const ownValues = (
  { permissions }: TokenPolicy,
  { cluster }: Policy,
  { token, value }: MintedToken,
): Own => ({
  token: JSON.stringify(value.reveal()),
  url: JSON.stringify(cluster.dataUrl ?? cluster.url),
  ...description({ ...token, permissions }),
});

const ownText = (own: Own): string =>
  `{${OWN_KEYS.map((key) => `"${key}":${own[key]}`).join(',')}}`;

/** Keys that people added stay: only ours are written anew. */
const updateOwn = (text: string, values: Partial<Own>, keys: readonly OwnKey[] = OWN_KEYS) =>
  keys.reduce((updated, key) => {
    const root = jsonObject(updated);
    const node = root && nodeAt(root, key);
    const value = values[key];
    return node && value !== undefined ? replaced(updated, node, value) : updated;
  }, text);

/** The model's text with another token. */
const written = ({ parsed: { text }, place, keys }: Model, string: string, own: Partial<Own>) =>
  updateOwn(place === 'own' ? text : writeAt(text, place, string), own, keys);

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
