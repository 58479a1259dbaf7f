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

/** Of all metrics; each has the dimension `Owner`. */
export const NAMESPACE = 'Keyturn';

interface Metric {
  readonly name: string;
  readonly unit: 'Count' | 'None';
}

/** What a run measures. Adding one is one row here, one `measure` in a job, and its alarm in lib/alarms.ts. */
export const METRICS = {
  ownedTokens: { name: 'OwnedTokens', unit: 'Count' },
  /** Whose rotation should have happened, or who wait for a first token that nothing brings. */
  overdueTokens: { name: 'OverdueTokens', unit: 'Count' },
  /** With less than half of their `renewBefore` left. */
  tokensNearExpiry: { name: 'TokensNearExpiry', unit: 'Count' },
  /** Days until the first current token expires; below zero: it has expired. */
  runwayDays: { name: 'RunwayDays', unit: 'None' },
  /** Age of the oldest current token, in days. */
  oldestTokenDays: { name: 'OldestTokenDays', unit: 'None' },
  /** Databases that differ from their rule and are left so. */
  driftedDatabases: { name: 'DriftedDatabases', unit: 'Count' },
  refusedPlans: { name: 'RefusedPlans', unit: 'Count' },
  failedActions: { name: 'FailedActions', unit: 'Count' },
  /** Orders of which nobody can say that they are complete. */
  unconfirmedRevocations: { name: 'UnconfirmedRevocations', unit: 'Count' },
  /** Days until the management token expires, as far as its secret says. */
  managementTokenDays: { name: 'ManagementTokenDays', unit: 'None' },
} as const satisfies Record<string, Metric>;

/** How many actions were carried out; it has the dimension `Action`, their kind, besides `Owner`. */
export const ACTIONS_METRIC = { name: 'Actions', unit: 'Count' } as const satisfies Metric;

/** What a run measured. Absent: it did not look, or there is nothing to say. */
export type Measures = { readonly [Key in keyof typeof METRICS]?: number } & {
  /** How many were carried out, by kind. */
  readonly actions?: Readonly<Record<string, number>>;
};

/** Known by heart in an emergency: nobody looks up a generated name at three in the morning. */
export const functionName = (owner: string, entry: string) => `keyturn-${owner}-${entry}`;
