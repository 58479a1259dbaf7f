import { createHash } from 'node:crypto';

/** Objects with their keys in order: whoever sorts a policy file changes nothing. */
const inOrder = (_key: string, value: unknown): unknown =>
  value !== null && typeof value === 'object' && !Array.isArray(value)
    ? Object.fromEntries(Object.entries(value).sort(([one], [other]) => (one < other ? -1 : 1)))
    : value;

/** First 12 hex digits of SHA-256 of plain data. */
const hashOf = (value: unknown): string =>
  createHash('sha256').update(JSON.stringify(value, inOrder)).digest('hex').slice(0, 12);

/** By what two people see whether they mean the same policy, and where theirs differ. */
export interface DocumentMark {
  readonly hash: string;
  /** A hash of each key of the document (`schedules`), of each token (`tokens.grafana`), and of the file that `cluster.ca` names (by that key). */
  readonly parts: Readonly<Record<string, string>>;
}

/** The part of the file that `cluster.ca` names, whose content may change though its name stays. */
export const CA = 'cluster.ca';

/**
 * @param document a policy as plain data, as it was written
 * @param ca the PEM of the file that it names; absent: it names none
 */
export function documentMark(document: unknown, ca?: string): DocumentMark {
  const { tokens, ...others } = Object(document) as Record<string, unknown>;
  const hashes = (parts: object, prefix = '') =>
    Object.entries(parts).map(([key, value]) => [prefix + key, hashOf(value)] as const);
  return {
    // Without a file it stays what it was in versions that did not look into it.
    hash: hashOf(ca === undefined ? document : [document, ca]),
    parts: Object.fromEntries([
      ...hashes(others),
      ...hashes(Object(tokens), 'tokens.'),
      ...(ca === undefined ? [] : hashes({ [CA]: ca })),
    ]),
  };
}

/** The keys of what is in one of two policies alone, or not the same in both. */
export function differingParts(one: DocumentMark, other: DocumentMark): readonly string[] {
  const keys = new Set([...Object.keys(one.parts), ...Object.keys(other.parts)]);
  return [...keys].filter((key) => one.parts[key] !== other.parts[key]).sort();
}
