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
  /** A hash of each key of the document (`schedules`), and of each token (`tokens.grafana`). */
  readonly parts: Readonly<Record<string, string>>;
}

/** @param document a policy as plain data, as it was written */
export function documentMark(document: unknown): DocumentMark {
  const { tokens, ...others } = Object(document) as Record<string, unknown>;
  const hashes = (parts: object, prefix = '') =>
    Object.entries(parts).map(([key, value]) => [prefix + key, hashOf(value)] as const);
  return {
    hash: hashOf(document),
    parts: Object.fromEntries([...hashes(others), ...hashes(Object(tokens), 'tokens.')]),
  };
}

/** The keys of what is in one of two policies alone, or not the same in both. */
export function differingParts(one: DocumentMark, other: DocumentMark): readonly string[] {
  const keys = new Set([...Object.keys(one.parts), ...Object.keys(other.parts)]);
  return [...keys].filter((key) => one.parts[key] !== other.parts[key]).sort();
}
