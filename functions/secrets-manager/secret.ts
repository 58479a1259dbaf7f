/** Tags that Keyturn puts on its secrets. */
export const OWNER_TAG = 'keyturn:owner';
export const CLUSTER_TAG = 'keyturn:cluster';
/** Set by a person's freeze or delete; outranks every reason to change anything. */
export const HOLD_TAG = 'keyturn:hold';

export type Hold = 'frozen' | 'deleted';

/** A secret as Secrets Manager describes it: whose it is and which version bears which label. */
export interface Secret {
  readonly name: string;
  readonly arn: string;
  /** Version ids by staging label. */
  readonly labels: Readonly<Record<string, string>>;
  readonly tags: Readonly<Record<string, string>>;
  /** Scheduled for deletion: Secrets Manager refuses every write. */
  readonly deletedAt?: number;
  /** A replica is written in its primary Region only. */
  readonly replica: boolean;
}

export const holdOf = (secret: Pick<Secret, 'tags'>): Hold | undefined => {
  const value = secret.tags[HOLD_TAG];
  if (value === undefined) return undefined;
  // An unknown value is somebody's wish to stop all the same.
  return value === 'deleted' ? 'deleted' : 'frozen';
};

/**
 * The version that waits to be promoted. AWSPENDING stays behind on a promoted version, as AWS's
 * own convention has it, and after a rollback it must not promote again.
 */
export function pendingVersion({ labels }: Secret): string | undefined {
  const { AWSPENDING, AWSCURRENT, AWSPREVIOUS } = labels;
  return AWSPENDING === AWSCURRENT || AWSPENDING === AWSPREVIOUS ? undefined : AWSPENDING;
}

/** The cluster that a secret's tokens were minted on is another one than the policy's. */
export const isOfAnotherCluster = ({ tags }: Secret, clusterUrl: string) =>
  tags[CLUSTER_TAG] !== undefined && tags[CLUSTER_TAG] !== clusterUrl;
