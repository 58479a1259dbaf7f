import { EchoError } from '../management-api/influx-error.ts';
import type { TokenPolicy } from '../policy/policy.ts';
import type { Tools } from '../run/tools.ts';
import type { TokenValue } from '../token-value.ts';
import { freshToken } from '../tokens/change-token.ts';
import { describeToken, grantsHash, homeOf, type Marker } from '../tokens/marker.ts';
import type { ObservedSecret, OwnedToken } from '../tokens/observation.ts';
import { composeSecretString, readTokenString } from '../tokens/secret-string.ts';
import type { ArmingTools } from '../tokens/under-hold.ts';

/** A stored and armed token on its way to AWSCURRENT. */
export interface Successor {
  readonly owned: OwnedToken;
  readonly value: TokenValue;
}

/** Why a token is minted. */
interface Cause {
  /** Somebody asked for it. */
  readonly forced: boolean;
  /** The token that was revoked. */
  readonly replaces?: string;
  /** The version that Secrets Manager made for it; absent: one with the token's own id is put. */
  readonly version?: string;
}

/** Step 2: a token that can do nothing yet, so that losing it here loses nothing. */
async function mint(
  entry: TokenPolicy,
  { secret }: ObservedSecret,
  { forced, replaces, version }: Cause,
  { api, policy, apiNow }: Tools,
): Promise<Successor> {
  const marker: Marker = {
    owner: policy.owner,
    secret: secret.name,
    home: homeOf(secret.arn),
    ...(forced && { forced }),
    ...(replaces !== undefined && { replaces }),
    ...(version !== undefined && { version }),
  };
  const description = describeToken(entry.description, marker);
  const lifetime = entry.expiresAfter;
  // The API takes whole seconds.
  const expiresAt =
    lifetime === undefined ? undefined : Math.ceil((apiNow() + lifetime) / 1_000) * 1_000;
  const { token, value } = await api.createToken({ description, permissions: [], expiresAt });
  // A server that ignores expiresAt would mint immortal tokens; this one can do nothing and is reaped.
  if (token.expiresAt !== expiresAt || token.description !== description) {
    throw new EchoError(
      `POST /tokens made ${token.id} with another expiry or description than asked for`,
    );
  }
  const text = entry.description;
  return { owned: { token, marker, text, version: version ?? token.id }, value };
}

/** Step 3. The version's id is the token's, or was given, so that a repeated put does nothing. */
async function store(
  entry: TokenPolicy,
  { owned: { token, version }, value }: Successor,
  { secrets, policy }: Tools,
): Promise<void> {
  const former = entry.adopt ? await secrets.value(entry.secret) : undefined;
  const text = composeSecretString(entry, policy, { token, value }, former);
  await secrets.put(entry.secret, version, text, 'AWSPENDING');
}

/** Step 4: only now, with its string stored, does the token get its permissions. */
async function arm(
  entry: TokenPolicy,
  { owned, value }: Successor,
  tools: ArmingTools,
): Promise<Successor> {
  const { permissions } = entry;
  const marker = {
    id: owned.token.id,
    fp: value.fingerprint(),
    grants: grantsHash(permissions),
    ...(owned.version !== owned.token.id && { version: owned.version }),
  };
  const token = await tools.arm(owned, { marker, permissions });
  return { owned: { ...owned, token, marker: { ...owned.marker, ...marker } }, value };
}

/** Steps 2 to 4: a new token, stored and armed. */
export async function mintSuccessor(
  entry: TokenPolicy,
  seen: ObservedSecret,
  cause: Cause,
  tools: ArmingTools,
): Promise<Successor> {
  const minted = await mint(entry, seen, cause, tools);
  await store(entry, minted, tools);
  return arm(entry, minted, tools);
}

/** Step 4 of an earlier run's token: armed unless it was. Undefined: it is gone, or no longer ours. */
export async function resumeSuccessor(
  entry: TokenPolicy,
  found: OwnedToken,
  tools: ArmingTools,
): Promise<Successor | undefined> {
  const text = await tools.secrets.value(entry.secret, found.version);
  const owned = await freshToken(tools, found);
  if (!text || !owned) return undefined;
  const successor = { owned, value: readTokenString(entry, text) };
  return owned.marker.fp === undefined ? arm(entry, successor, tools) : successor;
}
