import * as z from 'zod/mini';

/** Reads the body of an answer; `problem` says what is wrong with it, without quoting it. */
export type Reader<T> = (text: string) => { readonly value: T } | { readonly problem: string };

export const readNothing: Reader<void> = () => ({ value: undefined });

/** Brackets and commas: a hundred thousand tokens of nine permissions have 3.4 million, and fit the memory of a function. */
const MOST_VALUES = 4_000_000;
const DEEPEST = 64;
const [QUOTE, COMMA] = [0x22, 0x2c];
const [OPENING_BRACKET, CLOSING_BRACKET] = [0x5b, 0x5d];
const [OPENING_BRACE, CLOSING_BRACE] = [0x7b, 0x7d];

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

/** So many items of a list are parsed at a time: of a hundred thousand, what they were parsed from is let go meanwhile. */
const AT_A_TIME = 1_000;

/**
 * Looks through a text for what its length does not say. Undefined: to parse it could take much more memory than a
 * listing does. Otherwise, where it may be cut if it is a list: at every so many commas between its items.
 */
function survey(text: string): readonly number[] | undefined {
  let [values, depth, items] = [0, 0, 0];
  const cuts: number[] = [];
  for (let at = 0; at < text.length; at += 1) {
    switch (text.charCodeAt(at)) {
      case QUOTE:
        at = endOfString(text, at);
        break;
      case OPENING_BRACKET:
      case OPENING_BRACE:
        values += 1;
        depth += 1;
        break;
      case CLOSING_BRACKET:
      case CLOSING_BRACE:
        depth -= 1;
        break;
      case COMMA:
        values += 1;
        if (depth === 1) items += 1;
        if (depth === 1 && items % AT_A_TIME === 0) cuts.push(at);
        break;
      default:
    }
    if (values > MOST_VALUES || depth > DEEPEST) return undefined;
  }
  return cuts;
}

const SPACE = /^[ \t\r\n]*$/;

/**
 * The items of a list that are all as usual. Undefined: one is not, or it is no list, which the whole text shows then. What is no
 * JSON does not become so by being cut.
 */
function readUsual<T>(
  text: string,
  cuts: readonly number[],
  usually: (item: unknown) => T | undefined,
): T[] | undefined {
  const [start, end] = [text.indexOf('['), text.lastIndexOf(']')];
  const isAlone = SPACE.test(text.slice(0, start)) && SPACE.test(text.slice(end + 1));
  if (start === -1 || !isAlone) return undefined;
  const read: T[] = [];
  let from = start + 1;
  try {
    for (const to of [...cuts, end]) {
      const items: unknown[] = JSON.parse(`[${text.slice(from, to)}]`);
      if (items.length === 0 && cuts.length > 0) return undefined; // a comma with nothing beside it
      from = to + 1;
      for (const item of items) {
        const value = usually(item);
        if (value === undefined) return undefined;
        read.push(value);
      }
    }
  } catch {
    return undefined;
  }
  return read;
}

const placeOf = (path: readonly PropertyKey[]) =>
  path.map((key) => (typeof key === 'number' ? `[${key}]` : `.${String(key)}`)).join('') ||
  'its top level';

const TOO_MUCH = {
  problem: 'its body has more values, or more of them within each other, than are read',
};

function judging<T>(
  makeSchema: () => z.ZodMiniType<T>,
  parse: (text: string) => unknown,
): Reader<T> {
  let schema: z.ZodMiniType<T> | undefined;
  return (text) => {
    let body: unknown;
    try {
      body = parse(text);
    } catch {
      return { problem: 'its body is not JSON' };
    }
    schema ??= makeSchema();
    const result = z.safeParse(schema, body);
    if (result.success) return { value: result.data };
    const issue = result.error.issues[0];
    return {
      problem: `its body is not as expected at ${placeOf(issue?.path ?? [])} (${issue?.code})`,
    };
  };
}

/**
 * Makes a reader from a schema. The schema is built at its first use, to keep cold starts short.
 * Neither the parser's error nor zod's is passed on: both may quote a token.
 */
export function reader<T>(
  makeSchema: () => z.ZodMiniType<T>,
  parse: (text: string) => unknown = JSON.parse,
): Reader<T> {
  const judge = judging(makeSchema, parse);
  return (text) => (survey(text) ? judge(text) : TOO_MUCH);
}

/**
 * Makes a reader of a list from a schema of it, which judges only what is not as usual.
 * @param makeUsually makes, for one list, what reads an item that is as all are, and that the schema would accept; undefined: it is not
 */
export function listReader<T>(
  makeSchema: () => z.ZodMiniType<T[]>,
  makeUsually: () => (item: unknown) => T | undefined,
): Reader<T[]> {
  const judge = judging(makeSchema, JSON.parse);
  return (text) => {
    const cuts = survey(text);
    if (!cuts) return TOO_MUCH;
    const value = readUsual(text, cuts, makeUsually());
    return value ? { value } : judge(text);
  };
}
