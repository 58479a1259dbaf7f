import type { Reader } from './influxql-reader.ts';
import { durationNanoseconds, instantNanoseconds } from './influxql-tokens.ts';

/** `time > now() - 1h`, `host =~ /^a/`; times are nanoseconds since 1970. */
export interface Comparison {
  readonly column: string;
  readonly operator: string;
  readonly value: string | number | boolean | bigint | RegExp;
}

export type Condition =
  | Comparison
  | { readonly all: readonly Condition[] }
  | { readonly any: readonly Condition[] };

const OPERATORS = ['=', '!=', '<>', '<', '<=', '>', '>=', '=~', '!~'];

/** A column, with the type that Grafana writes behind it: `"host"::tag`. */
export function readColumn(reader: Reader): string {
  const column = reader.identifier();
  if (reader.accept('::')) reader.identifier();
  return column;
}

/** Parses what follows `WHERE`; `now` in milliseconds. */
export function readCondition(reader: Reader, now: number): Condition {
  const instant = (): bigint => {
    const { kind, text } = reader.take(['word', 'string', 'number', 'duration'], 'a time');
    if (kind === 'number') return /^\d+$/.test(text) ? BigInt(text) : reader.fail('integer');
    if (kind === 'duration') return durationNanoseconds(text);
    if (kind === 'string') return instantNanoseconds(text);
    if (text.toLowerCase() !== 'now') reader.fail('now()');
    reader.expect('(');
    reader.expect(')');
    return BigInt(now) * 1_000_000n;
  };

  const time = (): bigint => {
    let value = instant();
    while (true) {
      if (reader.accept('-')) value -= reader.duration();
      else if (reader.accept('+')) value += reader.duration();
      else return value;
    }
  };

  const literal = (): Comparison['value'] => {
    const negative = reader.accept('-');
    const { kind, text } = reader.take(['string', 'number', 'word'], 'a value');
    if (kind === 'string') return text;
    if (kind === 'number') return (negative ? -1 : 1) * Number(text);
    if (!/^(?:true|false)$/i.test(text)) reader.fail('a value');
    return text.toLowerCase() === 'true';
  };

  const comparison = (): Comparison => {
    const column = readColumn(reader);
    const operator = reader.take(['symbol'], 'operator').text;
    if (!OPERATORS.includes(operator)) reader.fail('operator');
    if (operator.endsWith('~')) return { column, operator, value: reader.pattern() };
    if (column.toLowerCase() === 'time') return { column: 'time', operator, value: time() };
    return { column, operator, value: literal() };
  };

  const one = (): Condition => {
    if (!reader.accept('(')) return comparison();
    const inner = either();
    reader.expect(')');
    return inner;
  };
  const both = (): Condition => {
    const all = reader.list(one, 'and');
    return all.length > 1 ? { all } : (all[0] as Condition);
  };
  const either = (): Condition => {
    const any = reader.list(both, 'or');
    return any.length > 1 ? { any } : (any[0] as Condition);
  };
  return either();
}
