import type { ManagementApi } from '../management-api/client.ts';
import type { Token } from '../management-api/token.ts';
import type { Policy, TokenPolicy } from '../policy/policy.ts';
import type { Secrets } from '../secrets-manager/client.ts';
import { pendingVersion, type Secret } from '../secrets-manager/secret.ts';
import {
  asOwned,
  type Holder,
  type Observation,
  type ObservedSecret,
  type OwnedToken,
} from './observation.ts';

/** The time of this machine and of the cluster differ by more than ages could bear. */
const MOST_SKEW_MS = 5 * 60_000;

/** What was observed cannot be trusted; nothing is planned on it. */
export class ObservationError extends Error {
  override readonly name = 'ObservationError';
}

interface Sources {
  readonly api: Pick<ManagementApi, 'listTokens' | 'getToken' | 'listDatabases'>;
  readonly secrets: Pick<Secrets, 'list'>;
  readonly now: () => number;
}

/**
 * How far the Management API's clock is ahead of ours.
 * @throws ObservationError if that is too far
 */
export function skewOf(at: number, now: number): number {
  const skewMs = at - now;
  if (Math.abs(skewMs) <= MOST_SKEW_MS) return skewMs;
  const seconds = Math.round(Math.abs(skewMs) / 1_000);
  throw new ObservationError(
    `the clocks of the cluster and of this function differ by ${seconds} s`,
  );
}

/** What a version holds, where the listing of tokens does not tell: a `GET` by id settles it. */
async function ask(
  version: string,
  secret: Secret,
  { api, owner }: Pick<Surroundings, 'api' | 'owner'>,
): Promise<Holder> {
  // A version that is no token's id was made by somebody else; the API would refuse to look it up.
  const token = isTokenId(version) ? await api.getToken(version) : undefined;
  if (!token || token.revokedAt !== undefined) return { state: 'gone' };
  const owned = asOwned(token, owner, (name) => (name === secret.name ? secret : undefined));
  return owned ? { state: 'owned', owned } : { state: 'foreign', token };
}

const isTokenId = (version: string) =>
  /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i.test(version);

const watchedVersions = (secret: Secret) =>
  [secret.labels.AWSCURRENT, pendingVersion(secret)].filter((each) => each !== undefined);

interface Surroundings {
  readonly foreign: ReadonlyMap<string, Token>;
  readonly api: Pick<ManagementApi, 'getToken'>;
  readonly owner: string;
}

/**
 * Looks at one secret right before acting on it. `tokens` and `foreign` come from this run's
 * listing; a version whose token it lacks is asked for by id.
 */
export async function observeSecret(
  secret: Secret,
  tokens: readonly OwnedToken[],
  { foreign, api, owner }: Surroundings,
): Promise<ObservedSecret> {
  const holders = new Map<string, Holder>();
  for (const version of watchedVersions(secret)) {
    const owned = tokens.find((each) => each.version === version);
    const token = foreign.get(version);
    if (owned) holders.set(version, { state: 'owned', owned });
    else if (token) holders.set(version, { state: 'foreign', token });
    else holders.set(version, await ask(version, secret, { api, owner }));
  }
  return { secret, tokens, holders };
}

/** AWSCURRENT's token was not listed and yet exists: the listing is cut, and absence in it means nothing. */
function refuseCutListing(seen: ObservedSecret, listed: ReadonlySet<string>): void {
  const version = seen.secret.labels.AWSCURRENT ?? '';
  const holder = seen.holders.get(version);
  const id = holder?.state === 'owned' ? holder.owned.token.id : version;
  if (holder && holder.state !== 'gone' && !listed.has(id)) {
    throw new ObservationError(
      `GET /tokens left out ${id}, the current token of ${seen.secret.name}, which GET /tokens/${id} has; the listing is cut`,
    );
  }
}

/** An adopted token's id is not that of its version, so its entry alone tells whom a cut listing left out. */
async function askForAdopted(
  { secret, holders }: ObservedSecret,
  entries: readonly TokenPolicy[],
  { api, owner }: Pick<Surroundings, 'api' | 'owner'>,
): Promise<Holder | undefined> {
  const version = secret.labels.AWSCURRENT ?? '';
  if (holders.get(version)?.state !== 'gone') return undefined;
  const adopt = entries.find((each) => each.secret === secret.name)?.adopt;
  if (!adopt) return undefined;
  const found = await ask(adopt.tokenId, secret, { api, owner });
  return found.state === 'owned' && found.owned.version === version ? found : undefined;
}

/**
 * Looks at both systems: every secret of ours, every token, and the databases if they matter. All
 * or nothing: a failed read is an error, never an empty list.
 * @throws ObservationError if what came back cannot be trusted
 */
export async function observe(
  sources: Sources,
  { owner, tokens: entries }: Pick<Policy, 'owner' | 'tokens'>,
  withDatabases: boolean,
): Promise<Observation> {
  const { api, secrets } = sources;
  // Secrets first: a token that a version names was then minted before the tokens were listed.
  const listedSecrets = await secrets.list(owner);
  const { tokens, at } = await api.listTokens();
  const skewMs = skewOf(at, sources.now());
  const byName = new Map(listedSecrets.map((secret) => [secret.name, secret]));
  const owned = new Map<string, OwnedToken[]>();
  const foreign = new Map<string, Token>();
  for (const token of tokens) {
    if (token.revokedAt !== undefined) continue;
    const mine = asOwned(token, owner, (name) => byName.get(name));
    if (!mine) foreign.set(token.id, token);
    else owned.set(mine.marker.secret, [...(owned.get(mine.marker.secret) ?? []), mine]);
  }
  const listed = new Set(tokens.map(({ id }) => id));
  const observed = await Promise.all(
    listedSecrets.map(async (secret) => {
      const seen = await observeSecret(secret, owned.get(secret.name) ?? [], {
        foreign,
        api,
        owner,
      });
      const adopted = await askForAdopted(seen, entries, { api, owner });
      const version = secret.labels.AWSCURRENT ?? '';
      const holders = adopted ? new Map([...seen.holders, [version, adopted]]) : seen.holders;
      refuseCutListing({ ...seen, holders }, listed);
      return [secret.name, seen] as const;
    }),
  );
  const listing = withDatabases ? await api.listDatabases() : undefined;
  return {
    at,
    skewMs,
    secrets: new Map(observed),
    foreign,
    ...(listing && { databases: new Set(listing.databases.map(({ name }) => name)) }),
  };
}
