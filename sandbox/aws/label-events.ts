import type { PublishedEvent, Secret } from './state.ts';

const SILENT = ['AWSPENDING', 'AWSPREVIOUS'];

/**
 * What Secrets Manager itself puts on the default bus when a staging label moves to a version, its own
 * labels included; nothing when one is removed:
 * docs.aws.amazon.com/secretsmanager/latest/userguide/event-detail-secret-label-updated-secretsmanager.html
 */
export function labelEvents(
  before: Secret | undefined,
  { arn, name, versions }: Secret,
): Omit<PublishedEvent, 'id' | 'time'>[] {
  const former = before?.arn === arn ? before.versions : {};
  return Object.values(versions).flatMap(({ id: versionId, stages }) =>
    stages
      .filter((label) => !SILENT.includes(label) && !former[versionId]?.stages.includes(label))
      .map((labelUpdated) => ({
        bus: 'default',
        source: 'aws.secretsmanager',
        detailType: 'Secret Label Updated',
        detail: { name, labelUpdated, versionId },
        resources: [arn],
      })),
  );
}
