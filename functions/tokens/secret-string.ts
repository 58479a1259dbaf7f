import { findCredentials } from '../credentials.ts';
import { TokenValue } from '../token-value.ts';
import { jsonObject, PlaceError, stringsIn, wholeText } from './string-place.ts';
import {
  type Entry,
  type Hints,
  hasTokenForm,
  isOwn,
  parse,
  placesIn,
  placeUnder,
  TOKEN_KEY,
} from './token-places.ts';

/** A secret's string does not have the form that the policy says; nothing of it is quoted. */
export class SecretShapeError extends Error {
  override readonly name = 'SecretShapeError';
}

/** @throws SecretShapeError instead of PlaceError, with the secret's name */
export function inSecret<T>(secret: string, work: () => T): T {
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

/** Fingerprints of all that may be a token's string in a secret's text: the whole of it, strings of its JSON, and those inside one. */
export function fingerprintsIn(text: TokenValue): ReadonlySet<string> {
  const revealed = text.reveal();
  const root = jsonObject(revealed);
  const inJson = root ? stringsIn(root).map(({ string }) => string) : [];
  const inText = findCredentials(revealed).strings.flatMap(({ readings }) => readings);
  const values = [revealed, ...inJson].map((each) => new TokenValue(each.trim()));
  return new Set([...values, ...inText].map((each) => each.fingerprint()));
}
