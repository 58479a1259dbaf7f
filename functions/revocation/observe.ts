import type { ManagementApi } from '../management-api/management-api.ts';
import type { Token } from '../management-api/token.ts';
import type { Policy } from '../policy/policy.ts';
import type { Log } from '../run/tools.ts';
import { OWNER_TAG } from '../secrets-manager/secret.ts';
import type { Secrets } from '../secrets-manager/secrets.ts';
import { type ObservedSecret, sortByOwner } from '../tokens/observation.ts';
import { observeSecret, type Readers } from '../tokens/observe.ts';
import { fingerprintReader } from '../tokens/read-fingerprint.ts';

/** What reading both systems for a person's order needs. */
interface OrderReaders {
  readonly api: Readers['api'];
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
  /** Every token that was listed, of any owner, also revoked ones. */
  readonly tokens: readonly Token[];
}

/** Adds foreign tokens that no label names: those that `revoke` replaced here, and the one that a person named. */
function withForeign(
  seen: ObservedSecret,
  foreign: ReadonlyMap<string, Token>,
  named?: string,
): ObservedSecret {
  const holders = new Map(seen.holders);
  for (const id of [named, ...seen.tokens.map(({ marker }) => marker.replaces)]) {
    const token = foreign.get(id ?? '');
    if (token) holders.set(token.id, { state: 'foreign', token });
  }
  return { ...seen, holders };
}

/** Reads every secret and every token. Secrets of the policy that `ListSecrets` does not show yet are read by name. */
export async function observeAll({
  api,
  secrets,
  policy,
  log,
  now,
}: OrderReaders & Pick<Readers, 'now'>): Promise<RevocationObservation> {
  const { owner } = policy;
  const listed = await secrets.list(owner);
  const known = new Set(listed.map(({ name }) => name));
  const late = policy.tokens.filter(({ secret }) => !known.has(secret));
  const described = await Promise.all(late.map(({ secret }) => secrets.describe(secret)));
  const ours = described.filter((secret) => secret?.tags[OWNER_TAG] === owner);
  const all = new Map(
    [...listed, ...ours].flatMap((secret) => (secret ? [[secret.name, secret] as const] : [])),
  );
  const { tokens, at } = await api.listTokens();
  const { owned, foreign } = sortByOwner(tokens, owner, (name) => all.get(name));
  const around = { api, owner, readFingerprint: fingerprintReader({ secrets, policy, log }) };
  const observed = await Promise.all(
    [...all].map(async ([name, secret]) => {
      const seen = await observeSecret(secret, { ...around, owned, foreign }, secrets);
      return [name, withForeign(seen, foreign)] as const;
    }),
  );
  return { at, skewMs: at - now(), secrets: new Map(observed), tokens };
}

/**
 * One secret as it is now, with all tokens whose markers name it, and the one that a person named.
 * Undefined: no secret has this name.
 */
export async function observeOne(
  name: string,
  { api, secrets, policy, log }: OrderReaders,
  named?: string,
): Promise<ObservedSecret | undefined> {
  const secret = await secrets.describe(name);
  if (!secret) return undefined;
  const { owner } = policy;
  const { tokens } = await api.listTokens();
  const { owned, foreign } = sortByOwner(tokens, owner, (each) =>
    each === name ? secret : undefined,
  );
  const around = { api, owner, readFingerprint: fingerprintReader({ secrets, policy, log }) };
  const seen = await observeSecret(secret, { ...around, owned, foreign }, secrets);
  return withForeign(seen, foreign, named);
}

type Listing = ManagementApi['listTokens'];

/**
 * Shares one listing between all callers that wait at the same time. Each caller gets a listing that began
 * after its call, so it is never out of date, and many secrets do not need as many listings.
 */
export function sharedListing({ listTokens }: Pick<ManagementApi, 'listTokens'>): Listing {
  let running: Promise<unknown> = Promise.resolve();
  let next: ReturnType<Listing> | undefined;
  return () => {
    next ??= running.then(() => {
      next = undefined;
      const listing = listTokens();
      running = listing.catch(() => {}); // the callers of this listing get its error
      return listing;
    });
    return next;
  };
}
