import { formatDuration } from '../../functions/policy/duration.ts';
import { UNDOING_WAYS } from '../../functions/revocation/plan/order.ts';
import type { RevocationAction } from '../../functions/revocation/plan/revocation-action.ts';
import { NO_OTHER, NO_STRING } from '../../functions/revocation/report.ts';
import { offNote } from '../../functions/schedules/schedule-text.ts';
import { oneLine } from '../harmless.ts';
import { advised } from './advice.ts';
import type { KnownToken, Revocation } from './answers.ts';
import { inFlags } from './failure.ts';
import { formatTable, labelled } from './table.ts';
import type { Style } from './terminal.ts';

const WAYS: Readonly<Record<string, string>> = {
  replace:
    'Replace: successors are promoted first, then these tokens are deleted, without a grace period.',
  /** The successor was promoted before, or there is none. */
  alone: 'Replace: no successor is promoted; these tokens are deleted, without a grace period.',
  immediately:
    'Replace at once: these tokens are deleted first; consumers fail until they read the successors.',
  freeze: 'Freeze: these tokens lose their permissions until keyturn unfreeze.',
  delete: 'Delete: these tokens are deleted, and get no successor until keyturn lift.',
  unfreeze: 'Unfreeze: these tokens get back the permissions that the freeze removed.',
  lift: 'Lift: the hold is taken off, so that the next run of rotate may issue tokens here again; what the deletion left alive is deleted first.',
  restore: 'Restore: these tokens get back the permissions that quarantine removed.',
};

const STEPS = {
  hold: 'set the hold',
  release: 'remove the hold',
  replace: 'promote a successor',
  'detach-label': 'remove labels',
  strip: 'remove permissions',
  delete: 'delete',
  'give-back': 'give permissions back',
} satisfies Record<RevocationAction['kind'], string>;

const WHAT_IS_DONE: ReadonlyMap<string, string> = new Map(Object.entries(STEPS));

/** `read telemetry, write telemetry`. */
export const formatPermissions = ({ permissions }: Pick<KnownToken, 'permissions'>): string =>
  permissions.map(({ action, resource }) => `${action} ${resource}`).join(', ') || 'nothing';

/** `3d4h`: the two largest units. */
export const formatRoughly = (milliseconds: number): string =>
  (formatDuration(Math.abs(milliseconds)).match(/(?<!\d)\d+[dhms]/g) ?? []).slice(0, 2).join('');

const short = (tokenId: string) => tokenId.slice(0, 8);

/** How an order is given. */
interface Given {
  readonly immediately?: boolean;
  readonly isLocal?: boolean;
}

/** What the order does, in a sentence. */
function wayOf(
  { way, plan: { actions } }: Revocation,
  { immediately = false, isLocal }: Given,
): string {
  const isAlone = actions.length > 0 && actions.every(({ kind }) => kind !== 'replace');
  if (way === 'replace' && isAlone) return WAYS.alone ?? way;
  return advised(WAYS[immediately ? 'immediately' : way] ?? way, isLocal);
}

/** Nothing is done, and nothing can be proven: a repetition without any step proves what is reached. */
export const isHopeless = ({ actions, secrets, notReached }: Revocation['plan']): boolean => {
  const refused = new Set(notReached.map(({ secret }) => secret));
  return refused.size > 0 && actions.length === 0 && secrets.every((each) => refused.has(each));
};

function steps({ plan }: Revocation): string {
  const kinds = Map.groupBy(plan.actions, ({ kind }) => kind);
  const counted = [...kinds].map(
    ([kind, each]) => `${WHAT_IS_DONE.get(kind) ?? kind} (${each.length})`,
  );
  const none = isHopeless(plan) ? 'none: refused' : 'none: nothing is left to do';
  return counted.join(', ') || none;
}

const offNotes = ({ schedules = [] }: Revocation): string[] =>
  schedules.flatMap((each) => offNote(each) ?? []);

/** What an order affects, before anything is done. */
export function formatBlastRadius(report: Revocation, given: Given, style: Style): string {
  const { tokens, databases, secrets, warnings, refusal } = report.plan;
  const rows = tokens.map((each) => ({
    cells: [
      each.token ?? each.description,
      short(each.tokenId),
      each.state,
      formatPermissions(each),
      each.secret ?? '',
    ],
  }));
  const headings = ['TOKEN', 'ID', 'STATE', 'MAY', 'SECRET'];
  return [
    style('bold', wayOf(report, given)),
    '',
    ...(rows.length > 0 ? [formatTable(headings, rows, style), ''] : []),
    `tokens     ${tokens.length}`,
    labelled('databases  ', databases.join(', ') || 'none', style),
    labelled('secrets    ', secrets.join(', ') || 'none', style),
    labelled('steps      ', steps(report), style),
    ...(refusal === undefined ? [] : [style('red', `refused    ${oneLine(inFlags(refusal))}`)]),
    ...[...warnings, ...offNotes(report)].map((warning) =>
      style('yellow', `note       ${oneLine(inFlags(warning))}`),
    ),
  ].join('\n');
}

/** An answer may be of other functions than these. */
const UNDOING: readonly string[] = UNDOING_WAYS;

/** What the functions say where an order cannot be proven by any order: only a person can see what is so. */
const BY_HAND_ALONE = [NO_STRING, 'had its string, is gone', 'has another string'];

/** What they say where something else helps than the same order. It is said there what. */
const OTHERWISE = [
  'keyturn rotate',
  'keyturn pause',
  'only its own answer',
  'no entry of the policy',
  'unfreeze it',
  'unfreeze the whole',
  'unfreeze ends it',
  'unfreeze would',
  'lift it',
  'lift the whole',
  'restore it',
  'it stays so',
  'were not kept',
  'was not kept',
  'scheduled for deletion',
  'is a replica',
  'by its id',
  'revoke it there',
];

const AGAIN = /give (?:the same|the|this) order again/;

const isAmong = (reason: string, said: readonly string[]) =>
  !AGAIN.test(reason) && said.some((each) => reason.includes(each));

/** Why the same order would not help. Undefined: it may, as where something was late or did not answer. */
function whyNotAgain(
  { tokens, unconfirmed }: Revocation,
  refusedAgain: string | undefined,
): string | undefined {
  const reasons = [...tokens.flatMap((each) => each.unconfirmed ?? []), ...unconfirmed];
  const isEach = (is: (reason: string) => boolean) => reasons.length > 0 && reasons.every(is);
  if (isEach((each) => each.includes(NO_STRING))) {
    return 'Nobody knows the string, so no command proves it';
  }
  if (refusedAgain) return `The same command would be refused now: ${oneLine(refusedAgain)}`;
  if (isEach((each) => each.includes(NO_OTHER))) {
    return 'Repeat the same command as soon as another string does the same, to compare with';
  }
  return isEach((each) => isAmong(each, [...BY_HAND_ALONE, ...OTHERWISE]))
    ? 'To repeat the command does not help: what does, the lines above say'
    : undefined;
}

/** What to do about an order that is not confirmed. */
function whatNext(report: Revocation, refusedAgain: string | undefined): string {
  const why = whyNotAgain(report, refusedAgain);
  if (!report.done) {
    return `Not everything was done. ${why ?? 'What the same command can still do, it does when repeated'}.`;
  }
  const byHand = UNDOING.includes(report.way)
    ? ''
    : '; how to see by hand what is left, docs/runbook.md says under "A revocation is not confirmed"';
  const next = why ? `${why}${byHand}` : 'Repeat the same command: it continues and probes again';
  return `Everything was done that can be done, and not all of it is proven: see above. ${next}.`;
}

function verdict(report: Revocation, style: Style, refusedAgain: string | undefined): string {
  const seconds = report.tokens.flatMap(({ deadAfterSeconds = [] }) => deadAfterSeconds);
  if (!report.confirmed) {
    return style(report.done ? 'yellow' : 'red', whatNext(report, refusedAgain));
  }
  const isUndoing = UNDOING.includes(report.way);
  if (isUndoing && report.plan.actions.length === 0) {
    return style('green', 'Nothing was done: there was nothing to undo.');
  }
  if (report.tokens.some(({ result }) => result === 'given-back')) {
    return style('green', 'Everything was done, and the cluster accepts what was given back.');
  }
  // Of those that the answer had no room for, nobody knows here how long they lived.
  if (report.leftOut) return style('green', 'Everything was done and proven.');
  if (seconds.length === 0) return style('green', 'Everything was done.');
  const slowest = Math.round(Math.max(...seconds));
  return style(
    'green',
    `Everything was done and proven: every token was refused within ${slowest} s.`,
  );
}

/** Identical sentences about many tokens or secrets are told once, with a count. */
function toldOnce(sentences: readonly string[]): string[] {
  const counts = Map.groupBy(sentences, (each) => each);
  return [...counts].map(([sentence, { length }]) =>
    length === 1 ? sentence : `${sentence} (${length} times)`,
  );
}

/**
 * What may still work comes first, then the result for each token.
 * @param refusedAgain why the same order would be refused now
 */
export function formatRevocation(report: Revocation, style: Style, refusedAgain?: string): string {
  const rows = report.tokens.map((each) => ({
    cells: [
      each.token ?? each.secret ?? '',
      short(each.tokenId),
      each.result,
      each.replacedBy === undefined ? '' : short(each.replacedBy),
      each.deadAfterSeconds === undefined ? '' : `${each.deadAfterSeconds.toFixed(1)} s`,
      each.unconfirmed ?? '',
    ],
  }));
  const headings = ['TOKEN', 'ID', 'RESULT', 'REPLACED BY', 'REFUSED AFTER', 'NOT PROVEN'];
  const unconfirmed = toldOnce(report.unconfirmed.map(inFlags));
  const { withoutToken = [] } = report.plan;
  return [
    ...unconfirmed.map((sentence) => style('yellow', `NOT PROVEN  ${oneLine(sentence)}`)),
    ...withoutToken.map((sentence) => style('yellow', `NO TOKEN    ${oneLine(sentence)}`)),
    ...(unconfirmed.length + withoutToken.length > 0 ? [''] : []),
    ...(rows.length > 0 ? [formatTable(headings, rows, style), ''] : []),
    verdict(report, style, refusedAgain),
    // Also where everything was done: until they are resumed, nobody mints what consumers wait for.
    ...offNotes(report).map((note) => style('yellow', `note       ${oneLine(note)}`)),
  ].join('\n');
}
