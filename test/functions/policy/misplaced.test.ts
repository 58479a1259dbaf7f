import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { readPolicyFile } from '../../../lib/policy-file.ts';
import { writeTemporary } from '../../bin/cli.ts';

const STRING = `apiv1_${'s3cret-_'.repeat(10)}abcdef`;
const text = readFileSync('keyturn.example.yaml', 'utf8');

/** What is wrong with the example of the repository after one line of it was replaced. */
function mistakes(from: string | RegExp, to: string): string {
  const changed = text.replace(from, to);
  expect(changed).not.toBe(text);
  try {
    readPolicyFile(writeTemporary('policy.yaml', changed));
  } catch (error) {
    return String(error);
  }
  return '';
}

test.each([
  ['the management token in place of its secret', /managementToken: .*/, 'cluster.managementToken'],
  ['a name', /^ {2}telegraf:/m, 'tokens.[token]'],
  ['a description', /description: .*/, 'tokens.telegraf.description'],
  ['a database', /read: \[.*/, 'permissions.read[0]'],
  ['an unknown key', /^owner: /m, '[token]'],
])('refuses a credential as %s, with its place and without its text', (_what, from, place) => {
  for (const string of [STRING, encodeURIComponent(`${STRING}==`), 'M.V1.s3cretAndMore==']) {
    const to = {
      'cluster.managementToken': `managementToken: "${string}"`,
      'tokens.[token]': `  "${string}":`,
      'tokens.telegraf.description': `description: "see ${string}"`,
      'permissions.read[0]': `read: ["${string}"]`,
      '[token]': `"${string}": 1\nowner: `,
    }[place];
    const said = mistakes(from, to ?? '');
    expect(said).toContain(`${place}: found the string of a token`);
    expect(said).toMatch(/policy\.yaml:\d+: /);
    expect(said).not.toMatch(/s3cret/);
  }
});

test('names the line of the very key', () => {
  const line = text.split('\n').findIndex((each) => each.startsWith('  telegraf:')) + 1;
  expect(mistakes(/^ {2}telegraf:/m, `  ${STRING}:`)).toContain(`policy.yaml:${line}: `);
});

test('quotes none where the file is no YAML', () => {
  const said = mistakes(/managementToken: .*/, `managementToken: *${STRING}`);
  expect(said).toMatch(/policy\.yaml:\d+: found \*\[token\], expected an anchor/);
  expect(said).not.toMatch(/s3cret/);
});
