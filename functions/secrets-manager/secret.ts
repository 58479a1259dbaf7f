/** The longest value of a tag that Secrets Manager takes, in characters (`TagResource`). */
export const LONGEST_TAG = 256;
/** Tags that Keyturn puts on its secrets. */
export const OWNER_TAG = 'keyturn:owner';
export const CLUSTER_TAG = 'keyturn:cluster';
/** In place of a URL: the tag was lost, and this cluster does not have the tokens. */
export const UNKNOWN_CLUSTER = 'unknown';
/**
 * When an approved move gave it another cluster, which does not have its current token: an instant. With `PREVIOUS_ONLY`
 * behind it, after a move back: it does not have the token under AWSPREVIOUS.
 */
export const MOVED_TAG = 'keyturn:moved';
export const PREVIOUS_ONLY = ' previous';
/** Which token was adopted, with which string, and when. `functions/tokens/adopted-tag.ts` has its form. */
export const ADOPTED_TAG = 'keyturn:adopted';

/** Which tokens of the secret orders ended last: no other trace is left of who did. `functions/tokens/ended-tag.ts` has its form. */
export const ENDED_TAG = 'keyturn:ended';

/** A replica as the description of its primary secret shows it (`ReplicationStatus`). */
export interface Replica {
  readonly region: string;
  /** `InSync`, `Failed` or `InProgress`. */
  readonly status: string;
  /** Why it failed. */
  readonly message?: string;
  /** What it is encrypted with: an ARN, the id of a key, or an alias. Absent: AWS says none, as for its own key. */
  readonly key?: string;
}

export const IN_SYNC = 'InSync';
export const FAILED = 'Failed';

/** A finding: unknown is neither in sync nor none, so the run fails, and somebody is told. */
export const REPLICAS_UNKNOWN = 'ReplicasUnknown';

/** A secret as Secrets Manager describes it, without its values. */
export interface Secret {
  readonly name: string;
  readonly arn: string;
  /** Version ids by staging label. */
  readonly labels: Readonly<Record<string, string>>;
  readonly tags: Readonly<Record<string, string>>;
  /** When it was last changed in any way, tags included, in milliseconds since 1970 (`LastChangedDate`). */
  readonly changedAt: number;
  /** When its deletion was scheduled, in milliseconds since 1970: Secrets Manager refuses every write. */
  readonly deletedAt?: number;
  /** Its KMS key, as ARN, id or alias; absent: the account's default key. */
  readonly key?: string;
  /** This run made it: nobody else has chosen anything of it. */
  readonly isNew?: boolean;
  /** A replica can be written only in its primary Region. */
  readonly replica: boolean;
  /** Its replicas in other Regions. Absent: it has none, or it was listed: only a description shows them. */
  readonly replicas?: readonly Replica[];
}

/**
 * Why a secret is not this owner's, and the command that takes it over. Undefined: it is.
 * @param entry the name of its entry in the policy
 */
export function notOwnedBecause(
  { name, tags }: Secret,
  owner: string,
  entry = 'NAME',
): string | undefined {
  const other = tags[OWNER_TAG];
  if (other === owner) return undefined;
  return other === undefined
    ? `${name} has no owner; to take it over: keyturn takeover ${entry} --confirm, or aws secretsmanager tag-resource --secret-id ${name} --tags Key=${OWNER_TAG},Value=${owner}`
    : `${name} belongs to the deployment "${other}"; to take it over, once that is paused or destroyed: keyturn takeover ${entry} --from ${other} --confirm`;
}

/**
 * The version that waits to be promoted. After a rotation AWSPENDING stays on the promoted version
 * (`RotateSecret` allows that), and after a roll back that version must not be promoted again.
 * https://docs.aws.amazon.com/secretsmanager/latest/apireference/API_RotateSecret.html
 */
export function pendingVersion({ labels }: Secret): string | undefined {
  const { AWSPENDING, AWSCURRENT, AWSPREVIOUS } = labels;
  return AWSPENDING === AWSCURRENT || AWSPENDING === AWSPREVIOUS ? undefined : AWSPENDING;
}

/** A cluster's URL in one spelling: no default port, no slash at its end, scheme and host in lower case. */
export function normalClusterUrl(text: string): string {
  const url = URL.parse(text);
  return url === null
    ? text
    : `${url.protocol}//${url.host}${url.pathname}`.replace(/(?<!\/)\/+$/, '');
}

/** The cluster that a secret's tokens are of, if its tag names another one than `clusterUrl`. */
export function otherClusterOf({ tags }: Secret, clusterUrl: string): string | undefined {
  const tag = tags[CLUSTER_TAG];
  if (tag === undefined || tag === clusterUrl) return undefined;
  const cluster = normalClusterUrl(tag);
  return cluster === normalClusterUrl(clusterUrl) ? undefined : cluster;
}

/** Whether a secret's tokens are of another cluster than `clusterUrl`. */
export const isOfAnotherCluster = (secret: Secret, clusterUrl: string) =>
  otherClusterOf(secret, clusterUrl) !== undefined;
