import {
  type Document,
  isAlias,
  isCollection,
  isMap,
  isNode,
  isPair,
  isScalar,
  isSeq,
  type Node,
  type Pair,
  type Scalar,
  visit,
} from 'yaml';
import type { PolicyIssue } from '../functions/policy/policy-error.ts';
import { EXTENSION } from '../functions/policy/schemas/document.ts';
import {
  type KeyAt,
  losesItsWay,
  type Mistake,
  mistakeOf,
  NO_KEY,
  STRAY_TAG,
} from './yaml-words.ts';

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
        isInside
          ? `it outside of what &${source} names`
          : `an anchor &${source} above it; add it, or put text that begins with * in quotes`,
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
    message: `found the key ${source}, which YAML reads as ${value}, expected a name; write it in quotes, "${source}", or "${value}" where it is deployed by that name`,
  };
}

/** Whether something is below a key that means nothing to Keyturn, so that it may be anything that is YAML. */
const isInExtension = ([, , top]: readonly unknown[]): boolean =>
  isPair(top) && isScalar(top.key) && String(top.key.value).startsWith(EXTENSION);

function keysThatAreNumbers(yaml: Document): Mistake[] {
  const found: Mistake[] = [];
  visit(yaml, {
    Pair(_key, { key }, around) {
      const mistake = isScalar(key) && !isInExtension(around) ? numberMistake(key) : undefined;
      if (mistake) found.push(mistake);
    },
  });
  return found;
}

/** Lists and mappings, of which the parser makes a text. */
function collectionsAsKeys(yaml: Document): Mistake[] {
  const found: Mistake[] = [];
  visit(yaml, {
    Pair(_key, { key }) {
      if (!isCollection(key)) return;
      found.push({
        offset: key.range?.[0] ?? 0,
        message: `found ${isSeq(key) ? 'a list' : 'a mapping'} in place of a key, expected a name such as "telegraf"; put text with { or [ in it in quotes, and take out a ? in front of it`,
      });
    },
  });
  return found;
}

/** Where YAML wants a space: `telegraf:{ ... }`, within brackets `max:7d`, and `-name: x`. */
const COLON = /^([\w.-]{1,64}):[[{]/;
const COLON_IN_BRACKETS = /^([\w.-]{1,64}):(?!\/\/)./;
const DASH = /^-\w/;

/** What a key without quotes hides: a colon or a dash without its space is a letter like others. */
function hiddenIn(
  { key, value }: Pair,
  isInBrackets: boolean,
): Omit<Mistake, 'offset'> | undefined {
  if (!isScalar(key) || key.type !== 'PLAIN' || typeof key.value !== 'string') return undefined;
  const text = key.value;
  const found = `found "${text}" in place of a key`;
  if (!isInBrackets && DASH.test(text)) {
    const message = `${found}, expected a space behind "-"; write "- ${text.slice(1)}:"`;
    return { message, isLost: true };
  }
  const isWhole = isInBrackets && value === null;
  const [, name] = (isWhole ? COLON_IN_BRACKETS : COLON).exec(text) ?? [];
  if (name === undefined) return undefined;
  const rest = text.slice(name.length + 1);
  const message = `${found}, expected a space behind the colon; write "${name}: ${rest}"`;
  return { message, isLost: !isWhole };
}

function hiddenInKeys(yaml: Document): Mistake[] {
  const found: Mistake[] = [];
  visit(yaml, {
    Pair(_key, pair, around) {
      const map = around.at(-1);
      if (isInExtension(around)) return;
      const hidden = hiddenIn(pair, isMap(map) && map.flow === true);
      if (hidden) found.push({ offset: (pair.key as Scalar).range?.[0] ?? 0, ...hidden });
    },
  });
  return found;
}

/** Tags that the parser knows, from other versions of YAML, and that make no plain data. */
const PLAIN_TAG = /^tag:yaml\.org,2002:(?:str|int|float|bool|null|map|seq|merge)$/;

function strayTags(yaml: Document): Mistake[] {
  const found: Mistake[] = [];
  visit(yaml, {
    Node(_key, { tag, range }, around) {
      if (isInExtension(around)) return;
      if (tag === undefined || tag === '!' || PLAIN_TAG.test(tag)) return;
      found.push({ offset: range?.[0] ?? 0, message: STRAY_TAG });
    },
  });
  return found;
}

/** A file whose first line is no key is one text for the parser, and nonsense behind it. */
function textInPlaceOfKeys(yaml: Document): Mistake[] {
  const { contents } = yaml;
  if (yaml.errors.length === 0 || !isScalar(contents) || contents.value === null) return [];
  return [{ offset: contents.range?.[0] ?? 0, message: NO_KEY, isLost: true }];
}

/** In the order of the file, of each line the first, and none of those behind one by which the parser is lost. */
function worthTelling(mistakes: readonly Mistake[], lineOf: (offset: number) => number): Mistake[] {
  const lines = new Set<number>();
  const firsts = mistakes
    .toSorted((a, b) => lineOf(a.offset) - lineOf(b.offset))
    .filter(({ offset }) => {
      const line = lineOf(offset);
      return !lines.has(line) && lines.add(line);
    });
  const lost = firsts.findIndex(({ isLost }) => isLost);
  return lost < 0 ? firsts : firsts.slice(0, lost + 1);
}

/** The tree is searched once, if anybody asks. */
function keysOf(yaml: Document): KeyAt {
  let keys: Map<number, string> | undefined;
  return (offset) => {
    if (!keys) {
      const found = new Map<number, string>();
      visit(yaml, {
        Pair(_key, { key }) {
          if (isScalar(key) && key.range) found.set(key.range[0], String(key.value));
        },
      });
      keys = found;
    }
    return keys.get(offset);
  };
}

interface Reading {
  /** Of an offset in the file. */
  readonly lineOf: (offset: number) => number;
  /** It was deployed before: what reads as it did then is no mistake. */
  readonly isDeployed: boolean;
}

/** What is wrong with a file as YAML, whatever it means: what only looking finds, and what the parser says, up to where it is lost. */
export function yamlMistakes(yaml: Document, { lineOf, isDeployed }: Reading): Mistake[] {
  const errors = [...yaml.errors, ...yaml.warnings].sort((a, b) => a.pos[0] - b.pos[0]);
  const lost = errors.findIndex(losesItsWay);
  // For one by which it is lost, the tree is searched: not for thousands.
  const told = lost < 0 ? errors : errors.slice(0, lost + 1);
  const keyAt = keysOf(yaml);
  return worthTelling(
    [
      ...textInPlaceOfKeys(yaml),
      ...(isDeployed && lost < 0 ? [] : hiddenInKeys(yaml)),
      ...told.map((error) => mistakeOf(yaml, error, lineOf, keyAt)),
      ...strayReferences(yaml),
      ...collectionsAsKeys(yaml),
      ...(isDeployed ? [] : [...strayTags(yaml), ...keysThatAreNumbers(yaml)]),
    ],
    lineOf,
  ).map(({ begins, offset, message }) => ({ offset: begins ?? offset, message }));
}

/** The keys and indexes to a node, by what is around it. */
function pathOf(node: unknown, around: readonly unknown[]): PropertyKey[] {
  return around.flatMap((each, index): PropertyKey[] => {
    if (isPair(each)) return [String(isScalar(each.key) ? each.key.value : each.key)];
    return isSeq(each) ? [each.items.indexOf(around[index + 1] ?? node)] : [];
  });
}

/** Text that begins with & loses its first word to an anchor, of which the parser says nothing. */
export function anchorsOfNobody(yaml: Document): PolicyIssue[] {
  const used = new Set<string>();
  visit(yaml, {
    Alias(_key, { source }) {
      used.add(source);
    },
  });
  const found: PolicyIssue[] = [];
  visit(yaml, {
    Scalar(_key, node, around) {
      const { anchor } = node;
      if (anchor === undefined || used.has(anchor)) return;
      const path = pathOf(node, around);
      // What these keys hold is there to be named.
      if (String(path[0]).startsWith(EXTENSION)) return;
      found.push({
        path,
        message: `found the anchor &${anchor}, which no alias names, and takes what is behind it for the value; put text that begins with & in quotes, or take the anchor out`,
      });
    },
  });
  return found;
}
