import { randomBytes } from 'node:crypto';
import { expect, test } from 'vitest';
import { readLeaked } from '../../bin/keyturn/leaked.ts';
import type { Terminal } from '../../bin/keyturn/terminal.ts';
import { TokenValue } from '../../functions/token-value.ts';

const pasted = (text: string) =>
  readLeaked({ readHidden: () => Promise.resolve(text) } as Partial<Terminal> as Terminal);
const fingerprintOf = (string: string) => new TokenValue(string).fingerprint();
const drawn = (alphabet: 'base64' | 'base64url') => `apiv1_${randomBytes(64).toString(alphabet)}`;

test.each(['base64', 'base64url'] as const)(
  'finds a token string of the %s alphabet whole, alone and in a text',
  async (alphabet) => {
    for (let count = 0; count < 200; count += 1) {
      const string = drawn(alphabet);
      for (const text of [string, `INFLUX_TOKEN="${string}"\n`, `Authorization: Token ${string}`]) {
        const { strings } = await pasted(text);
        expect(strings.map(({ fingerprints }) => fingerprints[0])).toEqual([fingerprintOf(string)]);
      }
    }
  },
);

test('finds every string of a text, and the management tokens between them', async () => {
  const [one, two] = [drawn('base64'), drawn('base64url')];
  const text = `A=${one}\nADMIN=M.V1.c2VjcmV0\n{"token":"${two}"}\nB=${one}\n`;
  const { strings, management } = await pasted(text);
  expect(strings.map(({ line, fingerprints }) => [line, fingerprints[0]])).toEqual([
    [1, fingerprintOf(one)],
    [3, fingerprintOf(two)],
  ]);
  expect(management).toEqual([2]);
});

test('says how much is missing of a string that was cut, and asks about no short part', async () => {
  const string = drawn('base64url');
  const { strings } = await pasted(`${string.slice(0, 30)}…\n`);
  expect(strings[0]?.cut).toContain('found 24 characters');
  expect((await pasted(string.slice(0, 20))).strings[0]?.fingerprints).toEqual([]);
});

test('takes a word of an unknown form for the string itself', async () => {
  const { strings } = await pasted('\uFEFFv4.local.JSUzI1NiJ9.c2Vj\n');
  expect(strings[0]?.fingerprints).toEqual([fingerprintOf('v4.local.JSUzI1NiJ9.c2Vj')]);
});

test('a JWT may be a management token, which no database token is', async () => {
  const jwt = 'eyJhbGciOiJFUzI1NiJ9.eyJzdWIiOiJhIn0.c2VjcmV0';
  expect(await pasted(`${jwt}\n`)).toEqual({ strings: [], management: [1] });
});

test('says of a string that lost its beginning that it was cut, and still asks whether it is only the prefix', async () => {
  const string = drawn('base64');
  const { strings } = await pasted(string.slice(20));
  expect(strings).toMatchObject([{ cut: expect.stringContaining('was cut in front') }]);
  for (const part of [string.slice(6), string.slice(3), string.slice(6, -2)]) {
    const [found] = (await pasted(part)).strings;
    expect(found?.fingerprints).toContain(fingerprintOf(string));
  }
});

test('finds a string in base64', async () => {
  const string = drawn('base64');
  const { strings } = await pasted(`data:\n  token: ${Buffer.from(string).toString('base64')}\n`);
  expect(strings).toMatchObject([{ line: 2 }]);
  expect(strings[0]?.fingerprints[0]).toBe(fingerprintOf(string));
  expect(strings[0]).not.toHaveProperty('cut');
});
