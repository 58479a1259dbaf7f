import type { ManagementApi } from '../management-api/client.ts';
import type { Token } from '../management-api/token.ts';
import { entryOf, type Policy } from '../policy/policy.ts';
import { ObservationError, skewOf } from '../run/api-time.ts';
import type { Secrets } from '../secrets-manager/client.ts';
import { pendingVersion, type Secret } from '../secrets-manager/secret.ts';
import {
  asOwned,
  type Holder,
  listedHolder,
  type Observation,
  type ObservedSecret,
  type OwnedToken,
  type SortedTokens,
  sortByOwner,
} from './observation.ts';

/** The half of a run's clients that only reads. */
export interface Readers {
  readonly api: Pick<ManagementApi, 'listTokens' | 'getToken' | 'listDatabases'>;
  readonly secrets: Pick<Secrets, 'list'>;
  now(): number;
}

/** Who says what a listing of tokens does not. */
interface Surroundings extends Pick<SortedTokens, 'foreign'> {
  readonly api: Pick<ManagementApi, 'getToken'>;
  readonly owner: string;
}

const TOKEN_ID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i;

/** What a version holds, where the listing of tokens does not say: a `GET` by id settles it. */
async function ask(
  version: string,
  secret: Secret,
  { api, owner }: Pick<Surroundings, 'api' | 'owner'>,
): Promise<Holder> {
  // A version that is no token's id was made by somebody else; the API would refuse to look it up.
  const token = TOKEN_ID.test(version) ? await api.getToken(version) : undefined;
  if (!token || token.revokedAt !== undefined) return { state: 'gone' };
  const owned = asOwned(token, owner, (name) => (name === secret.name ? secret : undefined));
  return owned ? { state: 'owned', owned } : { state: 'foreign', token };
}

const watchedVersions = (secret: Secret) =>
  [secret.labels.AWSCURRENT, pendingVersion(secret)].filter((each) => each !== undefined);

/**
 * Looks at one secret right before acting on it. `tokens` and `foreign` come from this run's
 * listing; a version whose token it lacks is asked for by id.
 */
export async function observeSecret(
  secret: Secret,
  tokens: readonly OwnedToken[],
  around: Surroundings,
): Promise<ObservedSecret> {
  const holders = new Map<string, Holder>();
  for (const version of watchedVersions(secret)) {
    const listed = listedHolder(version, tokens, around.foreign);
    holders.set(version, listed ?? (await ask(version, secret, around)));
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

/** An adopted token's id is not that of its version, so its entry alone says whom a cut listing left out. */
async function askForAdopted(
  { secret, holders }: ObservedSecret,
  policy: Pick<Policy, 'owner' | 'tokens'>,
  api: Surroundings['api'],
): Promise<Holder | undefined> {
  const version = secret.labels.AWSCURRENT ?? '';
  if (holders.get(version)?.state !== 'gone') return undefined;
  const adopt = entryOf(policy, secret.name)?.adopt;
  if (!adopt) return undefined;
  const found = await ask(adopt.tokenId, secret, { api, owner: policy.owner });
  return found.state === 'owned' && found.owned.version === version ? found : undefined;
}

/** One secret by this run's listing of tokens, which must not be cut. */
async function observeListed(
  secret: Secret,
  { owned, foreign, listed }: SortedTokens & { readonly listed: ReadonlySet<string> },
  api: Surroundings['api'],
  policy: Pick<Policy, 'owner' | 'tokens'>,
): Promise<ObservedSecret> {
  const { owner } = policy;
  const seen = await observeSecret(secret, owned.get(secret.name) ?? [], { foreign, api, owner });
  const adopted = await askForAdopted(seen, policy, api);
  const version = secret.labels.AWSCURRENT ?? '';
  const holders = adopted ? new Map([...seen.holders, [version, adopted]]) : seen.holders;
  refuseCutListing({ ...seen, holders }, listed);
  return seen;
}

/**
 * Looks at both systems: every secret of ours, every token, and the databases if they matter. All
 * or nothing: a failed read is an error, never an empty list.
 * @throws ObservationError if what came back cannot be trusted
 */
export async function observe(
  { api, secrets, now }: Readers,
  policy: Pick<Policy, 'owner' | 'tokens'>,
  withDatabases: boolean,
): Promise<Observation> {
  // Secrets first: a token that a version names was then minted before the tokens were listed.
  const listedSecrets = await secrets.list(policy.owner);
  const { tokens, at } = await api.listTokens();
  const skewMs = skewOf(at, now());
  const byName = new Map(listedSecrets.map((secret) => [secret.name, secret]));
  const sorted = sortByOwner(tokens, policy.owner, (name) => byName.get(name));
  const listing = { ...sorted, listed: new Set(tokens.map(({ id }: Token) => id)) };
  const observed = await Promise.all(
    listedSecrets.map(
      async (secret) => [secret.name, await observeListed(secret, listing, api, policy)] as const,
    ),
  );
  const databases = withDatabases ? (await api.listDatabases()).databases : undefined;
  return {
    at,
    skewMs,
    secrets: new Map(observed),
    foreign: sorted.foreign,
    ...(databases && { databases: new Set(databases.map(({ name }) => name)) }),
  };
}
