import { expect, test } from 'vitest';
import { parseLineProtocol } from '../../../sandbox/cluster/line-protocol.ts';

const parse = (text: string) =>
  parseLineProtocol(text, 1n, 0n).map(({ measurement, columns, time }) => ({
    measurement,
    time,
    values: Object.fromEntries([...columns].map(([name, { value }]) => [name, value])),
  }));

test.each([
  ['escaped names', 'a\\ b\\,c,t\\ =v\\=\\,w f\\,=1', 'a b,c', { 't ': 'v=,w', 'f,': 1 }],
  ['a quote within a string', 'm f="a\\"b\\\\c"', 'm', { f: 'a"b\\c' }],
  ['a line break and separators within a string', 'm f="a\nb, c=d"', 'm', { f: 'a\nb, c=d' }],
  ['an empty string', 'm f=""', 'm', { f: '' }],
  ['floats', 'm a=1,b=-1.5e3,c=.5,d=+2', 'm', { a: 1, b: -1500, c: 0.5, d: 2 }],
  ['the least int64', 'm a=-9223372036854775808i', 'm', { a: -(2n ** 63n) }],
  ['the greatest uint64', 'm a=18446744073709551615u', 'm', { a: 2n ** 64n - 1n }],
  ['booleans', 'm a=t,b=FALSE,c=True', 'm', { a: true, b: false, c: true }],
  ['letters of any script', 'температура,где=дом °C=21', 'температура', { где: 'дом', '°C': 21 }],
  ['an equals sign in a measurement', 'a=b f=1', 'a=b', { f: 1 }],
  [
    'names of built-in properties',
    'm constructor=1,toString=2',
    'm',
    { constructor: 1, toString: 2 },
  ],
])('reads %s', (_name, line, measurement, values) => {
  expect(parse(line)).toEqual([{ measurement, time: 0n, values }]);
});

test('skips blank lines and comments, and takes any line ending', () => {
  expect(parse('# note\n\n  \r\nm a=1 -5\r\n#\nm a=2 6 \n')).toEqual([
    { measurement: 'm', time: -5n, values: { a: 1 } },
    { measurement: 'm', time: 6n, values: { a: 2 } },
  ]);
  expect(parse(' \n# nothing but a comment')).toEqual([]);
});

test.each([
  'm',
  'm ',
  'm a',
  'm a=',
  'm a=1 now',
  'm a=1 1.5',
  'm a=1 12x',
  'm a=1 1 2',
  'm a="open',
  'm a="x"y',
  'm a=word',
  'm a=constructor',
  'm a=1x',
  'm a=-1u',
  'm a=9223372036854775808i',
  'm a=1,',
  'm a=1 99999999999999999999',
  'm,t= a=1',
  'm,t a=1',
  'm,a=1 a=1',
  ',t=v a=1',
  '{}',
])('refuses %j', (line) => {
  expect(() => parse(`m a=1 1\n${line}\n`)).toThrow(
    /^failed to parse line protocol: error parsing line/,
  );
});
