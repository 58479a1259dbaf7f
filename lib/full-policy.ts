import * as z from 'zod/mini';
import { documentSchema } from '../functions/policy/document.ts';
import { formatDuration } from '../functions/policy/duration.ts';
import { DEFAULT_LIFETIMES } from '../functions/policy/policy.ts';

/** The least that a file may say. */
const LEAST = { owner: 'x', cluster: { url: 'https://x' }, tokens: {} };

/** What this version takes for whatever a file does not say, as the file would say it. */
function defaults(): object {
  const { activationTimeout, settle, ...others } = z.parse(documentSchema, LEAST);
  return {
    ...others,
    activationTimeout: formatDuration(activationTimeout),
    settle: formatDuration(settle),
    defaults: Object.fromEntries(
      Object.entries(DEFAULT_LIFETIMES).map(([key, value]) => [
        key,
        typeof value === 'number' ? formatDuration(value) : value,
      ]),
    ),
  };
}

const isMapping = (value: unknown): value is object =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

const over = (below: unknown, value: unknown): unknown =>
  isMapping(below) && isMapping(value)
    ? {
        ...below,
        ...Object.fromEntries(
          Object.entries(value).map(([key, each]) => [
            key,
            over((below as Record<string, unknown>)[key], each),
          ]),
        ),
      }
    : value;

/**
 * A policy's document with the defaults of this version, so that a new version's show where people look for changes. What an entry of `tokens`
 * leaves out stands in `defaults` once, not in every entry: a template has 1 MB.
 */
export const inFull = (document: unknown): unknown => over(defaults(), document);
