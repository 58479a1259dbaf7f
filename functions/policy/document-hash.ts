import { createHash } from 'node:crypto';

/** Objects with their keys in order: whoever sorts a policy file changes nothing. */
const inOrder = (_key: string, value: unknown): unknown =>
  value !== null && typeof value === 'object' && !Array.isArray(value)
    ? Object.fromEntries(Object.entries(value).sort(([one], [other]) => (one < other ? -1 : 1)))
    : value;

/** First 12 hex digits of SHA-256 of a policy as plain data, by which two people see whether they mean the same one. */
export const documentHash = (document: unknown): string =>
  createHash('sha256').update(JSON.stringify(document, inOrder)).digest('hex').slice(0, 12);
