import { globSync, readFileSync } from 'node:fs';
import { expect, test } from 'vitest';

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
