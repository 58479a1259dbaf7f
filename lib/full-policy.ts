import * as z from 'zod/mini';
import { formatDuration } from '../functions/policy/duration.ts';
import { DEFAULT_LIFETIMES } from '../functions/policy/policy.ts';
import { documentSchema } from '../functions/policy/schemas/document.ts';

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
 * The name of a token that CloudFormation would take for a reference, wherever it stands; there are no others that a token may have.
 * docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/intrinsic-function-reference-ref.html
 */
const REFERENCES = ['Ref', 'Condition'];

const named = (tokens: unknown): object =>
  Object.fromEntries(
    Object.entries(Object(tokens)).map(([name, entry]) => [
      REFERENCES.includes(name) ? `"${name}"` : name,
      entry,
    ]),
  );

/**
 * A policy's document with the defaults of this version, so that a new version's show where people look for changes. What an entry of `tokens`
 * leaves out stands in `defaults` once, not in every entry: a template has 1 MB.
 */
export const inFull = (document: unknown): object => Object(over(defaults(), document));

/** The same for a template: CloudFormation looks for references also in what only people read. */
export const inTemplate = (document: unknown): object => {
  const full = inFull(document);
  return 'tokens' in full ? { ...full, tokens: named(full.tokens) } : full;
};
