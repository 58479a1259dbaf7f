import {
  entryOf,
  type ReplicaRegion,
  replicaRegionsOf,
  type TokenPolicy,
} from '../policy/policy.ts';
import type { Tools } from '../run/tools.ts';
import { LIFTED_TAG } from '../secrets-manager/hold.ts';
import {
  CLUSTER_TAG,
  notOwnedBecause,
  OWNER_TAG,
  otherClusterOf,
  pendingVersion,
  type Secret,
} from '../secrets-manager/secret.ts';
import {
  type Observation,
  type ObservedSecret,
  secretNamedIn,
  sortByOwner,
} from './observation.ts';
import { observeSecret } from './observe.ts';
import { fingerprintReader } from './read-fingerprint.ts';
import { currentHolder, isUnknown, mayBeElsewhere, strandedBySave } from './state.ts';
import { tokenNamedBy } from './version-id.ts';
import { youngVersions } from './young-versions.ts';

/** A secret or token belongs to another deployment, or to none. */
export class OwnershipError extends Error {
  override readonly name = 'OwnershipError';
}

export function tagsOf({ owner, cluster }: Tools['policy']): Record<string, string> {
  return { [OWNER_TAG]: owner, [CLUSTER_TAG]: cluster.url };
}

/** @throws OwnershipError that names the command which takes the secret over, and `adopt` where that can be meant */
export function refuseForeignSecret(secret: Secret, policy: Tools['policy']): void {
  const why = notOwnedBecause(secret, policy.owner, entryOf(policy, secret.name)?.name);
  if (why === undefined) return;
  // What another owner has tagged is not adopted either.
  const instead =
    secret.tags[OWNER_TAG] === undefined
      ? ". If consumers use the string that it has, put adopt with that token's id into the entry of the policy instead: then the string stays until its rotation is due"
      : '';
  throw new OwnershipError(`${why}${instead}`);
}

/**
 * Refuses a secret whose tokens are of another cluster: that this one does not know them means nothing.
 * @throws OwnershipError that names the command which moves the secret
 */
export function refuseOtherCluster(secret: Secret, { cluster }: Tools['policy']): void {
  const other = otherClusterOf(secret, cluster.url);
  if (other === undefined) return;
  throw new OwnershipError(
    `${secret.name} has tokens of the cluster ${other}; the plan of rotate that moves it to ` +
      'another cluster waits for its approval: keyturn plan --job rotate',
  );
}

async function describeOrCreate(
  entry: TokenPolicy,
  { secrets, policy, log }: Tools,
): Promise<Secret> {
  const { secret } = entry;
  const found = await secrets.describe(secret);
  if (found) return found;
  const wanted = replicaRegionsOf(policy, entry) ?? [];
  const create = (replicaRegions: readonly ReplicaRegion[]) =>
    secrets.create(secret, {
      description: `InfluxDB token of ${entry.name}, rotated by Keyturn (${policy.owner})`,
      tags: { ...policy.secretTags, ...tagsOf(policy) },
      encryptionKey: policy.encryptionKey,
      replicaRegions,
    });
  try {
    return await create(wanted);
  } catch (error) {
    // Another run may have created it, or our own call whose answer was lost.
    const made = await secrets.describe(secret);
    if (made) return made;
    if (wanted.length === 0) throw error;
    // No token waits for replicas: the next run asks for those by themselves, and fails as AWS says.
    log.warn('a secret was made without replicas', { secret, error });
    return await create([]);
  }
}

/**
 * Whether it must be known when a secret's versions were made: one that no token's id names counts its age
 * from there, one that is older than a `lift`, or a move of the cluster, lost its token by that order, and one that a person saved
 * may have taken AWSPENDING from one that waits.
 */
export function needsVersionTimes(seen: ObservedSecret): boolean {
  const pending = pendingVersion(seen.secret);
  const isOfOthers = pending !== undefined && !tokenNamedBy(pending)?.certain;
  const isLifted = seen.secret.tags[LIFTED_TAG] !== undefined;
  return (
    isOfOthers ||
    isUnknown(seen, 'AWSCURRENT') ||
    isUnknown(seen, 'AWSPREVIOUS') ||
    strandedBySave(seen) !== undefined ||
    mayBeElsewhere(seen) ||
    (isLifted && currentHolder(seen)?.state === 'gone')
  );
}

/**
 * Step 1: reads the secret of one entry right before acting on it, and creates it if there is none.
 * @throws OwnershipError before anything is minted, if the secret is not ours or of another cluster
 */
export async function claimSecret(
  entry: TokenPolicy,
  observation: Observation,
  tools: Tools,
): Promise<ObservedSecret> {
  const { policy, api } = tools;
  const secret = await describeOrCreate(entry, tools);
  refuseForeignSecret(secret, policy);
  refuseOtherCluster(secret, policy);
  const { owner } = policy;
  const { foreign } = observation;
  const owned = new Map([...observation.secrets].map(([name, { tokens }]) => [name, tokens]));
  if (!owned.has(secret.name)) {
    // ListSecrets shows a new secret up to five minutes late; until then its tokens look foreign.
    const sorted = sortByOwner(foreign.values(), owner, (name) =>
      name === secret.name ? secret : undefined,
    );
    owned.set(secret.name, sorted.owned.get(secret.name) ?? []);
  }
  const readFingerprint = fingerprintReader(tools);
  const isYoung = youngVersions(tools.secrets, tools.apiNow());
  const { revoked } = observation;
  const secretNamed = secretNamedIn(observation);
  const sources = { owned, foreign, revoked, api, owner, secretNamed, isYoung, readFingerprint };
  return observeSecret(secret, sources, tools.secrets, needsVersionTimes);
}
