import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { readDeployedPolicyFile, readPolicyFile } from '../../lib/policy-file.ts';
import { mistakeOf, writePolicy } from './synthesize.ts';

const folder = mkdtempSync(join(tmpdir(), 'keyturn-slips-'));
afterAll(() => rmSync(folder, { recursive: true }));

const EXAMPLE = readFileSync('keyturn.example.yaml', 'utf8');
const LINES = EXAMPLE.split('\n');

/** The example with a slip, and the number of the line on which it begins. */
function slipped(before: string, after: string): { readonly text: string; readonly line: number } {
  const line = LINES.findIndex((each) => each.includes(before.split('\n')[0] ?? '')) + 1;
  const text = EXAMPLE.replace(before, () => after);
  expect(text).not.toBe(EXAMPLE);
  return { text, line };
}

const BEHIND =
  'found more text behind a value that has ended, expected the end of the line, or a space and a comment (#); put all of the text in one pair of quotes, of the kind that it has not in it';
const COMMA =
  'found more text behind a value that has ended, within brackets, expected a comma between the two, or a bracket that closes; put it there, or all of the text in one pair of quotes';
const QUOTES =
  'found quotes that begin here and do not end on this line, expected an end; put the same mark behind the text';
const BRACKET =
  'found a bracket that opens here and does not close, expected a ] for each [ and a } for each {, indented deeper than the key; close each bracket that is open';
const NO_KEY =
  'found no "key: value" here, expected a colon and a space behind the key; add it, or begin a comment with #';
const TAG =
  'found a tag (a word with ! in front) that means nothing here, expected a plain value; take the tag out, or put text that begins with ! in quotes';
const INDENT =
  'found a second key on one line, or a line deeper than its key allows, expected one "key: value" on each; put text with ": " in it in quotes, or indent the line like its neighbours';
const PERMISSIONS = '    permissions:\n      write: [telemetry]';
const GRAFANA = '      read: [telemetry, quality]';
const glued = (found: string, written: string) =>
  `found "${found}" in place of a key, expected a space behind the colon; write "${written}"`;
const unknownAnchor = (name: string) =>
  `found *${name}, expected an anchor &${name} above it; add it, or put text that begins with * in quotes`;
const mind = (characters: string) =>
  `; mind ${characters} on this line, which looks like a character of YAML and is none: type it again`;

test.each([
  [
    PERMISSIONS,
    '    permissions:{ write: [telemetry] }',
    glued('permissions:{ write', 'permissions: { write'),
  ],
  [
    '  telegraf:  ',
    '  telegraf:{ permissions: { write: [a] } }',
    glued('telegraf:{ permissions', 'telegraf: { permissions'),
  ],
  ['retention: { max: 7d }', 'retention: {max:7d}', glued('max:7d', 'max: 7d')],
  [PERMISSIONS, '    permissions: { write: [a] read: [b] }', COMMA],
  ['retention: { max: 7d }', 'retention: { min: 1d max: 7d }', COMMA],
  [GRAFANA, '      read: ["telemetry" "quality"]', COMMA],
  [GRAFANA, '      read: ["telemetry", "quality"] [a]', BEHIND],
  ['owner: example ', 'owner: "example ', QUOTES],
  ['description: Telegraf', "description: 'Telegraf", QUOTES],
  [GRAFANA, '      read: [telemetry, "quality]', QUOTES],
  [PERMISSIONS, '    permissions: { write: [telemetry, "a] }\n    description: "b"', QUOTES],
  ['description: Telegraf on', "description: 'Telegraf's'", BEHIND],
  [GRAFANA, '      read: [telemetry, quality', BRACKET],
  [GRAFANA, '      read: [telemetry, quality}', BRACKET],
  ['retention: { max: 7d }', 'retention: {\n  max: 7d\n}', BRACKET],
  ['owner: example', 'owner:example', NO_KEY],
  ['    rotateEvery: 7d', '    rotateEvery :7d', NO_KEY],
  ['timeZone: Europe', '// the zone\ntimeZone: Europe', NO_KEY],
  [
    '  - name: telemetry',
    '  -name: telemetry',
    'found "-name" in place of a key, expected a space behind "-"; write "- name:"',
  ],
  [
    '  telegraf:  ',
    '\ttelegraf:  ',
    'found a tab, expected spaces: YAML is indented with spaces alone',
  ],
  [
    'databases:\n',
    'databases: - name: a\n',
    'found an item of a list ("- ") on the line of its key, expected it on the next one; put it there, indented',
  ],
  ['    secret: monitoring', '   secret: monitoring', INDENT],
  [
    '    secret: monitoring',
    '\u00a0\u00a0\u00a0\u00a0secret: monitoring',
    `${INDENT}${mind('U+00A0')}`,
  ],
  ['    rotateEvery: 7d', '    rotateEvery：7d', `${NO_KEY}${mind('： (U+FF1A)')}`],
  [
    'owner: example ',
    'owner: “example” # – of ours\n#',
    `owner: found "“example”", expected a short name: lower-case letters, digits and "-", of which the first is a letter, at most 31${mind('“ (U+201C), ” (U+201D)')}`,
  ],
  ["match: 'scratch-*'", 'match: *-scratch', unknownAnchor('-scratch')],
  ['managementToken: influxdb/management ', 'managementToken: !Ref Token', TAG],
  ['owner: example', 'owner: !!binary aGVsbG8=', TAG],
  [
    'description: Telegraf',
    'description: & Telegraf',
    'found a bare &, expected text that begins with & in quotes: YAML takes it for the beginning of an anchor; put it in quotes',
  ],
  [
    'owner: example',
    '%owner: example',
    'found a line that begins with %, which YAML keeps for itself, expected a key; take it out, or put text that begins with % in quotes',
  ],
  [
    'owner: example',
    '<<<<<<< HEAD\nowner: example',
    `${NO_KEY}; it is the mark of a merge, which is to be resolved first`,
  ],
])('a slip is told once, where it begins: %j is %j', (before, after, said) => {
  const { text, line } = slipped(before, after);
  expect(mistakeOf(folder, text)).toBe(`keyturn.yaml:${line}: ${said}`);
});

test('an item below keys that belong to none', () => {
  const { text, line } = slipped('  - name: telemetry', '    name: telemetry');
  expect(mistakeOf(folder, text)).toBe(
    `keyturn.yaml:${line + 3}: found an item of a list ("- ") below keys that belong to none, expected "- " in front of each item; write it in front of the first, too, or take it out here`,
  );
});

test('slips that do not mislead the parser are told all together', () => {
  const text = EXAMPLE.replace('[telemetry]', '[*]')
    .replace("'scratch-*'", '*')
    .replace('{ max: 7d }', '{max:7d}');
  const bare =
    'found a bare *, expected "*" in quotes: YAML takes it for the beginning of an alias';
  expect(mistakeOf(folder, text)).toBe(
    `keyturn.yaml:36: ${bare}\nkeyturn.yaml:48: ${bare}\nkeyturn.yaml:49: ${glued('max:7d', 'max: 7d')}`,
  );
});

test('lines that a carriage return alone ends are no comment of one line', () => {
  expect(mistakeOf(folder, EXAMPLE.replaceAll('\n', '\r'))).toBe(
    'keyturn.yaml: found lines that end with a carriage return alone, expected line feeds; save it with the line ends of Unix or of Windows',
  );
});

describe('an anchor that no alias names', () => {
  const warningsOf = (text: string) => readPolicyFile(writePolicy(folder, text)).warnings;

  test.each([
    [
      'description: Telegraf',
      'description: &Telegraf',
      34,
      'tokens.telegraf.description',
      'Telegraf',
    ],
    [GRAFANA, '      read: [a, &b c]', 40, 'tokens.grafana.permissions.read[1]', 'b'],
  ])('is warned of, because it takes a word away: %j is %j', (before, after, line, key, name) => {
    const { text } = slipped(before, after);
    expect(warningsOf(text)).toEqual([
      {
        key,
        sentence: `${join(folder, 'keyturn.yaml')}:${line}: ${key}: found the anchor &${name}, which no alias names, and takes what is behind it for the value; put text that begins with & in quotes, or take the anchor out`,
      },
    ]);
  });

  test.each([
    ['rotateEvery: 30d ', 'rotateEvery: &often 30d ', 'rotateEvery: 7d', 'rotateEvery: *often'],
    ['owner: example', 'x-day: &day 1d\nowner: example', 'rotateEvery: 7d', 'rotateEvery: 8d'],
  ])('says nothing of %j as %j', (before, after, second, other) => {
    expect(warningsOf(slipped(before, after).text.replace(second, other))).toEqual([]);
  });
});

test.each([
  ['a byte order mark', `\uFEFF${EXAMPLE}`],
  ['lines as Windows ends them', EXAMPLE.replaceAll('\n', '\r\n')],
  ['a document between its marks', `---\n${EXAMPLE}...\n`],
  ['quotes of a text in a description', EXAMPLE.replace('Telegraf on', '“Telegraf” – on')],
  ['spaces in front of a colon', EXAMPLE.replace('rotateEvery: 7d', 'rotateEvery  : 7d')],
])('takes %s', (_what, text) => {
  const { policy, warnings } = readPolicyFile(writePolicy(folder, text));
  expect(warnings).toEqual([]);
  expect(policy.tokens.map(({ name }) => name)).toEqual(['telegraf', 'grafana']);
});

test.each([
  ['  telegraf:  ', '  1.0:  ', '1'],
  ['  telegraf:  ', '  True:  ', 'true'],
])('what an earlier version deployed keeps nobody from an order: %s', (before, after, name) => {
  const file = writePolicy(folder, slipped(before, after).text);
  const names = readDeployedPolicyFile(file).policy.tokens.map((each) => each.name);
  expect(names).toContain(name);
  expect(() => readPolicyFile(file)).toThrow();
});

test('under a key that means nothing everything may stand that is YAML', () => {
  const own =
    'x-own: { a: !!set { b }, 80:80, 1.10: "telegraf added" }\nx-more:\n  -c: d\nowner: example';
  const file = writePolicy(folder, slipped('owner: example', own).text);
  expect(readPolicyFile(file).policy.owner).toBe('example');
});
