import { z } from 'zod';
import { AwsError, alreadyExists, invalidParameter, invalidRequest } from './aws-error.ts';
import { describe, replicationStatus, seconds } from './describe.ts';
import { replicate } from './replication.ts';
import { members, type Operation, operation, requireToken } from './request.ts';
import { refuseBadName } from './secret-name.ts';
import type { Secret } from './state.ts';
import type { Store } from './store.ts';
import { addVersion, sameValue, tokenInUse } from './versions.ts';

const DAY_MS = 86_400_000;

const createSecret = operation(
  z.object({
    Name: z.string().min(1).max(512),
    ClientRequestToken: members.token,
    Description: members.description,
    KmsKeyId: members.kmsKeyId,
    SecretString: members.secretString,
    SecretBinary: members.secretBinary,
    Tags: z.array(members.tag).default([]),
    AddReplicaRegions: members.replicaRegions.optional(),
    ForceOverwriteReplicaSecret: z.boolean().default(false),
  }),
  (store, input) => {
    const token = requireToken(input.ClientRequestToken);
    const { Name: name, SecretString: secretString, SecretBinary: secretBinary } = input;
    refuseBadName(name);
    refuseTwoValues(secretString, secretBinary);
    const existing = store.findByName(name);
    const version = { id: token, secretString, secretBinary };
    if (existing !== undefined) return repeatCreation(existing, version);
    const empty: Secret = {
      name,
      arn: newArn(store, name),
      description: input.Description,
      kmsKeyId: input.KmsKeyId,
      tags: withTags({}, input.Tags),
      wasTagged: input.Tags.length > 0,
      versions: {},
      createdAt: store.now(),
      changedAt: store.now(),
      accessedAt: undefined,
      deletedAt: undefined,
      deletionAt: undefined,
      resourcePolicy: undefined,
      rotation: undefined,
      primaryRegion: undefined,
      replicas: {},
    };
    const valued = secretString !== undefined || secretBinary !== undefined;
    const made = valued ? addVersion(empty, version, ['AWSCURRENT'], store.now()) : empty;
    const secret = store.save(
      input.AddReplicaRegions
        ? replicate(store, made, input.AddReplicaRegions, input.ForceOverwriteReplicaSecret)
        : made,
    );
    return {
      ARN: secret.arn,
      Name: name,
      VersionId: valued ? token : undefined,
      ReplicationStatus: replicationStatus(secret),
    };
  },
);

/** The same token with the same value is a retry; anything else is a conflict. */
function repeatCreation(secret: Secret, version: Parameters<typeof addVersion>[1]) {
  if (secret.deletedAt !== undefined)
    throw invalidRequest(
      "You can't create this secret because a secret with this name is already scheduled for deletion.",
    );
  const made = secret.versions[version.id];
  if (made === undefined)
    throw alreadyExists(`The operation failed because the secret ${secret.name} already exists.`);
  if (!sameValue(made, version)) throw tokenInUse(secret, version.id);
  return { ARN: secret.arn, Name: secret.name, VersionId: version.id };
}

const describeSecret = operation(z.object({ SecretId: members.secretId }), (store, input) =>
  describe(store.find(input.SecretId, store.readLagMs), 'VersionIdsToStages'),
);

const updateSecret = operation(
  z.object({
    SecretId: members.secretId,
    ClientRequestToken: members.token,
    Description: members.description,
    KmsKeyId: members.kmsKeyId,
    SecretString: members.secretString,
    SecretBinary: members.secretBinary,
  }),
  (store, input) => {
    const token = requireToken(input.ClientRequestToken);
    const { SecretString: secretString, SecretBinary: secretBinary } = input;
    refuseTwoValues(secretString, secretBinary);
    const secret = store.findWritable(input.SecretId);
    const described = {
      ...secret,
      description: input.Description ?? secret.description,
      kmsKeyId: input.KmsKeyId ?? secret.kmsKeyId,
    };
    if (secretString === undefined && secretBinary === undefined) {
      store.save(described);
      return { ARN: secret.arn, Name: secret.name };
    }
    const version = { id: token, secretString, secretBinary };
    const made = secret.versions[token];
    if (made !== undefined) {
      if (!sameValue(made, version)) throw tokenInUse(secret, token);
      store.save(described);
      return { ARN: secret.arn, Name: secret.name, VersionId: token };
    }
    store.save(addVersion(described, version, ['AWSCURRENT'], store.now()));
    return { ARN: secret.arn, Name: secret.name, VersionId: token };
  },
);

const deleteSecret = operation(
  z.object({
    SecretId: members.secretId,
    RecoveryWindowInDays: z.number().int().optional(),
    ForceDeleteWithoutRecovery: z.boolean().default(false),
  }),
  (store, input) => {
    const { SecretId, RecoveryWindowInDays: days, ForceDeleteWithoutRecovery: forced } = input;
    if (forced && days !== undefined)
      throw invalidParameter(
        "You can't use ForceDeleteWithoutRecovery in conjunction with RecoveryWindowInDays.",
      );
    // 7 to 30 days, 30 by default (DeleteSecret, AWS Secrets Manager API Reference).
    if (days !== undefined && (days < 7 || days > 30))
      throw invalidParameter(
        'The RecoveryWindowInDays value must be between 7 and 30 days (inclusive).',
      );
    if (forced) return deleteNow(store, SecretId);
    const secret = store.findWritable(SecretId);
    refuseReplicated(secret);
    const deletedAt = store.now();
    const deletionAt = deletedAt + (days ?? 30) * DAY_MS;
    store.save({ ...secret, deletedAt, deletionAt });
    return { ARN: secret.arn, Name: secret.name, DeletionDate: seconds(deletionAt) };
  },
);

/** A missing secret is no error, so that a retry succeeds. */
function deleteNow(store: Store, secretId: string) {
  const DeletionDate = seconds(store.now());
  try {
    const secret = store.refuseReplica(store.find(secretId));
    refuseReplicated(secret);
    store.remove(secret);
    return { ARN: secret.arn, Name: secret.name, DeletionDate };
  } catch (error) {
    if (!(error instanceof AwsError && error.code === 'ResourceNotFoundException')) throw error;
    return { ARN: newArn(store, secretId), Name: secretId, DeletionDate };
  }
}

function refuseReplicated({ arn, replicas }: Secret): void {
  const regions = Object.keys(replicas);
  if (regions.length > 0)
    throw invalidParameter(
      `You can't delete secret ${arn} that still has replica regions [${regions.join(', ')}]`,
    );
}

const restoreSecret = operation(z.object({ SecretId: members.secretId }), (store, input) => {
  const secret = store.refuseReplica(store.find(input.SecretId));
  store.save({ ...secret, deletedAt: undefined, deletionAt: undefined });
  return { ARN: secret.arn, Name: secret.name };
});

const tagResource = operation(
  z.object({ SecretId: members.secretId, Tags: z.array(members.tag) }),
  (store, input) => {
    const secret = store.findWritable(input.SecretId);
    store.save({ ...secret, tags: withTags(secret.tags, input.Tags), wasTagged: true });
    return {};
  },
);

const untagResource = operation(
  z.object({ SecretId: members.secretId, TagKeys: z.array(z.string().min(1).max(128)) }),
  (store, input) => {
    const secret = store.findWritable(input.SecretId);
    const kept = Object.entries(secret.tags).filter(([key]) => !input.TagKeys.includes(key));
    store.save({ ...secret, tags: Object.fromEntries(kept) });
    return {};
  },
);

function withTags(
  tags: Secret['tags'],
  added: readonly z.infer<typeof members.tag>[],
): Secret['tags'] {
  const keys = added.map((tag) => tag.Key);
  if (new Set(keys).size < keys.length) throw invalidParameter('Tag keys must be unique.');
  if (keys.some((key) => key.startsWith('aws:')))
    throw invalidParameter('Tag keys starting with aws: are reserved.');
  const all = { ...tags, ...Object.fromEntries(added.map((tag) => [tag.Key, tag.Value])) };
  // TagResource, AWS Secrets Manager API Reference.
  if (Object.keys(all).length > 50)
    throw invalidParameter("You can't have more than 50 tags on a secret.");
  return all;
}

const newArn = (store: Store, name: string) =>
  `arn:aws:secretsmanager:${store.region}:${store.accountId}:secret:${name}-${store.draw().slice(0, 6)}`;

export function refuseTwoValues(secretString?: string, secretBinary?: string) {
  if (secretString !== undefined && secretBinary !== undefined)
    throw invalidParameter(
      "You can't specify both a binary secret value and a string secret value in the same secret.",
    );
}

export const secretOperations: Readonly<Record<string, Operation>> = {
  CreateSecret: createSecret,
  DescribeSecret: describeSecret,
  UpdateSecret: updateSecret,
  DeleteSecret: deleteSecret,
  RestoreSecret: restoreSecret,
  TagResource: tagResource,
  UntagResource: untagResource,
};
