import { Refusal } from './refusal.ts';
import type { ColumnType, FieldValue } from './state.ts';

export interface Point {
  readonly measurement: string;
  /** Column names to types and values, tags and fields alike. */
  readonly columns: ReadonlyMap<string, { readonly type: ColumnType; readonly value: FieldValue }>;
  /** Nanoseconds since 1970. */
  readonly time: bigint;
}

const BLANKS = /(?:[ \t\r\n]|#[^\n]*)+/y;
const MEASUREMENT = /(?:\\.|[^,\s\\])+/y;
const KEY = /(?:\\.|[^,=\s\\])+/y;
const STRING = /"(?:\\[\s\S]|[^"\\])*"/y;
const SCALAR = /[^,\s"]+/y;
const TIMESTAMP = / +-?\d+/y;
const SPACES = / +/y;
const LINE_END = /[ \t\r]*(?:\n|$)/y;

const INTEGER = /^[+-]?\d+i$/;
const UNSIGNED = /^\+?\d+u$/;
const FLOAT = /^[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?$/;
const BOOLEAN = /^(?:[tT]|true|True|TRUE|[fF]|false|False|FALSE)$/;
const INT64_MAX = 2n ** 63n - 1n;

const unescapeName = (text: string) => text.replace(/\\([,= ])/g, '$1');
const unescapeString = (text: string) => text.slice(1, -1).replace(/\\(["\\])/g, '$1');

function parseScalar(text: string): { type: ColumnType; value: FieldValue } | undefined {
  if (BOOLEAN.test(text)) return { type: 'boolean', value: /^t/i.test(text) };
  if (FLOAT.test(text)) return { type: 'float', value: Number(text) };
  if (!INTEGER.test(text) && !UNSIGNED.test(text)) return undefined;
  const value = BigInt(text.slice(0, -1).replace('+', ''));
  const type = text.endsWith('i') ? 'integer' : 'unsigned';
  const [least, most] = type === 'integer' ? [-INT64_MAX - 1n, INT64_MAX] : [0n, 2n ** 64n - 1n];
  return least <= value && value <= most ? { type, value } : undefined;
}

/**
 * Parses a whole body. Timestamps count in units of `scale` nanoseconds; points without one get
 * `defaultTime`, in nanoseconds. Throws `Refusal` 400 at the first bad line.
 */
export function parseLineProtocol(text: string, scale: bigint, defaultTime: bigint): Point[] {
  let at = 0;
  const take = (pattern: RegExp): string | undefined => {
    pattern.lastIndex = at;
    const match = pattern.exec(text)?.[0];
    at += match?.length ?? 0;
    return match;
  };
  const fail = (problem: string): never => {
    const line = text.slice(0, at).split('\n').length;
    throw new Refusal(
      400,
      `failed to parse line protocol: error parsing line ${line} (1-based): ${problem}`,
    );
  };
  const need = (pattern: RegExp, what: string) => take(pattern) ?? fail(`expected ${what}`);
  const takeFieldValue = () => {
    const string = take(STRING);
    if (string !== undefined) return { type: 'string', value: unescapeString(string) } as const;
    const scalar = need(SCALAR, 'a field value');
    return parseScalar(scalar) ?? fail(`invalid field value ${scalar}`);
  };

  const points: Point[] = [];
  for (take(BLANKS); at < text.length; take(BLANKS)) {
    const measurement = unescapeName(need(MEASUREMENT, 'a measurement'));
    const columns = new Map<string, { type: ColumnType; value: FieldValue }>();
    const takeColumn = (takeValue: () => { type: ColumnType; value: FieldValue }) => {
      const name = unescapeName(need(KEY, 'a name'));
      need(/=/y, '"="');
      if (columns.has(name)) fail(`column ${name} appears multiple times in a single line`);
      columns.set(name, takeValue());
    };
    while (take(/,/y)) {
      takeColumn(() => ({ type: 'tag', value: unescapeName(need(KEY, 'a tag value')) }));
    }
    need(SPACES, 'a space before the fields');
    do takeColumn(takeFieldValue);
    while (take(/,/y));
    const timestamp = take(TIMESTAMP);
    need(LINE_END, 'a timestamp or the end of the line');
    const time = timestamp === undefined ? defaultTime : BigInt(timestamp.trim()) * scale;
    if (time < -INT64_MAX || time > INT64_MAX) fail('timestamp out of range');
    points.push({ measurement, columns, time });
  }
  return points;
}
