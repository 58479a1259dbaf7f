import type { OwnWritesApi } from '../management-api/management-api.ts';
import type { Token } from '../management-api/token.ts';
import type { Policy } from '../policy/policy.ts';
import type { Timing } from '../retry.ts';
import { saidOf } from '../run/message-of.ts';
import type { Log } from '../run/tools.ts';
import { notOwnedBecause, type Secret } from '../secrets-manager/secret.ts';
import type { Secrets } from '../secrets-manager/secrets.ts';
import type { HolderSources } from '../tokens/find-holder.ts';
import { homeOf, parseMarker } from '../tokens/marker.ts';
import {
  LONGEST_LAG_MS,
  type ObservedSecret,
  type OwnedToken,
  type SecretNamed,
  secretNamedIn,
  sortByOwner,
} from '../tokens/observation.ts';
import { observeVersions, type Readers } from '../tokens/observe.ts';
import { fingerprintReader } from '../tokens/read-fingerprint.ts';
import { tokenNamedBy } from '../tokens/version-id.ts';
import { foreignHolders } from './plan/decide-revocation.ts';
import type { Unseen } from './plan/unseen.ts';
import { sharedListing } from './shared-listing.ts';

/** What reading both systems for a person's order needs. */
interface OrderReaders {
  readonly api: Pick<OwnWritesApi, 'listTokens' | 'getToken'>;
  readonly secrets: Secrets;
  readonly log: Log;
  readonly policy: Policy;
}

/** What both systems said, for a person's order: it is used even where a schedule would stop with an error. */
export interface RevocationObservation {
  /** The Management API's time, in milliseconds since 1970. */
  readonly at: number;
  readonly skewMs: number;
  readonly secrets: ReadonlyMap<string, ObservedSecret>;
  /** Every token that was listed, of any owner, also revoked ones, and those that a label names. */
  readonly tokens: readonly Token[];
  /** Ids of live tokens that the listing lacks though it ought to show them: it is cut, and may lack others. */
  readonly unlisted: readonly string[];
  readonly unseen: readonly Unseen[];
  /** Why Secrets Manager could not be asked. Absent: it answered. */
  readonly awsError?: string;
}

/** Adds foreign tokens that no label names: those that `revoke` replaced here, and others by their ids. */
function withForeign(
  seen: ObservedSecret,
  foreign: ReadonlyMap<string, Token>,
  ids: Iterable<string> = [],
): ObservedSecret {
  const holders = new Map(seen.holders);
  const known = new Set([
    ...foreignHolders(seen).map(({ id }) => id),
    ...seen.tokens.map(({ token }) => token.id),
  ]);
  for (const id of [...ids, ...seen.tokens.map(({ marker }) => marker.replaces)]) {
    const token = known.has(id ?? '') ? undefined : foreign.get(id ?? '');
    if (token) holders.set(token.id, { state: 'foreign', token });
  }
  return { ...seen, holders };
}

/** A listing may lack tokens that a version names: those that a `GET` found are the secret's, too. */
function withNamed(seen: ObservedSecret): ObservedSecret {
  const listed = new Set(seen.tokens.map(({ token }) => token.id));
  const found = [...seen.holders.values()].flatMap((holder): OwnedToken[] =>
    holder.state === 'owned' && !listed.has(holder.owned.token.id) ? [holder.owned] : [],
  );
  const byId = new Map(found.map((owned) => [owned.token.id, owned]));
  return byId.size === 0 ? seen : { ...seen, tokens: [...seen.tokens, ...byId.values()] };
}

type Note = (said: string) => void;

/** Every labelled version, also under labels of people's own: whoever reads it has its string. */
const observeLabelled = async (
  secret: Secret,
  sources: HolderSources,
  note?: Note,
  others: Iterable<string> = [],
): Promise<ObservedSecret> =>
  withNamed(
    await observeVersions(
      secret,
      new Set([...Object.values(secret.labels), ...others]),
      sources,
      note,
    ),
  );

const tokensOf = (seen: ObservedSecret): Token[] => [
  ...seen.tokens.map(({ token }) => token),
  ...foreignHolders(seen),
  ...[...seen.holders.values()].flatMap((each) =>
    each.state === 'shared' ? [each.owned.token] : [],
  ),
];

/** Tokens that a `GET` shows, and the listing does not, though they are too old for the API to be late with them. */
const unlistedOf = (
  tokens: readonly Token[],
  listed: Pick<ReadonlySet<string>, 'has'>,
  at: number,
): string[] => {
  const lacked = tokens.flatMap(({ id, createdAt, revokedAt }) =>
    listed.has(id) || revokedAt !== undefined || at - createdAt < LONGEST_LAG_MS ? [] : [id],
  );
  return [...new Set(lacked)];
};

interface Listed extends Pick<RevocationObservation, 'unseen' | 'awsError'> {
  readonly all: ReadonlyMap<string, Secret>;
}

/** Secrets of our owner. Those of the policy that `ListSecrets` does not show yet are read by name. */
async function listSecrets({
  secrets,
  policy,
}: Pick<OrderReaders, 'secrets' | 'policy'>): Promise<Listed> {
  const { owner } = policy;
  const listed = await secrets.list(owner);
  const known = new Set(listed.map(({ name }) => name));
  const late = policy.tokens.filter(({ secret }) => !known.has(secret));
  const unseen: Unseen[] = [];
  const all = new Map(listed.map((secret) => [secret.name, secret]));
  await Promise.all(
    late.map(async ({ name: entry, secret: name }) => {
      const secret = await secrets
        .describe(name)
        .catch(
          (error) => `${name} could not be looked at (${saidOf(error)}): its strings may work`,
        );
      if (typeof secret === 'string') unseen.push({ secret: name, said: secret });
      else if (secret) {
        const said = notOwnedBecause(secret, owner, entry);
        if (said === undefined) all.set(secret.name, secret);
        else {
          // Our version ids stay when every token is gone and the tag, too.
          const wasOurs = Object.values(secret.labels).some((each) => tokenNamedBy(each)?.certain);
          unseen.push({ secret: name, said, notOurs: { home: homeOf(secret.arn), wasOurs } });
        }
      }
    }),
  );
  return { all, unseen };
}

/** What an order needs of Secrets Manager. */
export interface AwsNeed {
  /** Whether the order goes on if Secrets Manager cannot be asked. */
  readonly withoutAws: boolean;
  /** What can be ordered in its place, if it does not. */
  readonly instead?: string;
}

/** What an order needs to know. */
export interface Need extends AwsNeed {
  /** The token that a person named by its id. A listing may lack it, though it lives. */
  readonly tokenId?: string;
}

async function listOrExplain(
  readers: OrderReaders,
  { withoutAws, instead }: AwsNeed,
): Promise<Listed> {
  try {
    return await listSecrets(readers);
  } catch (cause) {
    const awsError = saidOf(cause);
    if (withoutAws) return { all: new Map<string, Secret>(), unseen: [], awsError };
    const ends = ['nothing was done', ...(instead === undefined ? [] : [instead])];
    const said = `Secrets Manager could not be asked (${awsError}); ${ends.join('; ')}`;
    // The command line knows errors of credentials by their names.
    throw Object.assign(new Error(said, { cause }), cause instanceof Error && { name: cause.name });
  }
}

/** Reads every secret and every token. */
export async function observeAll(
  readers: OrderReaders & Pick<Readers, 'now'>,
  need: Need,
): Promise<RevocationObservation> {
  const { api, secrets, policy, log, now } = readers;
  const { owner } = policy;
  const { all, awsError, ...listing } = await listOrExplain(readers, need);
  const { tokens: shown, at } = await api.listTokens();
  const listed = new Set(shown.map(({ id }) => id));
  const named = await readMissing(
    need.tokenId === undefined ? [] : [need.tokenId],
    listed,
    readers,
  );
  const tokens = [...shown, ...named];
  const secretNamed: SecretNamed = (name) => all.get(name);
  const sorted = sortByOwner(tokens, owner, secretNamed);
  const sources = {
    ...sorted,
    api,
    owner,
    secretNamed,
    readFingerprint: fingerprintReader({ secrets, policy, log }),
  };
  const homes = new Set(
    tokens.flatMap(({ description }) => {
      const { marker } = parseMarker(description) ?? {};
      return marker?.owner === owner ? [marker.home] : [];
    }),
  );
  // Another account may have a secret of this name, and one that is to be adopted has no tag yet: neither was ours.
  const unseen = listing.unseen.filter(
    ({ notOurs }) => !notOurs || notOurs.wasOurs || homes.has(notOurs.home),
  );
  const observed = await Promise.all(
    [...all].map(async ([name, secret]) => {
      const note: Note = (said) => unseen.push({ secret: name, said });
      const seen = await observeLabelled(secret, sources, note);
      return [name, withForeign(seen, sorted.foreign)] as const;
    }),
  );
  const byId = new Map(tokens.map((token) => [token.id, token]));
  const seenTokens = [...observed.flatMap(([, seen]) => tokensOf(seen)), ...named];
  const unlisted = unlistedOf(seenTokens, listed, at);
  for (const [, seen] of observed) for (const token of tokensOf(seen)) byId.set(token.id, token);
  return {
    at,
    skewMs: at - now(),
    secrets: new Map(observed),
    tokens: [...byId.values()],
    unlisted,
    unseen,
    ...(awsError !== undefined && { awsError }),
  };
}

/** What a look at one secret takes into account beside its labels and markers. */
interface Known {
  /** Tokens without our marker that belong to the order: one that a person named, and those that had a label before. */
  readonly foreign?: Iterable<string>;
  /** Ids of tokens of this secret that were seen before: a listing that does not show one is out of date. */
  readonly ids?: Iterable<string>;
  /** Secrets that were seen before: what is a token of another one is not ended with this one. */
  readonly secretNamed?: SecretNamed;
  /** Versions without a label, to look at as well. */
  readonly versions?: Iterable<string>;
  /** Is told of versions that cannot be asked about. Absent: that is an error. */
  readonly note?: Note | undefined;
}

/** Tokens that the listing does not show, though they live, or shows as they were before this run changed them. */
export async function readMissing(
  ids: Iterable<string>,
  listed: Pick<ReadonlySet<string>, 'has'>,
  { api }: Pick<OrderReaders, 'api'>,
): Promise<Token[]> {
  const missing = [...new Set(ids)].filter((id) => !listed.has(id));
  const found = await Promise.all(missing.map((id) => api.getToken(id)));
  return found.filter((token) => token !== undefined);
}

interface Indexed {
  /** By the name of the secret in their markers. */
  readonly bySecret: ReadonlyMap<string, readonly Token[]>;
  /** Without revoked ones. */
  readonly byId: ReadonlyMap<string, Token>;
}

/** Many secrets share one listing, and its markers are read once. */
const indexes = new WeakMap<readonly Token[], Indexed>();

function indexOf(tokens: readonly Token[]): Indexed {
  const known = indexes.get(tokens);
  if (known) return known;
  const bySecret = Map.groupBy(
    tokens,
    ({ description }) => parseMarker(description)?.marker.secret ?? '',
  );
  const byId = new Map(
    tokens.flatMap((each) => (each.revokedAt === undefined ? [[each.id, each] as const] : [])),
  );
  const indexed = { bySecret, byId };
  indexes.set(tokens, indexed);
  return indexed;
}

/** One secret, and what the listing of tokens lacked of it. */
export interface SeenAlone extends ObservedSecret, Pick<RevocationObservation, 'unlisted'> {
  /** Its revoked tokens, as far as the cluster still lists them. */
  readonly revoked: readonly OwnedToken[];
  /** Ids of tokens, also of other secrets, that the listing shows as they were before this run changed them. */
  readonly late: ReadonlySet<string>;
}

/**
 * One secret as it is now, with all tokens whose markers name it, and the foreign ones that are meant.
 * Undefined: no secret has this name.
 */
export async function observeOne(
  name: string,
  readers: OrderReaders,
  { foreign: meant = [], ids = [], secretNamed = () => undefined, versions, note }: Known = {},
): Promise<SeenAlone | undefined> {
  const { api, secrets, policy, log } = readers;
  const secret = await secrets.describe(name);
  if (!secret) return undefined;
  const { owner } = policy;
  const { tokens, at, late } = await api.listTokens();
  const { bySecret, byId } = indexOf(tokens);
  const isShown = (id: string) => byId.has(id) && !late.has(id);
  const missing = await readMissing(ids, { has: isShown }, readers);
  const its = [...(bySecret.get(name) ?? []), ...missing];
  const { owned, foreign, revoked } = sortByOwner(
    new Map(its.map((token) => [token.id, token])).values(),
    owner,
    () => secret,
  );
  const readFingerprint = fingerprintReader({ secrets, policy, log });
  const others = foreign.size === 0 ? byId : new Map([...byId, ...foreign]);
  const sources = { owned, foreign: others, revoked, api, owner, secretNamed, readFingerprint };
  const seen = withForeign(await observeLabelled(secret, sources, note, versions), others, meant);
  return {
    ...seen,
    unlisted: unlistedOf(tokensOf(seen), byId, at),
    revoked: revoked.get(name) ?? [],
    late,
  };
}

/**
 * The observation with these secrets as they are at this moment: `ListSecrets` may miss the changes of some
 * minutes, and a person who undoes an order must see the hold that he ends.
 */
export async function observeAgain(
  observation: RevocationObservation,
  names: readonly string[],
  readers: OrderReaders & Pick<Timing, 'now' | 'sleep'>,
): Promise<RevocationObservation> {
  const { listTokens } = sharedListing(readers.api, readers);
  const shared = { ...readers, api: { ...readers.api, listTokens } };
  const secretNamed = secretNamedIn(observation);
  const unseen = new Map<string, string>();
  const idsIn = (name: string) =>
    observation.secrets.get(name)?.tokens.map(({ token }) => token.id) ?? [];
  const again = await Promise.all(
    names.map((name) =>
      observeOne(name, shared, { secretNamed, ids: idsIn(name) }).catch((error) => {
        unseen.set(name, `${name} could not be looked at again (${saidOf(error)})`);
        return undefined;
      }),
    ),
  );
  const fresh = again.flatMap((seen) => (seen ? [[seen.secret.name, seen] as const] : []));
  return {
    ...observation,
    secrets: new Map([...observation.secrets, ...fresh]),
    unlisted: [...observation.unlisted, ...fresh.flatMap(([, { unlisted }]) => unlisted)],
    unseen: [
      ...observation.unseen.filter(({ secret }) => !names.includes(secret)),
      ...[...unseen].map(([secret, said]) => ({ secret, said })),
    ],
  };
}
