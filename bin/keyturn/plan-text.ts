import { describeAction, effectNote } from '../../functions/enforcement/plan/describe-action.ts';
import type { ReapingAction } from '../../functions/reaping/plan/reaping-action.ts';
import type { RotationAction } from '../../functions/rotation/plan/rotation-action.ts';
import type { Action, DatabaseAction, PlanReport, TokenAction } from './answers.ts';
import type { Style } from './terminal.ts';

const ACTIONS = {
  rotate: 'mint a successor, prove it, promote it',
  resume: 'go on with the successor that is there',
  'detach-pending': 'take AWSPENDING off',
  widen: 'add the permissions that the policy adds',
  'give-back': 'give its permissions back',
  adopt: 'take it over',
  supersede: 'mark as superseded: grace begins',
  fence: 'grace is over: take AWSPREVIOUS off',
  quarantine: 'take its permissions away, which can be undone',
  delete: 'delete it',
  strip: 'take its permissions away: on hold',
  'delete-foreign': 'delete an expired token of others',
  'delete-secret': 'delete the secret, with its recovery window',
} satisfies Record<RotationAction['kind'] | ReapingAction['kind'], string>;

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

const isAboutDatabase = (action: Action): action is DatabaseAction => 'database' in action;

function databaseLine(action: DatabaseAction): string {
  const note = action.kind === 'change' ? effectNote(action) : undefined;
  return `  ${describeAction(action)}${note === undefined ? '' : ` (${note})`}`;
}

function tokenLine(action: TokenAction): string {
  const { kind, reason, tokenId } = action;
  const name = nameOf(action);
  const id = tokenId === undefined || tokenId === name ? '' : ` ${tokenId.slice(0, 8)}`;
  return `  ${name}${id}: ${WHAT_IS_DONE.get(kind) ?? kind} (${reason})`;
}

const lineOf = (action: Action): string =>
  isAboutDatabase(action) ? databaseLine(action) : tokenLine(action);

/**
 * A plan as people read it: what would be done and why, then what it found. `approval` says how to
 * approve it if it is refused.
 */
export function formatPlan({ plan }: PlanReport, approval: string, style: Style): string {
  const { job, actions, findings, limit, refusal, hash } = plan;
  const count = actions.length === 0 ? 'nothing to do' : `${actions.length} to do`;
  const head = `${job}: ${count}`;
  return [
    style('bold', head),
    ...actions.map(lineOf),
    ...(refusal === undefined
      ? []
      : [style('red', `  refused: ${refusal}`), `  if it is meant: ${approval} --approve ${hash}`]),
    ...(limit.counted > 0
      ? [
          `  ${limit.counted} of these leave somebody without a proven successor; the limit is ${limit.allowed}`,
        ]
      : []),
    ...findings.map((finding) =>
      style(
        'dim',
        `  ${[nameOf(finding), finding.message].filter(Boolean).join(': ')} [${finding.kind}]`,
      ),
    ),
  ].join('\n');
}

/** What became of each action. */
export const formatOutcomes = ({ outcomes = [] }: PlanReport): string =>
  outcomes.length === 0
    ? 'nothing to do'
    : outcomes
        .map(
          ({ action, result }) =>
            `${result}  ${isAboutDatabase(action) ? describeAction(action) : `${action.kind} ${nameOf(action)}`}`,
        )
        .join('\n');
