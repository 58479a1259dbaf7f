import type { ScheduledJob } from '../../functions/environment.ts';
import { type DocumentMark, differingParts } from '../../functions/policy/document-mark.ts';
import type { Policy } from '../../functions/policy/policy.ts';
import type { ScheduleStatus } from '../../functions/schedules/schedule-status.ts';
import { advised } from './advice.ts';
import {
  type Action,
  DATABASE_KINDS,
  type DatabaseAction,
  type Entry,
  isRefused,
  type PlanReport,
} from './answers.ts';
import { conditionWords, fromNow, isOfOthers } from './entry-text.ts';
import { EXIT } from './failure.ts';
import { type ManagementTokenStatus, managementTokenStatus } from './management-token-status.ts';
import { actionText } from './plan-text.ts';
import { type StatusVerdict, worst } from './status-verdict.ts';

/** What the functions answered to a look; where one could not be asked, why. */
export interface Looks {
  readonly rotate: (PlanReport & { readonly entries: readonly Entry[] }) | Error;
  readonly reap: PlanReport | Error;
  readonly enforce: PlanReport | Error;
}

/** An entry as the function sees it, and what its plan, its findings and the data plane say of it. */
export interface TokenStatus {
  readonly verdict: StatusVerdict;
  /** Absent: `rotate` could not be asked, or the policy that it was deployed with has no such entry. */
  readonly entry?: Entry;
  readonly token: string;
  readonly secret: string;
  readonly acceptance: NonNullable<Entry['acceptance']>;
  /** For people: `now`, `in 23d4h`, `once adopted`, `armed, in 8m`, `armed, waits: refused`. Absent: none is to come. */
  readonly nextRotation?: string;
  readonly problems: readonly string[];
}

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

type Plan = PlanReport['plan'];
type Finding = Plan['findings'][number];

/** These actions are a rotation, or a part of one. */
const ROTATING = ['rotate', 'mint', 'arm', 'resume'];
/** Nothing changes these entries until a person does; nor one whose token a person stripped (finding `Held`). */
const STOPPED = ['held', 'deleted', 'replica'];
/** Consumers have a token that works, and nothing is to be done. Whatever a newer version says is not known to be well. */
const WELL = ['works', 'replica'];
/** An inventory, or what a policy has chosen; docs/glossary.md has them. What is not here asks for somebody. */
const INVENTORY = [
  'AlreadyAdopted',
  'Foreign',
  'ForeignExpired',
  'ForeignExpiring',
  'Immortal',
  'NotReplicated',
  'Owned',
  'Replica',
  'RuleWithoutDatabase',
  'UnmanagedDatabases',
  'UnmanagedTooShort',
  'Wildcard',
];

/** Without a secret it counts tokens, mostly of others: of an entry, `rotate` finds it with its secret. */
const isCount = ({ kind, secret }: Finding) => kind === 'UnknownDatabase' && secret === undefined;

export const isInventory = (finding: Finding): boolean =>
  INVENTORY.includes(finding.kind) || isCount(finding);

/** What could not be looked at is no trouble that was seen. */
export function findingVerdict(finding: Finding): StatusVerdict {
  if (isInventory(finding)) return 'well';
  return finding.kind === 'DatabasesUnknown' ? 'unknown' : 'not well';
}

export const exitCodeOf = ({ verdict }: Pick<Status, 'verdict'>): number =>
  ({ well: EXIT.done, 'not well': EXIT.notWell, unknown: EXIT.unknown })[verdict];

const seen = <Report extends PlanReport>(report: Report | Error): readonly Report[] =>
  report instanceof Error ? [] : [report];

function nextRotation(
  { token, condition, pending, dueAt }: Entry,
  plan: Plan,
  now: number,
): string | undefined {
  const isHeld = plan.findings.some((each) => each.token === token && each.kind === 'Held');
  if (isHeld || STOPPED.includes(condition)) return undefined;
  const isRotating = (action: Action) => action.token === token && ROTATING.includes(action.kind);
  const found = plan.actions.findIndex(isRotating);
  if (found >= 0 && isRefused(plan, found)) return 'refused';
  // Every run tries it, and none promotes it until the cluster accepts it.
  if (pending?.refusedSince !== undefined) return 'armed, waits: refused';
  if (found >= 0) return 'now';
  // It waits, armed, and a run promotes it then.
  if (pending)
    return `armed, ${pending.promotedFrom > now ? fromNow(pending.promotedFrom, now) : 'now'}`;
  if (dueAt === undefined) {
    const isToBeAdopted = plan.actions.some(
      (each) => each.token === token && each.kind === 'adopt',
    );
    return isToBeAdopted ? 'once adopted' : undefined;
  }
  // Due but not planned: it waits for its window.
  return dueAt > now ? fromNow(dueAt, now) : 'later';
}

const isAboutDatabase = (action: Action): action is DatabaseAction =>
  DATABASE_KINDS.some((kind) => kind === action.kind);

/** What the plans say of one secret, each once. */
function saidOf(name: string, plans: readonly Plan[]) {
  const ofEntry = ({ secret }: { readonly secret?: string | undefined }) => secret === name;
  // `reap` reads no values. What it does not know under a label, `rotate` has seen and is about to note.
  const noted = plans.flatMap(({ actions }) =>
    actions.flatMap((each) =>
      each.kind === 'recognise' && !isAboutDatabase(each) && ofEntry(each) ? [each.label] : [],
    ),
  );
  const isNoted = ({ kind, message }: Finding) =>
    kind === 'UnknownVersion' &&
    noted.some((label) => typeof label === 'string' && message.includes(label));
  const findings = plans.flatMap((plan) =>
    plan.findings
      .filter((each) => ofEntry(each) && !isInventory(each) && !isNoted(each))
      .map((finding) => ({ plan, finding })),
  );
  // Two functions may find the same, each in its own words; one of them finds a kind of several Regions or labels.
  const kinds = Map.groupBy(findings, ({ finding: { kind, tokenId } }) => `${kind} ${tokenId}`);
  const mostIn = (those: typeof findings) =>
    [...Map.groupBy(those, ({ plan }) => plan).values()].reduce((most, each) =>
      each.length > most.length ? each : most,
    );
  const waits = plans.flatMap(({ actions, refusals }) =>
    refusals.filter((refusal) => refusal.actions.some((index) => actions[index]?.secret === name)),
  );
  return {
    found: [...kinds.values()].flatMap((those) =>
      mostIn(those).map((each) => each.finding.message),
    ),
    waits: waits.map(({ hash }) => `what is to be done waits: keyturn apply --approve ${hash}`),
  };
}

/** What a person should know of one secret. */
function problemsOf(entry: Entry, plans: readonly Plan[]): readonly string[] {
  const { condition, late, acceptance } = entry;
  const isWell = WELL.includes(condition);
  const { found, waits } = saidOf(entry.secret, plans);
  const words = conditionWords(condition);
  // What another owner's secret has, the state does not know.
  const isTheirs = plans.some((plan) => isOfOthers(entry, plan));
  const isSaid = isWell || isTheirs || found.some((message) => message.startsWith(words));
  const isUnlisted = condition === 'missing' && acceptance?.answer === 'accepted' && !isTheirs;
  return [
    ...(isSaid ? [] : [words]),
    ...(late ? ['its rotation is late'] : []),
    ...refusalOf(isWell, acceptance),
    ...(isUnlisted ? [UNLISTED] : []),
    ...found,
    ...waits,
  ];
}

/** It is read by its name, whether or not it was listed. */
const UNLISTED =
  'the cluster accepts the string in the secret of that name all the same: it was not listed as ours, because listings may be minutes late, or its tags are not ours';

/** What the state does not say already. */
function refusalOf(isWell: boolean, acceptance: Entry['acceptance']): readonly string[] {
  const { answer, why, mixed } = acceptance ?? {};
  if (mixed) return [`the cluster refuses its string for some: ${why}`];
  return isWell && answer === 'refused' ? [`the cluster refuses its string: ${why}`] : [];
}

/** Why it is not known whether consumers are accepted, where it is not plain from the state. */
function doubtOf({ condition, acceptance }: Entry): readonly string[] {
  const { answer, why, mixed } = acceptance ?? NOT_ASKED;
  if (answer === 'unclear' && !mixed) return [`not known whether the cluster accepts it: ${why}`];
  const isOpen = answer === 'not asked' && [...WELL, 'unknown'].includes(condition);
  return isOpen && why !== undefined ? [`the cluster was not asked: ${why}`] : [];
}

const NOT_ASKED: NonNullable<Entry['acceptance']> = { answer: 'not asked' };
/** With any other answer nobody knows. */
const ANSWERED = ['accepted', 'refused'];

function tokenStatus(
  entry: Entry,
  rotation: Plan,
  plans: readonly Plan[],
  now: number,
): TokenStatus {
  const { token, secret, acceptance = NOT_ASKED } = entry;
  const problems = problemsOf(entry, plans);
  const isKnown = ANSWERED.includes(acceptance.answer);
  const next = nextRotation(entry, rotation, now);
  return {
    verdict: problems.length > 0 ? 'not well' : isKnown ? 'well' : 'unknown',
    entry,
    token,
    secret,
    acceptance,
    ...(next !== undefined && { nextRotation: next }),
    problems: [...problems, ...doubtOf(entry)],
  };
}

/** An entry of the file of which `rotate` said nothing; what the others found of its secret is said. */
function unseenToken(
  { name: token, secret }: Policy['tokens'][number],
  why: readonly string[],
  plans: readonly Plan[],
): TokenStatus {
  const { found, waits } = saidOf(secret, plans);
  const problems = [...found, ...waits];
  return {
    verdict: problems.length > 0 ? 'not well' : 'unknown',
    token,
    secret,
    acceptance: NOT_ASKED,
    problems: [...problems, ...why],
  };
}

function tokenStatuses({ tokens }: Policy, { rotate, reap }: Looks, now: number) {
  const plans = [...seen(rotate), ...seen(reap)].map(({ plan }) => plan);
  if (rotate instanceof Error) return tokens.map((each) => unseenToken(each, [], plans));
  const { plan, entries, leftOut = [] } = rotate;
  const isCut = leftOut.some(({ list }) => list === 'entries');
  const why = (secret: string) =>
    isCut
      ? 'the answer had no room for it; --local shows it'
      : `not in the deployed policy (secret ${secret})`;
  const lacking = tokens.filter(
    ({ name, secret }) => !entries.some((each) => each.token === name && each.secret === secret),
  );
  return [
    ...entries.map((entry) => tokenStatus(entry, plan, plans, now)),
    ...lacking.map((each) => unseenToken(each, [why(each.secret)], plans)),
  ];
}

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
