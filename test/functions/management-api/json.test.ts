import fc from 'fast-check';
import { expect, test } from 'vitest';
import { formatExactJson, parseExactJson } from '../../../functions/management-api/json.ts';

const int64 = fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n });

test('any int64 survives being written and read', () => {
  fc.assert(
    fc.property(int64, (value) => {
      const read = parseExactJson(formatExactJson({ value })) as { value: bigint | number };
      expect(BigInt(read.value)).toBe(value);
    }),
  );
});

test('an int64 is written as a plain number', () => {
  expect(formatExactJson({ retentionPeriod: 9007199254740993n })).toBe(
    '{"retentionPeriod":9007199254740993}',
  );
});

test('whatever else JSON can say is read as always', () => {
  fc.assert(
    fc.property(fc.jsonValue({ noUnicodeString: false }), (value) => {
      const text = JSON.stringify(value);
      const unsafe = /\d{16}/.test(text);
      fc.pre(!unsafe);
      expect(parseExactJson(text)).toEqual(JSON.parse(text));
    }),
  );
});
