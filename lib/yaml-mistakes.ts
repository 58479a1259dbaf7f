import {
  type Document,
  isAlias,
  isCollection,
  isMap,
  isNode,
  isScalar,
  isSeq,
  type Node,
  type Scalar,
  visit,
  type YAMLError,
} from 'yaml';

/** A mistake in the YAML itself, at an offset in the file. */
interface Mistake {
  readonly offset: number;
  readonly message: string;
}

/** What stands in a file instead of a mapping. */
function writtenIn(node: unknown): string {
  if (isAlias(node)) return `*${node.source}`;
  return isScalar(node) ? (JSON.stringify(node.value) ?? 'nothing') : 'a list';
}

/**
 * Aliases that stand before or inside what they name, or name nothing, and merge keys with what is no mapping. The parser would say so
 * only of some, and not where.
 */
function strayReferences(yaml: Document): Mistake[] {
  const anchors = new Map<string, Node>();
  const found: Mistake[] = [];
  const refuse = (node: Node, expected: string) =>
    found.push({
      offset: node.range?.[0] ?? 0,
      message: `found ${writtenIn(node)}, expected ${expected}`,
    });
  const named = (node: unknown) => (isAlias(node) ? anchors.get(node.source) : node);
  visit(yaml, {
    Pair(_key, { key, value }) {
      // The parser takes a merge key, and none in quotes, for a symbol.
      if (!isScalar(key) || typeof key.value !== 'symbol') return;
      const list = named(value);
      for (const each of isSeq(list) ? list.items : [value]) {
        const merged = named(each);
        if (merged === undefined || isMap(merged)) continue;
        refuse(isNode(each) ? each : key, 'a mapping behind "<<", or the alias of one');
      }
    },
    Node(_key, node, around) {
      if (!isAlias(node)) {
        if (node.anchor !== undefined) anchors.set(node.anchor, node);
        return;
      }
      const { source } = node;
      if (source === '') return; // a bare *, of which the parser tells
      const isInside = around.some((each) => isCollection(each) && each.anchor === source);
      if (anchors.has(source) && !isInside) return;
      refuse(
        node,
        isInside ? `it outside of what &${source} names` : `an anchor &${source} above it`,
      );
    },
  });
  return found;
}

/** A key without quotes that YAML takes for a number or the like, and whose text it loses: 007 would be the token 7. */
function numberMistake(key: Scalar): Mistake | undefined {
  const { value, source = '', range } = key;
  const isRead =
    typeof value === 'number' || typeof value === 'boolean' || typeof value === 'bigint';
  if (!isRead || source === String(value)) return undefined;
  return {
    offset: range?.[0] ?? 0,
    message: `found the key ${source}, which YAML reads as ${value}, expected a name; write it in quotes, "${source}"`,
  };
}

/** Keys whose text would be another one: numbers, and lists and mappings, of which the parser makes a text. */
function keysThatAreNoNames(yaml: Document): Mistake[] {
  const found: Mistake[] = [];
  visit(yaml, {
    Pair(_key, { key }) {
      const ofNumber = isScalar(key) ? numberMistake(key) : undefined;
      if (ofNumber) found.push(ofNumber);
      if (!isCollection(key)) return;
      found.push({
        offset: key.range?.[0] ?? 0,
        message: `found ${isSeq(key) ? 'a list' : 'a mapping'} in place of a key, expected a name such as "telegraf"; put text with { or [ in it in quotes, and take out a ? in front of it`,
      });
    },
  });
  return found;
}

const KEY_AND_VALUE = 'found no "key: value" here, expected a colon and a space behind the key';

/** What was found, what was expected and what to do; a code of the parser's that is not here is told in its own words. */
const WORDS: Readonly<Partial<Record<YAMLError['code'], string>>> = {
  BAD_INDENT:
    'found a line that is indented otherwise than what it belongs to, expected it deeper than its key, and like its neighbours; count the spaces at its beginning',
  BAD_SCALAR_START:
    'found text that begins with a character which YAML keeps for itself (@ ` % and others), expected it in quotes; write "@x"',
  BLOCK_AS_IMPLICIT_KEY:
    'found a second key on one line, or a line deeper than its key allows, expected one "key: value" on each; put text with ": " in it in quotes, or indent the line like its neighbours',
  DUPLICATE_KEY:
    'found this key a second time, expected each once; write what belongs to it in one place',
  MULTILINE_IMPLICIT_KEY: `${KEY_AND_VALUE}; add it, or put text of several lines in quotes`,
  MULTIPLE_DOCS:
    'found a second document, expected one; take out "---" and what is below it, or give it a file of its own',
  TAB_AS_INDENT: 'found a tab, expected spaces: YAML is indented with spaces alone',
  TAG_RESOLVE_FAILED:
    'found a tag (a word with ! in front) that means nothing here, expected a plain value; take the tag out, or put text that begins with ! in quotes',
};

/** One code stands for several slips, which only the parser's text tells apart. */
const TOLD: readonly (readonly [RegExp, string])[] = [
  [
    /^Alias cannot be an empty string/,
    'found a bare *, expected "*" in quotes: YAML takes it for the beginning of an alias',
  ],
  [/^Missing closing .quote/, 'found text in quotes without their end, expected it; close them'],
  [/^Implicit map keys need/, `${KEY_AND_VALUE}; add it, or take the line out`],
  [
    /^Invalid escape sequence/,
    'found a backslash in double quotes with no character behind it that means something there, expected it doubled; write it twice, or put the text in single quotes',
  ],
  [
    /^Block scalars with more-indented/,
    'found an empty line that is indented deeper than the text below it, behind | or >, expected it no deeper; take the spaces out of the empty line',
  ],
  [
    /^Block scalar header includes|^Not a YAML token/,
    'found text on the line of | or >, expected it on the lines below, indented; put it there, or take | or > out',
  ],
  [
    /^Unexpected (?:flow-(?:map|seq)-end token|, in flow)/,
    'found a bracket or a comma too many, expected each } or ] to close one that is open, and a value before each comma; take it out',
  ],
  [
    /^Unexpected scalar|^Comments must be separated/,
    'found more text behind a value that has ended, expected the end of the line, or a space and a comment (#); put all of the text in one pair of quotes',
  ],
  [
    /must be sufficiently indented and end with a|^Flow (?:map|sequence) .*end with a/,
    'found the end of a list or mapping in brackets missing, expected ] or } before what comes next; close each bracket that is open',
  ],
];

/** The parser ends its first line with the place, which stands in front of ours, and goes on with a piece of the file. */
const PLACE = / at line \d{1,9}, column \d{1,9}:$/;

function wordsFor({ code, message }: YAMLError): string {
  const told = TOLD.find(([pattern]) => pattern.test(message))?.[1] ?? WORDS[code];
  if (told !== undefined) return told;
  const own = (message.split('\n')[0] ?? '').replace(PLACE, '');
  return `found what is no YAML (${own}), expected keys and values such as "owner: prod"; correct what stands here, or put text with : # @ [ { in it in quotes`;
}

const mistakeOf = (error: YAMLError): Mistake => ({
  offset: error.pos[0],
  message: wordsFor(error),
});

/** What the parser says first of a line: by what else it says there it is only lost. */
const firstOfEachLine = (mistakes: readonly Mistake[], lineOf: (offset: number) => number) =>
  mistakes.filter(
    ({ offset }, index) =>
      mistakes.findIndex((each) => lineOf(each.offset) === lineOf(offset)) === index,
  );

/**
 * What is wrong with a file as YAML, whatever it means: of each line what the parser says first, and what only looking finds.
 * @param lineOf of an offset in the file
 */
export const yamlMistakes = (yaml: Document, lineOf: (offset: number) => number): Mistake[] => [
  ...firstOfEachLine([...yaml.errors, ...yaml.warnings].map(mistakeOf), lineOf),
  ...strayReferences(yaml),
  ...keysThatAreNoNames(yaml),
];
