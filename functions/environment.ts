/** Names shared by the stack, which sets them, and runtime.ts, which reads them. */

/** Next to the bundle in the function's asset: the folder that LAMBDA_TASK_ROOT names. */
export const POLICY_FILE = 'policy.json';
/** PEM; present only if the policy names a certificate authority. */
export const CA_FILE = 'ca.pem';

export const ENVIRONMENT = {
  /** Name or ARN of the bus for Keyturn's events. */
  eventBus: 'KEYTURN_EVENT_BUS',
  /** ARN of the KMS key for secrets that Keyturn creates. Absent: the account's default key. */
  encryptionKey: 'KEYTURN_ENCRYPTION_KEY',
  /** Of `rotate`, which creates secrets: JSON of the tags that people want on them. */
  secretTags: 'KEYTURN_SECRET_TAGS',
  /** Of `rotate`: JSON of the Regions where secrets get replicas (`replicaRegions`). Absent: nobody looks after replicas. */
  replicaRegions: 'KEYTURN_REPLICA_REGIONS',
  /** Which of what is measured becomes metrics (`isMetric`). Absent: all. */
  metrics: 'KEYTURN_METRICS',
  /** Of `rotate`, which a person asks for it: JSON of the hashes of the policy's section `deployment`, by key. */
  deployment: 'KEYTURN_DEPLOYMENT',
  /** Name of the policy file, as plans show it. */
  policyFile: 'KEYTURN_POLICY_FILE',
  /** Of `rotate`: how many seconds after a firing its schedule fires again, at most. */
  nextRunSeconds: 'KEYTURN_NEXT_RUN_SECONDS',
  /** Of `rotate`: how many seconds after a firing its schedule fires for the third time, at most. */
  thirdRunSeconds: 'KEYTURN_THIRD_RUN_SECONDS',
} as const;

/**
 * Why nothing may be sent in this environment; undefined: TLS is checked. Node.js then accepts the certificate of
 * anybody, and both a token and the management token would go to whoever answers.
 * nodejs.org/api/cli.html#node_tls_reject_unauthorizedvalue
 */
export function uncheckedTls(
  environment: Readonly<Record<string, string | undefined>>,
): string | undefined {
  if (environment.NODE_TLS_REJECT_UNAUTHORIZED !== '0') return undefined;
  return 'found NODE_TLS_REJECT_UNAUTHORIZED=0 in the environment, which switches off the check of certificates, expected none; unset it, and name the authority of your cluster in the policy file: cluster.ca. Nothing was done';
}

/** Namespace of all metrics; each has the dimension `Owner`. */
export const NAMESPACE = 'Keyturn';

interface Metric {
  readonly name: string;
  readonly unit: 'Count' | 'None';
}

/** What a run measures. A new metric needs a row here, a `measure` in a job, and an alarm in lib/alarms.ts. */
export const METRICS = {
  ownedTokens: { name: 'OwnedTokens', unit: 'Count' },
  /** Tokens whose rotation is late. */
  overdueTokens: { name: 'OverdueTokens', unit: 'Count' },
  /** Entries whose consumers are refused, or soon will be, or of which nobody can know that. */
  unusableTokens: { name: 'UnusableTokens', unit: 'Count' },
  /** Entries whose consumers were refused until this run mended it. */
  mendedOutages: { name: 'MendedOutages', unit: 'Count' },
  /** Secrets of entries that are scheduled for deletion: consumers cannot read them. */
  deletedSecrets: { name: 'DeletedSecrets', unit: 'Count' },
  /** Entries that a person stopped more than a week ago. */
  longHolds: { name: 'LongHolds', unit: 'Count' },
  /** Tokens of ours that still work, and whose secret is not ours any more. */
  workingStrays: { name: 'WorkingStrays', unit: 'Count' },
  /** Current tokens with less than half of their `renewBefore` left. */
  tokensNearExpiry: { name: 'TokensNearExpiry', unit: 'Count' },
  /** Days until the first current token expires; below zero: it has expired. */
  runwayDays: { name: 'RunwayDays', unit: 'None' },
  /** Age of the oldest current token, in days. */
  oldestTokenDays: { name: 'OldestTokenDays', unit: 'None' },
  /** Databases that differ from their rule and are not corrected. */
  driftedDatabases: { name: 'DriftedDatabases', unit: 'Count' },
  refusedPlans: { name: 'RefusedPlans', unit: 'Count' },
  failedActions: { name: 'FailedActions', unit: 'Count' },
  /** Orders that are not confirmed to be complete. */
  unconfirmedRevocations: { name: 'UnconfirmedRevocations', unit: 'Count' },
  /** Events that EventBridge did not take before the run ended. */
  lostEvents: { name: 'LostEvents', unit: 'Count' },
  /** Days until the management token expires, if its secret says when. */
  managementTokenDays: { name: 'ManagementTokenDays', unit: 'None' },
} as const satisfies Record<string, Metric>;

/** Enough time for a person to make a new management token: with fewer days left it alarms. */
export const MANAGEMENT_TOKEN_DAYS = 14;

/** How many actions of one kind were done; besides `Owner` it has the dimension `Action`, the kind. */
export const ACTIONS_METRIC = { name: 'Actions', unit: 'Count' } as const satisfies Metric;

/** Runs that a schedule began in time; besides `Owner` it has the dimension `Function`, the job. */
export const RUNS_METRIC = { name: 'ScheduledRuns', unit: 'Count' } as const satisfies Metric;

/** No alarm looks at these. */
const FOR_PEOPLE: readonly string[] = [
  METRICS.ownedTokens.name,
  METRICS.runwayDays.name,
  METRICS.oldestTokenDays.name,
  METRICS.failedActions.name,
  ACTIONS_METRIC.name,
];

/**
 * Whether what is measured becomes a metric as well; it stands in the log in any case.
 * @param wanted as `deployment.metrics` of the policy file has it: full, alarms or none
 */
export const isMetric = (wanted: string, name: string) =>
  wanted === 'full' || (wanted === 'alarms' && !FOR_PEOPLE.includes(name));

/** What a run measured. Absent: not measured, or there is no value. */
export type Measures = { readonly [Key in keyof typeof METRICS]?: number } & {
  /** How many actions were done, by kind. */
  readonly actions?: Readonly<Record<string, number>>;
  /** The job that its schedule began. */
  readonly scheduledRun?: string;
};

/** A name that people can remember: in an emergency nobody should search for a generated one. */
export const functionName = (owner: string, entry: string) => `keyturn-${owner}-${entry}`;

/** The functions that have a schedule. */
export const SCHEDULED = ['rotate', 'reap', 'enforce'] as const;
export type ScheduledJob = (typeof SCHEDULED)[number];

/** The schedule of a function has its name, in the group `default`. */
export const scheduleName = (owner: string, entry: string) => functionName(owner, entry);

export type Measure = (measures: Measures) => void;

/** Emulators take names and words, such as `localstack`, for keys; those of AWS have 40 characters or more. */
const SHORTEST_AWS_KEY = 20;

/** What a process of AWS has, and a server may repeat: the session token is sent with every request. */
export const awsCredentialsIn = (environment: NodeJS.ProcessEnv): readonly string[] => {
  const { AWS_SECRET_ACCESS_KEY: key = '', AWS_SESSION_TOKEN: session = '' } = environment;
  return [key, session].filter(({ length }) => length >= SHORTEST_AWS_KEY);
};
