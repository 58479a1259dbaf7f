import {
  durationNanoseconds,
  InfluxqlError,
  patternOf,
  type Token,
  tokenise,
} from './influxql-tokens.ts';

/** Reads the tokens of a query, one after the other; what does not fit throws `InfluxqlError`. */
export interface Reader {
  peek(): Token;
  fail(expected: string): never;
  /** Takes these words or symbols if they are all next. */
  accept(...words: readonly string[]): boolean;
  expect(word: string): void;
  take(kinds: readonly Token['kind'][], what: string): Token;
  identifier(): string;
  count(): number;
  /** Nanoseconds. */
  duration(): bigint;
  pattern(): RegExp;
  list<T>(one: () => T, separator: string): T[];
}

export function createReader(text: string): Reader {
  const tokens = tokenise(text);
  let at = 0;
  const tokenAt = (index: number): Token => tokens[index] ?? { kind: 'end', text: 'EOF' };
  const isWord = (index: number, word: string) => {
    const { kind, text: found } = tokenAt(index);
    return (kind === 'word' || kind === 'symbol') && found.toLowerCase() === word;
  };
  const reader: Reader = {
    peek: () => tokenAt(at),
    fail(expected) {
      throw new InfluxqlError(`found ${reader.peek().text}, expected ${expected}`);
    },
    accept(...words) {
      const matches = words.every((word, index) => isWord(at + index, word));
      if (matches) at += words.length;
      return matches;
    },
    expect(word) {
      if (!reader.accept(word)) reader.fail(word.toUpperCase());
    },
    take(kinds, what) {
      const token = reader.peek();
      if (!kinds.includes(token.kind)) reader.fail(what);
      at += 1;
      return token;
    },
    identifier: () => reader.take(['word', 'quoted'], 'identifier').text,
    count: () => Number(reader.take(['number'], 'integer').text),
    duration: () => durationNanoseconds(reader.take(['duration'], 'duration').text),
    pattern: () => patternOf(reader.take(['pattern'], 'regex').text),
    list(one, separator) {
      const all = [one()];
      while (reader.accept(separator)) all.push(one());
      return all;
    },
  };
  return reader;
}
