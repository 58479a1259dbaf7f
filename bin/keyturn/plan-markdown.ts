import { oneLine } from '../harmless.ts';
import { isRefused, type PlanReport } from './answers.ts';
import { formatTroubles } from './entry-text.ts';
import { actionText, countOf, findingsOf, findingText } from './plan-text.ts';

/** By its first line a workflow finds its comment again, to write the next plan in its place. */
const FIRST_LINE = '<!-- keyturn-plan -->';

/** A comment on GitHub has at most 65,536 characters; what is around the lines, but for longer fences, needs the rest. */
const MOST_CHARACTERS = 60_000;

/** Of a list's share one line takes no more than this part: also between fences of its own length it leaves room for others. */
const PART_OF_LINE = 1 / 4;
/** A line of so many characters is shown whole or not at all. */
const SHORT_LINE = 400;

const longestRun = (line: string) =>
  (line.match(/`+/g) ?? []).reduce((most, { length }) => Math.max(most, length), 0);

/** Without the half of a character at its end. */
const cut = (line: string, most: number) =>
  line.length <= most
    ? line
    : `${line.slice(0, Math.floor(most) - 1).replace(/[\uD800-\uDBFF]$/, '')}…`;

/**
 * Lines of which many come from outside, as text that Markdown shows as it is: in a block of code GitHub reads no link, no
 * formula, and no name of a person or a team, who would be told.
 */
function block(lines: readonly string[]): string {
  const fence = '`'.repeat(Math.max(2, ...lines.map(longestRun)) + 1);
  return [`${fence}text`, ...lines, fence].join('\n');
}

type Lines = readonly string[];

/**
 * Takes what fits of lists that are of the same weight, cuts lines that are too long, and says of each how many it left out. The short ones go first: what
 * they need no more is left to the long ones, and no list takes another's share.
 */
function fitter(): (lists: readonly Lines[]) => readonly Lines[] {
  let left = MOST_CHARACTERS;
  const takeOf = (lines: Lines, share: number): Lines => {
    const longest = Math.max(SHORT_LINE, share * PART_OF_LINE);
    let [room, run] = [share, 0];
    const fitting: string[] = [];
    for (const whole of lines) {
      const line = cut(whole, longest);
      const longer = Math.max(run, longestRun(line));
      // A longer run of backticks makes both fences longer.
      const size = line.length + 1 + 2 * (longer - run);
      if (size > room) break;
      [room, run] = [room - size, longer];
      fitting.push(line);
    }
    left -= share - room;
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
 * @param about `unseen`: which jobs could not be looked at, and why, one line each; `known`: what a reader must know of the policy, by which this was planned
 */
export function plansMarkdown(
  reports: readonly PlanReport[],
  {
    owner,
    now,
    unseen = [],
    known = [],
  }: {
    readonly owner: string;
    readonly now: number;
    readonly unseen?: readonly string[];
    readonly known?: readonly string[];
  },
): string {
  const whatFits = fitter();
  const [failed = [], ofPolicy = []] = whatFits([unseen, known]);
  const refused = whatFits(
    reports.map(({ plan }) => {
      const { refusals, limits } = plan;
      return [
        ...findingsOf(plan).failing.map((finding) => `fails: ${findingText(finding)}`),
        ...refusals.map(({ message }) => `refused: ${message}`),
        ...limits.map(({ message }) => message),
      ];
    }),
  );
  const done = whatFits(
    reports.map(({ plan }) =>
      plan.actions.map(
        (action, index) =>
          `${actionText(action)}${isRefused(plan, index) ? ' (waits for an approval)' : ''}`,
      ),
    ),
  );
  const troubles = reports.map((report) => formatTroubles(report, now));
  const found = whatFits([
    ...troubles,
    ...reports.map(({ plan }) => findingsOf(plan).others.map(findingText)),
  ]);
  const plans = reports.map(({ plan }, index) => {
    const { others } = findingsOf(plan);
    const first = [...(refused[index] ?? []), ...(done[index] ?? [])];
    return [
      `**${plan.job}**: ${countOf(plan)}`,
      ...(first.length > 0 ? ['', block(first)] : []),
      ...folded(`entries that are not simply well: ${troubles[index]?.length}`, found[index] ?? []),
      ...folded(`findings: ${others.length}`, found[reports.length + index] ?? []),
    ].join('\n');
  });
  return [
    `${FIRST_LINE}\n### What Keyturn would do (\`${owner}\`)`,
    ...(failed.length > 0 ? [`Not everything could be looked at:\n\n${block(failed)}`] : []),
    ...(ofPolicy.length > 0 ? [`Of the policy:\n\n${block(ofPolicy)}`] : []),
    ...plans,
  ].join('\n\n');
}

/** In place of a plan. */
export const failureMarkdown = (message: string): string =>
  `${FIRST_LINE}\n### Keyturn has no plan\n\n${block(fitter()([message.split('\n')]).flat())}`;
