import { functionName } from '../../../functions/environment.ts';
import type { Policy } from '../../../functions/policy/policy.ts';
import { counted } from '../../../functions/run/counted.ts';
import { formatInstant, MINUTE_MS } from '../../../functions/time.ts';
import { ENTRIES } from '../../../lib/bundle.ts';
import type { Engine } from '../engine.ts';
import { CommandError, kindOf, sentenceOf } from '../failure.ts';
import type { Terminal } from '../terminal.ts';
import { InterruptedError, whileWaiting } from '../waiting.ts';
import { rotationsOf } from './evidence.ts';
import {
  type Fact,
  type Happening,
  happeningsOf,
  isLogged,
  OR_LATER,
  SAVED,
  withMoves,
} from './happening.ts';
import type { History, Source } from './history-text.ts';
import { logFacts, quietAfter } from './log-facts.ts';
import { type Past, pastFacts, readPast } from './past-facts.ts';
import { type GroupRead, readLogs } from './read-logs.ts';

export interface Asked {
  /** Milliseconds since 1970. */
  readonly since: number;
  readonly sinceText: string;
  /** An entry of the policy, or of an earlier one. Absent: all. */
  readonly entry?: Entry;
  readonly functionPrefix?: string;
}

/** A run says who began it in its first line, and an order when it ended a token long before it has proven that. */
const BEGUN_BEFORE_MS = 30 * MINUTE_MS;

/** What tells of one entry. */
export interface Entry {
  readonly name: string;
  readonly secret: string;
  /** The policy has it no more. */
  readonly isRemoved: boolean;
}

const CLOUDWATCH = 'CloudWatch Logs';
const BOTH = 'cluster and Secrets Manager';

/** A function of an earlier version does not know the key. */
const isOlder = (error: unknown) =>
  kindOf(error) === 'RequestError' && sentenceOf(error).includes('unknown key history');

async function askPast(engine: Engine, { since, entry }: Asked): Promise<Past | Error> {
  const history = { since: formatInstant(since) };
  const named = entry && !entry.isRemoved ? { tokens: [entry.name] } : {};
  const event = { dryRun: true, history, ...named };
  try {
    return readPast(await engine.call('rotate', event));
  } catch (error) {
    if (error instanceof InterruptedError) throw error;
    const hint = isOlder(error)
      ? '; the deployed function is of an earlier version: deploy the stack, or use --local'
      : '';
    return new CommandError(`${sentenceOf(error)}${hint}`, { cause: error });
  }
}

function groupSource({ job, lines, oldestAt, why }: GroupRead): Source {
  const from = oldestAt === undefined ? '' : `, the oldest of ${formatInstant(oldestAt)}`;
  const read = `${counted(lines.length, 'line')}${from}`;
  const source = `log of ${job}`;
  if (why !== undefined) {
    return { source, isWhole: false, found: oldestAt === undefined ? why : `${why} (${read})` };
  }
  return {
    source,
    isWhole: true,
    found:
      oldestAt === undefined
        ? 'no lines: it did not run in this time, or its lines are gone (retention)'
        : read,
  };
}

function pastSources(past: Past | Error, since: number): readonly Source[] {
  if (past instanceof Error) return [{ source: BOTH, isWhole: false, found: past.message }];
  const { tokens, secrets, unseen } = past.history;
  const versions = secrets
    .flatMap((each) => each.versions)
    .filter(({ createdAt }) => Date.parse(createdAt) >= since);
  const lived = tokens.filter(
    ({ revokedAt }) => revokedAt === undefined || Date.parse(revokedAt) >= since,
  );
  const [first] = unseen;
  const missing =
    first === undefined
      ? ''
      : `; the versions of ${counted(unseen.length, 'secret')} could not be listed: ${first.secret}: ${first.why}`;
  return [
    {
      source: 'cluster',
      isWhole: true,
      found: `${counted(lived.length, 'token')} of ours that lived in this time, as far as it lists them`,
    },
    {
      source: 'Secrets Manager',
      isWhole: first === undefined,
      found: `${counted(versions.length, 'version')} of this time in ${counted(secrets.length, 'secret')}, as far as it keeps them${missing}`,
    },
  ];
}

/**
 * Whether Keyturn would have logged what was done then, if it had done it: lines of before are there, of the schedule that deletes, and
 * some of a minute later, since a line is to be seen only a while after it was written.
 */
const isCovered = (groups: readonly GroupRead[], at: number) =>
  groups.every(({ why }) => why === undefined) &&
  groups.some(({ job, oldestAt = Number.POSITIVE_INFINITY }) => job === 'reap' && oldestAt <= at) &&
  groups.some(({ lines }) => (lines.at(-1)?.at ?? 0) >= at + MINUTE_MS);

/** How those of the listed tokens are that have not ended. */
function livingOf({ history: { tokens, others = [] } }: Past, now: number) {
  const ours = tokens.filter(
    ({ revokedAt, expiresAt }) =>
      revokedAt === undefined && (expiresAt === undefined || Date.parse(expiresAt) > now),
  );
  return new Map([
    ...others.map((id) => [id, 'unmarked'] as const),
    ...ours.map(
      ({ tokenId, works }) => [tokenId, works ? 'works' : 'without permissions'] as const,
    ),
  ]);
}

/** What only Keyturn writes: the marker of a token, or the id of a version. */
const KEYTURNS = ['minted', 'stored', 'superseded', 'grace period over', 'quarantined'];

const NOT_READ = 'not all logs of then are there, or not yet';

/** What is told of the doer of what no log has. */
interface Doers {
  readonly groups: readonly GroupRead[];
  /** What Keyturn tried, and of which it has seen no success. */
  readonly failed: readonly Happening[];
  /** Tokens that an order ended, or found gone: a tag of their secret has both. */
  readonly ordered: ReadonlySet<string>;
}

/** A request that took effect may have lost its answer: then its log tells of a failure, behind it. */
const isOfFailed = ({ at, tokenId }: Happening, { untilAt, ...failed }: Happening) =>
  failed.tokenId === tokenId &&
  at >= failed.at - BEGUN_BEFORE_MS &&
  at <= (untilAt ?? failed.at) + BEGUN_BEFORE_MS;

function deleterOf(each: Happening, { groups, failed, ordered }: Doers): string {
  const { at, tokenId = '' } = each;
  const attempt = failed.find((other) => isOfFailed(each, other));
  if (attempt) return `perhaps ${attempt.by ?? 'Keyturn'}, whose request failed or lost its answer`;
  if (isCovered(groups, at)) {
    return 'not Keyturn, or a run that died there, or one with --local: no log has it';
  }
  if (ordered.has(tokenId)) return `an order, or somebody before it: ${NOT_READ}`;
  return `by whom is not known: ${NOT_READ}`;
}

/** Says who did what no log tells of, and claims no more than is known. */
function withDoer(each: Happening, doers: Doers): Happening {
  if (each.by !== undefined || each.what === 'found') return each;
  if (isLogged(each)) return each;
  if (KEYTURNS.includes(each.what)) return { ...each, by: 'Keyturn' };
  if (each.what === 'promoted') {
    return { ...each, by: 'Keyturn, or who moved AWSCURRENT', why: each.why ?? OR_LATER };
  }
  if (each.what === SAVED) {
    const isSeen = isCovered(doers.groups, each.at);
    return {
      ...each,
      by: isSeen ? 'not Keyturn' : `perhaps Secrets Manager’s rotation: ${NOT_READ}`,
    };
  }
  return each.what === 'deleted' ? { ...each, by: deleterOf(each, doers) } : each;
}

/** Versions that our functions put, as their logs say, by whatever id. */
const versionsPut = (groups: readonly GroupRead[]): ReadonlySet<unknown> =>
  new Set(
    groups.flatMap(({ lines }) =>
      lines.flatMap(({ message, details }) => (message === 'stored' ? [details.version] : [])),
    ),
  );

/** Tokens that logs count to a secret: minted, stored or promoted for it. */
const countedIn = (facts: readonly Fact[]): ReadonlySet<string> =>
  new Set(
    facts.flatMap(({ what, tokenId, secret }) =>
      secret !== undefined && tokenId !== undefined && OF_SECRET.includes(what) ? [tokenId] : [],
    ),
  );
const OF_SECRET = ['minted', 'stored', 'promoted', 'adopted'];

/** What is about one entry: its secret, and the tokens that any source counts to that. */
function ofEntry(facts: readonly Fact[], { name, secret }: Entry) {
  const ids = new Set(
    facts.flatMap((fact) => (fact.secret === secret && fact.tokenId ? [fact.tokenId] : [])),
  );
  return facts.filter(
    (fact) =>
      fact.secret === secret ||
      (fact.tokenId !== undefined && ids.has(fact.tokenId)) ||
      (fact.secret === undefined && fact.entry === name),
  );
}

/**
 * Reads all that tells of the past, and makes one history of it.
 * @throws the first error if nothing could be read at all
 */
export async function tellHistory(
  { policy, engine }: { readonly policy: Policy; readonly engine: Engine },
  asked: Asked,
  terminal: Terminal,
): Promise<History> {
  const { since, sinceText, entry, functionPrefix = functionName(policy.owner, '') } = asked;
  const [groups, answer] = await Promise.all([
    whileWaiting(terminal, { place: CLOUDWATCH, isLook: true }, () =>
      readLogs(ENTRIES, functionPrefix, since - BEGUN_BEFORE_MS),
    ),
    askPast(engine, asked),
  ]);
  const unread = groups.every(({ why, oldestAt }) => why !== undefined && oldestAt === undefined);
  if (unread && answer instanceof Error) {
    throw new CommandError(
      `nothing could be read. ${BOTH}: ${answer.message}; logs: ${groups[0]?.why}`,
      { cause: answer },
    );
  }
  const known = answer instanceof Error ? undefined : answer;
  const put = versionsPut(groups);
  const now = Date.now();
  const logged = groups.flatMap(logFacts);
  const past = known ? pastFacts(known, now, countedIn(logged)) : [];
  const all = [...logged, ...past.filter(({ key }) => !put.has(key))];
  const ended = known?.history.tokens.filter(({ endedByOrder }) => endedByOrder) ?? [];
  const happenings = happeningsOf(entry ? ofEntry(all, entry) : all);
  const failed = happenings.filter(({ what }) => what.startsWith('failed: delete'));
  const doers = { groups, failed, ordered: new Set(ended.map(({ tokenId }) => tokenId)) };
  const quiet = quietAfter(groups);
  const withQuiet = (each: Happening) =>
    each.gave?.is === 'perhaps' ? { ...each, quietAt: quiet(each.secret, each.at) } : each;
  const told = withMoves(happenings.map((each) => withQuiet(withDoer(each, doers))));
  const names = new Map(policy.tokens.map(({ name, secret }) => [secret, name]));
  return {
    owner: policy.owner,
    since,
    sinceText,
    happenings: told.filter(({ at, untilAt = at }) => untilAt >= since),
    told,
    ...(known && { living: livingOf(known, now) }),
    ...(entry && { rotations: rotationsOf(told, known, since) }),
    sources: [...groups.map(groupSource), ...pastSources(answer, since)],
    entryOf: (secret) => names.get(secret),
  };
}
