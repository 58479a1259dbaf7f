import { labelledVersions } from './labels.ts';
import type { Secret } from './state.ts';

const DAY_MS = 86_400_000;

/** Timestamps are sent as seconds since 1970, with three decimals (Smithy, AWS JSON 1.1 protocol). */
export const seconds = (ms: number) => ms / 1000;

/** LastAccessedDate has only the day (SecretListEntry, AWS Secrets Manager API Reference). */
export const day = (ms: number | undefined) =>
  ms === undefined ? undefined : seconds(ms - (ms % DAY_MS));

/** The answer of DescribeSecret, or an entry of ListSecrets: they differ in the name of one member. */
export function describe(
  secret: Secret,
  versions: 'VersionIdsToStages' | 'SecretVersionsToStages',
): object {
  const { rotation } = secret;
  return {
    ARN: secret.arn,
    Name: secret.name,
    Description: secret.description || undefined,
    KmsKeyId: secret.kmsKeyId,
    RotationEnabled: rotation?.enabled,
    RotationLambdaARN: rotation?.lambdaArn,
    RotationRules: rotation?.rules,
    LastRotatedDate: instant(rotation?.rotatedAt),
    NextRotationDate: rotation?.enabled ? instant(rotation.nextAt) : undefined,
    CreatedDate: seconds(secret.createdAt),
    LastChangedDate: seconds(secret.changedAt),
    LastAccessedDate: day(secret.accessedAt),
    DeletedDate: instant(secret.deletionAt),
    // Empty once the last tag is gone, absent where there never was one.
    Tags: secret.wasTagged
      ? Object.entries(secret.tags).map(([Key, Value]) => ({ Key, Value }))
      : undefined,
    PrimaryRegion: secret.primaryRegion,
    ReplicationStatus: replicationStatus(secret),
    [versions]: filled(labelledVersions(secret.versions)),
  };
}

const instant = (ms: number | undefined) => (ms === undefined ? undefined : seconds(ms));

/** The replicas of a primary secret; absent if it has none. */
export function replicationStatus({ replicas }: Secret): readonly object[] | undefined {
  const all = Object.entries(replicas).map(([Region, { kmsKeyId, failure }]) => ({
    Region,
    KmsKeyId: kmsKeyId,
    Status: failure === undefined ? 'InSync' : 'Failed',
    StatusMessage: failure,
  }));
  return all.length > 0 ? all : undefined;
}

const filled = (record: object) => (Object.keys(record).length > 0 ? record : undefined);
