import { globSync, readFileSync } from 'node:fs';
import { expect, test } from 'vitest';

const page = readFileSync('docs/e2e-transcript.md', 'utf8');
const sources = globSync('e2e/*.ts').map((file) => readFileSync(file, 'utf8'));

/** The sentences of `report.step(…)`, `report.check(…)` and `report.note(…)`, in whichever quotes. */
const ofSources = sources.flatMap((text) =>
  [...text.matchAll(/report\s*\.(?:step|check|note)\(\s*(['"])(.*?)\1[,)]/gs)].map(
    ([, , sentence = '']) => sentence,
  ),
);

const linesOf = (pattern: RegExp) => [...page.matchAll(pattern)].map(([, text = '']) => text);
const steps = linesOf(/^ {2}(?:ok|FAILED) +\d+\.\d s {2}(.*)$/gm);
const notes = linesOf(/^ {2}note +(.*)$/gm);

test('the recorded run of e2e has the steps that it has today, all of which it passed', () => {
  expect(ofSources.length).toBeGreaterThan(30);
  expect([...steps, ...notes].sort()).toEqual([...ofSources].sort());
  expect(page).toMatch(new RegExp(`^${steps.length} passed, 0 failed, in \\d+ s$`, 'm'));
});
