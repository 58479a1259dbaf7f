import { EchoError } from '../management-api/influx-error.ts';
import type { TokenPolicy } from '../policy/policy.ts';
import type { Tools } from '../run/tools.ts';
import type { TokenValue } from '../token-value.ts';
import { freshToken } from '../tokens/change-token.ts';
import { describeToken, grantsHash, homeOf, type Marker } from '../tokens/marker.ts';
import type { ObservedSecret, OwnedToken } from '../tokens/observation.ts';
import { composeSecretString, fingerprintsOf, readTokenString } from '../tokens/secret-string.ts';
import type { ArmingTools } from '../tokens/under-hold.ts';

/** A token that will get AWSCURRENT, and its string. */
export interface Successor {
  readonly owned: OwnedToken;
  readonly value: TokenValue;
}

/** Why a token is minted. */
interface Cause {
  /** Somebody asked for it. */
  readonly forced: boolean;
  /** Id of the token that `revoke` replaces. */
  readonly replaces?: string;
  /** Id of the version that Secrets Manager made for it. Absent: the version gets the token's own id. */
  readonly version?: string;
}

/** Step 2: mints a token without permissions, so that one that is lost before it is stored does no harm. */
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
  // Rounded up, because `formatInstant` cuts to the whole second.
  const expiresAt =
    lifetime === undefined ? undefined : Math.ceil((apiNow() + lifetime) / 1_000) * 1_000;
  const { token, value } = await api.createToken({ description, permissions: [], expiresAt });
  // A server that ignores expiresAt would mint tokens that never expire. This one is inert, and reap deletes it.
  if (token.expiresAt !== expiresAt || token.description !== description) {
    throw new EchoError(
      `POST /tokens made ${token.id} with another expiry or description than asked for`,
    );
  }
  const text = entry.description;
  return { owned: { token, marker, text, version: version ?? token.id }, value };
}

/**
 * Step 3: stores the string under AWSPENDING. The version's id does not change between attempts, so that a
 * repeated `PutSecretValue` does nothing.
 */
async function store(
  entry: TokenPolicy,
  seen: ObservedSecret,
  { owned: { token, version }, value }: Successor,
  { secrets, policy }: Tools,
): Promise<void> {
  const current = await secrets.value(entry.secret);
  const former = current && { text: current, fingerprints: fingerprintsOf(seen) };
  const text = composeSecretString(entry, policy, { token, value }, former);
  await secrets.put(entry.secret, version, text, 'AWSPENDING');
}

/** Step 4: the token gets its permissions only now, after its string was stored. */
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

/** Steps 2 to 4: mints a token, stores it and arms it. */
export async function mintSuccessor(
  entry: TokenPolicy,
  seen: ObservedSecret,
  cause: Cause,
  tools: ArmingTools,
): Promise<Successor> {
  const minted = await mint(entry, seen, cause, tools);
  await store(entry, seen, minted, tools);
  return arm(entry, minted, tools);
}

/** Step 4 for the token of an earlier run: arms it unless that was done. Undefined: the token or its value is gone. */
export async function resumeSuccessor(
  entry: TokenPolicy,
  found: OwnedToken,
  tools: ArmingTools,
): Promise<Successor | undefined> {
  const text = await tools.secrets.value(entry.secret, found.version);
  const owned = await freshToken(tools, found);
  if (!text || !owned) return undefined;
  const successor = { owned, value: readTokenString(entry, text, [owned.marker.fp ?? '']) };
  return owned.marker.fp === undefined ? arm(entry, successor, tools) : successor;
}
