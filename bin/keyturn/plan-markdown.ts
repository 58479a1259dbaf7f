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

type Lines = readonly string[];

/**
 * Takes what fits of lists that are of the same weight, and says of each how many lines it left out. The short ones go first: what
 * they need no more is left to the long ones, and no list takes another's share.
 */
function fitter(): (lists: readonly Lines[]) => readonly Lines[] {
  let left = MOST_CHARACTERS;
  const takeOf = (lines: Lines, share: number): Lines => {
    const end = left - share;
    const fitting: string[] = [];
    for (const line of lines) {
      if (left - line.length - 1 < end) break;
      left -= line.length + 1;
      fitting.push(line);
    }
    const more = lines.length - fitting.length;
    return more === 0
      ? fitting
      : [...fitting, `… and ${more} more: keyturn plan --local shows all`];
  };
  return (lists) => {
    const shown = lists.map((lines) => lines.map(oneLine));
    const sizeOf = (lines: Lines) => lines.reduce((sum, { length }) => sum + length + 1, 0);
    const shortFirst = shown.toSorted((a, b) => sizeOf(a) - sizeOf(b));
    const fitting = new Map(
      shortFirst.map((lines, index) => [lines, takeOf(lines, left / (lists.length - index))]),
    );
    return shown.map((lines) => fitting.get(lines) ?? []);
  };
}

const folded = (summary: string, lines: readonly string[]) =>
  lines.length === 0
    ? []
    : ['', `<details><summary>${summary}</summary>`, '', block(lines), '', '</details>'];

/**
 * Plans as a comment on a pull request: of each job what it would do, and folded what it finds. What is refused and done, of all jobs, goes
 * before what is found: of that there may be much, and a deletion must not be cut for it.
 */
export function plansMarkdown(
  reports: readonly PlanReport[],
  { owner, now }: { readonly owner: string; readonly now: number },
): string {
  const whatFits = fitter();
  const refused = whatFits(
    reports.map(({ plan: { refusals, limits } }) => [
      ...refusals.map(({ message }) => `refused: ${message}`),
      ...limits.map(({ message }) => message),
    ]),
  );
  const done = whatFits(
    reports.map(({ plan }) =>
      plan.actions.map(
        (action, index) =>
          `${actionText(action)}${isRefused(plan, index) ? ' (waits for an approval)' : ''}`,
      ),
    ),
  );
  const troubles = reports.map(({ entries = [] }) =>
    entries.flatMap((entry) => formatTrouble(entry, now) ?? []),
  );
  const found = whatFits([
    ...troubles,
    ...reports.map(({ plan }) => plan.findings.map(findingText)),
  ]);
  const plans = reports.map(({ plan }, index) => {
    const { job, actions, findings } = plan;
    const first = [...(refused[index] ?? []), ...(done[index] ?? [])];
    return [
      `**${job}**: ${actions.length === 0 ? 'nothing to do' : `${actions.length} to do`}`,
      ...(first.length > 0 ? ['', block(first)] : []),
      ...folded(`entries that are not simply well: ${troubles[index]?.length}`, found[index] ?? []),
      ...folded(`findings: ${findings.length}`, found[reports.length + index] ?? []),
    ].join('\n');
  });
  return [`${FIRST_LINE}\n### What Keyturn would do (\`${owner}\`)`, ...plans].join('\n\n');
}

/** In place of a plan. */
export const failureMarkdown = (message: string): string =>
  `${FIRST_LINE}\n### Keyturn has no plan\n\n${block(fitter()([message.split('\n')]).flat())}`;
