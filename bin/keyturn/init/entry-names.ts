import type { FoundToken } from './found.ts';

const LONGEST = 48;

/** A name as a policy takes it, made of what a person wrote; empty: there is nothing to make it of. */
const nameOf = (text: string): string =>
  text
    .normalize('NFKD')
    .toLowerCase()
    .replace(/\p{M}/gu, '')
    .split(/[^a-z0-9]+/)
    .filter((word) => word !== '')
    .join('-')
    .slice(0, LONGEST)
    .replace(/-$/, '');

/** A name of its own for each of these tokens, by id. */
export function entryNames(tokens: readonly FoundToken[]): ReadonlyMap<string, string> {
  const taken = new Set<string>();
  const named = new Map<string, string>();
  for (const { id, description, calledThere } of tokens) {
    const short = nameOf(id).slice(0, 8);
    const wanted = nameOf(calledThere ?? description) || `token-${short}`;
    let own = wanted;
    for (let count = 1; taken.has(own); count += 1) {
      own = count === 1 ? `${wanted}-${short}` : `${wanted}-${short}-${count}`;
    }
    taken.add(own);
    named.set(id, own);
  }
  return named;
}
