import { counted } from '../../../functions/run/counted.ts';
import { formatInstant } from '../../../functions/time.ts';
import { parseMarker } from '../../../functions/tokens/marker.ts';
import { flagsOfDatabase, ruleLines } from './database-rules.ts';
import { entryNames } from './entry-names.ts';
import type { Found, FoundDatabase, FoundToken, SecretPlace } from './found.ts';
import { flagsOfToken, type Standing, standingOf, type TokenFlags } from './judge-token.ts';
import { tokenLines, tokenNote } from './token-entries.ts';
import { comment, scalar } from './yaml-text.ts';

/** The section `cluster` of a policy, as it is to be written. */
export interface ClusterKeys {
  readonly url: string;
  readonly dataUrl?: string | undefined;
  readonly allowPlainHttp?: true | undefined;
  readonly managementToken: string;
  readonly ca?: string | undefined;
  readonly accountId?: string | undefined;
  readonly clusterId?: string | undefined;
}

export interface Draft {
  readonly owner: string;
  readonly cluster: ClusterKeys;
  readonly found: Found;
  /** Whether all databases are in `found`. */
  readonly knowsDatabases: boolean;
  /** The secrets that have the strings of tokens, by the id of the token. */
  readonly places: ReadonlyMap<string, SecretPlace>;
  /** Milliseconds since 1970, by the clock of whoever told what there is. */
  readonly at: number;
  /** Where it was found, as a sentence goes on: `on https://influxdb.example.com`. */
  readonly from: string;
  /** What else a person should know of it, a sentence each. */
  readonly notes: readonly string[];
}

/** How much there is of what a person should look at; nothing that is not there. */
export interface Summary {
  /** Entries that take a token over. */
  readonly adopted: number;
  /** Entries that wait, as comments, for the name of a secret. */
  readonly waiting: number;
  readonly rules: number;
  /** `3 tokens never expire` */
  readonly findings: readonly string[];
}

export interface Composed {
  readonly text: string;
  readonly summary: Summary;
}

interface Judged {
  readonly token: FoundToken;
  readonly standing: Standing;
  readonly flags: TokenFlags;
}

type Kind = Standing['kind'];

function judge({ found, knowsDatabases, at }: Draft): Judged[] {
  const names = knowsDatabases ? new Set(found.databases.map(({ name }) => name)) : undefined;
  return found.tokens
    .filter(({ revokedAt }) => revokedAt === undefined)
    .map((token) => ({
      token,
      standing: standingOf(token, at),
      flags: flagsOfToken(token, names, at),
    }));
}

/** Of one description, the older one first. What a marker says is not of the description. */
function byDescription({ token: one }: Judged, { token: other }: Judged): number {
  const ofPeople = ({ description }: FoundToken) => parseMarker(description)?.text ?? description;
  const keyOf = (token: FoundToken) =>
    `${ofPeople(token)}\n${String(token.createdAt ?? 0).padStart(16, '0')} ${token.id}`;
  return keyOf(one) < keyOf(other) ? -1 : 1;
}

function tokensFindings(judged: readonly Judged[]): string[] {
  const live = judged.filter(({ standing }) =>
    ['free', 'unsayable', 'marked', 'unreadable-marker'].includes(standing.kind),
  );
  const count = (one: string, several: string, is: (flags: TokenFlags) => boolean) => {
    const { length } = live.filter(({ flags }) => is(flags));
    return length === 0 ? [] : [`${counted(length, 'token')} ${length === 1 ? one : several}`];
  };
  return [
    ...count('never expires', 'never expire', ({ immortal }) => immortal),
    ...count(
      'expires within two weeks',
      'expire within two weeks',
      ({ expiresSoon }) => expiresSoon !== undefined,
    ),
    ...count(
      'may use every database ("*")',
      'may use every database ("*")',
      ({ everywhere }) => everywhere.length > 0,
    ),
    ...count(
      'has permissions on databases that are not there',
      'have permissions on databases that are not there',
      ({ missing }) => missing.length > 0,
    ),
  ];
}

function databasesFindings(databases: readonly FoundDatabase[]): string[] {
  const flags = databases.map(flagsOfDatabase);
  const count = (verbs: readonly [string, string], key: keyof (typeof flags)[number]) => {
    const { length } = flags.filter((each) => each[key]);
    return length === 0 ? [] : [`${counted(length, 'database')} ${verbs[length === 1 ? 0 : 1]}`];
  };
  return [
    ...count(['keeps data for ever', 'keep data for ever'], 'infinite'),
    ...count(
      ['keeps data for less than an hour', 'keep data for less than an hour'],
      'underAnHour',
    ),
    ...count(
      ['has a name that no rule can have', 'have names that no rule can have'],
      'unnameable',
    ),
  ];
}

/** Tokens without an entry, under a sentence that says why. */
function* asides(judged: readonly Judged[], owner: string): Generator<string> {
  const of = (kind: Kind) => judged.filter(({ standing }) => standing.kind === kind);
  const section = function* (
    sentence: string,
    those: readonly Judged[],
    why: (each: Judged) => string | undefined = () => undefined,
  ) {
    if (those.length === 0) return;
    yield '';
    yield comment(sentence, '  ');
    for (const each of those) {
      // The marker is for programs, and says no more than the reason.
      const token = { ...each.token, description: textOf(each) };
      yield tokenNote(token, why(each));
    }
  };
  const marked = of('marked');
  const isOwn = ({ standing }: Judged) =>
    standing.kind === 'marked' && standing.marker.owner === owner;
  const whose = ({ standing }: Judged) =>
    standing.kind === 'marked'
      ? `owner ${standing.marker.owner}, secret ${standing.marker.secret}`
      : undefined;
  yield* section(
    'Tokens of other deployments of Keyturn. Leave them to their own policies:',
    marked.filter((each) => !isOwn(each)),
    whose,
  );
  yield* section(
    `! Tokens of a deployment with this owner, ${owner}. If it is another one, choose another owner; if its policy file is lost, write an entry for each secret, without adopt:`,
    marked.filter(isOwn),
    whose,
  );
  yield* section(
    '! Tokens with a marker of Keyturn that cannot be read, or was copied from another token:',
    of('unreadable-marker'),
  );
  yield* section('! Tokens that no entry can name as they are:', of('unsayable'), ({ standing }) =>
    standing.kind === 'unsayable' ? standing.why : undefined,
  );
  yield* section('Tokens without permissions:', of('powerless'));
  yield* section(
    'Expired tokens. expiredForeignTokens: delete would let reap delete them:',
    of('expired'),
  );
}

const textOf = ({ token: { description }, standing }: Judged): string =>
  standing.kind === 'marked'
    ? description.slice(0, description.lastIndexOf('[keyturn:')).trim()
    : description;

function clusterLines({ managementToken, ...cluster }: ClusterKeys): string[] {
  const { url, allowPlainHttp, ...texts } = cluster;
  const optional = Object.entries(texts).flatMap(([key, value]) =>
    value === undefined ? [] : [`  ${key}: ${scalar(value)}`],
  );
  return [
    'cluster:',
    `  url: ${scalar(url)}`,
    `  managementToken: ${scalar(managementToken)}   # name of a secret that you make: the token itself, or {"token": ...}`,
    ...(allowPlainHttp ? ['  allowPlainHttp: true'] : []),
    ...optional,
  ];
}

function headLines({ from, at, notes }: Draft, summary: Summary): string[] {
  const { adopted, waiting, rules, findings } = summary;
  const takes =
    adopted + rules === 0
      ? 'It names nothing yet, and a policy needs a token or a database.'
      : adopted === 0
        ? 'Its first plan changes nothing.'
        : `Its first plan takes over ${counted(adopted, 'token')} as ${adopted === 1 ? 'it is' : 'they are'}, and changes nothing else.`;
  return [
    `A policy of what keyturn init found ${from} at ${formatInstant(at)}. ${takes}`,
    'Look for "!": that is what a person should know.',
    ...(findings.length > 0 ? ['', ...findings.map((each) => `  ! ${each}`)] : []),
    ...(waiting > 0
      ? [
          '',
          `InfluxDB tells nobody the string of a token. So ${waiting === 1 ? 'the entry of 1 token waits' : `the entries of ${waiting} tokens wait`}, as comments, for the name of the secret that`,
          'has it, and that consumers read: take the "# " away, and write that name. A string that is in no secret yet goes into',
          'one that you make: docs/operations.md, "Beginning with what is there".',
        ]
      : []),
    ...(notes.length > 0 ? ['', ...notes] : []),
  ].map((line) => comment(line));
}

/**
 * The text of a policy that says what there is, so that its first plan changes nothing but to take over the tokens whose secrets are
 * known. Nothing in `draft` may be secret.
 */
export function composePolicy(draft: Draft): Composed {
  const { owner, cluster, found, places } = draft;
  const judged = judge(draft).sort(byDescription);
  const written = judged.filter(({ standing }) => ['free', 'planned'].includes(standing.kind));
  const names = entryNames(written.map(({ token }) => token));
  const entries = written.map(({ token, flags }) => {
    const place = places.get(token.id);
    return {
      place,
      isPlanned: token.isPlanned === true,
      lines: tokenLines(names.get(token.id) ?? token.id, token, { place, flags }),
    };
  });
  const databases = found.databases.toSorted(({ name: one }, { name: other }) =>
    one < other ? -1 : 1,
  );
  const adopted = entries.filter(({ place }) => place).length;
  const rules = databases.filter((each) => !flagsOfDatabase(each).unnameable).length;
  const summary: Summary = {
    adopted,
    waiting: entries.filter(({ place, isPlanned }) => !place && !isPlanned).length,
    rules,
    findings: [...tokensFindings(judged), ...databasesFindings(databases)],
  };
  const spaced = (blocks: readonly (readonly string[])[]) =>
    blocks.flatMap((block, index) => (index === 0 ? block : ['', ...block]));
  const text = [
    ...headLines(draft, summary),
    '',
    `owner: ${scalar(owner)}`,
    '',
    ...clusterLines(cluster),
    '',
    'tokens:',
    ...(adopted === 0 ? ['  {}   # take this line away when there is an entry', ''] : []),
    ...spaced(entries.map(({ lines }) => lines)),
    ...asides(judged, owner),
    '',
    rules === 0 ? 'databases: []' : 'databases:',
    ...databases.flatMap(ruleLines),
  ];
  return { text: text.join('\n'), summary };
}
