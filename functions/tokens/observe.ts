import type { ManagementApi } from '../management-api/management-api.ts';
import type { Token } from '../management-api/token.ts';
import { entryOf, type Policy } from '../policy/policy.ts';
import { ObservationError, skewOf } from '../run/api-time.ts';
import { pendingVersion, type Secret } from '../secrets-manager/secret.ts';
import type { Secrets } from '../secrets-manager/secrets.ts';
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

/** The reading part of a run's clients. */
export interface Readers {
  readonly api: Pick<ManagementApi, 'listTokens' | 'getToken' | 'listDatabases'>;
  readonly secrets: Pick<Secrets, 'list'>;
  now(): number;
}

/** What answers questions that a listing of tokens leaves open. */
interface Listing extends Pick<SortedTokens, 'foreign'> {
  readonly api: Pick<ManagementApi, 'getToken'>;
  readonly owner: string;
}

const TOKEN_ID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i;

/** Whose string is in a version that the listing of tokens does not explain, by a `GET` of its id. */
async function ask(
  version: string,
  secret: Secret,
  { api, owner }: Pick<Listing, 'api' | 'owner'>,
): Promise<Holder> {
  // Such a version id is no token's id: somebody else made it, and the API would answer with an error.
  const token = TOKEN_ID.test(version) ? await api.getToken(version) : undefined;
  if (!token || token.revokedAt !== undefined) return { state: 'gone' };
  const owned = asOwned(token, owner, (name) => (name === secret.name ? secret : undefined));
  return owned ? { state: 'owned', owned } : { state: 'foreign', token };
}

const watchedVersions = (secret: Secret) =>
  [secret.labels.AWSCURRENT, pendingVersion(secret)].filter((each) => each !== undefined);

/**
 * Finds the tokens under AWSCURRENT and AWSPENDING of one secret. `tokens` and `foreign` come from this
 * run's listing; a token that it does not show is read by its id.
 */
export async function observeSecret(
  secret: Secret,
  tokens: readonly OwnedToken[],
  around: Listing,
): Promise<ObservedSecret> {
  const holders = new Map<string, Holder>();
  for (const version of watchedVersions(secret)) {
    const listed = listedHolder(version, tokens, around.foreign);
    holders.set(version, listed ?? (await ask(version, secret, around)));
  }
  return { secret, tokens, holders };
}

/**
 * The listing does not show AWSCURRENT's token, and yet the token exists: the listing is incomplete.
 * That it does not show a token then means nothing.
 */
function refuseIncompleteListing(seen: ObservedSecret, listed: ReadonlySet<string>): void {
  const version = seen.secret.labels.AWSCURRENT ?? '';
  const holder = seen.holders.get(version);
  const id = holder?.state === 'owned' ? holder.owned.token.id : version;
  if (holder && holder.state !== 'gone' && !listed.has(id)) {
    throw new ObservationError(
      `GET /tokens does not show ${id}, the current token of ${seen.secret.name}, but GET /tokens/${id} does: the listing is incomplete`,
    );
  }
}

/** The id of an adopted token's version is not the token's, so only the entry says which token to read by id. */
async function askForAdopted(
  { secret, holders }: ObservedSecret,
  policy: Pick<Policy, 'owner' | 'tokens'>,
  api: Listing['api'],
): Promise<Holder | undefined> {
  const version = secret.labels.AWSCURRENT ?? '';
  if (holders.get(version)?.state !== 'gone') return undefined;
  const adopt = entryOf(policy, secret.name)?.adopt;
  if (!adopt) return undefined;
  const found = await ask(adopt.tokenId, secret, { api, owner: policy.owner });
  return found.state === 'owned' && found.owned.version === version ? found : undefined;
}

/**
 * One secret with its tokens from this run's listing.
 * @throws ObservationError if the listing is incomplete
 */
async function observeListed(
  secret: Secret,
  { owned, foreign, listed }: SortedTokens & { readonly listed: ReadonlySet<string> },
  api: Listing['api'],
  policy: Pick<Policy, 'owner' | 'tokens'>,
): Promise<ObservedSecret> {
  const { owner } = policy;
  const seen = await observeSecret(secret, owned.get(secret.name) ?? [], { foreign, api, owner });
  const adopted = await askForAdopted(seen, policy, api);
  const version = secret.labels.AWSCURRENT ?? '';
  const holders = adopted ? new Map([...seen.holders, [version, adopted]]) : seen.holders;
  refuseIncompleteListing({ ...seen, holders }, listed);
  return seen;
}

/**
 * Reads both systems: every secret of ours, every token, and the databases if the plan needs them. All
 * or nothing: a failed read is an error, never an empty list.
 * @throws ObservationError if what came back cannot be trusted
 */
export async function observe(
  { api, secrets, now }: Readers,
  policy: Pick<Policy, 'owner' | 'tokens'>,
  withDatabases: boolean,
): Promise<Observation> {
  // Secrets first: then every token that a version names existed before the tokens were listed.
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
