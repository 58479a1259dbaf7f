import type { Measures } from './measures.ts';

/** Names shared by the stack, which sets them, and runtime.ts, which reads them. */

/** Beside the bundle in the function's asset, in the folder that LAMBDA_TASK_ROOT names. */
export const POLICY_FILE = 'policy.json';
/** Present only where the policy names a certificate authority; PEM. */
export const CA_FILE = 'ca.pem';

export const ENVIRONMENT = {
  /** Name or ARN of the bus for Keyturn's events. */
  eventBus: 'KEYTURN_EVENT_BUS',
  /** ARN of the KMS key for secrets that Keyturn creates; absent: the account's default key. */
  encryptionKey: 'KEYTURN_ENCRYPTION_KEY',
  /** Name of the file that the policy was written in, by which plans call it. */
  policyFile: 'KEYTURN_POLICY_FILE',
} as const;

/** Of all metrics; each has the dimension `Owner`, and `Actions` has `Action` as well. */
export const NAMESPACE = 'Keyturn';

/** Names and units of what a run measures. */
export const METRICS = {
  ownedTokens: { name: 'OwnedTokens', unit: 'Count' },
  overdueTokens: { name: 'OverdueTokens', unit: 'Count' },
  tokensNearExpiry: { name: 'TokensNearExpiry', unit: 'Count' },
  runwayDays: { name: 'RunwayDays', unit: 'None' },
  oldestTokenDays: { name: 'OldestTokenDays', unit: 'None' },
  driftedDatabases: { name: 'DriftedDatabases', unit: 'Count' },
  refusedPlans: { name: 'RefusedPlans', unit: 'Count' },
  failedActions: { name: 'FailedActions', unit: 'Count' },
  unconfirmedRevocations: { name: 'UnconfirmedRevocations', unit: 'Count' },
  managementTokenDays: { name: 'ManagementTokenDays', unit: 'None' },
  actions: { name: 'Actions', unit: 'Count' },
} as const satisfies Record<keyof Measures, { name: string; unit: 'Count' | 'None' }>;

/** Known by heart in an emergency: nobody looks up a generated name at three in the morning. */
export const functionName = (owner: string, entry: string) => `keyturn-${owner}-${entry}`;
