/** The query does not parse; `/query` answers with status 200. */
export class InfluxqlError extends Error {
  override readonly name = 'InfluxqlError';
}

const TOKEN =
  /\s*(?:(\d+(?:ns|us|µs|u|µ|ms|s|m|h|d|w)\b)|(\d+(?:\.\d+)?)|([A-Za-z_]\w*)|"((?:\\.|[^"\\])*)"|'((?:\\.|[^'\\])*)'|\/((?:\\.|[^/\\])+)\/|(<=|>=|!=|<>|=~|!~|::|[-+*.,()=<>;]))/y;

const NANOSECONDS: Readonly<Record<string, bigint>> = {
  ns: 1n,
  u: 1_000n,
  us: 1_000n,
  µ: 1_000n,
  µs: 1_000n,
  ms: 1_000_000n,
  s: 1_000_000_000n,
  m: 60_000_000_000n,
  h: 3_600_000_000_000n,
  d: 86_400_000_000_000n,
  w: 604_800_000_000_000n,
};

export interface Token {
  readonly kind:
    | 'duration'
    | 'number'
    | 'word'
    | 'quoted'
    | 'string'
    | 'pattern'
    | 'symbol'
    | 'end';
  readonly text: string;
}

export function tokenise(text: string): Token[] {
  const tokens: Token[] = [];
  TOKEN.lastIndex = 0;
  const trimmed = text.trimEnd();
  while (TOKEN.lastIndex < trimmed.length) {
    const at = TOKEN.lastIndex;
    const match = TOKEN.exec(trimmed);
    if (!match) throw new InfluxqlError(`invalid InfluxQL at pos ${at}`);
    const kinds = ['duration', 'number', 'word', 'quoted', 'string', 'pattern', 'symbol'] as const;
    const index = match.slice(1).findIndex((group) => group !== undefined);
    const raw = match[index + 1] ?? '';
    const kind = kinds[index] ?? 'symbol';
    const quoted = kind === 'quoted' || kind === 'string';
    tokens.push({ kind, text: quoted ? raw.replace(/\\(.)/g, '$1') : raw });
  }
  return tokens;
}

export function durationNanoseconds(text: string): bigint {
  const unit = text.replace(/^\d+/, '');
  return BigInt(text.slice(0, -unit.length)) * (NANOSECONDS[unit] ?? 1n);
}

/** Go's expressions are JavaScript's, but for flags at their beginning. */
export function patternOf(text: string): RegExp {
  const [, flags = '', source = ''] = /^(?:\(\?([is]+)\))?(.*)$/s.exec(text) ?? [];
  try {
    return new RegExp(source.replaceAll('\\/', '/'), flags);
  } catch (cause) {
    throw new InfluxqlError(`error parsing regexp: ${text}`, { cause });
  }
}

/** The instant of a literal such as `2026-01-01T00:00:00Z`, here with millisecond precision. */
export function instantNanoseconds(text: string): bigint {
  const milliseconds = Date.parse(text);
  if (Number.isNaN(milliseconds)) throw new InfluxqlError(`invalid time ${text}`);
  return BigInt(milliseconds) * 1_000_000n;
}
