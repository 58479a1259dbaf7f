/** JSON.parse with source text, which TypeScript's library does not declare yet. */
interface SourceTextJson {
  parse(
    text: string,
    reviver: (key: string, value: unknown, context: { readonly source?: string }) => unknown,
  ): unknown;
  rawJSON(text: string): unknown;
}

const { parse, rawJSON } = JSON as unknown as SourceTextJson;
const INTEGER = /^-?\d+$/;

/** Parses every integer as a bigint, because an int64 does not fit into a JavaScript number. */
export const parseJson = (text: string): unknown =>
  parse(text, (_key, value, { source = '' }) =>
    typeof value === 'number' && INTEGER.test(source) ? BigInt(source) : value,
  );

/** Writes bigints as plain JSON integers. */
export const stringifyJson = (value: unknown): string =>
  JSON.stringify(value, (_key, each) => (typeof each === 'bigint' ? rawJSON(`${each}`) : each));
