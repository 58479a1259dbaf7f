/** A value in a JSON text, with its position. */
export interface JsonNode {
  readonly from: number;
  /** Behind its last character. */
  readonly to: number;
  /** Of a string: what it says. */
  readonly string?: string;
  /** Of an object: the names and values in their order, also a name that is there again. */
  readonly entries?: readonly (readonly [name: string, value: JsonNode])[];
  /** Of a list. */
  readonly items?: readonly JsonNode[];
}

export type JsonObject = JsonNode & Required<Pick<JsonNode, 'entries'>>;

/** Strings, brackets, and what is neither. The text is JSON, so that commas and colons say nothing more. */
const PARTS = /"(?:[^"\\]|\\.)*"|[[\]{}]|[^\s",:[\]{}]+/g;

function build(text: string): JsonNode {
  const parts = text.matchAll(PARTS);
  const next = () => {
    const match = parts.next().value;
    const { part, from } = { part: match?.[0] ?? '', from: match?.index ?? 0 };
    return { part, from, to: from + part.length };
  };
  type Part = ReturnType<typeof next>;
  const nodeOf = ({ part, from, to }: Part): JsonNode => {
    if (part === '{') {
      const entries: [string, JsonNode][] = [];
      let name = next();
      for (; name.part !== '}'; name = next()) {
        entries.push([JSON.parse(name.part), nodeOf(next())]);
      }
      return { from, to: name.to, entries };
    }
    if (part === '[') {
      const items: JsonNode[] = [];
      let item = next();
      for (; item.part !== ']'; item = next()) items.push(nodeOf(item));
      return { from, to: item.to, items };
    }
    return part.startsWith('"') ? { from, to, string: JSON.parse(part) } : { from, to };
  };
  return nodeOf(next());
}

/**
 * Reads a text as JSON, with the position of every value, which `JSON.parse` does not tell. Undefined: it is
 * not JSON as `JSON.parse` has it, or too deep to be walked.
 */
export function parseJson(text: string): JsonNode | undefined {
  try {
    JSON.parse(text);
    return build(text);
  } catch {
    return undefined; // the error quotes the text
  }
}
