import {
  durationNanoseconds,
  InfluxqlError,
  instantNanoseconds,
  type Token,
  tokenise,
} from './influxql-tokens.ts';

/** `time > now() - 1h`, `host = 'a'`; times are nanoseconds since 1970. */
export interface Condition {
  readonly column: string;
  readonly operator: string;
  readonly value: string | number | boolean | bigint;
}

export interface SelectItem {
  /** `count`, `mean`, …; absent for a plain column. */
  readonly call?: string;
  readonly column: string;
}

export interface Select {
  /** Empty means all columns. */
  readonly items: readonly SelectItem[];
  readonly measurement: string;
  readonly conditions: readonly Condition[];
  readonly descending: boolean;
  readonly limit: number;
  readonly offset: number;
}

const CALLS = ['count', 'sum', 'mean', 'min', 'max', 'first', 'last'];

/** Parses the statements of a query; `now` in milliseconds. Throws `InfluxqlError`. */
export function parseInfluxql(text: string, now: number): Select[] {
  const tokens = tokenise(text);
  let at = 0;
  const peek = (): Token => tokens[at] ?? { kind: 'end', text: 'EOF' };
  const fail = (expected: string): never => {
    throw new InfluxqlError(`found ${peek().text}, expected ${expected}`);
  };
  const accept = (word: string): boolean => {
    const { kind, text: found } = peek();
    const matches = (kind === 'word' || kind === 'symbol') && found.toLowerCase() === word;
    if (matches) at += 1;
    return matches;
  };
  const expect = (word: string) => accept(word) || fail(word.toUpperCase());
  const take = (kinds: readonly Token['kind'][], what: string): Token => {
    const token = peek();
    if (!kinds.includes(token.kind)) fail(what);
    at += 1;
    return token;
  };
  const identifier = () => take(['word', 'quoted'], 'identifier').text;
  const count = () => Number(take(['number'], 'integer').text);
  const duration = () => durationNanoseconds(take(['duration'], 'duration').text);

  const item = (): SelectItem => {
    const { kind } = peek();
    const column = identifier();
    if (kind === 'quoted' || !accept('(')) return { column };
    const call = column.toLowerCase();
    if (!CALLS.includes(call)) throw new InfluxqlError(`undefined function ${call}()`);
    const argument = identifier();
    expect(')');
    return { call, column: argument };
  };

  const instant = (): bigint => {
    const { kind, text: found } = take(['word', 'string', 'number', 'duration'], 'a time');
    if (kind === 'number') return /^\d+$/.test(found) ? BigInt(found) : fail('integer');
    if (kind === 'duration') return durationNanoseconds(found);
    if (kind === 'string') return instantNanoseconds(found);
    if (found.toLowerCase() !== 'now') fail('now()');
    expect('(');
    expect(')');
    return BigInt(now) * 1_000_000n;
  };

  const time = (): bigint => {
    let value = instant();
    while (true) {
      if (accept('-')) value -= duration();
      else if (accept('+')) value += duration();
      else return value;
    }
  };

  const condition = (): Condition => {
    const column = identifier();
    const operator = take(['symbol'], 'operator').text;
    if (!['=', '!=', '<>', '<', '<=', '>', '>='].includes(operator)) fail('operator');
    if (column.toLowerCase() === 'time') return { column: 'time', operator, value: time() };
    const negative = accept('-');
    const { kind, text: found } = take(['string', 'number', 'word'], 'a value');
    if (kind === 'string') return { column, operator, value: found };
    if (kind === 'number') return { column, operator, value: (negative ? -1 : 1) * Number(found) };
    if (!/^(?:true|false)$/i.test(found)) fail('a value');
    return { column, operator, value: found.toLowerCase() === 'true' };
  };

  const list = <T>(one: () => T, separator: string): T[] => {
    const all = [one()];
    while (accept(separator)) all.push(one());
    return all;
  };

  const select = (): Select => {
    expect('select');
    const items = accept('*') ? [] : list(item, ',');
    if (new Set(items.map(({ call }) => call === undefined)).size > 1) {
      throw new InfluxqlError('mixing aggregate and non-aggregate queries is not supported');
    }
    expect('from');
    const measurement = identifier();
    const conditions = accept('where') ? list(condition, 'and') : [];
    let descending = false;
    if (accept('order')) {
      expect('by');
      expect('time');
      descending = accept('desc');
      if (!descending) accept('asc');
    }
    const limit = accept('limit') ? count() : Infinity;
    const offset = accept('offset') ? count() : 0;
    return { items, measurement, conditions, descending, limit, offset };
  };

  const statements = [select()];
  while (accept(';')) if (peek().kind !== 'end') statements.push(select());
  if (peek().kind !== 'end') fail('; or EOF');
  return statements;
}
