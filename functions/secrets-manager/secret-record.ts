import type {
  DescribeSecretResponse,
  ReplicationStatusType,
  SecretListEntry,
} from '@aws-sdk/client-secrets-manager';
import type { Replica, Secret } from './secret.ts';

type Stages = Record<string, string[]> | undefined;

/** Turns "version to its labels" into "label to its version": a label is on one version at a time. */
function labelsOf(stages: Stages): Record<string, string> {
  return Object.fromEntries(
    Object.entries(stages ?? {}).flatMap(([version, labels]) =>
      labels.map((label) => [label, version] as const),
    ),
  );
}

function secretOf(
  {
    Name,
    ARN,
    Tags,
    CreatedDate,
    LastChangedDate = CreatedDate,
    DeletedDate,
    KmsKeyId,
    PrimaryRegion,
  }: SecretListEntry & DescribeSecretResponse,
  stages: Stages,
): Secret {
  if (!Name || !ARN) throw new Error('Secrets Manager described a secret without name or ARN');
  return {
    name: Name,
    arn: ARN,
    labels: labelsOf(stages),
    tags: Object.fromEntries((Tags ?? []).map(({ Key, Value }) => [Key ?? '', Value ?? ''])),
    changedAt: LastChangedDate?.getTime() ?? 0,
    ...(DeletedDate && { deletedAt: DeletedDate.getTime() }),
    ...(KmsKeyId && { key: KmsKeyId }),
    replica: PrimaryRegion !== undefined && PrimaryRegion !== ARN.split(':')[3],
  };
}

export const fromListing = (entry: SecretListEntry): Secret =>
  secretOf(entry, entry.SecretVersionsToStages);

export const replicasOf = (statuses: readonly ReplicationStatusType[]): readonly Replica[] =>
  statuses.map(({ Region = '', Status = '', StatusMessage, KmsKeyId }) => ({
    region: Region,
    status: Status,
    ...(StatusMessage && { message: StatusMessage }),
    ...(KmsKeyId && { key: KmsKeyId }),
  }));

export function fromDescription(described: DescribeSecretResponse): Secret {
  const { VersionIdsToStages, ReplicationStatus = [] } = described;
  const secret = secretOf(described, VersionIdsToStages);
  return ReplicationStatus.length > 0
    ? { ...secret, replicas: replicasOf(ReplicationStatus) }
    : secret;
}
