import * as z from 'zod/mini';

/** Reads the body of an answer; `problem` says what is wrong with it, without quoting it. */
export type Reader<T> = (text: string) => { readonly value: T } | { readonly problem: string };

export const readNothing: Reader<void> = () => ({ value: undefined });

const placeOf = (path: readonly PropertyKey[]) =>
  path.map((key) => (typeof key === 'number' ? `[${key}]` : `.${String(key)}`)).join('') ||
  'its top level';

/**
 * Makes a reader from a schema. The schema is built at its first use, to keep cold starts short.
 * Neither the parser's error nor zod's is passed on: both may quote a token.
 */
export function reader<T>(
  makeSchema: () => z.ZodMiniType<T>,
  parse: (text: string) => unknown = JSON.parse,
): Reader<T> {
  let schema: z.ZodMiniType<T> | undefined;
  return (text) => {
    schema ??= makeSchema();
    let body: unknown;
    try {
      body = parse(text);
    } catch {
      return { problem: 'its body is not JSON' };
    }
    const result = z.safeParse(schema, body);
    if (result.success) return { value: result.data };
    const issue = result.error.issues[0];
    return {
      problem: `its body is not as expected at ${placeOf(issue?.path ?? [])} (${issue?.code})`,
    };
  };
}
