import { z } from 'zod';
import { invalidParameter, invalidRequest } from './aws-error.ts';
import { replicationStatus } from './describe.ts';
import { members, type Operation, operation } from './request.ts';
import type { Replica, Secret } from './state.ts';
import type { Store } from './store.ts';

type Wanted = z.infer<typeof members.replicaRegions>;

/** The secret with these replicas, which exist as soon as it is saved. Throws InvalidParameterException. */
export function replicate(
  store: Store,
  secret: Secret,
  wanted: Wanted,
  overwrites: boolean,
): Secret {
  if (wanted.some(({ Region }) => Region === store.region))
    throw invalidParameter('Invalid replica region.');
  const added = wanted.map(({ Region, KmsKeyId: kmsKeyId }): [string, Replica] => {
    // A replica that failed has no copy: what bears the name there is somebody else's.
    const was = secret.replicas[Region];
    const isCopied = was !== undefined && was.failure === undefined;
    const there = isCopied ? undefined : store.of(Region).findByName(secret.name);
    const failure =
      there && !overwrites
        ? `Replication failed: Secret name ${secret.name} already exists in region ${Region}.`
        : undefined;
    return [Region, { kmsKeyId, failure }];
  });
  const replicas = { ...secret.replicas, ...Object.fromEntries(added) };
  return { ...secret, replicas, primaryRegion: store.region };
}

const answer = (secret: Secret) => ({
  ARN: secret.arn,
  ReplicationStatus: replicationStatus(secret) ?? [],
});

const replicateSecretToRegions = operation(
  z.object({
    SecretId: members.secretId,
    AddReplicaRegions: members.replicaRegions,
    ForceOverwriteReplicaSecret: z.boolean().default(false),
  }),
  (store, { SecretId, AddReplicaRegions, ForceOverwriteReplicaSecret }) => {
    const secret = store.findWritable(SecretId);
    return answer(
      store.save(replicate(store, secret, AddReplicaRegions, ForceOverwriteReplicaSecret)),
    );
  },
);

/** The primary secret without one of its replicas, whatever became of the copy. */
const without = (secret: Secret, region: string): Secret => {
  const { [region]: _gone, ...replicas } = secret.replicas;
  const isReplicated = Object.keys(replicas).length > 0;
  return { ...secret, replicas, primaryRegion: isReplicated ? secret.primaryRegion : undefined };
};

/** Deletes the copies. A Region that has none is no error. */
const removeRegionsFromReplication = operation(
  z.object({
    SecretId: members.secretId,
    RemoveReplicaRegions: z.array(z.string().min(1).max(128)).min(1),
  }),
  (store, { SecretId, RemoveReplicaRegions }) => {
    const secret = store.findWritable(SecretId);
    for (const region of RemoveReplicaRegions) {
      const copy = secret.replicas[region] && store.of(region).findByName(secret.name);
      if (copy?.primaryRegion === store.region) store.of(region).remove(copy);
    }
    return answer(store.save(RemoveReplicaRegions.reduce(without, secret)));
  },
);

/** Asked in the replica's Region: the copy becomes a secret of its own, which the former primary does not change any more. */
const stopReplicationToReplica = operation(
  z.object({ SecretId: members.secretId }),
  (store, { SecretId }) => {
    const copy = store.findUsable(SecretId);
    if (copy.primaryRegion === undefined || copy.primaryRegion === store.region)
      // The text is a guess.
      throw invalidRequest('Secret is not a replica.');
    const home = store.of(copy.primaryRegion);
    const primary = home.findByName(copy.name);
    if (primary?.replicas[store.region]) home.save(without(primary, store.region));
    store.save({ ...copy, primaryRegion: undefined });
    return { ARN: copy.arn };
  },
);

export const replicationOperations: Readonly<Record<string, Operation>> = {
  ReplicateSecretToRegions: replicateSecretToRegions,
  RemoveRegionsFromReplication: removeRegionsFromReplication,
  StopReplicationToReplica: stopReplicationToReplica,
};
