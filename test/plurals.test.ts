import { globSync, readFileSync } from 'node:fs';
import { expect, test } from 'vitest';

/** What is counted in messages. */
const NOUNS = [
  ...['action', 'alarm', 'alias', 'ARN', 'certificate', 'character', 'check', 'confirmation'],
  ...['consumer', 'database', 'day', 'endpoint', 'entry', 'event', 'file', 'finding', 'function'],
  ...['hour', 'incident', 'key', 'line', 'minute', 'order', 'page', 'part', 'permission', 'policy'],
  ...['probe', 'record', 'refusal', 'replica', 'request', 'resource', 'revocation', 'risk'],
  ...['rotation', 'router', 'rule', 'run', 'schedule', 'second', 'secret', 'stack', 'string'],
  ...['subscription', 'table', 'tag', 'time', 'token', 'value', 'version', 'warning'],
];
const pluralOf = (noun: string) =>
  noun.endsWith('y') && !noun.endsWith('ay') && noun !== 'key'
    ? `${noun.slice(0, -1)}ies`
    : `${noun}${noun.endsWith('s') ? 'es' : 's'}`;
const PLURALS = NOUNS.map(pluralOf).join('|');

/** A number in front of a plural, in a template. */
const COUNTED = new RegExp(
  String.raw`\$\{([^{}]+)\} (?:(?:more|other|live|old|such|policy) )?(?:${PLURALS})\b`,
  'g',
);
/** A constant, which is more than one. */
const CONSTANT = /^[A-Z_]+(?:\.usual)?(?: \/ [A-Z_]+)?(?:\.toLocaleString\('en'\))?$/;
/** The line says what it does with one. */
const ASKED = /(?:=== 1|> 1) *\?/;

/** Where one cannot be, and why. */
const NEVER_ONE: Readonly<Record<string, string>> = {
  'bin/app.ts: ${files.length} policy files': 'there are several',
  'bin/app.ts: ${files.length} stacks': 'there are several',
  'bin/keyturn/carry-out.ts: ${possible.length} orders': 'more than are carried out at once',
  'bin/keyturn/common-options.ts: ${others.length + 1} policy files': 'one and others',
  'bin/keyturn/history/read-logs.ts: ${limits.pages} pages': 'a constant',
  'bin/keyturn/init.ts: ${count} tokens': 'a page of 20 or more',
  'bin/keyturn/init/secret-places.ts: ${those.length} tokens': 'several that begin alike',
  'bin/keyturn/pause.ts: ${switched.length} schedules': 'every owner has three',
  'functions/data-plane/probe.ts: ${results.length} probes': 'some refused, and others not',
  'functions/measurement/conclude.ts: ${longest} characters': 'a description that was tried',
  'functions/revocation/tell-failures.ts: ${others.length + 1} times': 'one and others',
  'functions/rotation/plan/decide-rotation.ts: ${unstored} tokens': 'as many as are too many',
  'functions/rotation/mint.ts: ${needed} characters': 'a description with its marker',
  'lib/aws-limits.ts: ${length} characters': 'an expression that is too long',
  'lib/sole-writer.ts: ${people.length} ARNs': 'more than a policy has room for',
  'lib/sole-writer.ts: ${size} characters': 'a policy that is too long',
};

test('no message says the plural of one', () => {
  const files = globSync('{bin,functions,lib}/**/*.ts');
  expect(files.length).toBeGreaterThan(200);
  const wrong = files.flatMap((file) =>
    readFileSync(file, 'utf8')
      .split('\n')
      .flatMap((line, index) =>
        ASKED.test(line)
          ? []
          : [...line.matchAll(COUNTED)]
              .filter(
                ([said, what = '']) => !CONSTANT.test(what) && !(`${file}: ${said}` in NEVER_ONE),
              )
              .map(([said]) => `${file}:${index + 1}: ${said}`),
      ),
  );
  expect(wrong).toEqual([]);
});

test('no page and no transcript says the plural of one', () => {
  const pages = globSync(['*.md', 'docs/**/*.md', 'examples/**/*.md']);
  expect(pages.length).toBeGreaterThan(20);
  const one = new RegExp(String.raw`(?<![\d.,:-])\b1 (?:${PLURALS})\b`, 'g');
  const wrong = pages.flatMap((page) =>
    [...readFileSync(page, 'utf8').matchAll(one)].map(([said]) => `${page}: ${said}`),
  );
  expect(wrong).toEqual([]);
});
