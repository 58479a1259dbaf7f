import { expect, test } from 'vitest';
import { readPlanReport } from '../../bin/keyturn/answers.ts';
import { plansMarkdown } from '../../bin/keyturn/plan-markdown.ts';

const about = { owner: 'prod', now: Date.UTC(2026, 2, 2, 12) };
const report = (more: object = {}) =>
  readPlanReport({
    plan: { job: 'rotate', actions: [], findings: [], limits: [], refusals: [], ...more },
  });
const rotation = { kind: 'rotate', token: 'telegraf', reason: 'CurrentGone' };

test('a plan without an action is one line', () => {
  expect(plansMarkdown([report()], about).trimEnd()).toBe(
    '### What Keyturn would do (prod)\n\n**rotate**: nothing to do',
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
  expect(text).toContain('**rotate**: 1 to do\n\n- telegraf&#58; mint a successor');
  expect(text).toContain('**waits for an approval**\n- **refused**: too many\n');
  expect(text).toMatch(/<details><summary>findings: 1<\/summary>\n\n- .*on hold.*\n\n<\/details>$/);
});

test.each([
  ['a table', 'a | b'],
  ['HTML', '<img src=x onerror=y> <!-- -->'],
  ['a link and a picture', '![x](http://evil) [y](z) http://evil'],
  ['emphasis and code', '`x` **y** __z__ ~~q~~'],
  ['a person', '@somebody'],
  ['an issue', 'owner/repository#1 #2 GH-3'],
  ['a heading and a list', '# x - y + z > q'],
  ['a character by its number', '&#64;somebody'],
  ['a second line', 'x\n\n# y\r\n- z\u2028q'],
])('what others wrote is shown as it is: %s', (_what, message) => {
  const finding = { kind: 'Strange', message };
  const line =
    plansMarkdown([report({ findings: [finding] })], about)
      .split('\n')
      .at(-3) ?? '';
  const shown = line
    .replace(/^- /, '')
    .replace(/&#(\d+);/g, (_all, code) => String.fromCharCode(code));
  expect(shown).toBe(`${message.replace(/[\r\n\u2028]+/g, ' ')} [Strange]`);
  expect(line.replace(/^- /, '').replace(/&#\d+;/g, '')).toMatch(/^[\w\s/=.;]*$/);
});
