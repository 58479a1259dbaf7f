import { oneLine } from '../harmless.ts';
import { isRefused, type PlanReport } from './answers.ts';
import { formatTrouble } from './entry-text.ts';
import { actionText, findingText } from './plan-text.ts';

/** What Markdown, or GitHub on top of it, would read as more than text; `@` would tell people. */
const READ = /[\\`*_{}[\]<>()#+!|~&@:-]/g;

/** Text from outside as one line that Markdown shows as it is. */
const literal = (text: string) =>
  oneLine(text).replace(READ, (character) => `&#${character.charCodeAt(0)};`);

const listed = (lines: readonly string[]) => lines.map((line) => `- ${line}`);

const folded = (summary: string, lines: readonly string[]) =>
  lines.length === 0
    ? []
    : ['', `<details><summary>${summary}</summary>`, '', ...listed(lines), '', '</details>'];

/** Plans as a comment on a pull request: of each job what it would do, and folded what it finds. */
export const plansMarkdown = (
  reports: readonly PlanReport[],
  { owner, now }: { readonly owner: string; readonly now: number },
): string =>
  [
    `### What Keyturn would do (${literal(owner)})`,
    ...reports.map((report) => planMarkdown(report, now)),
  ].join('\n\n');

function planMarkdown({ plan, entries = [] }: PlanReport, now: number): string {
  const { job, actions, findings, limits, refusals } = plan;
  const heading = `**${job}**: ${actions.length === 0 ? 'nothing to do' : `${actions.length} to do`}`;
  const done = actions.map((action, index) => {
    const waits = isRefused(plan, index) ? ' **waits for an approval**' : '';
    return `${literal(actionText(action))}${waits}`;
  });
  const counted = limits.map(({ message }) => literal(message));
  const refused = refusals.map(({ message }) => `**refused**: ${literal(message)}`);
  const troubles = entries.flatMap((entry) => formatTrouble(entry, now) ?? []).map(literal);
  const found = findings.map((finding) => literal(findingText(finding)));
  return [
    heading,
    '',
    ...listed([...done, ...counted, ...refused]),
    ...folded(`entries that are not simply well: ${troubles.length}`, troubles),
    ...folded(`findings: ${found.length}`, found),
  ].join('\n');
}
