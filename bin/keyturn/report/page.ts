import type { Policy } from '../../../functions/policy/policy.ts';
import { conditionWords, fromNow } from '../entry-text.ts';
import { findingVerdict, isInventory } from '../finding-verdict.ts';
import type { Happening } from '../history/happening.ts';
import type { History, Source } from '../history/history-text.ts';
import { type DatabaseStatus, type Status, scheduleVerdict } from '../status-report.ts';
import { lastLine, managementTokenSaid, otherPolicySaid, scheduleSaid } from '../status-text.ts';
import type { StatusVerdict } from '../status-verdict.ts';
import type { TokenStatus } from '../token-status.ts';
import type { Life } from './life.ts';
import { livesOf, type Present } from './lives.ts';
import { type Mark, marksOf } from './marks.ts';

/** Where and of what the page is made. */
export interface Origin {
  /** Milliseconds since 1970. */
  readonly now: number;
  readonly policyFile: string;
  /** `account 123456789012, eu-west-1, …`, or why that is not known. */
  readonly account: string;
  /** Who was asked: `keyturn-prod-rotate`, `this machine`. */
  readonly place: string;
  readonly version: string;
}

export interface TokenRow {
  readonly verdict: StatusVerdict;
  readonly name: string;
  readonly secret: string;
  readonly state: string;
  readonly string: string;
  readonly tokenId: string;
  readonly nextRotation: string;
  readonly expires: string;
}

/** What somebody should know, the worst first. */
export interface Risk {
  readonly verdict: Exclude<StatusVerdict, 'well'>;
  readonly about: string;
  readonly text: string;
  /** What lets a refused part of a plan be done. */
  readonly command?: string;
}

/** All that is told of one entry, of a secret without one, or of what is neither. */
export interface Group {
  readonly name: string;
  readonly lives: readonly Life[];
  readonly marks: readonly Mark[];
}

/** Which entries may use a database, or every one (`*`). */
export interface Access {
  readonly database: string;
  readonly readers: readonly string[];
  readonly writers: readonly string[];
}

/** All that the page shows. Text that came from outside is as it came. */
export interface Page extends Origin {
  readonly owner: string;
  readonly cluster: string;
  readonly verdict: StatusVerdict;
  readonly sentence: string;
  readonly tokens: readonly TokenRow[];
  readonly risks: readonly Risk[];
  /** Counts and the like, which are no trouble. */
  readonly inventory: readonly string[];
  readonly databases: readonly DatabaseStatus[];
  /** Whether `enforce` looked at the databases, by the rules of the file. */
  readonly isEnforceSeen: boolean;
  readonly managementToken: { readonly verdict: StatusVerdict; readonly text: string };
  readonly schedules: readonly { readonly verdict: StatusVerdict; readonly text: string }[];
  /** Where the timeline begins. */
  readonly since: number;
  readonly sinceText: string;
  readonly groups: readonly Group[];
  /** In order of time. */
  readonly marks: readonly Mark[];
  readonly entries: readonly {
    readonly name: string;
    readonly secret: string;
    readonly description: string;
    readonly reads: readonly string[];
    readonly writes: readonly string[];
  }[];
  readonly access: readonly Access[];
  readonly sources: readonly Source[];
  /** Whether all of the history could be read. */
  readonly isWhole: boolean;
}

function tokenRow({ entry, token, ...of }: TokenStatus, now: number): TokenRow {
  const { condition, tokenId = '', expiresAt } = entry ?? {};
  const expires = expiresAt === undefined ? 'never' : fromNow(expiresAt, now);
  return {
    verdict: of.verdict,
    name: token,
    secret: of.secret,
    state: condition === undefined ? 'unknown' : conditionWords(condition),
    string: entry ? of.acceptance.answer : 'not asked',
    tokenId,
    nextRotation: of.nextRotation ?? '',
    expires: tokenId === '' ? '' : expires,
  };
}

const isTrouble = <V extends { readonly verdict: StatusVerdict }>(
  each: V,
): each is V & Pick<Risk, 'verdict'> => each.verdict !== 'well';

function risksOf(status: Status, sources: readonly Source[], now: number): readonly Risk[] {
  const { tokens, databases, managementToken: management } = status;
  const parts = [
    ...tokens.map(({ verdict, token, problems }) => ({ verdict, about: token, problems })),
    ...databases.map(({ verdict, database, problems, state }) => {
      return { verdict, about: database, problems: problems.length > 0 ? problems : [state] };
    }),
    {
      verdict: management.verdict,
      about: 'management token',
      problems: [managementTokenSaid(management, now)],
    },
    ...status.schedules.map((each) => {
      return { verdict: scheduleVerdict(each), about: 'schedules', problems: [scheduleSaid(each)] };
    }),
  ];
  const unknown = { verdict: 'unknown' } as const;
  const found = [
    ...parts
      .filter(isTrouble)
      .flatMap(({ verdict, about, problems }): readonly Risk[] =>
        (problems.length > 0 ? problems : ['not asked']).map((text) => ({ verdict, about, text })),
      ),
    ...status.refused.map(({ job, message, command }): Risk => {
      return { verdict: 'not well', about: `refused (${job})`, text: message, command };
    }),
    ...status.others
      .map((each) => {
        const { secret, message, kind } = each;
        return { verdict: findingVerdict(each), about: secret ?? kind, text: message };
      })
      .filter(isTrouble),
    ...status.notSeen.map(({ job, why }): Risk => {
      return { ...unknown, about: job, text: `could not be asked: ${why}` };
    }),
    ...status.otherPolicies.map((each): Risk => {
      return { ...unknown, about: each.job, text: otherPolicySaid(each) };
    }),
    ...sources.flatMap(({ source, isWhole, found: text }): readonly Risk[] =>
      isWhole ? [] : [{ ...unknown, about: source, text }],
    ),
  ];
  const rank = ({ verdict }: Risk) => (verdict === 'not well' ? 0 : 1);
  return found.toSorted((a, b) => rank(a) - rank(b));
}

function presentOf(
  { tokens }: Status,
  history: History | undefined,
  { now, since, isWhole }: Pick<Present, 'now' | 'since' | 'isWhole'>,
): Present {
  const labels = tokens.flatMap(({ entry, secret }) => {
    const { tokenId: current, pending } = entry ?? {};
    const seen = { ...(current !== undefined && { current }) };
    return entry
      ? [[secret, { ...seen, ...(pending && { pending: pending.tokenId }) }] as const]
      : [];
  });
  const { living } = history ?? {};
  return { now, since, labels: new Map(labels), isWhole, ...(living && { living }) };
}

/** It lived in the time that is shown, or what became of it is not known. */
const isShown = ({ endedAt = Number.POSITIVE_INFINITY }: Life, since: number) => endedAt >= since;

/** Entries of the policy first, in its order, then what else anything is told of. */
function groupsOf(policy: Policy, lives: readonly Life[], marks: readonly Mark[]) {
  const names = new Map(policy.tokens.map(({ name, secret }) => [secret, name]));
  const nameOf = ({ secret }: Life) =>
    secret === undefined ? 'tokens of others' : (names.get(secret) ?? secret);
  const livesIn = Map.groupBy(lives, nameOf);
  const marksIn = Map.groupBy(marks, ({ about }) => about);
  const all = new Set([...names.values(), ...livesIn.keys(), ...marksIn.keys()]);
  return [...all].map((name): Group => {
    return { name, lives: livesIn.get(name) ?? [], marks: marksIn.get(name) ?? [] };
  });
}

const databasesOf = ({ permissions }: Policy['tokens'][number], action: string) =>
  permissions.flatMap((each) => (each.action === action ? [each.resource] : []));

const EVERY = '*';

function accessOf({ tokens, databases }: Policy): readonly Access[] {
  const granted = tokens.flatMap(({ permissions }) => permissions.map(({ resource }) => resource));
  const ruled = databases.flatMap((rule) => ('name' in rule ? [rule.name] : []));
  const named = [...new Set([...ruled, ...granted])].filter((each) => each !== EVERY).sort();
  const names = granted.includes(EVERY) ? [...named, EVERY] : named;
  const having = (action: string, database: string) =>
    tokens.flatMap((each) => {
      const has = databasesOf(each, action);
      return has.includes(database) || has.includes(EVERY) ? [each.name] : [];
    });
  return names.map((database) => ({
    database,
    readers: having('read', database),
    writers: having('write', database),
  }));
}

const shortFor = (each: Happening, since: number) => (each.untilAt ?? each.at) >= since;

/**
 * Puts together what `status` and `history` found. Pure: what neither could look at is said as such.
 * @param history an error: nothing of the past could be read
 * @param since where the timeline begins, and what was asked for
 */
export function pageOf(
  policy: Policy,
  status: Status,
  history: History | Error,
  { since, sinceText }: Pick<History, 'since' | 'sinceText'>,
  origin: Origin,
): Page {
  const { now } = origin;
  const known = history instanceof Error ? undefined : history;
  const sources = known?.sources ?? [
    { source: 'history', isWhole: false, found: (history as Error).message },
  ];
  const isWhole = sources.every((each) => each.isWhole);
  const told = known?.told ?? [];
  const lives = livesOf(told, presentOf(status, known, { now, since, isWhole })).filter((each) =>
    isShown(each, since),
  );
  const marks = marksOf(
    told.filter((each) => shortFor(each, since)),
    policy.tokens,
  );
  return {
    ...origin,
    owner: policy.owner,
    cluster: policy.cluster.url,
    verdict: status.verdict,
    sentence: lastLine(status),
    tokens: status.tokens.map((each) => tokenRow(each, now)),
    risks: risksOf(status, sources, now),
    inventory: status.others.filter(isInventory).map(({ message }) => message),
    databases: status.databases,
    isEnforceSeen: ![...status.notSeen, ...status.otherPolicies].some(
      ({ job }) => job === 'enforce',
    ),
    managementToken: {
      verdict: status.managementToken.verdict,
      text: managementTokenSaid(status.managementToken, now),
    },
    schedules: status.schedules.map((each) => {
      return { verdict: scheduleVerdict(each), text: scheduleSaid(each) };
    }),
    since,
    sinceText,
    groups: groupsOf(policy, lives, marks),
    marks,
    entries: policy.tokens.map((each) => ({
      name: each.name,
      secret: each.secret,
      description: each.description,
      reads: databasesOf(each, 'read'),
      writes: databasesOf(each, 'write'),
    })),
    access: accessOf(policy),
    sources,
    isWhole,
  };
}
