import { createHash } from 'node:crypto';

/** What the cluster keeps of a token's string. */
interface Hashed {
  readonly sha512: string;
}

/** A token string as the sandbox makes it, wherever it stands in a text. */
const STRING = /apiv1_[\w+/=-]+/g;

const hashes = new Map<string, readonly string[]>();

/** Of every token string in a text. Kept, because a laboratory asks after every call. */
function hashesIn(text: string): readonly string[] {
  const known = hashes.get(text);
  if (known) return known;
  const made = (text.match(STRING) ?? []).map((string) =>
    createHash('sha512').update(string).digest('hex'),
  );
  hashes.set(text, made);
  return made;
}

/**
 * The token whose string a secret's text holds, be it the whole text or a part of its JSON. Found by the
 * string alone, whatever a version's id or a marker says. Undefined: no token has it.
 */
export function holderOf<T extends Hashed>(
  text: string | undefined,
  tokens: readonly T[],
): T | undefined {
  const [hash = ''] = hashesIn(text ?? '');
  return byHash(tokens).get(hash);
}

const known = new WeakMap<object, { readonly count: number; readonly all: Map<string, Hashed> }>();

/** A list of tokens only grows, and a long life asks it thousands of times. */
function byHash<T extends Hashed>(tokens: readonly T[]): ReadonlyMap<string, T> {
  const found = known.get(tokens);
  if (found?.count === tokens.length) return found.all as Map<string, T>;
  const all = new Map(tokens.map((token) => [token.sha512, token]));
  known.set(tokens, { count: tokens.length, all });
  return all;
}
