import type { ScheduledJob } from '../../functions/environment.ts';
import { type DocumentMark, differingParts } from '../../functions/policy/document-mark.ts';
import type { Policy } from '../../functions/policy/policy.ts';
import type { ScheduleStatus } from '../../functions/schedules/schedule-status.ts';
import { advised } from './advice.ts';
import {
  type Action,
  type DatabaseAction,
  isAboutDatabase,
  isRefused,
  type PlanReport,
} from './answers.ts';
import { EXIT } from './failure.ts';
import { type Finding, findingVerdict, isInventory } from './finding-verdict.ts';
import { type Looks, seen } from './looks.ts';
import { type ManagementTokenStatus, managementTokenStatus } from './management-token-status.ts';
import { actionText } from './plan-text.ts';
import { type StatusVerdict, worst } from './status-verdict.ts';
import { type TokenStatus, tokenStatuses } from './token-status.ts';

/** `in order`, or what is to be mended by the next run, by a person, or by an approval; `at risk`: no rule is broken, and data may be lost; `unknown`. */
export interface DatabaseStatus {
  readonly verdict: StatusVerdict;
  readonly database: string;
  readonly state: 'in order' | 'at risk' | 'drift' | 'refused' | 'unknown';
  readonly problems: readonly string[];
}

/** Why a part of a plan waits, and what lets exactly that part be done. */
export interface Waiting {
  readonly job: ScheduledJob;
  readonly message: string;
  readonly hash: string;
  /** To be typed. */
  readonly command: string;
}

/** A function that was deployed with another policy than the file's. */
export interface OtherPolicy {
  readonly job: ScheduledJob;
  /** The keys in which both differ (`databases`, `tokens.grafana`). Absent: the function does not say which one it has. */
  readonly keys?: readonly string[];
}

/** The policy file. */
export interface OfFile {
  readonly policy: Policy;
  /** Absent: nobody has another policy than the file's. */
  readonly mark?: DocumentMark;
  /** This machine looked, and no function was asked. */
  readonly isLocal?: boolean;
}

export interface Status {
  readonly verdict: StatusVerdict;
  readonly tokens: readonly TokenStatus[];
  readonly databases: readonly DatabaseStatus[];
  readonly managementToken: ManagementTokenStatus;
  readonly schedules: readonly ScheduleStatus[];
  readonly refused: readonly Waiting[];
  /** What concerns no entry and no database of the policy. */
  readonly others: readonly Finding[];
  /** What could not be asked. */
  readonly notSeen: readonly { readonly job: ScheduledJob; readonly why: string }[];
  /** Whose answers are about another policy. */
  readonly otherPolicies: readonly OtherPolicy[];
  /** This machine looked, and no function was asked. Absent: the functions did. */
  readonly local?: true;
}

export const exitCodeOf = ({ verdict }: Pick<Status, 'verdict'>): number =>
  ({ well: EXIT.done, 'not well': EXIT.notWell, unknown: EXIT.unknown })[verdict];

/** Tables are declared again and again, whether they are there or not. */
const isCorrection = (action: Action): action is DatabaseAction =>
  isAboutDatabase(action) && action.kind !== 'create-table';

/** What waits for an approval: of a limit, or in the rule. */
const REFUSED = 'RetentionRefused';

/** The key of a policy that has the rules for databases. */
const RULES = 'databases';

/** Of these a database keeps to its rule all the same. */
const RISKS = ['RetentionTooShort'];

function stateOf(found: readonly { readonly kind: string }[]): DatabaseStatus['state'] {
  if (found.length === 0) return 'in order';
  return found.every(({ kind }) => RISKS.includes(kind)) ? 'at risk' : 'drift';
}

function databaseStatuses(
  { policy: { databases }, mark }: OfFile,
  { enforce }: Looks,
): readonly DatabaseStatus[] {
  const named = databases.flatMap((rule) => ('name' in rule ? [rule.name] : []));
  if (enforce instanceof Error) {
    return named.map((database) => ({
      verdict: 'unknown',
      database,
      state: 'unknown',
      problems: [],
    }));
  }
  const { plan, policy: deployed } = enforce;
  const isOther = mark && deployed && mark.parts[RULES] !== deployed.parts[RULES];
  const corrections = plan.actions.map((action, index) =>
    isCorrection(action)
      ? [
          {
            database: action.database,
            text: actionText(action),
            waits: isRefused(plan, index),
            kind: action.kind,
          },
        ]
      : [],
  );
  const findings = plan.findings.flatMap((finding) => {
    const { database, message, kind } = finding;
    const isDrift = database !== undefined && !isInventory(finding);
    return isDrift ? [{ database, text: message, waits: kind === REFUSED, kind }] : [];
  });
  const drift = Map.groupBy([...corrections.flat(), ...findings], ({ database }) => database);
  return [...new Set([...named, ...drift.keys()])].map((database) => {
    const found = drift.get(database) ?? [];
    if (isOther && found.length === 0) {
      const problem =
        'the rules of the deployed policy are others: not known whether it keeps to the file';
      return { verdict: 'unknown', database, state: 'unknown', problems: [problem] };
    }
    const isWaiting = found.some(({ waits }) => waits);
    return {
      verdict: found.length > 0 ? 'not well' : 'well',
      database,
      state: isWaiting ? 'refused' : stateOf(found),
      problems: found.map(({ text }) => text),
    };
  });
}

export const scheduleVerdict = ({ state }: ScheduleStatus): StatusVerdict =>
  state === 'on' ? 'well' : state === 'unknown' ? 'unknown' : 'not well';

/** Of an entry or of a database that has a row of its own. */
function isShownElsewhere(tokens: readonly TokenStatus[], finding: Finding): boolean {
  const { secret, database } = finding;
  const isDrift = database !== undefined && !isInventory(finding);
  return isDrift || tokens.some((each) => each.secret === secret);
}

/** Whose policy is not the file's, or is not known. */
export function otherPolicies(
  mark: DocumentMark | undefined,
  reports: readonly PlanReport[],
): readonly OtherPolicy[] {
  if (!mark) return [];
  return reports.flatMap(({ plan: { job }, policy }): readonly OtherPolicy[] => {
    if (!policy) return [{ job }];
    const keys = differingParts(policy, mark);
    return keys.length > 0 ? [{ job, keys }] : [];
  });
}

/** Puts together what the functions answered. What nobody could look at is unknown, and never well. Pure. */
export function statusOf(
  file: OfFile,
  looks: Looks,
  schedules: readonly ScheduleStatus[],
  now: number,
): Status {
  const reports = [...seen(looks.rotate), ...seen(looks.reap), ...seen(looks.enforce)];
  const tokens = tokenStatuses(file.policy, looks, now).map((each) => ({
    ...each,
    problems: each.problems.map((problem) => advised(problem, file.isLocal)),
  }));
  const databases = databaseStatuses(file, looks);
  const management = managementTokenStatus(reports, looks, now);
  const refused = reports.flatMap(({ plan: { job, refusals } }) =>
    refusals.map(({ message, hash }) => ({
      job,
      message,
      hash,
      command: advised(`keyturn apply --approve ${hash}`, file.isLocal),
    })),
  );
  const others = reports.flatMap(({ plan }) =>
    plan.findings.filter((each) => !isShownElsewhere(tokens, each)),
  );
  const notSeen = (['rotate', 'reap', 'enforce'] as const).flatMap((job) => {
    const look = looks[job];
    return look instanceof Error ? [{ job, why: look.message }] : [];
  });
  const differing = otherPolicies(file.mark, reports);
  return {
    verdict: worst([
      ...tokens.map(({ verdict }) => verdict),
      ...databases.map(({ verdict }) => verdict),
      management.verdict,
      ...schedules.map(scheduleVerdict),
      ...(refused.length > 0 ? (['not well'] as const) : []),
      ...others.map(findingVerdict),
      ...(notSeen.length + differing.length > 0 ? (['unknown'] as const) : []),
    ]),
    tokens,
    databases,
    managementToken: management,
    schedules,
    refused,
    others,
    notSeen,
    otherPolicies: differing,
    ...(file.isLocal && { local: true }),
  };
}
