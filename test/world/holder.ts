import { createHash } from 'node:crypto';
import { tokensByHash } from '../../sandbox/cluster/state.ts';

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
export function holderOf<T extends { readonly sha512: string }>(
  text: string | undefined,
  tokens: readonly T[],
): T | undefined {
  const [hash = ''] = hashesIn(text ?? '');
  return tokensByHash(tokens).get(hash);
}
