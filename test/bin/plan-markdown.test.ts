import { expect, test } from 'vitest';
import { readPlanReport } from '../../bin/keyturn/answers.ts';
import { failureMarkdown, plansMarkdown } from '../../bin/keyturn/plan-markdown.ts';

const about = { owner: 'prod', now: Date.UTC(2026, 2, 2, 12) };
const report = (more: object = {}) =>
  readPlanReport({
    plan: { job: 'rotate', actions: [], findings: [], limits: [], refusals: [], ...more },
  });
const rotation = { kind: 'rotate', token: 'telegraf', reason: 'CurrentGone' };

test('a plan without an action is one line', () => {
  expect(plansMarkdown([report()], about)).toBe(
    '<!-- keyturn-plan -->\n### What Keyturn would do (`prod`)\n\n**rotate**: nothing to do',
  );
});

test('what would be done is listed, also what waits, and what is found is folded', () => {
  const text = plansMarkdown(
    [
      report({
        actions: [rotation],
        refusals: [{ hash: '0123456789abcdef', message: 'too many', actions: [0] }],
        findings: [{ kind: 'Held', secret: 'keyturn/prod/x', message: 'on hold' }],
      }),
    ],
    about,
  );
  expect(text).toMatch(
    /\*\*rotate\*\*: 1 to do\n\n```text\nrefused: too many\ntelegraf: mint a successor.* \(waits for an approval\)\n```\n/,
  );
  expect(text).toMatch(
    /<details><summary>findings: 1<\/summary>\n\n```text\n.*on hold.*\n```\n\n<\/details>$/,
  );
});

test('what the run fails for is in the headline, and not folded', () => {
  const failing = { kind: 'NotOurs', token: 'x', message: 'it is theirs', fails: true };
  expect(plansMarkdown([report({ findings: [failing] })], about)).toMatch(
    /\*\*rotate\*\*: nothing to do, and the run fails for 1 entry\n\n```text\nfails: x: it is theirs \[NotOurs\]\n```$/,
  );
});

/** The lines that stand outside of every block of code, as CommonMark reads fences. */
function outsideOfCode(markdown: string): readonly string[] {
  let fence: string | undefined;
  return markdown.split('\n').filter((line) => {
    const opened = fence;
    if (opened === undefined) fence = /^(`{3,})text$/.exec(line)?.[1];
    else if (/^ {0,3}`+ *$/.test(line) && line.trim().length >= opened.length) fence = undefined;
    return opened === undefined && fence === undefined;
  });
}

test.each([
  ['a table', 'a | b'],
  ['HTML', '<img src=x onerror=y> <!-- --> </details>'],
  ['a link and a picture', '![x](http://evil) [y](z) http://evil www.evil.com'],
  ['emphasis and code', '`x` **y** __z__ ~~q~~'],
  ['a person', '@somebody @org/team'],
  ['an issue', 'owner/repository#1 #2 GH-3'],
  ['a formula', '$x$ $$y$$'],
  ['a heading and a list', '# x - y + z > q'],
  ['a character by its number', '&#64;somebody'],
  ['the end of a block', '```'],
  ['the end of a longer block', '`````` ```````'],
  ['a second line', 'x\n```\n# y\r\n- z\u2028q'],
])('what others wrote is shown as it is, in a block of code: %s', (_what, message) => {
  const finding = { kind: 'Strange', message };
  const text = plansMarkdown([report({ findings: [finding] })], about);
  const shown = `${message.replace(/[\r\n\u2028]+/g, ' ')} [Strange]`;
  expect(text.split('\n')).toContain(shown);
  expect(outsideOfCode(text)).toEqual([
    '<!-- keyturn-plan -->',
    '### What Keyturn would do (`prod`)',
    '',
    '**rotate**: nothing to do',
    '',
    '<details><summary>findings: 1</summary>',
    '',
    '',
    '</details>',
  ]);
});

test('a plan of any size fits into a comment, and says what it left out', () => {
  const actions = Array.from({ length: 2_000 }, (_, n) => ({
    ...rotation,
    token: `telegraf-${n}`,
  }));
  const findings = Array.from({ length: 500 }, () => ({ kind: 'Held', message: 'x'.repeat(400) }));
  const all = ['rotate', 'reap', 'enforce'].map((job) => report({ job, actions, findings }));
  const text = plansMarkdown(all, about);
  expect(text.length).toBeLessThan(65_536);
  expect(text).toMatch(/\n… and \d+ more: keyturn plan --local shows all\n```/);
  expect(text.match(/: 2000 to do/g)).toHaveLength(3);
});

test('what all jobs would do and refuse is shown, however much another one finds or does, and what was cut is counted', () => {
  const many = (kind: string) =>
    Array.from({ length: 2_000 }, (_, n) => ({ kind, token: `t${n}`, message: 'x'.repeat(150) }));
  const text = plansMarkdown(
    [
      report({
        actions: Array.from({ length: 2_000 }, (_, n) => ({ ...rotation, token: `telegraf-${n}` })),
        findings: many('NotReplicated'),
      }),
      report({
        job: 'reap',
        actions: [{ kind: 'delete-secret', reason: 'Removed', secret: 'keyturn/prod/removed' }],
        findings: many('Foreign'),
      }),
      report({
        job: 'enforce',
        refusals: [{ hash: '0123456789abcdef', message: 'too much', actions: [] }],
        findings: [{ kind: 'Drifted', message: 'found last' }],
      }),
    ],
    about,
  );
  expect(text.length).toBeLessThan(65_536);
  for (const shown of ['keyturn/prod/removed: delete the secret', 'refused: too much']) {
    expect(text).toContain(shown);
  }
  const [rotate = '', reap = ''] = text.split('**reap**');
  const cut = (part: string) =>
    [...part.matchAll(/… and (\d+) more/g)].map(([, count]) => Number(count));
  const [ofActions = 0, ofFindings = 0] = cut(rotate);
  expect(rotate.match(/^telegraf-/gm)).toHaveLength(2_000 - ofActions);
  expect(rotate.match(/\[NotReplicated\]/g) ?? []).toHaveLength(2_000 - ofFindings);
  expect(reap.match(/\[Foreign\]/g) ?? []).toHaveLength(2_000 - (cut(reap)[0] ?? 0));
});

test('what little one job finds is shown beside the much of another', () => {
  const many = Array.from({ length: 500 }, () => ({ kind: 'Held', message: 'x'.repeat(400) }));
  const little = { kind: 'Drifted', message: 'found last' };
  const text = plansMarkdown(
    [report({ findings: many }), report({ job: 'enforce', findings: [little] })],
    about,
  );
  expect(text).toContain('found last [Drifted]');
});

test('a line that is longer than its share is cut, and what comes after it is shown', () => {
  const long = { kind: 'Held', message: `first ${'x'.repeat(100_000)}` };
  const after = { kind: 'Drifted', message: 'found last' };
  const text = plansMarkdown([report({ findings: [long, after] })], about);
  expect(text).toMatch(/^first x+…$/m);
  expect(text).toContain('\nfound last [Drifted]\n');
  expect(text).not.toContain(' more: ');
  expect(text.length).toBeLessThan(65_536);
});

test('a line is not cut in the middle of a character', () => {
  const pairs = ['', 'x'].map((first) => `${first}${'😀'.repeat(50_000)}`);
  for (const message of pairs) expect(failureMarkdown(message).isWellFormed()).toBe(true);
});

test('fences that are long because of what they enclose count, too', () => {
  const message = '`'.repeat(50_000);
  const actions = [{ ...rotation, token: message }];
  const refusals = [{ hash: '0123456789abcdef', message, actions: [] }];
  const findings = Array.from({ length: 5 }, () => ({ kind: 'Held', message }));
  const all = ['rotate', 'reap', 'enforce'].map((job) =>
    report({ job, actions, refusals, findings }),
  );
  for (const text of [plansMarkdown(all, about), failureMarkdown(message)]) {
    expect(text.length).toBeLessThan(65_536);
    expect(text).toContain('`…\n');
    expect(outsideOfCode(text).join('')).not.toContain('```');
  }
});

test('in place of a plan stands why there is none', () => {
  expect(failureMarkdown('keyturn.yaml:3: found "```", expected x\nand @more')).toBe(
    '<!-- keyturn-plan -->\n### Keyturn has no plan\n\n````text\nkeyturn.yaml:3: found "```", expected x\nand @more\n````',
  );
});
