import type { ManagementApi } from '../management-api/management-api.ts';
import type { Token } from '../management-api/token.ts';
import { entryOf, type Policy } from '../policy/policy.ts';
import { ObservationError, skewOf } from '../run/api-time.ts';
import { pendingVersion, type Secret } from '../secrets-manager/secret.ts';
import { type Secrets, UnreadableSecretError } from '../secrets-manager/secrets.ts';
import { findHolder, type HolderSources, type ReadFingerprint } from './find-holder.ts';
import {
  asOwned,
  type Holder,
  type Observation,
  type ObservedSecret,
  type SecretNamed,
  type SortedTokens,
  sortByOwner,
} from './observation.ts';
import { currentHolder, isExpired } from './state.ts';
import { youngVersions } from './young-versions.ts';

/** So many secrets are looked at beside each other: what the looks at a hundred thousand hold does not fit the memory of a function. */
const AT_A_TIME = 1_000;

/** The reading part of a run's clients. */
export interface Readers {
  readonly api: Pick<ManagementApi, 'listTokens' | 'getToken' | 'listDatabases'>;
  readonly secrets: Pick<Secrets, 'list' | 'versionTimes'>;
  now(): number;
}

/** What a job looks at besides tokens and labels. */
export interface Wanted {
  readonly databases?: boolean;
  /** For functions that may read values. */
  readonly readFingerprint?: ReadFingerprint;
  /** Whether it must be known when a secret's versions were made. Absent: never. */
  readonly needsTimes?: (seen: ObservedSecret) => boolean;
}

const watchedVersions = (secret: Secret): ReadonlySet<string> => {
  const { AWSCURRENT, AWSPREVIOUS } = secret.labels;
  const watched = [AWSCURRENT, AWSPREVIOUS, pendingVersion(secret)];
  return new Set(watched.filter((each) => each !== undefined));
};

/**
 * Finds whose strings certain versions of one secret have. What the listing does not show is read by its id.
 * @param note is told of each version about which the cluster cannot be asked, and which counts as unknown. Absent:
 * that is an error
 */
export async function observeVersions(
  secret: Secret,
  versions: Iterable<string>,
  sources: HolderSources,
  note?: (said: string) => void,
): Promise<ObservedSecret> {
  const holders = new Map<string, Holder>();
  for (const version of versions) {
    const found = findHolder(version, secret, sources);
    const holder = await (note ? found.catch(String) : found);
    const isKnown = typeof holder !== 'string';
    holders.set(version, isKnown ? holder : { state: 'unknown' });
    if (isKnown) continue;
    note?.(`${secret.name}: it is not known whose string version ${version} has (${holder})`);
  }
  const revoked = sources.revoked?.get(secret.name);
  return {
    secret,
    tokens: sources.owned.get(secret.name) ?? [],
    holders,
    ...(revoked && { revoked }),
  };
}

/** The same for AWSCURRENT, AWSPREVIOUS and AWSPENDING, and when the versions were made, if that is needed. */
export async function observeSecret(
  secret: Secret,
  sources: HolderSources,
  secrets: Pick<Secrets, 'versionTimes'>,
  needsTimes: (seen: ObservedSecret) => boolean = () => false,
): Promise<ObservedSecret> {
  const seen = await observeVersions(secret, watchedVersions(secret), sources);
  return needsTimes(seen) ? { ...seen, ...(await timesOf(secret, secrets)) } : seen;
}

/** Anybody may tag a secret that our roles cannot read: that must not stop a run for all others. */
async function timesOf(
  { name }: Secret,
  secrets: Pick<Secrets, 'versionTimes'>,
): Promise<Pick<ObservedSecret, 'versionTimes' | 'unreadable'>> {
  try {
    return { versionTimes: await secrets.versionTimes(name) };
  } catch (error) {
    if (error instanceof UnreadableSecretError) return { unreadable: error.message };
    throw error;
  }
}

/** The id of an adopted token's version is not the token's, so only the entry says which token to read by id. */
async function adoptedCurrent(
  seen: ObservedSecret,
  { owner, tokens }: Pick<Policy, 'owner' | 'tokens'>,
  api: Pick<ManagementApi, 'getToken'>,
): Promise<Token | undefined> {
  const { secret } = seen;
  const adopt = entryOf({ tokens }, secret.name)?.adopt;
  if (!adopt || currentHolder(seen)?.state !== 'unknown') return undefined;
  const token = await api.getToken(adopt.tokenId);
  const owned = token && asOwned(token, owner, () => secret);
  const hasIt = owned?.versions.includes(secret.labels.AWSCURRENT ?? '');
  return hasIt && token?.revokedAt === undefined ? token : undefined;
}

/**
 * The listing does not show AWSCURRENT's token, and yet the token exists: the listing is incomplete.
 * That it does not show a token then means nothing. Of an expired one it is no sign: a server may list only live ones.
 */
async function refuseIncompleteListing(
  seen: ObservedSecret,
  { listed, at }: { readonly listed: ReadonlySet<string>; readonly at: number },
  policy: Pick<Policy, 'owner' | 'tokens'>,
  api: Pick<ManagementApi, 'getToken'>,
): Promise<void> {
  const holder = currentHolder(seen);
  const found =
    (holder && 'owned' in holder && holder.owned.token) ||
    (holder?.state === 'foreign' && holder.token) ||
    (await adoptedCurrent(seen, policy, api));
  if (!found || listed.has(found.id) || isExpired(found, at)) return;
  const { id } = found;
  throw new ObservationError(
    `GET /tokens does not show ${id}, the current token of ${seen.secret.name}, but GET /tokens/${id} does: the listing is incomplete`,
  );
}

/**
 * The same, with those secrets that are ours, too, though the listing of secrets did not show it.
 * @param isOurs decides that, by what is seen of a secret if it is ours
 */
export async function alsoOurs(
  observation: Observation,
  secrets: readonly Secret[],
  readers: Readers,
  { owner }: Pick<Policy, 'owner'>,
  {
    readFingerprint,
    needsTimes,
    isOurs,
  }: Wanted & { readonly isOurs: (seen: ObservedSecret) => boolean },
): Promise<Observation> {
  if (secrets.length === 0) return observation;
  const { listed = [], secrets: known, at } = observation;
  const sortedWith = (more: readonly Secret[]) => {
    const byName = new Map(more.map((secret) => [secret.name, secret]));
    const secretNamed: SecretNamed = (name) => known.get(name)?.secret ?? byName.get(name);
    return { ...sortByOwner(listed, owner, secretNamed), secretNamed };
  };
  const isYoung = youngVersions(readers.secrets, at);
  const sources = { ...sortedWith(secrets), api: readers.api, owner, isYoung, readFingerprint };
  const seen = await Promise.all(
    secrets.map((secret) => observeSecret(secret, sources, readers.secrets, needsTimes)),
  );
  const ours = seen.filter(isOurs);
  if (ours.length === 0) return observation;
  const { foreign, revoked } = sortedWith(ours.map(({ secret }) => secret));
  const added = ours.map((each) => [each.secret.name, each] as const);
  return { ...observation, secrets: new Map([...known, ...added]), foreign, revoked };
}

/**
 * Reads both systems: every secret of ours, every token, and what else the job wants. All or nothing: a
 * failed read is an error, never an empty list.
 * @throws ObservationError if what came back cannot be trusted
 */
export async function observe(
  { api, secrets, now }: Readers,
  policy: Pick<Policy, 'owner' | 'tokens'>,
  wanted: Wanted,
): Promise<Observation> {
  const { owner } = policy;
  // Secrets first: then every token that a version names existed before the tokens were listed.
  const listedSecrets = await secrets.list(owner);
  const { tokens, at } = await api.listTokens();
  const skewMs = skewOf(at, now());
  const byName = new Map(listedSecrets.map((secret) => [secret.name, secret]));
  const secretNamed: SecretNamed = (name) => byName.get(name);
  const sorted: SortedTokens = sortByOwner(tokens, owner, secretNamed);
  const listed = new Set(tokens.map(({ id }) => id));
  const isYoung = youngVersions(secrets, at);
  const { readFingerprint } = wanted;
  const sources = { ...sorted, api, owner, secretNamed, isYoung, readFingerprint };
  const look = async (secret: Secret) => {
    const seen = await observeSecret(secret, sources, secrets, wanted.needsTimes);
    await refuseIncompleteListing(seen, { listed, at }, policy, api);
    return [secret.name, seen] as const;
  };
  const observed = new Map<string, ObservedSecret>();
  for (let from = 0; from < listedSecrets.length; from += AT_A_TIME) {
    const some = await Promise.all(listedSecrets.slice(from, from + AT_A_TIME).map(look));
    for (const [name, seen] of some) observed.set(name, seen);
  }
  const databases = wanted.databases ? (await api.listDatabases()).databases : undefined;
  return {
    at,
    skewMs,
    secrets: observed,
    foreign: sorted.foreign,
    revoked: sorted.revoked,
    listed: tokens,
    ...(databases && { databases: new Set(databases.map(({ name }) => name)) }),
  };
}
