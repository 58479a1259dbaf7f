import { globSync, readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { EXIT } from '../../bin/keyturn/failure.ts';
import { METRICS } from '../../functions/environment.ts';
import { eventSchemas } from '../../functions/events/events.ts';
import { REVOCATION_WAYS } from '../../functions/revocation/request.ts';

/** Written in the code, and never printed for a person: weekdays, units, header names, AWS's own words. */
const NOT_PRINTED = [
  ...['Sun', 'Mon', 'Tue', 'Wed', 'Thu', 'Fri', 'Sat', 'Count', 'None', 'Keyturn'],
  ...['TimeoutError', 'content-type', 'retry-after', 'user-agent', 'detail-type'],
  ...['tag-key', 'tag-value', 'p-limit'],
  // AWS's own names of calls, which its errors begin with.
  ...['GetCallerIdentity', 'PutEvents'],
  // Its words for a replica, which the glossary explains under that.
  'InSync',
  // Of the language of AWS's policies.
  ...['Deny', 'Service'],
  // Names of the functions, and what a function says to itself.
  ...['enforce', 'reap', 'revoke', 'foreign', 'owned', 'promoted', 'empty', 'unshown'],
  // Of an examination: an address of the cluster, and what is sent as a token and is none.
  ...['managementApi', 'dataPlane', 'keyturn-doctor'],
  // What a burst of probes means, and what follows from it.
  ...['agrees', 'objects', 'silent', 'wait', 'end'],
  // What a shell offers where a value is to be given.
  ...['choice', 'file', 'own'],
];

const withoutComments = (text: string) =>
  text.replace(/\/\*[\s\S]*?\*\//g, '').replace(/(^|\s)\/\/.*/g, '$1');
/** `Action['kind']` names a key and says no word. */
const withoutIndexes = (text: string) => text.replace(/\['\w+'\]/g, '');

const read = (pattern: string) =>
  globSync(pattern)
    .sort()
    .map((file) => withoutIndexes(withoutComments(readFileSync(file, 'utf8'))))
    .join('\n');
// What may stand in a policy file is explained by the README's table.
const functions = globSync('functions/**/*.ts')
  .filter((file) => !file.includes('/policy/'))
  .map(read)
  .join('\n');
const code = [functions, read('bin/keyturn/*.ts')].join('\n');
const everything = [read('{functions,bin,lib}/**/*.ts'), code].join('\n');

const unique = (words: Iterable<string>) => [...new Set(words)].sort();
const captures = (text: string, pattern: RegExp) =>
  unique([...text.matchAll(pattern)].flatMap(([, word]) => word ?? []));
const literals = (text: string) => captures(text, /'([A-Za-z][A-Za-z-]*)'/g);
/** The same, and those of several words. */
const phrases = (text: string) => captures(text, /'([a-z][a-z ]*)'/g);

/** Everything quoted after `kind:`, in an object, a type over several lines, or a choice between two. */
const after = (keys: string) =>
  unique(
    [...code.matchAll(new RegExp(`\\b(?:${keys})\\??:([^;,={}()]*)`, 'g'))].flatMap(([, value]) =>
      literals(value ?? ''),
    ),
  );
/** Members of `type X = 'a' | 'b'`. */
const members = (name: string) =>
  unique(
    [...code.matchAll(new RegExp(`\\btype ${name} =((?:\\s*\\|?\\s*'[^']*')+)\\s*;`, 'g'))].flatMap(
      ([, union]) => literals(union ?? ''),
    ),
  );
/** What one key of an interface may be. */
const choices = (interfaceName: string, key: string, wordsOf = literals) =>
  wordsOf(
    new RegExp(`\\binterface ${interfaceName}\\b[^{]*\\{[^}]*\\breadonly ${key}\\??:([^;]*)`).exec(
      code,
    )?.[1] ?? '',
  );
/** Keys of an interface. */
const keysOf = (name: string) =>
  captures(
    new RegExp(`\\binterface ${name} \\{([\\s\\S]*?)\\n\\}`).exec(code)?.[1] ?? '',
    /readonly (\w+)\??:/g,
  );

const glossary = readFileSync('docs/glossary.md', 'utf8');
const sections = new Map(
  glossary
    .split(/^## /m)
    .slice(1)
    .map((text) => [text.split('\n')[0] ?? '', text] as const),
);
/** The words of one table: what is in the first cell of its rows. */
const wordsIn = (text: string) =>
  [...text.matchAll(/^\| (`[^|]+`) \|/gm)].flatMap(([, cell]) =>
    captures(cell ?? '', /`([^`]+)`/g),
  );
const wordsUnder = (heading: string) => wordsIn(sections.get(heading) ?? '');
const all = wordsIn(glossary);

const found: Readonly<Record<string, readonly string[]>> = {
  Reasons: members('\\w*Reason'),
  Findings: unique([
    ...after('kind').filter((word) => /^[A-Z]/.test(word)),
    ...captures(code, /\b(?:report|summary)\(\s*'([A-Z]\w+)'/g),
  ]),
  'Results of an action': unique([
    ...choices('Outcome', 'result'),
    ...members('(?:Outcome)?Result'),
  ]),
  'Results of a revocation': unique([
    ...choices('RevokedToken', 'result'),
    ...members('RevocationResult'),
  ]),
  Selectors: captures(/\bSELECTORS = \[([^\]]*)\]/.exec(code)?.[1] ?? '', /'(\w+)'/g),
  'States of a token': members('TokenState'),
  'Conditions of an entry': members('EntryCondition'),
  'Ways to revoke': REVOCATION_WAYS,
  'States of a check': members('CheckState'),
  'States of a schedule': members('ScheduleState'),
  'Ways to switch schedules': members('Way'),
  'Results of pause and resume': members('SwitchResult'),
  'Answers of a probe': members('ProbeAnswer'),
  Verdicts: phrases(/\btype StatusVerdict =([^;]*)/.exec(code)?.[1] ?? ''),
  'States of a database': choices('DatabaseStatus', 'state', phrases),
  'Answers about what consumers have': choices('Acceptance', 'answer', phrases),
  // `others` is no field: it keeps those that this version does not know.
  'Fields of the marker': keysOf('Marker').filter((key) => key !== 'others'),
  'Tags and labels': unique([
    ...captures(code, /'(keyturn:[a-z]+)'/g),
    ...captures(code, /\b(AWS(?:CURRENT|PENDING|PREVIOUS)|AWS[A-Z]{5,})\b/g),
  ]),
  'Log messages': captures(code, /(?:\b(?:log|logger)\.(?:info|warn|error)|\bwarn)\(\s*'([^']+)'/g),
  Events: Object.keys(eventSchemas),
  Metrics: Object.values(METRICS).map(({ name }) => name),
  Alarms: captures(everything, /\.#add\(\s*scope,\s*'(\w+)'/g),
  'Exit codes': Object.values(EXIT).map(String),
  Errors: captures(everything, /\bname = '(\w+Error)'/g),
};

describe('the glossary', () => {
  test.each(Object.entries(found))('explains what the code has for: %s', (heading, words) => {
    expect(words.length).toBeGreaterThan(0);
    expect(wordsUnder(heading)).toEqual(expect.arrayContaining([...words]));
  });

  test('explains every kind, reason, result and state, however the code writes it', () => {
    const words = [
      ...after('kind|reason|result|state|label|hold|way|job|answer'),
      ...members('\\w+'),
      ...captures(code, /'([A-Z][a-z]+(?:[A-Z][a-z]+)*)'/g),
      ...captures(code, /'([a-z]+(?:-[a-z]+)+)'/g),
    ].filter((word) => !NOT_PRINTED.includes(word));
    expect(words).toEqual(expect.arrayContaining(['detach-pending', 'Unarmed', 'lost', 'live']));
    expect(unique(words).filter((word) => !all.includes(word))).toEqual([]);
  });

  test('explains no word that the code no longer has', () => {
    const known = new Set([...Object.values(found).flat(), ...captures(code, /'([\w-]+)'/g)]);
    expect(all.filter((word) => !known.has(word))).toEqual([]);
  });

  test.each([...sections.keys()])('is in alphabetical order: %s', (heading) => {
    const first = [...(sections.get(heading) ?? '').matchAll(/^\| `?([^|`]+)/gm)]
      .map(([, word]) => (word ?? '').trim().toLowerCase())
      .slice(2);
    expect(first.length).toBeGreaterThan(0);
    expect(first).toEqual([...first].sort());
  });
});

/** A heading's anchor, as GitHub makes it. */
const anchorOf = (heading: string) =>
  heading
    .toLowerCase()
    .replace(/[^\p{L}\p{N} _-]/gu, '')
    .replaceAll(' ', '-');

/** All anchors of a document: GitHub numbers headings of the same words from the second one on. */
function anchorsOf(text: string): ReadonlySet<string> {
  const seen = new Map<string, number>();
  const ofHeadings = captures(text, /^#+ (.+)$/gm).map((heading) => {
    const anchor = anchorOf(heading);
    const before = seen.get(anchor) ?? 0;
    seen.set(anchor, before + 1);
    return before === 0 ? anchor : `${anchor}-${before}`;
  });
  return new Set([...ofHeadings, ...captures(text, /<a id="([^"]+)">/g)]);
}

test('every link between the documents leads to a file and a heading that there is', () => {
  const files = ['README.md', 'CONTRIBUTING.md', 'SECURITY.md', ...globSync('docs/*.md')];
  const broken = files.flatMap((file) =>
    captures(readFileSync(file, 'utf8'), /\]\(([^)\s]+)\)/g)
      .filter((link) => !/^https?:/.test(link))
      .filter((link) => {
        const { pathname, hash } = new URL(link, `file:///${file}`);
        const path = pathname.slice(1);
        if (globSync(path).length === 0) return true;
        if (hash === '') return false;
        return !anchorsOf(readFileSync(path, 'utf8')).has(decodeURIComponent(hash.slice(1)));
      })
      .map((link) => `${file}: ${link}`),
  );
  expect(broken).toEqual([]);
});

test.each(['README.md', 'docs/tutorial.md'])(
  '%s uses no word of ours before it explains it',
  (page) => {
    const text = readFileSync(page, 'utf8');
    const words = [
      'armed',
      'grace period',
      'marker',
      'minted',
      'probe',
      'promoted',
      'quarantine',
      'router',
    ];
    const early = [...words, 'settle', 'arming'].flatMap((word) => {
      const [, before = '', used] =
        new RegExp(String.raw`^([\s\S]*?)(\b${word}s?\b)`, 'i').exec(text) ?? [];
      // The first time, it is bold beside what it means.
      return used === undefined || before.endsWith('**') ? [] : [`${word}: ${before.slice(-60)}`];
    });
    expect(early).toEqual([]);
  },
);
