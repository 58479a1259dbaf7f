import fc from 'fast-check';
import { expect, test } from 'vitest';
import { coversGlob, matchesGlob } from '../../../functions/policy/glob.ts';

const letters = (...alphabet: string[]) =>
  fc.string({ unit: fc.constantFrom(...alphabet), maxLength: 8 });
const glob = letters('a', 'b', '*', '?', '/');
const name = letters('a', 'b', '/', 'ß', '😀');

const asExpression = (text: string) =>
  new RegExp(`^${text.replaceAll('/', '\\/').replaceAll('*', '.*').replaceAll('?', '.')}$`, 'su');

test('matches as the expression would that says the same', () => {
  fc.assert(
    fc.property(glob, name, (pattern, text) => {
      expect(matchesGlob(pattern, text)).toBe(asExpression(pattern).test(text));
    }),
    { numRuns: 2_000 },
  );
});

test.each([
  ['scratch-*', 'scratch-', true],
  ['scratch-*', 'Scratch-1', false],
  ['*', 'telegraf/autogen', true],
  ['*/autogen', 'telegraf/autogen', true],
  ['?', 'ü', true],
  ['?', '𝒳', true],
  ['a.c', 'abc', false],
  ['(a+)+b', 'aaab', false],
])('%s on %s: %s', (pattern, text, matches) => {
  expect(matchesGlob(pattern, text)).toBe(matches);
});

test('needs no more than a moment for what would take an expression for ever', () => {
  expect(matchesGlob(`${'*a'.repeat(30)}b`, 'a'.repeat(64))).toBe(false);
});

/** Every text of up to so many letters. */
const textsOf = (alphabet: readonly string[], longest: number): string[] =>
  longest === 0
    ? ['']
    : [
        '',
        ...textsOf(alphabet, longest - 1).flatMap((text) => alphabet.map((each) => text + each)),
      ];

test('covers a glob only where it matches all that the other does', () => {
  const globs = [...new Set(textsOf(['a', '*', '?'], 4))];
  const names = [...new Set(textsOf(['a', 'b'], 6))];
  const matched = new Map(
    globs.map((each) => [each, new Set(names.filter((text) => matchesGlob(each, text)))]),
  );
  for (const wide of globs) {
    for (const narrow of globs) {
      if (!coversGlob(wide, narrow)) continue;
      const contains = [...matched.get(narrow)!].every((text) => matched.get(wide)!.has(text));
      expect([wide, narrow, contains]).toEqual([wide, narrow, true]);
    }
  }
});

test.each([
  ['*', 'scratch-*', true],
  ['scratch-*', 'scratch-*', true],
  ['scratch-*', 'scratch-?', true],
  ['?*', '*?', true],
  ['s*-*', 'scratch-*-tmp', true],
  ['scratch-?', 'scratch-*', false],
  ['scratch-*', 'scratch*', false],
  ['*a*', '*b*', false],
])('%s takes all of %s: %s', (wide, narrow, covers) => {
  expect(coversGlob(wide, narrow)).toBe(covers);
});
