import type { Policy } from '../../functions/policy/policy.ts';
import type { PlanReport } from './answers.ts';
import { formatOutcomes } from './plan-text.ts';

/** What became of one token that a person named. `answered`: a rotation of a moment ago is the answer. */
type Fate =
  | { readonly is: 'rotated' | 'armed' | 'postponed' | 'answered' }
  /** `again`: the same command may succeed. */
  | { readonly is: 'stopped'; readonly why: string; readonly again: boolean };

/** Kinds that end with a new current token, or with one that a later run promotes. */
const PROMOTING = ['rotate', 'resume', 'verify'];
const ARMING = ['mint', 'arm'];
/** Findings beside which a token is rotated all the same. */
const HARMLESS = [
  'FrozenStray',
  'KeyDiffers',
  'LostMarker',
  'NotReplicated',
  'PermissionsChanged',
  'ReplicaFailed',
  'ReplicaKeyDiffers',
  'ReplicaLate',
  'ReplicaUndeclared',
  'ReplicasUnknown',
  'SharedString',
  'UnknownVersion',
];
/** These say what AWSCURRENT had, and what a rotation mends. */
const MENDED = ['NotShownYet', 'PermissionsChanged', 'SharedString', 'UnknownVersion'];
/** A token of such an entry has permissions, and is rotated also where the policy names a database that nobody knows. */
const ISSUED = ['works', 'expiring', 'cut-short', 'no-database', 'refused'];

const WHY: Readonly<Record<string, string>> = {
  held: 'a person put it on hold meanwhile',
  lost: 'another run, or a person, was faster',
  skipped: 'a second look decided otherwise',
};

const findingsOf = ({ plan }: PlanReport, name: string) =>
  plan.findings.filter(({ token }) => token === name);

const isHarmless = (kind: string, { entries = [] }: PlanReport, name: string) =>
  HARMLESS.includes(kind) ||
  (kind === 'UnknownDatabase' &&
    entries.some(({ token, condition }) => token === name && ISSUED.includes(condition)));

function withoutOutcome(report: PlanReport, name: string): Fate {
  const stopping = findingsOf(report, name).filter(({ kind }) => !isHarmless(kind, report, name));
  if (stopping.length > 0) {
    const why = stopping.map(({ kind, message }) => `${message} [${kind}]`).join('; ');
    return { is: 'stopped', why, again: false };
  }
  const isAdopted = (report.outcomes ?? []).some(
    ({ action }) => action.token === name && action.kind === 'adopt',
  );
  if (!isAdopted) return { is: 'answered' };
  return { is: 'stopped', why: 'it is adopted first; then repeat the command', again: true };
}

/** @param name of a token that the rotation was asked for */
function fateOf(report: PlanReport, name: string): Fate {
  const last = (report.outcomes ?? []).findLast(
    ({ action: { token, kind } }) => token === name && [...PROMOTING, ...ARMING].includes(kind),
  );
  if (!last) return withoutOutcome(report, name);
  const { action, result } = last;
  if (result === 'done') return { is: ARMING.includes(action.kind) ? 'armed' : 'rotated' };
  if (result === 'armed' || result === 'postponed') return { is: result };
  return { is: 'stopped', why: WHY[result] ?? result, again: result !== 'held' };
}

/** The named tokens that a repetition of the command may bring further. */
export const unfinished = (report: PlanReport, names: readonly string[]): readonly string[] =>
  names.filter((name) => {
    const fate = fateOf(report, name);
    return fate.is === 'stopped' ? fate.again : fate.is === 'armed' || fate.is === 'postponed';
  });

/** Whether every named token has a successor that is current, or that a later run promotes. */
export const isCarriedOut = (report: PlanReport, names: readonly string[]): boolean =>
  names.every((name) => !['stopped', 'postponed'].includes(fateOf(report, name).is));

/** A run and its repetition for some of its tokens: of these the later one counts. */
export function continued(
  former: PlanReport,
  next: PlanReport,
  repeated: readonly string[],
): PlanReport {
  const isOther = (token: unknown) => typeof token !== 'string' || !repeated.includes(token);
  const outcomes = (former.outcomes ?? []).filter(({ action }) => isOther(action.token));
  const findings = former.plan.findings.filter(({ token }) => isOther(token));
  return {
    ...next,
    plan: { ...next.plan, findings: [...findings, ...next.plan.findings] },
    outcomes: [...outcomes, ...(next.outcomes ?? [])],
  };
}

/** What becomes of tokens that are not promoted yet. */
function linesOfUnfinished(
  armed: readonly string[],
  postponed: readonly string[],
  { schedules }: Policy,
  isOff: boolean,
): readonly string[] {
  const promotes = isOff
    ? 'The schedules are paused: repeat this command'
    : `The next run of rotate (${schedules.rotate}) promotes it as soon as it is accepted everywhere`;
  const first = "a secret's first token is current already";
  return [
    ...(armed.length > 0
      ? [
          `${armed.join(', ')}: armed, and not accepted everywhere yet. ${promotes}; ${first}. --wait waits for that.`,
        ]
      : []),
    ...(postponed.length > 0
      ? [
          `${postponed.join(', ')}: the run had no time left. Repeat this command, or give it --wait.`,
        ]
      : []),
  ];
}

/** What a rotation by name has done, with one word at least about every token that was named. */
export function formatRotation(
  report: PlanReport,
  names: readonly string[],
  policy: Policy,
): string {
  const fates = names.map((name) => ({ name, fate: fateOf(report, name) }));
  const those = (is: Fate['is']) => fates.flatMap(({ name, fate }) => (fate.is === is ? name : []));
  const { outcomes = [] } = report;
  const isOff = policy.schedules.paused || report.schedule?.state === 'off';
  return [
    ...(outcomes.length > 0 ? [formatOutcomes(report)] : []),
    ...those('answered').map((name) => `${name}: nothing to do, it was rotated a moment ago`),
    ...linesOfUnfinished(those('armed'), those('postponed'), policy, isOff),
    ...fates.flatMap(({ name, fate }) =>
      fate.is === 'stopped' ? [`${name}: not rotated: ${fate.why}`] : [],
    ),
    ...fates.flatMap(({ name, fate }) =>
      findingsOf(report, name)
        .filter(({ kind }) =>
          fate.is === 'stopped'
            ? isHarmless(kind, report, name)
            : !(fate.is === 'rotated' && MENDED.includes(kind)),
        )
        .map(({ kind, message }) => `${name}: ${message} [${kind}]`),
    ),
  ].join('\n');
}
