import { globSync, readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { createProgram } from '../../bin/keyturn/program.ts';
import { openScreen } from './screen.ts';

const documents = [...globSync('*.md'), ...globSync('{docs,examples,.github}/**/*.{md,yaml,yml}')];

test('no document has npx fetch the command from npm, where its name belongs to nobody', () => {
  const unsafe = documents.flatMap((file) =>
    readFileSync(file, 'utf8')
      .split('\n')
      .flatMap((line, index) =>
        /\bnpx (?!--no )[^`|]*\bkeyturn/.test(line) ? [`${file}:${index + 1}`] : [],
      ),
  );
  expect(documents.length).toBeGreaterThan(10);
  expect(unsafe).toEqual([]);
});

test('an option never comes before the command, where npx would take it for its own', () => {
  const taken = documents.filter((file) => /npx --no keyturn\s+-/.test(readFileSync(file, 'utf8')));
  expect(taken).toEqual([]);
});

test('the app in the README is the one that is installed and synthesized', () => {
  const app = readFileSync('package/apps/app.ts', 'utf8');
  expect(readFileSync('README.md', 'utf8')).toContain(`\`\`\`ts\n${app}\`\`\``);
});

test('every command of the program is shown on a page that a test writes', () => {
  // commands-transcript.test.ts, leak-transcript.test.ts, tutorial.test.ts
  const pages = ['docs/commands.md', 'docs/leak-transcript.md', 'docs/tutorial.md'];
  const shown = pages.flatMap((page) =>
    [...readFileSync(page, 'utf8').matchAll(/^ {4}\$ npx --no keyturn ([a-z]+)\b/gm)].map(
      ([, verb]) => verb,
    ),
  );
  const { commands } = createProgram(openScreen('', []).terminal);
  expect(commands.length).toBeGreaterThan(15);
  const missing = commands.map((each) => each.name()).filter((verb) => !shown.includes(verb));
  expect(missing).toEqual([]);
});
