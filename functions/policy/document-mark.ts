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
  readonly parts: Hashes;
  /** Of the section `deployment`, a hash of each key that says something else than its default (`alarms`). Absent: a function was not told. */
  readonly deployment?: Hashes | undefined;
}

export type Hashes = Readonly<Record<string, string>>;

export const hashesOf = (parts: object, prefix = ''): Hashes =>
  Object.fromEntries(Object.entries(parts).map(([key, value]) => [prefix + key, hashOf(value)]));

/** The part of the file that `cluster.ca` names, whose content may change though its name stays. */
export const CA = 'cluster.ca';

const OF_TOKEN = 'tokens.';

/** Whether the policy has an entry of this name. */
export const hasToken = ({ parts }: DocumentMark, name: string): boolean =>
  Object.hasOwn(parts, OF_TOKEN + name);

/**
 * @param document a policy as plain data, as it was written
 * @param ca the PEM of the file that it names; absent: it names none
 */
export function documentMark(document: unknown, ca?: string): DocumentMark {
  const { tokens, ...others } = Object(document) as Record<string, unknown>;
  return {
    // Without a file it stays what it was in versions that did not look into it.
    hash: hashOf(ca === undefined ? document : [document, ca]),
    parts: {
      ...hashesOf(others),
      ...hashesOf(Object(tokens), OF_TOKEN),
      ...(ca !== undefined && hashesOf({ [CA]: ca })),
    },
  };
}

/** Before the keys of that section. */
export const OF_DEPLOYMENT = 'deployment.';

const differing = (one: Hashes, other: Hashes) =>
  Object.keys({ ...one, ...other }).filter((key) => one[key] !== other[key]);

/** The keys of what is in one of two policies alone, or not the same in both; of the section `deployment` only where both say what is in it. */
export function differingParts(one: DocumentMark, other: DocumentMark): readonly string[] {
  const deployment =
    one.deployment && other.deployment ? differing(one.deployment, other.deployment) : [];
  return [
    ...differing(one.parts, other.parts),
    ...deployment.map((key) => OF_DEPLOYMENT + key),
  ].sort();
}
