import type { MintedToken } from '../management-api/management-api.ts';
import type { Policy, TokenPolicy } from '../policy/policy.ts';
import { formatInstant } from '../time.ts';
import { TokenValue } from '../token-value.ts';
import type { JsonObject } from './json-tree.ts';
import type { ObservedSecret } from './observation.ts';
import { inSecret, readTokenString } from './secret-string.ts';
import { currentHolder } from './state.ts';
import { jsonObject, nodeAt, type Place, PlaceError, replaced, writeAt } from './string-place.ts';
import {
  allPlaces,
  type Described,
  type Entry,
  type Hints,
  hasOthersKeys,
  hasTokenForm,
  isOwn,
  OWN_KEYS,
  type OwnKey,
  type Parsed,
  parse,
  placesByFingerprint,
  placesIn,
  stringUnder,
  TOKEN_KEY,
} from './token-places.ts';

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
    const [entry, another] = root?.entries.filter(([name]) => name === key) ?? [];
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
function refuseOthersKeys(root: JsonObject | undefined): void {
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
