import * as z from 'zod/mini';

/** Reads the body of an answer; `problem` says what is wrong with it, without quoting it. */
export type Reader<T> = (text: string) => { readonly value: T } | { readonly problem: string };

export const readNothing: Reader<void> = () => ({ value: undefined });

/** Brackets and commas: a hundred thousand tokens of nine permissions have 3.4 million, and fit the memory of a function. */
const MOST_VALUES = 4_000_000;
const DEEPEST = 64;

/** Whether an odd number of backslashes stands before it. */
function isEscaped(text: string, at: number): boolean {
  let from = at;
  while (text[from - 1] === '\\') from -= 1;
  return (at - from) % 2 === 1;
}

/** The quote that ends a string, by the one that begins it. */
function endOfString(text: string, start: number): number {
  let end = text.indexOf('"', start + 1);
  while (end !== -1 && isEscaped(text, end)) end = text.indexOf('"', end + 1);
  return end === -1 ? text.length : end;
}

/** Whether to parse it could take much more memory than a listing does, which its length does not say. */
function isTooMuch(text: string): boolean {
  let [values, depth] = [0, 0];
  for (let at = 0; at < text.length; at += 1) {
    switch (text[at]) {
      case '"':
        at = endOfString(text, at);
        break;
      case '[':
      case '{':
        values += 1;
        depth += 1;
        break;
      case ']':
      case '}':
        depth -= 1;
        break;
      case ',':
        values += 1;
        break;
      default:
    }
    if (values > MOST_VALUES || depth > DEEPEST) return true;
  }
  return false;
}

const placeOf = (path: readonly PropertyKey[]) =>
  path.map((key) => (typeof key === 'number' ? `[${key}]` : `.${String(key)}`)).join('') ||
  'its top level';

/**
 * Makes a reader from a schema. The schema is built at its first use, to keep cold starts short.
 * Neither the parser's error nor zod's is passed on: both may quote a token.
 * @param quickly reads a body that is as all are, and that the schema would accept; undefined: the schema judges it
 */
export function reader<T>(
  makeSchema: () => z.ZodMiniType<T>,
  parse: (text: string) => unknown = JSON.parse,
  quickly: (body: unknown) => T | undefined = () => undefined,
): Reader<T> {
  let schema: z.ZodMiniType<T> | undefined;
  return (text) => {
    if (isTooMuch(text)) {
      return {
        problem: 'its body has more values, or more of them within each other, than are read',
      };
    }
    let body: unknown;
    try {
      body = parse(text);
    } catch {
      return { problem: 'its body is not JSON' };
    }
    const read = quickly(body);
    if (read !== undefined) return { value: read };
    schema ??= makeSchema();
    const result = z.safeParse(schema, body);
    if (result.success) return { value: result.data };
    const issue = result.error.issues[0];
    return {
      problem: `its body is not as expected at ${placeOf(issue?.path ?? [])} (${issue?.code})`,
    };
  };
}
