import type { Policy } from '../../functions/policy/policy.ts';
import { type Action, type Entry, isAboutDatabase, isRefused, type PlanReport } from './answers.ts';
import { conditionWords, fromNow, isOfOthers } from './entry-text.ts';
import { type Finding, isInventory } from './finding-verdict.ts';
import { type Looks, seen } from './looks.ts';
import type { StatusVerdict } from './status-verdict.ts';

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

type Plan = PlanReport['plan'];

/** These actions are a rotation, or a part of one. */
const ROTATING = ['rotate', 'mint', 'arm', 'resume'];
/** Nothing changes these entries until a person does; nor one whose token a person stripped (finding `Held`). */
const STOPPED = ['held', 'deleted', 'replica'];
/** Consumers have a token that works, and nothing is to be done. Whatever a newer version says is not known to be well. */
const WELL = ['works', 'replica'];
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

/** Every entry of the file. */
export function tokenStatuses({ tokens }: Policy, { rotate, reap }: Looks, now: number) {
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
