import type * as z from 'zod/mini';
import { explainIssues, formatPath, UNEXPLAINED } from '../functions/policy/policy-error.ts';
import { suggestionFor } from '../functions/policy/suggestion.ts';

/**
 * An app in JavaScript has no compiler that would refuse a name that nobody reads.
 * @param what whose arguments they are: `eventPattern:`, `SoleWriter's property`
 * @throws Error with a line for each name that is not known, and for each value that breaks a rule
 */
export function refuseMistakes(
  what: string,
  schema: z.ZodMiniObject<Record<string, z.ZodMiniType>>,
  given: unknown,
): void {
  const known = Object.keys(schema.shape);
  const misspelt = Object.keys(Object(given))
    .filter((name) => !known.includes(name))
    .map((name) => `${name}: found this name, expected a known one${suggestionFor(name, known)}`);
  const { error } = schema.safeParse(given, UNEXPLAINED);
  const wrong = explainIssues(schema, error?.issues ?? [], given).map(({ path, message }) =>
    [...(path.length > 0 ? [formatPath(path)] : []), message].join(': '),
  );
  const mistakes = typeof given === 'object' ? [...misspelt, ...wrong] : wrong;
  if (mistakes.length === 0) return;
  throw new Error(mistakes.map((mistake) => `${what} ${mistake}`).join('\n'));
}
