import { describeAction, effectNote } from '../../functions/enforcement/plan/describe-action.ts';
import type { ReapingAction } from '../../functions/reaping/plan/reaping-action.ts';
import type { TakeOver } from '../../functions/rotation/plan/plan-takeover.ts';
import type { RotationAction } from '../../functions/rotation/plan/rotation-action.ts';
import {
  type Action,
  type DatabaseAction,
  isAboutDatabase,
  isRefused,
  type PlanReport,
  type TokenAction,
} from './answers.ts';
import { formatTroubles } from './entry-text.ts';
import { EXIT } from './failure.ts';
import { wrapped } from './table.ts';
import type { Style, Terminal } from './terminal.ts';

const ACTIONS = {
  rotate: 'mint a successor, verify it, promote it',
  mint: 'mint a successor; a later run promotes it',
  arm: 'prepare the successor that exists; a later run promotes it',
  resume: 'verify the successor that exists, promote it',
  verify: 'ask again whether the cluster accepts its token',
  recognise: 'bring its marker up to date',
  'mark-shared': 'note whether another secret has its string',
  'restart-grace': 'start all grace periods again: nobody knows what consumers have',
  'end-proof': 'take away the permission that proved an adoption',
  'detach-previous': 'remove the label AWSPREVIOUS: nobody should roll back to what it is on',
  'detach-pending': 'remove the label AWSPENDING',
  widen: 'add the permissions that are new in the policy',
  'give-back': 'give its permissions back',
  adopt: 'adopt it',
  'note-adoption': 'note in a tag of its secret that it was adopted',
  'take-over': 'write into their markers that they are ours, and then tag their secret',
  'move-cluster': 'tag its secret with the new cluster',
  replicate: 'make the replicas of its secret',
  'check-replicas': 'look again at the late replicas of its secret',
  supersede: 'mark it superseded: its grace period starts',
  fence: 'grace period is over: remove the label AWSPREVIOUS',
  quarantine: 'remove its permissions (can be undone)',
  delete: 'delete it',
  strip: 'remove its permissions: its secret is on hold',
  'delete-foreign': 'delete this expired foreign token',
  'delete-secret': 'delete the secret (recoverable until its recovery window ends)',
} satisfies Record<(RotationAction | TakeOver | ReapingAction)['kind'], string>;

/** By kind; a newer version's functions may have kinds that this one does not know. */
const WHAT_IS_DONE: ReadonlyMap<string, string> = new Map(Object.entries(ACTIONS));

interface Named {
  readonly token?: string | undefined;
  readonly secret?: string | undefined;
  readonly database?: string | undefined;
  readonly tokenId?: string | undefined;
}

const nameOf = ({ token, secret, database, tokenId }: Named): string =>
  token ?? secret ?? database ?? tokenId ?? '';

function databaseText(action: DatabaseAction): string {
  const note = action.kind === 'change' ? effectNote(action) : undefined;
  return `${describeAction(action)}${note === undefined ? '' : ` (${note})`}`;
}

function tokenText(action: TokenAction): string {
  const {
    kind,
    reason,
    regions,
    tokenId,
    tokenIds = tokenId === undefined ? [] : [tokenId],
  } = action;
  const name = nameOf(action);
  const ids = tokenIds.filter((id) => id !== name).map((id) => ` ${id.slice(0, 8)}`);
  const where = regions === undefined ? '' : ` in ${regions.join(', ')}`;
  return `${name}${ids.join(',')}: ${WHAT_IS_DONE.get(kind) ?? kind}${where} (${reason})`;
}

/** What an action does to what, and why. */
export const actionText = (action: Action): string =>
  isAboutDatabase(action) ? databaseText(action) : tokenText(action);

export const findingText = (finding: PlanReport['plan']['findings'][number]): string =>
  `${[nameOf(finding), finding.message].filter(Boolean).join(': ')} [${finding.kind}]`;

/** What the run of a plan fails for, and what is only found. */
export const findingsOf = ({ findings }: PlanReport['plan']) => ({
  failing: findings.filter(({ fails }) => fails),
  others: findings.filter(({ fails }) => !fails),
});

/** How much a run would do, and that it fails. */
export function countOf(plan: PlanReport['plan']): string {
  const { actions } = plan;
  const count = actions.length === 0 ? 'nothing to do' : `${actions.length} to do`;
  const entries = new Set(findingsOf(plan).failing.map(nameOf)).size;
  if (entries === 0) return count;
  return `${count}, and the run fails for ${entries} ${entries === 1 ? 'entry' : 'entries'}`;
}

/**
 * A plan as text: its actions with their reasons, the entries that are not simply well, then its findings.
 * `approval` is the command that approves what is refused.
 */
export function formatPlan(
  report: PlanReport,
  approval: string,
  style: Style,
  now: number,
): string {
  const { plan } = report;
  const { job, actions, limits, refusals } = plan;
  const { failing, others } = findingsOf(plan);
  // What a line begins stands further to the right.
  const item = (text: string) => wrapped(text, style, '    ').slice(2);
  return [
    style('bold', `${job}: ${countOf(plan)}`),
    ...failing.map((finding) => style('red', item(`fails: ${findingText(finding)}`))),
    ...actions.map((action, index) =>
      item(`${actionText(action)}${isRefused(plan, index) ? ' [waits]' : ''}`),
    ),
    ...limits.map(({ message }) => item(message)),
    ...refusals.flatMap((refusal) => [
      style('red', item(`refused: ${refusal.message}`)),
      // On a line of its own, so that it can be copied.
      item(`to apply exactly these ${refusal.actions.length} all the same:`),
      `    ${approval} --approve ${refusal.hash}`,
    ]),
    ...formatTroubles(report, now).map(item),
    ...others.map((finding) => style('dim', item(findingText(finding)))),
  ].join('\n');
}

/** The result of each action, by name; those of one name in the order in which they were taken. */
export const formatOutcomes = ({ outcomes = [] }: PlanReport): string =>
  outcomes.length === 0
    ? 'nothing to do'
    : outcomes
        .toSorted((a, b) => nameOf(a.action).localeCompare(nameOf(b.action)))
        .map(
          ({ action, result }) =>
            `${result}  ${isAboutDatabase(action) ? describeAction(action) : `${action.kind} ${nameOf(action)}`}`,
        )
        .join('\n');

/** What came of a command that one person confirmed; of a dry run, what would come of it. */
export function printConfirmed(
  report: PlanReport,
  { json, dryRun }: { readonly json: boolean; readonly dryRun: boolean },
  answerOf: (report: PlanReport) => string,
  terminal: Terminal,
): void {
  const { plan } = report;
  if (dryRun && findingsOf(plan).failing.length > 0) process.exitCode = EXIT.failed;
  if (json) terminal.printJson(report);
  else if (dryRun)
    terminal.print(formatPlan({ plan }, 'repeat the command with', terminal.style, Date.now()));
  else terminal.print(answerOf(report));
}
