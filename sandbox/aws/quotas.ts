import type { Call } from '../interception.ts';

interface Quota {
  readonly operations: readonly string[];
  readonly perSecond: number;
}

/**
 * Of an account in a Region; the operations of a line share it. They cannot be raised:
 * docs.aws.amazon.com/secretsmanager/latest/userguide/reference_limits.html
 */
const QUOTAS: readonly Quota[] = [
  { operations: ['GetSecretValue'], perSecond: 10_000 },
  { operations: ['DescribeSecret'], perSecond: 40_000 },
  { operations: ['BatchGetSecretValue'], perSecond: 100 },
  { operations: ['ListSecrets', 'ListSecretVersionIds'], perSecond: 50 },
  {
    operations: [
      ...['PutSecretValue', 'UpdateSecret', 'UpdateSecretVersionStage'],
      ...['ReplicateSecretToRegions', 'RemoveRegionsFromReplication', 'StopReplicationToReplica'],
    ],
    perSecond: 50,
  },
  { operations: ['RotateSecret', 'CancelRotateSecret'], perSecond: 50 },
  { operations: ['TagResource', 'UntagResource'], perSecond: 50 },
  { operations: ['CreateSecret'], perSecond: 50 },
  { operations: ['DeleteSecret'], perSecond: 50 },
  { operations: ['RestoreSecret'], perSecond: 50 },
  { operations: ['GetRandomPassword'], perSecond: 50 },
  {
    operations: [
      ...['GetResourcePolicy', 'PutResourcePolicy'],
      ...['DeleteResourcePolicy', 'ValidateResourcePolicy'],
    ],
    perSecond: 50,
  },
];

/** repost.aws/knowledge-center/cloudwatch-logs-throttling; some Regions have more. */
const LOGS: Quota = { operations: ['FilterLogEvents'], perSecond: 5 };

/** Undefined: nobody counts. */
export const quotaOf = ({ server, operation }: Call): Quota | undefined =>
  server === 'secrets-manager' || server === 'logs'
    ? [...QUOTAS, LOGS].find(({ operations }) => operations.includes(operation))
    : undefined;
