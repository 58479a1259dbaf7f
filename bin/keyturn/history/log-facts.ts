import { DAY_MS, MINUTE_MS } from '../../../functions/time.ts';
import {
  AN_ORDER,
  type Fact,
  FOUND,
  type Gift,
  NOT_ENDED,
  ROLLED_BACK,
  SAVED,
} from './happening.ts';
import type { GroupRead, LogLine } from './read-logs.ts';

/** What a step that was done made of its token, secret or database, by the kind of its action. */
const DONE: Readonly<Record<string, string>> = {
  adopt: 'adopted',
  'check-replicas': 'its late replicas were looked at again',
  'create-database': 'database created',
  'create-table': 'table created',
  'delete-foreign': 'deleted',
  'delete-secret': 'secret scheduled for deletion',
  delete: 'deleted',
  'detach-pending': 'AWSPENDING taken off',
  'detach-previous': 'AWSPREVIOUS taken off',
  'end-proof': 'permission of a proof taken away',
  fence: 'grace period over',
  'give-back': 'permissions given back',
  hold: 'put on hold',
  'mark-shared': 'noted whether another secret has its string',
  'move-cluster': 'secret tagged with another cluster',
  'note-adoption': 'adoption noted in a tag',
  quarantine: 'quarantined',
  recognise: 'marker brought up to date',
  release: 'hold released',
  replicate: 'replicas made',
  'restart-grace': 'grace periods started again',
  strip: 'frozen',
  supersede: 'superseded',
  'take-over': 'taken over',
  widen: 'permissions widened',
};

/** Kinds of `rotate` that end in what has lines of its own: why is all that they add. */
const ROTATING = ['rotate', 'mint', 'arm', 'resume', 'verify'];
/** The same of `revoke`. */
const REPLACING = 'replace';
/** What writes down that a person did something, and what that was. */
const NOTING = ['recognise', 'mark-shared'];
const BY_HAND: Readonly<Record<string, string>> = {
  SavedByPerson: SAVED,
  RolledBack: ROLLED_BACK,
  PastedByPerson: 'string pasted into another secret by hand',
};

/** Of what a person did, a run tells only that it saw it. */
const BEFORE = { by: 'not Keyturn', why: 'seen then; it was done before' };

/** It had AWSCURRENT already, and was seen accepted again: nobody moved the label. */
const NOT_MOVED = ['Refused', 'RolledBack'];
const MILESTONES = ['minted', 'stored', 'accepted', 'promoted'];

/** An order's proof takes minutes, and its line comes behind that. */
const PROOF_MS = 30 * MINUTE_MS;

const text = (value: unknown): string | undefined =>
  typeof value === 'string' && value !== '' ? value : undefined;

/** A run, as far as the lines of its instance show where it begins. */
interface Run {
  readonly lines: readonly LogLine[];
  /** Who began it. Undefined: the lines do not say it. */
  readonly by: string | undefined;
  /** Why an order was given. */
  readonly why: string | undefined;
  /** Whether that is known of what was done to a secret: an order may have died, and another one come behind it in the same instance. */
  readonly isOf: (secret: unknown) => boolean;
  readonly dryRun: boolean;
}

const WHO: Readonly<Record<string, string>> = { schedule: 'schedule', hand: 'by hand' };

const isStart = ({ message }: LogLine) => message === 'planned';
const isEnd = ({ message }: LogLine) => message === 'reported';

/** Whether two lines are of two orders, as far as they say so. Not all say who gave theirs. */
function isOther({ details: a }: LogLine, { details: b }: LogLine): boolean {
  const differ = (key: string) => a[key] !== undefined && b[key] !== undefined && a[key] !== b[key];
  return a.way !== undefined && b.way !== undefined && ['way', 'reason', 'by'].some(differ);
}

/**
 * The lines of one instance, run by run: `planned` begins one of a schedule's functions, `reported` ends one of `revoke`, and so does
 * what is of another order, behind one that died.
 */
function runsOf(job: string, lines: readonly LogLine[]): readonly Run[] {
  const runs: LogLine[][] = [[]];
  for (const line of lines) {
    const isOfOther = () => runs.at(-1)?.some((each) => isOther(each, line));
    if (isStart(line) || (job === 'revoke' && isOfOther())) runs.push([]);
    runs.at(-1)?.push(line);
    if (isEnd(line)) runs.push([]);
  }
  return runs.map((each) => {
    const { by: who, dryRun } = each.find(isStart)?.details ?? {};
    const orderer = each.findLast(({ details }) => text(details.by) !== undefined && details.way);
    const by =
      job === 'secrets-manager-rotation'
        ? 'Secrets Manager’s rotation'
        : job === 'revoke'
          ? (text(orderer?.details.by) ?? AN_ORDER)
          : WHO[String(who)];
    const why = orderer && whyOf(orderer);
    const signed = each.filter(({ details }) => text(details.by) !== undefined);
    const secrets = new Set(signed.map(({ details }) => details.secret));
    const isOf = (secret: unknown) => job !== 'revoke' || secrets.has(secret);
    return { lines: each, by, why, isOf, dryRun: dryRun === true };
  });
}

/** `leaked` of an order is said as it was given; a reason of a plan is one of the glossary's words. */
function whyOf({ details: { way, reason } }: LogLine): string | undefined {
  const said = text(reason);
  return text(way) && said ? `${way}: ${said}` : said;
}

const ENDED: Readonly<Record<string, string>> = {
  deleted: 'deleted',
  frozen: 'frozen',
  'given-back': 'permissions given back',
};

function databaseText({ kind, field, from, to, table }: LogLine['details']): string | undefined {
  if (kind === 'change') return `${field} changed from ${from} to ${to}`;
  return table === undefined ? undefined : `table ${table} created`;
}

/** What was done by a plan or an order, unless lines of their own tell it. */
function actionFacts({ message, details }: LogLine, common: Fact): readonly Fact[] {
  const { reason, version } = details;
  const kind = String(details.kind);
  if (ROTATING.includes(kind) || kind === REPLACING) return [];
  // It writes down what an earlier run did.
  if (kind === 'recognise' && reason === 'Promoted') return [];
  const act = BY_HAND[String(reason)];
  if (act !== undefined && NOTING.includes(kind)) {
    const done = { what: act, ...BEFORE };
    const isSave = reason === 'SavedByPerson';
    // Its version has the right instant, and outlives the log; it is named, but by functions of an earlier version.
    const key = text(version);
    const withinMs = key === undefined ? 2 * DAY_MS : Number.POSITIVE_INFINITY;
    // Of AWSPREVIOUS and AWSPENDING it is not known whether consumers had it.
    const gave = details.label === 'AWSCURRENT' ? { tokenId: common.tokenId } : undefined;
    const save = { key, tokenId: undefined, gave, withinMs };
    return [{ ...common, ...done, ...(isSave && save) }];
  }
  const special = kind === 'detach-label' ? `${details.label} taken off` : databaseText(details);
  return [
    // The same run may note it, too.
    ...(kind === 'give-back' && act !== undefined
      ? [{ ...common, what: act, ...BEFORE, withinMs: PROOF_MS }]
      : []),
    { ...common, what: special ?? DONE[kind] ?? `${message}: ${kind}` },
  ];
}

/** What an order made of one token, and that its string was seen refused. */
function endFacts({ details }: LogLine, common: Fact): readonly Fact[] {
  const { result, deadAfterSeconds: seconds } = details;
  const what = ENDED[String(result)];
  const ended = what === undefined ? [] : [{ ...common, what, withinMs: PROOF_MS }];
  if (typeof seconds !== 'number') return ended;
  const why = `every probe refused, ${Math.round(seconds)} s after the order`;
  return [...ended, { ...common, what: 'string refused', why }];
}

function orderFacts({ details }: LogLine, common: Fact): readonly Fact[] {
  const { done, confirmed, unconfirmed } = details;
  if (confirmed === true) return [];
  const what = done === true ? 'an order is not all proven' : 'an order was not all done';
  const open = Array.isArray(unconfirmed) ? unconfirmed : [];
  const why = [common.why, ...open].filter(Boolean).join('; ');
  return [{ ...common, what, subject: 'revoke', why }];
}

/** What a run found under AWSCURRENT that it knows not. `reap` reads no strings; of what could not be read nothing is known. */
function giftIn(found: string): Gift | undefined {
  if (found.includes('AWSCURRENT has a string')) return {};
  return found.includes('whose string AWSCURRENT has') ? { is: 'perhaps' } : undefined;
}

/** What every run finds again as long as it is so; of the whole deployment nothing. */
function findingFacts({ details: { kind, message } }: LogLine, common: Fact): readonly Fact[] {
  if (!common.tokenId && !common.secret && !common.entry && !common.subject) return [];
  const why = `${text(message) ?? ''} [${kind}]`;
  const gave = kind === 'UnknownVersion' ? giftIn(why) : undefined;
  return [{ ...common, what: FOUND, why, by: undefined, gave, isRepeated: true }];
}

/** By the message of a line. Those of other messages tell of nothing that was done. */
const READ: Readonly<Record<string, (line: LogLine, common: Fact) => readonly Fact[]>> = {
  minted: (_line, common) => [common],
  stored: (_line, common) => [common],
  accepted: (_line, common) => [{ ...common, what: 'proven' }],
  promoted: ({ details: { previousTokenId, reason } }, common) =>
    NOT_MOVED.includes(String(reason))
      ? [{ ...common, what: 'proven' }]
      : [{ ...common, formerId: text(previousTokenId), isExact: true, withinMs: DAY_MS }],
  done: actionFacts,
  revoking: actionFacts,
  revoked: endFacts,
  reported: orderFacts,
  found: findingFacts,
  stripped: (_line, common) => [{ ...common, what: 'frozen' }],
  failed: ({ details, error }, common) => [
    {
      ...common,
      what: text(details.kind) ? `failed: ${details.kind}` : 'failed',
      why: error ?? common.why,
      isRepeated: true,
    },
  ],
  'not accepted yet': ({ details }, common) => [
    { ...common, why: text(details.detail), isRepeated: true },
  ],
};

/** @param about `why`: of the whole rotation that the line is a part of */
function factsOf(line: LogLine, about: Pick<Fact, 'source' | 'by' | 'why'>): readonly Fact[] {
  const { at, message, details } = line;
  const { tokenId, secret, database, token, confirmedBy } = details;
  const common: Fact = {
    ...about,
    at,
    what: message,
    tokenId: text(tokenId),
    secret: text(secret),
    entry: text(token),
    subject: text(database),
    by: text(confirmedBy) ?? about.by,
    why: about.why ?? whyOf(line),
  };
  return READ[message]?.(line, common) ?? [];
}

/** What a run refused of its plan, and what a person approved of one. */
function planFacts(
  { details, at }: LogLine,
  source: string,
  by: string | undefined,
): readonly Fact[] {
  const { refusals, approve, job } = details;
  const hash = text(approve);
  const refused = Array.isArray(refusals) ? refusals : [];
  return [
    ...(hash === undefined
      ? []
      : [{ at, source, by, what: `run with the approval ${hash}`, subject: String(job) }]),
    ...refused.map((each) => ({
      ...{ at, source, by: undefined, subject: String(job), isRepeated: true },
      what: `a part of the plan waits for the approval ${each?.hash}`,
      why: String(each?.message),
    })),
  ];
}

const secretsIn = (lines: readonly LogLine[]): readonly string[] => [
  ...new Set(lines.flatMap(({ details }) => text(details.secret) ?? [])),
];

/** An order's end is told of every secret that it was about. */
function endOfOrder(
  line: LogLine,
  lines: readonly LogLine[],
  about: Pick<Fact, 'source' | 'by' | 'why'>,
): readonly Fact[] {
  const secrets = secretsIn(lines);
  const facts = factsOf(line, about);
  return secrets.length === 0
    ? facts
    : secrets.flatMap((secret) => facts.map((fact) => ({ ...fact, secret })));
}

function runFacts({ lines, by, why, isOf }: Run, source: string): readonly Fact[] {
  const because = (secret: unknown) =>
    lines.find(
      ({ message, details }) =>
        message === 'done' && ROTATING.includes(String(details.kind)) && details.secret === secret,
    );
  const facts = lines.flatMap((line) => {
    if (isStart(line)) return planFacts(line, source, by);
    if (isEnd(line)) return endOfOrder(line, lines, { source, by, why });
    if (!isOf(line.details.secret)) return factsOf(line, { source, by: AN_ORDER });
    const cause = MILESTONES.includes(line.message) ? because(line.details.secret) : undefined;
    const isPart = MILESTONES.includes(line.message);
    return factsOf(line, { source, by, why: cause ? whyOf(cause) : isPart ? why : undefined });
  });
  // Functions of an earlier version log no milestones.
  const isTold = (secret: unknown) =>
    lines.some(({ message, details }) => MILESTONES.includes(message) && details.secret === secret);
  const untold = lines.filter(
    ({ message, details: { kind, secret } }) =>
      message === 'done' && ROTATING.includes(String(kind)) && !isTold(secret),
  );
  return [
    ...facts,
    ...untold.map((line) => ({
      ...{ at: line.at, source, by, why: whyOf(line) },
      what: ['mint', 'arm'].includes(String(line.details.kind)) ? 'successor prepared' : 'rotated',
      secret: text(line.details.secret),
      ...(line.details.kind === 'resume' && { tokenId: text(line.details.tokenId) }),
    })),
  ];
}

/** An order that the log does not end: it died, or goes on. */
function brokenOff({ lines, isOf, by, why }: Run, source: string): readonly Fact[] {
  const last = lines.at(-1);
  if (!last || lines.some(isEnd)) return [];
  return secretsIn(lines).map((secret) => ({
    ...{ at: last.at, source, secret, subject: 'revoke' },
    ...(isOf(secret) ? { by, why } : { by: AN_ORDER }),
    what: NOT_ENDED,
  }));
}

const begunAt = ({ lines }: Run): number => (lines.find(isStart) ?? lines[0])?.at ?? 0;

/** When the run began that was the last before each. */
function runBefore(runs: readonly Run[]): (run: Run) => number | undefined {
  const sorted = runs.map(begunAt).sort((a, b) => a - b);
  return (run) => sorted.findLast((at) => at < begunAt(run));
}

/** Whether a run saw that all was as it should be with a secret, as far as all that it said is there: it had nothing to do, nor to find. */
function isQuiet({ lines }: Run, secret: unknown): boolean {
  const { actions, findings } = lines.find(isStart)?.details ?? {};
  const found = lines.filter(({ message }) => message === 'found');
  const isOther = ({ details }: LogLine) => text(details.secret) && details.secret !== secret;
  return actions === 0 && findings === found.length && found.every(isOther);
}

/** The same of the last quiet run, of what `rotate` notes in the first run that sees where AWSCURRENT is. */
function quietBefore(runs: readonly Run[]): (run: Run, fact: Fact) => Pick<Fact, 'notYetAt'> {
  const known = new Map<unknown, ReturnType<typeof runBefore>>();
  return (run, { what, secret, gave }) => {
    if (what !== ROLLED_BACK && !(what === FOUND && gave)) return {};
    const before = known.get(secret) ?? runBefore(runs.filter((each) => isQuiet(each, secret)));
    known.set(secret, before);
    return { notYetAt: before(run) };
  };
}

/** A dry run does nothing. */
function runsIn({ job, lines }: GroupRead): readonly Run[] {
  const streams = Map.groupBy(lines, ({ stream }) => stream);
  const runs = [...streams.values()].flatMap((each) => runsOf(job, each));
  return runs.filter(({ dryRun }) => !dryRun);
}

/** Who runs a function by hand may name what it looks at. */
const isScheduled = ({ by }: Run) => by === WHO.schedule;

/** When the first run of `rotate` began after an instant that saw that all was well with a secret. */
export function quietAfter(groups: readonly GroupRead[]) {
  const runs = groups
    .filter(({ job }) => job === 'rotate')
    .flatMap(runsIn)
    .filter(isScheduled)
    .toSorted((a, b) => begunAt(a) - begunAt(b));
  return (secret: string | undefined, at: number): number | undefined => {
    const run = runs.find((each) => begunAt(each) > at && isQuiet(each, secret));
    return run && begunAt(run);
  };
}

/** All that the lines of a log group say was done. */
export function logFacts(group: GroupRead): readonly Fact[] {
  const { job } = group;
  const source = `log of ${job}`;
  const runs = runsIn(group);
  const scheduled = runs.filter(isScheduled);
  const before = runBefore(scheduled);
  const notYet = quietBefore(job === 'rotate' ? scheduled : []);
  return runs.flatMap((run) => [
    ...runFacts(run, source).map((fact) => ({
      ...fact,
      ...notYet(run, fact),
      runBeforeAt: before(run),
    })),
    ...(job === 'revoke' ? brokenOff(run, source) : []),
  ]);
}
