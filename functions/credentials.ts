import { TokenValue } from './token-value.ts';

/**
 * The forms of InfluxDB's credentials, the only place of the program that knows them.
 *
 * - Database tokens: `apiv1_` and 512 random bits in base64, 86 characters and perhaps `==`. The documentation
 *   does not say of which alphabet, and the examples of the specification have 64 digits instead.
 *   https://docs.influxdata.com/influxdb3/cloud-dedicated/reference/internals/security/
 * - Management tokens: `M.V1.` and more characters.
 *   https://docs.influxdata.com/influxdb3/clustered/admin/tokens/management/list/
 *
 * People send texts of up to megabytes, and servers send anything: every expression here takes time in
 * proportion to the text.
 */
const START = /apiv\d{1,3}_|M\.V1\./g;
const BODY = /[A-Za-z0-9+/_-]*={0,2}/y;
const MANAGEMENT_BODY = /[^\s"'`,;<>(){}[\]\\&]+/y;
/** Between two lines of a string that somebody wrapped: mail, JSON, a shell, HTML. `=` ends such a line in a mail. */
const LINE_END =
  /(?:(?:\\?\r?\n|\\?\r|\\{1,4}[rn]|%0[AaDd]|&#1[03];|<br ?\/?>)[ \t>]{0,80}){1,4}(?=[A-Za-z0-9+/_=-])/y;
/** What is left of a `+` that a server decoded as in a form. */
const LOST_PLUS = / (?=[A-Za-z0-9+/_=-])/y;
const NEXT_STRING = /apiv\d/y;

/** The base64 characters of 512 bits, without the padding. */
const WHOLE = 86;
/** The string of the specification's examples: 64 digits, or hexadecimal ones. */
const EXAMPLE = /^[0-9A-Fa-f]{64}$/;
/** Shorter ones are names that people gave, or too little to be of use. */
const SHORTEST = 20;
const SHORTEST_MANAGEMENT = 8;

/**
 * One layer of percent-encoding, of JSON's or a shell's escapes, or of HTML's entities, of visible characters: a
 * line of the text stays a line.
 */
const ENCODED =
  /%([2-7][0-9A-Fa-f])|\\{1,4}(?:u00|x)([2-7][0-9A-Fa-f])|\\{1,4}(\/)|&#(\d{2,3});|&#[xX]([2-7][0-9A-Fa-f]);|&(amp|dash|equals|hyphen|lowbar|percnt|period|plus|sol);/g;
const ENTITIES: Readonly<Record<string, string>> = {
  amp: '&',
  dash: '-',
  equals: '=',
  hyphen: '-',
  lowbar: '_',
  percnt: '%',
  period: '.',
  plus: '+',
  sol: '/',
};
const LAYERS = 4;

const ESCAPE = String.fromCharCode(27);
const COLOURS = new RegExp(`${ESCAPE}\\[[0-9;]{0,20}[A-Za-z]`, 'g');
/** A BOM, soft hyphens, and other characters that nobody sees. */
const INVISIBLE = /\p{Cf}/gu;

const visible = (code: number, otherwise: string) =>
  code > 0x20 && code < 0x7f ? String.fromCharCode(code) : otherwise;

/** The text without one layer of encoding. */
const decodedOnce = (text: string): string =>
  text.replace(ENCODED, (all, percent, escaped, slash, decimal, hexadecimal, entity) => {
    const hex = percent ?? escaped ?? hexadecimal;
    if (hex !== undefined) return visible(Number.parseInt(hex, 16), all === '%20' ? ' ' : all);
    if (decimal !== undefined) return visible(Number(decimal), all);
    return slash ?? ENTITIES[entity] ?? all;
  });

/** The text as its author saw it: without what encodes, hides or colours its characters. */
function plainText(text: string): string {
  // A file in UTF-16 that is read as UTF-8 has a NUL beside every character.
  let plain = text.replaceAll('\0', '').replace(INVISIBLE, '').replace(COLOURS, '');
  for (let layer = 0; layer < LAYERS; layer += 1) {
    const decoded = decodedOnce(plain);
    if (decoded === plain) break;
    plain = decoded;
  }
  return plain;
}

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

/** The rest of a wrapped string, if there is exactly as much as is missing. */
function joinedAt(
  text: string,
  position: number,
  beginning: string,
): { readonly body: string; readonly to: number } | undefined {
  let core = beginning.replace(/=$/, '');
  let to = position;
  while (core.length < WHOLE) {
    const end = at(LINE_END, text, to);
    const gap = end ?? at(LOST_PLUS, text, to);
    if (gap === undefined || at(NEXT_STRING, text, to + gap.length) !== undefined) return undefined;
    const piece = at(BODY, text, to + gap.length) ?? '';
    to += gap.length + piece.length;
    const joined = `${core}${end === undefined ? '+' : ''}${piece}`;
    if (withoutPadding(joined).length === WHOLE) return { body: joined, to };
    core = joined.replace(/=$/, '');
  }
  return undefined;
}

function databaseAt(text: string, from: number, prefix: string): DatabaseSpot | undefined {
  const start = from + prefix.length;
  const body = at(BODY, text, start) ?? '';
  if (body === '') return undefined;
  const { length } = body;
  const single = { isManagement: false, from, to: start + length, length } as const;
  const readings = readingsOf(prefix, body);
  const isComplete = withoutPadding(body).length >= WHOLE || EXAMPLE.test(body);
  const joined = isComplete ? undefined : joinedAt(text, single.to, body);
  if (!joined) return { ...single, whole: isWhole(body), readings };
  const all = [...new Set([...readingsOf(prefix, joined.body), ...readings])];
  const { to, body: whole } = joined;
  return { ...single, to, length: whole.length, whole: true, readings: all };
}

function managementAt(text: string, from: number, prefix: string): ManagementSpot | undefined {
  const start = from + prefix.length;
  const body = at(MANAGEMENT_BODY, text, start);
  if (body === undefined) return undefined;
  return { isManagement: true, from, to: start + body.length, length: body.length };
}

/** @param text as `plainText` returns it */
function* spotsIn(text: string): Generator<DatabaseSpot | ManagementSpot> {
  const start = new RegExp(START);
  for (let match = start.exec(text); match; match = start.exec(text)) {
    const [prefix] = match;
    const find = prefix.startsWith('M') ? managementAt : databaseAt;
    const spot = find(text, match.index, prefix);
    if (!spot) continue;
    yield spot;
    start.lastIndex = spot.to;
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
  const strings = new Map<string, FoundString>();
  const management: number[] = [];
  let line = 1;
  let counted = 0;
  for (const spot of spotsIn(text)) {
    for (; counted < spot.from; counted += 1) if (text[counted] === '\n') line += 1;
    if (spot.isManagement) {
      management.push(line);
      continue;
    }
    const { whole, length, readings } = spot;
    const [key = ''] = readings;
    if (strings.has(key)) continue;
    const values = readings.map((each) => new TokenValue(each));
    strings.set(key, { line, whole, length, readings: values });
  }
  return { strings: [...strings.values()], management };
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
    if (!isManagement && length < SHORTEST) continue;
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
