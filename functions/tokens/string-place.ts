import { type JsonNode, type JsonObject, parseJson } from './json-tree.ts';

/** Where a string is in a text: blanks around the string belong to the text. */
export interface Place {
  readonly from: number;
  /** Behind the last character. */
  readonly to: number;
  /** What has to be written there for a string. */
  readonly write: (string: string) => string;
  /** The string that is there. */
  readonly string: string;
}

/** There is no such place. It says what is wrong, and quotes nothing of the text. */
export class PlaceError extends Error {
  override readonly name = 'PlaceError';
}

/** What files and shells have around a string, and most clients take off. They send every other character, so that it belongs to the string. */
const BLANKS = ' \t\r\n';

/** A text without the blanks around it. Undefined: it has nothing else. */
function withoutBlanks(text: string): Pick<Place, 'from' | 'to' | 'string'> | undefined {
  const isBlank = (at: number) => BLANKS.includes(text.charAt(at));
  let [from, to] = [0, text.length];
  while (from < to && isBlank(from)) from += 1;
  while (from < to && isBlank(to - 1)) to -= 1;
  return from === to ? undefined : { from, to, string: text.slice(from, to) };
}

/** A text that is one string, such as a file with a token and a newline. Undefined: it has nothing but blanks. */
export function wholeText(text: string): Place | undefined {
  const sent = withoutBlanks(text);
  return sent && { ...sent, write: (next) => next };
}

/** The text with something else from one position to another. */
export const replaced = (
  text: string,
  { from, to }: Pick<Place, 'from' | 'to'>,
  part: string,
): string => text.slice(0, from) + part + text.slice(to);

/** The text with another string in a place; every other character stays as it is. */
export const writeAt = (text: string, place: Place, string: string): string =>
  replaced(text, place, place.write(string));

const isObject = (node: JsonNode): node is JsonObject => node.entries !== undefined;

/** The root of a text that is a JSON object. Undefined: it is something else. */
export function jsonObject(text: string): JsonObject | undefined {
  const root = parseJson(text);
  return root && isObject(root) ? root : undefined;
}

/** The one value under a name. Readers of JSON disagree which one of several counts. */
function valueUnder({ entries = [] }: JsonNode, name: string): JsonNode | undefined {
  const [found, another] = entries.filter(([each]) => each === name);
  if (another) throw new PlaceError(`has the key "${name}" more than once; keep one of them`);
  return found?.[1];
}

/** What is under a key, which may be a path (`db.token`). A name with a dot at the top level comes first. */
export function nodeAt(root: JsonNode, key: string): JsonNode | undefined {
  const literal = valueUnder(root, key);
  if (literal) return literal;
  let node: JsonNode | undefined = root;
  for (const name of key.split('.')) {
    if (node?.items) {
      throw new PlaceError(`has a list on the way to "${key}"; a path leads through objects alone`);
    }
    node = node && valueUnder(node, name);
  }
  return node;
}

/** Undefined: the node is no string, or has nothing but blanks. */
export function placeOfNode({ string: whole = '', from, to }: JsonNode): Place | undefined {
  const sent = withoutBlanks(whole);
  const write = (next: string) => (sent ? JSON.stringify(replaced(whole, sent, next)) : next);
  return sent && { from, to, write, string: sent.string };
}

/** The place to which the same names lead as to a place in another JSON. Undefined: there is no string. */
export function samePlace(root: JsonNode, other: JsonNode, place: Place): Place | undefined {
  const isUnder = ({ from, to }: JsonNode) => from <= place.from && place.to <= to;
  const [name, value] = other.entries?.find(([, each]) => isUnder(each)) ?? [];
  if (name !== undefined && value) {
    const next = valueUnder(root, name);
    return next && samePlace(next, value, place);
  }
  const index = other.items?.findIndex(isUnder) ?? -1;
  const item = other.items?.[index];
  if (!item) return placeOfNode(root);
  const next = root.items?.[index];
  return next && samePlace(next, item, place);
}

/** The places of all strings at and below a node, without the names of keys. */
export function stringsIn(node: JsonNode): Place[] {
  const place = placeOfNode(node);
  if (place) return [place];
  const { items = [], entries = [] } = node;
  return [...items, ...entries.map(([, value]) => value)].flatMap(stringsIn);
}
