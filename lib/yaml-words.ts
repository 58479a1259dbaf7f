import { type Document, isCollection, isScalar, type Node, visit, type YAMLError } from 'yaml';

/** A mistake in the YAML itself, at an offset in the file. */
export interface Mistake {
  readonly offset: number;
  readonly message: string;
  /** Where it begins, if the parser noticed it later. */
  readonly begins?: number;
  /** The parser reads what comes behind it otherwise than it was meant. */
  readonly isLost?: boolean;
}

const KEY_AND_VALUE = 'found no "key: value" here, expected a colon and a space behind the key';
export const NO_KEY = `${KEY_AND_VALUE}; add it, or begin a comment with #`;
const COMMA =
  'found more text behind a value that has ended, within brackets, expected a comma between the two, or a bracket that closes; put it there, or all of the text in one pair of quotes';
const OPEN_QUOTES =
  'found quotes that begin here and do not end on this line, expected an end; put the same mark behind the text';
const OPEN_BRACKET =
  'found a bracket that opens here and does not close, expected a ] for each [ and a } for each {, indented deeper than the key; close each bracket that is open';
export const STRAY_TAG =
  'found a tag (a word with ! in front) that means nothing here, expected a plain value; take the tag out, or put text that begins with ! in quotes';

/** What was found, what was expected and what to do; a code of the parser's that is not here is told in its own words. */
const WORDS: Readonly<Partial<Record<YAMLError['code'], string>>> = {
  BAD_DIRECTIVE:
    'found a line that begins with %, which YAML keeps for itself, expected a key; take it out, or put text that begins with % in quotes',
  BAD_INDENT:
    'found a line that is indented otherwise than what it belongs to, expected it deeper than its key, and like its neighbours; count the spaces at its beginning',
  BAD_SCALAR_START:
    'found text that begins with a character which YAML keeps for itself (@ ` % and others), expected it in quotes; write "@x"',
  BLOCK_AS_IMPLICIT_KEY:
    'found a second key on one line, or a line deeper than its key allows, expected one "key: value" on each; put text with ": " in it in quotes, or indent the line like its neighbours',
  MULTILINE_IMPLICIT_KEY: NO_KEY,
  MULTIPLE_DOCS:
    'found a second document, expected one; take out "---" and what is below it, or give it a file of its own',
  TAB_AS_INDENT: 'found a tab, expected spaces: YAML is indented with spaces alone',
  TAG_RESOLVE_FAILED: STRAY_TAG,
};

/** One code stands for several slips, which only the parser's text tells apart. */
const TOLD: readonly (readonly [RegExp, string])[] = [
  [
    /^Alias cannot be an empty string/,
    'found a bare *, expected "*" in quotes: YAML takes it for the beginning of an alias',
  ],
  [
    /^Anchor cannot be an empty string/,
    'found a bare &, expected text that begins with & in quotes: YAML takes it for the beginning of an anchor; put it in quotes',
  ],
  [/^Missing closing .quote/, OPEN_QUOTES],
  [
    /^A block sequence may not be used as an implicit map key/,
    'found an item of a list ("- ") below keys that belong to none, expected "- " in front of each item; write it in front of the first, too, or take it out here',
  ],
  [
    /^Unexpected block-seq-ind on same line/,
    'found an item of a list ("- ") on the line of its key, expected it on the next one; put it there, indented',
  ],
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
    /^Unexpected (?:flow-(?:map|seq)-end token|, in flow|empty item)/,
    'found a bracket or a comma too many, expected each } or ] to close one that is open, and a value before each comma; take it out',
  ],
  [
    /^Unexpected [a-z-]+ (?:token )?(?:at node end|in YAML)|^Comments must be separated/,
    'found more text behind a value that has ended, expected the end of the line, or a space and a comment (#); put all of the text in one pair of quotes, of the kind that it has not in it',
  ],
  [
    /must be sufficiently indented and end with a|^Flow (?:map|sequence) .*end with a/,
    OPEN_BRACKET,
  ],
];

/** In brackets, all that stands there without a comma is this slip. */
const WITHOUT_COMMA =
  /^Block collections are not|^Implicit keys need|^Missing , |^Unexpected (?!flow-(?:map|seq)-end)[a-z-]+ (?:token )?at node end/;

const HARMLESS: readonly YAMLError['code'][] = [
  'BAD_ALIAS',
  'BAD_DQ_ESCAPE',
  'BAD_SCALAR_START',
  'DUPLICATE_KEY',
  'TAG_RESOLVE_FAILED',
];

/** By all others the parser misreads what follows. */
export const losesItsWay = ({ code }: YAMLError): boolean => !HARMLESS.includes(code);

/** The parser ends its first line with the place, which stands in front of ours, and goes on with a piece of the file. */
const PLACE = / at line \d{1,9}, column \d{1,9}:$/;

function ownWords({ code, message, pos }: YAMLError, keyAt: KeyAt): string {
  if (code === 'DUPLICATE_KEY') {
    const key = keyAt(pos[0]) ?? '';
    return `found ${PLAIN.test(key) ? key : 'this key'} a second time, expected each key once; write what belongs to it in one place`;
  }
  const told = TOLD.find(([pattern]) => pattern.test(message))?.[1] ?? WORDS[code];
  if (told !== undefined) return told;
  const own = (message.split('\n')[0] ?? '').replace(PLACE, '');
  return `found what is no YAML (${own}), expected keys and values such as "owner: prod"; correct what stands here, or put text with : # @ [ { in it in quotes`;
}

/** The last node of those that a mistake may have begun with. */
function lastOf(yaml: Document, is: (node: Node, begin: number, end: number) => boolean) {
  let last: number | undefined;
  visit(yaml, {
    Node(_key, node) {
      const [begin = 0, end = 0] = node.range ?? [];
      if (is(node, begin, end) && begin >= (last ?? 0)) last = begin;
    },
  });
  return last;
}

const isQuoted = (node: Node) =>
  isScalar(node) && (node.type === 'QUOTE_DOUBLE' || node.type === 'QUOTE_SINGLE');

/** Of a key, which may be anything, a credential too. */
const PLAIN = /^[A-Za-z][\w-]{0,59}$/;

/** Of an offset in the file, the key that begins there. */
export type KeyAt = (offset: number) => string | undefined;

/**
 * What the parser says, in words for a person, and where what it noticed begins.
 * @param lineOf of an offset in the file
 */
export function mistakeOf(
  yaml: Document,
  error: YAMLError,
  lineOf: (offset: number) => number,
  keyAt: KeyAt,
): Mistake {
  const [offset] = error.pos;
  const message = ownWords(error, keyAt);
  if (!losesItsWay(error)) return { offset, message };
  const bracket = lastOf(
    yaml,
    (node, begin, end) => isCollection(node) && !!node.flow && begin < offset && offset <= end,
  );
  // Quotes that are not closed end with the next ones, on another line, and there the parser stumbles.
  const quotes = lastOf(
    yaml,
    (node, begin, end) =>
      isQuoted(node) &&
      begin < offset &&
      lineOf(begin) < lineOf(end) &&
      end <= offset &&
      lineOf(end) === lineOf(offset),
  );
  const lost = { offset, isLost: true };
  if (quotes !== undefined) return { ...lost, message: OPEN_QUOTES, begins: quotes };
  if (bracket === undefined) return { ...lost, message };
  if (WITHOUT_COMMA.test(error.message)) return { ...lost, message: COMMA };
  return message === OPEN_BRACKET ? { ...lost, message, begins: bracket } : { ...lost, message };
}

/** Of spaces, quotes, colons, commas, brackets and dashes, what word processors and web pages write for them. */
const LOOKALIKE =
  /[\u{a0}\u{1680}\u{2000}-\u{200a}\u{202f}\u{205f}\u{3000}‘-‟«»：，＃＊［］｛｝‐-―−]/gu;
const MERGE_MARK = /^(?:<{7}|={7}|>{7})(?![^ ])/;

/** What a line with a mistake in it has that a person does not see, or did not write. Empty: nothing. */
export function hintOn(line: string): string {
  if (MERGE_MARK.test(line)) return '; it is the mark of a merge, which is to be resolved first';
  const found = new Set(line.replace(/(?<!\S)#.*/, '').match(LOOKALIKE));
  const names = [...found].map((each) => {
    const code = each.codePointAt(0)?.toString(16).toUpperCase().padStart(4, '0');
    return /\s/.test(each) ? `U+${code}` : `${each} (U+${code})`;
  });
  if (names.length === 0) return '';
  return `; mind ${names.join(', ')} on this line, which looks like a character of YAML and is none: type it again`;
}
