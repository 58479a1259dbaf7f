import { PLAIN_START, START } from './credential-starts.ts';
import { EOL, plainText } from './plain-text.ts';
import { TokenValue } from './token-value.ts';

/** Finds credentials in texts, and takes them out. Every expression here takes time in proportion to the text. */

/**
 * A database token without its beginning: 512 bits that stand alone, or behind what is left of it, or a few short words
 * of a path or a name. Behind `sha512-` they are a checksum.
 */
const BARE =
  '(?<=(?<![A-Za-z0-9+/_-])(?:[A-Za-z0-9]{0,20}[+/_-]){0,4})(?<!sha512-)[A-Za-z0-9+/_-]{86}={0,2}(?![A-Za-z0-9+/_=-])';
const START_OR_BARE = new RegExp(`${START.source}|${BARE}`, 'g');

const BODY = /[A-Za-z0-9+/_-]*={0,2}/y;
const MANAGEMENT_BODY = /[^\s"'`,;<>(){}[\]\\&]+/y;
/** Where a table or a pane of a terminal ends. */
const BORDER = '|\u2502\u2503\u2551';
const QUOTE = '\\\\{0,4}["\'`]';
const GAP = '[ \\t]{0,8}';
/** What a page may have inside a word. */
const TAG = '</?(?:a|b|code|em|font|i|mark|s|span|strong|u|wbr)\\b[^<>]{0,200}>';
const joint = (between: string) => new RegExp(`${between}(?=[A-Za-z0-9+/_=-])`, 'y');
/**
 * Between two lines of a string that somebody wrapped: mail, JSON, a shell, HTML. `=` ends such a line in a mail.
 * The next line may begin with what quotes, comments or counts it, or with what a comparison of files puts there;
 * or both are literals that a program puts together. Such literals, and the tags of a page, may be on one line as well.
 */
const LINE_ENDS: readonly RegExp[] = [
  '[ \\t>]{0,80}',
  `[ \\t]{0,80}(?:[#*;%${BORDER}]{1,4}|//|--)[ \\t]{0,80}`,
  '[ \\t]{0,80}\\d{1,7}[ \\t]{0,4}[:.)|-]?[ \\t]{1,80}',
  '[ \\t]{0,80}\\d{1,7}[:.)|-]',
  '[+-][ \\t]{0,80}',
]
  .map((margin) => `[ \\t]{0,80}(?:[${BORDER}]${GAP})?(?:${EOL}${margin}){1,4}`)
  .concat(
    `${QUOTE}${GAP}[+.,&\\\\]?${GAP}${EOL}[ \\t]{0,80}[+.&]?${GAP}${QUOTE}`,
    `${QUOTE}${GAP}[+.&]${GAP}${QUOTE}`,
    `(?:${TAG}${GAP}(?:\\r?\\n[ \\t]{0,80})?){1,8}`,
  )
  .map(joint);
/** Also between two parts of a string whose length is known: literals beside each other, and those of a list. */
const JOINTS = [...LINE_ENDS, joint(`${QUOTE}${GAP},?${GAP}${QUOTE}`)];
/** What is left of a `+`, of which there may be several in a row, that a server decoded as in a form. */
const LOST_PLUS = / (?= {0,5}[A-Za-z0-9+/_=-])/y;
/** One character more than any string has shows that it is none. */
const PIECE = /[A-Za-z0-9+/_-]{0,87}={0,2}/y;

/** The base64 characters of 512 bits, without the padding. */
const WHOLE = 86;
/** The string of the specification's examples: 64 digits, or hexadecimal ones. */
const EXAMPLE = /^[0-9A-Fa-f]{64}$/;
/** Shorter ones are names that people gave, or too little to be of use. */
const SHORTEST = 20;
const SHORTEST_MANAGEMENT = 8;

interface Spot {
  readonly from: number;
  /** Behind its last character. */
  readonly to: number;
  readonly length: number;
}
interface DatabaseSpot extends Spot {
  readonly isManagement: false;
  readonly whole: boolean;
  /** What the string may have been. */
  readonly readings: readonly string[];
}
interface ManagementSpot extends Spot {
  readonly isManagement: true;
}

/** What a sticky expression finds at a position. */
function at(expression: RegExp, text: string, position: number): string | undefined {
  expression.lastIndex = position;
  return expression.exec(text)?.[0];
}

const withoutPadding = (body: string) => body.replace(/={1,2}$/, '');

/** People lose the padding when they copy, and it is written where it was none. */
function readingsOf(prefix: string, body: string): string[] {
  const core = withoutPadding(body);
  const padded = (text: string) => text + '='.repeat((4 - (text.length % 4)) % 4);
  // What follows a string directly may be of the alphabet as well: `/` in a path.
  const first = core.length > WHOLE ? [core.slice(0, WHOLE)] : [];
  const bodies = [body, ...[core, ...first].flatMap((each) => [each, padded(each)])];
  return [...new Set(bodies)].map((each) => prefix + each);
}

function isWhole(body: string): boolean {
  const core = withoutPadding(body);
  const isPadded = body !== core && body.length % 4 === 0 && body.length >= 44;
  return core.length >= WHOLE || isPadded || EXAMPLE.test(body);
}

interface Joined {
  readonly body: string;
  readonly to: number;
}

/** The rest of a string that was wrapped in one way, if there is exactly as much as is missing. */
function joinedBy(
  lineEnd: RegExp,
  text: string,
  position: number,
  beginning: string,
): Joined | undefined {
  let core = beginning.replace(/=$/, '');
  let to = position;
  while (core.length < WHOLE) {
    const end = at(lineEnd, text, to);
    const gap = end ?? at(LOST_PLUS, text, to);
    const piece = gap === undefined ? '' : (at(PIECE, text, to + gap.length) ?? '');
    if (gap === undefined) return undefined;
    to += gap.length + piece.length;
    const joined = `${core}${end === undefined ? '+' : ''}${piece}`;
    if (withoutPadding(joined).length === WHOLE) return { body: joined, to };
    core = joined.replace(/=$/, '');
  }
  return undefined;
}

const [LINE_END = /(?!)/y] = LINE_ENDS;

function joinedAt(text: string, position: number, beginning: string): Joined | undefined {
  for (const lineEnd of JOINTS) {
    const joined = joinedBy(lineEnd, text, position, beginning);
    if (joined) return joined;
  }
  return undefined;
}

function databaseAt(text: string, from: number, prefix: string): DatabaseSpot | undefined {
  const start = from + prefix.length;
  const body = at(BODY, text, start) ?? '';
  const { length } = body;
  const single = { isManagement: false, from, to: start + length, length } as const;
  const readings = body === '' ? [] : readingsOf(prefix, body);
  const isComplete = withoutPadding(body).length >= WHOLE || EXAMPLE.test(body);
  const joined = isComplete ? undefined : joinedAt(text, single.to, body);
  if (!joined) return body === '' ? undefined : { ...single, whole: isWhole(body), readings };
  const all = [...new Set([...readingsOf(prefix, joined.body), ...readings])];
  const { to, body: whole } = joined;
  return { ...single, to, length: whole.length, whole: true, readings: all };
}

/** A line with nothing but what may be a part of a string, and is no word of a language. */
const TAIL = /[A-Za-z0-9+/_.-]{2,200}={0,2}(?=[\s"'`,;<>(){}[\]\\&])/y;
const NO_WORD = /\d|[a-z][A-Z]|[+/_=]/;
const ANOTHER = new RegExp(START.source);
const isTail = (line: string) => NO_WORD.test(line) && !ANOTHER.test(line);
const MOST_LINES = 20;
const SHORTEST_LINE = 16;

/** Nobody says how long a management token is, so a line that looks like the rest of one is taken for it. */
function wrappedTo(text: string, position: number): number {
  let to = position;
  for (let line = 0; line < MOST_LINES; line += 1) {
    const ways = LINE_ENDS.flatMap((lineEnd) => {
      const end = at(lineEnd, text, to);
      const tail = end === undefined ? undefined : at(TAIL, text, to + end.length);
      return end !== undefined && tail !== undefined && isTail(tail)
        ? [end.length + tail.length]
        : [];
    });
    const [first] = ways;
    if (first === undefined) break;
    to += first;
  }
  return to;
}

function managementAt(text: string, from: number, prefix: string): ManagementSpot | undefined {
  const start = from + prefix.length;
  const end = start + (at(MANAGEMENT_BODY, text, start) ?? '').length;
  const isFew = end > start && end < start + SHORTEST_LINE;
  const to = isFew ? end : wrappedTo(text, end);
  return to === start ? undefined : { isManagement: true, from, to, length: to - start };
}

interface Blob {
  readonly body: string;
  readonly to: number;
}

/** Base64, to the end of its last line. */
function blobAt(text: string, from: number): Blob {
  const lines = [at(BODY, text, from) ?? ''];
  let to = from + (lines[0]?.length ?? 0);
  for (;;) {
    const end = at(LINE_END, text, to);
    const line = end === undefined ? undefined : at(TAIL, text, to + end.length);
    if (end === undefined || line === undefined || !NO_WORD.test(line)) break;
    to += end.length + line.length;
    lines.push(line);
  }
  return { body: lines.join('').replaceAll('=', ''), to };
}

/** In front of base64 at each of the four places of a group. `B` has the bits that all beginnings need there. */
const GROUP_FRONTS = ['', 'B', 'BB', 'BBB'];

/** All credentials of a text in base64. What is encoded behind the first belongs to it: nobody can tell where it ends. */
function* decodedAt(text: string, from: number): Generator<DatabaseSpot | ManagementSpot, number> {
  const { body, to } = blobAt(text, from);
  for (const front of GROUP_FRONTS) {
    const plain = Buffer.from(front + body, 'base64').toString('latin1');
    for (const spot of spotsIn(plain, PLAIN_START)) yield { ...spot, from, to };
  }
  return to;
}

/** 512 random bits have some 47 of the 64 characters; a path or a name has fewer than half of them. */
const FEWEST_KINDS = 32;

function bareAt(from: number, match: string): DatabaseSpot | undefined {
  if (new Set(withoutPadding(match)).size < FEWEST_KINDS) return undefined;
  const { length } = match;
  const readings = readingsOf('apiv1_', match);
  return { isManagement: false, from, to: from + length, length, whole: true, readings };
}

const isBare = (match: string) => match.length >= WHOLE;
const isPlain = (match: string) => /^(?:apiv\d|M\.|eyJ)/.test(match);

/** What begins at a position. Returns where to go on. */
function* spotsAt(
  text: string,
  from: number,
  match: string,
): Generator<DatabaseSpot | ManagementSpot, number> {
  if (!isBare(match) && !isPlain(match)) return yield* decodedAt(text, from);
  const spot = isBare(match)
    ? bareAt(from, match)
    : (match.startsWith('a') ? databaseAt : managementAt)(text, from, match);
  if (spot) yield spot;
  return spot?.to ?? from + 1;
}

/**
 * Each ends where the next one begins that is not encoded.
 * @param text as `plainText` returns it
 */
function* spotsIn(
  given: string,
  expression: RegExp = START_OR_BARE,
): Generator<DatabaseSpot | ManagementSpot> {
  const text = `${given}\n`;
  const start = new RegExp(expression);
  const plain = new RegExp(PLAIN_START);
  let next = 0;
  for (let match = start.exec(text); match; match = start.exec(text)) {
    const { index, 0: found } = match;
    if (next <= index) {
      plain.lastIndex = index + found.length;
      next = plain.exec(text)?.index ?? text.length;
    }
    start.lastIndex = yield* spotsAt(text.slice(0, next), index, found);
  }
}

/** A database token's string in a text. */
export interface FoundString {
  /** The line of the text, from 1. */
  readonly line: number;
  /** False: it is shorter than every token's string, so it was cut. */
  readonly whole: boolean;
  /** How many characters follow `apiv1_`. */
  readonly length: number;
  /** What it may have been, the likeliest first: people lose padding, line ends and `+`. */
  readonly readings: readonly TokenValue[];
}

export interface FoundCredentials {
  /** Each once, in the order of the text. */
  readonly strings: readonly FoundString[];
  /** The lines with management tokens. */
  readonly management: readonly number[];
}

/** Finds all credentials in a text, in whatever they are quoted, encoded or wrapped. */
export function findCredentials(given: string): FoundCredentials {
  const text = plainText(given);
  const strings: FoundString[] = [];
  const seen = new Set<string>();
  const management: number[] = [];
  let line = 1;
  let counted = 0;
  for (const spot of spotsIn(text, START)) {
    for (; counted < spot.from; counted += 1) if (text[counted] === '\n') line += 1;
    if (spot.isManagement) {
      management.push(line);
      continue;
    }
    const { whole, length, readings } = spot;
    // The same string, with its padding and without it.
    const isKnown = readings.some((each) => seen.has(each));
    for (const each of readings) seen.add(each);
    if (isKnown) continue;
    strings.push({ line, whole, length, readings: readings.map((each) => new TokenValue(each)) });
  }
  return { strings, management };
}

/**
 * What a word may have been that lost its beginning, or a part of it, when it was copied. Empty: it has another
 * length than a string without it.
 */
export function readingsWithoutBeginning(word: string): readonly TokenValue[] {
  const [body] = new RegExp(BARE).exec(word) ?? [];
  return body === undefined ? [] : readingsOf('apiv1_', body).map((each) => new TokenValue(each));
}

/** Whether a text contains what has the form of a credential, in any encoding. */
export function holdsCredential(text: string): boolean {
  for (const { isManagement, length } of spotsIn(plainText(text))) {
    if (length >= (isManagement ? SHORTEST_MANAGEMENT : SHORTEST)) return true;
  }
  return false;
}

/**
 * Replaces everything that has the form of a credential by `[token]`. A text that has none stays as it is;
 * one that has loses its encoding, since nobody can tell whether what is left of it belongs to the credential.
 */
export function redact(given: string): string {
  const text = plainText(given);
  const parts: string[] = [];
  let written = 0;
  for (const { isManagement, from, to, length } of spotsIn(text)) {
    // Of what is encoded together, one stands for all.
    if (from < written || (!isManagement && length < SHORTEST)) continue;
    parts.push(text.slice(written, from), '[token]');
    written = to;
  }
  return written === 0 ? given : [...parts, text.slice(written)].join('');
}

/**
 * Where a value that came from outside has text of the form of a credential, in keys or values: one path for each.
 * A key that is one is `[token]` in its path.
 */
export function placesOfCredentials(value: unknown): readonly (readonly PropertyKey[])[] {
  const places: PropertyKey[][] = [];
  const seen = new Set<object>();
  const look = (each: unknown, path: readonly PropertyKey[]): void => {
    if (typeof each === 'string' && holdsCredential(each)) places.push([...path]);
    if (typeof each !== 'object' || each === null || seen.has(each)) return;
    seen.add(each);
    for (const [key, under] of Object.entries(each)) {
      const part = Array.isArray(each) ? Number(key) : redact(key);
      if (holdsCredential(key)) places.push([...path, part]);
      look(under, [...path, part]);
    }
  };
  look(value, []);
  return places;
}
