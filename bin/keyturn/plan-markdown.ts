import { oneLine } from '../harmless.ts';
import { isRefused, type PlanReport } from './answers.ts';
import { formatTrouble } from './entry-text.ts';
import { actionText, findingText } from './plan-text.ts';

/** By its first line a workflow finds its comment again, to write the next plan in its place. */
const FIRST_LINE = '<!-- keyturn-plan -->';

/** A comment on GitHub has at most 65,536 characters; what is around the lines needs the rest. */
const MOST_CHARACTERS = 60_000;

/**
 * Lines of which many come from outside, as text that Markdown shows as it is: in a block of code GitHub reads no link, no
 * formula, and no name of a person or a team, who would be told.
 */
function block(lines: readonly string[]): string {
  const longest = Math.max(
    2,
    ...lines.flatMap((line) => line.match(/`+/g) ?? '').map(({ length }) => length),
  );
  const fence = '`'.repeat(longest + 1);
  return [`${fence}text`, ...lines, fence].join('\n');
}

/** Takes what fits of lists, in their order, and says how many lines it left out. */
function fitter(): (lines: readonly string[]) => readonly string[] {
  let left = MOST_CHARACTERS;
  return (lines) => {
    const fitting: string[] = [];
    for (const line of lines.map(oneLine)) {
      left -= line.length + 1;
      if (left < 0) break;
      fitting.push(line);
    }
    const more = lines.length - fitting.length;
    return more === 0
      ? fitting
      : [...fitting, `… and ${more} more: keyturn plan --local shows all`];
  };
}

const folded = (summary: string, lines: readonly string[]) =>
  lines.length === 0
    ? []
    : ['', `<details><summary>${summary}</summary>`, '', block(lines), '', '</details>'];

/** Plans as a comment on a pull request: of each job what it would do, and folded what it finds. */
export function plansMarkdown(
  reports: readonly PlanReport[],
  { owner, now }: { readonly owner: string; readonly now: number },
): string {
  const whatFits = fitter();
  const plans = reports.map((report) => planMarkdown(report, now, whatFits));
  return [`${FIRST_LINE}\n### What Keyturn would do (\`${owner}\`)`, ...plans].join('\n\n');
}

/** In place of a plan. */
export const failureMarkdown = (message: string): string =>
  `${FIRST_LINE}\n### Keyturn has no plan\n\n${block(fitter()(message.split('\n')))}`;

function planMarkdown(
  { plan, entries = [] }: PlanReport,
  now: number,
  whatFits: ReturnType<typeof fitter>,
): string {
  const { job, actions, findings, limits, refusals } = plan;
  const heading = `**${job}**: ${actions.length === 0 ? 'nothing to do' : `${actions.length} to do`}`;
  const refused = refusals.map(({ message }) => `refused: ${message}`);
  const counted = limits.map(({ message }) => message);
  const done = actions.map(
    (action, index) =>
      `${actionText(action)}${isRefused(plan, index) ? ' (waits for an approval)' : ''}`,
  );
  const first = whatFits([...refused, ...counted, ...done]);
  const troubles = entries.flatMap((entry) => formatTrouble(entry, now) ?? []);
  const found = findings.map(findingText);
  return [
    heading,
    ...(first.length > 0 ? ['', block(first)] : []),
    ...folded(`entries that are not simply well: ${troubles.length}`, whatFits(troubles)),
    ...folded(`findings: ${found.length}`, whatFits(found)),
  ].join('\n');
}
