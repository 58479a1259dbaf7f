import { alreadyExists, limitExceeded } from './aws-error.ts';
import { attach, detach, holderOf } from './labels.ts';
import type { Secret, SecretVersion, Versions } from './state.ts';

const DAY_MS = 86_400_000;
/**
 * About 100 versions; 20 labels over all versions of a secret:
 * docs.aws.amazon.com/secretsmanager/latest/userguide/reference_limits.html
 */
const MAX_VERSIONS = 100;
const MAX_LABELS = 20;

export interface NewVersion {
  readonly id: string;
  readonly secretString: string | undefined;
  readonly secretBinary: string | undefined;
}

/**
 * Adds a version, or fills the placeholder of that id, and moves the labels to it.
 * The first version of an empty secret always gets AWSCURRENT.
 */
export function addVersion(
  secret: Secret,
  added: NewVersion,
  stages: readonly string[],
  now: number,
): Secret {
  const placeholder = secret.versions[added.id];
  const first = Object.keys(secret.versions).length === 0;
  const room = placeholder === undefined ? removeDeprecated(secret.versions, now) : secret.versions;
  const version: SecretVersion = {
    createdAt: now,
    accessedAt: undefined,
    stages: [],
    ...placeholder,
    ...added,
  };
  const labels = first ? new Set([...stages, 'AWSCURRENT']) : new Set(stages);
  const labelled = [...labels].reduce<Versions>(
    (versions, stage) => attach(versions, stage, added.id),
    { ...room, [added.id]: version },
  );
  const versions = withinLabels(
    labels.has('AWSCURRENT') ? detachPending(labelled, added.id) : labelled,
  );
  return abandonRotation({ ...secret, versions }, added.id);
}

/**
 * When a version becomes current, every other version loses AWSPENDING. Recorded for the former
 * current version; documented for a pending one (CloudTrail entries of Secrets Manager, RotationAbandoned).
 */
const detachPending = (versions: Versions, current: string) =>
  holderOf(versions, 'AWSPENDING') === current ? versions : detach(versions, 'AWSPENDING');

export const hasValue = (version: SecretVersion) =>
  version.secretString !== undefined || version.secretBinary !== undefined;

export const sameValue = (version: SecretVersion, other: NewVersion) =>
  version.secretString === other.secretString && version.secretBinary === other.secretBinary;

// The text is of other emulators.
export const tokenInUse = (secret: Secret, token: string) =>
  alreadyExists(
    `You can't use ClientRequestToken ${token} because that value is already in use for a version of secret ${secret.arn}.`,
  );

/** Throws LimitExceededException above 20 labels over all versions. The text is a guess. */
export function withinLabels(versions: Versions): Versions {
  const labels = Object.values(versions).reduce((sum, version) => sum + version.stages.length, 0);
  if (labels > MAX_LABELS)
    throw limitExceeded(`You can't attach more than ${MAX_LABELS} staging labels to a secret.`);
  return versions;
}

/**
 * Makes room for one more version. Versions with labels stay, and those younger than a day (see
 * MAX_VERSIONS).
 */
function removeDeprecated(versions: Versions, now: number): Versions {
  const excess = Object.keys(versions).length + 1 - MAX_VERSIONS;
  if (excess <= 0) return versions;
  const removable = Object.values(versions)
    .filter((version) => version.stages.length === 0 && now - version.createdAt >= DAY_MS)
    .sort((a, b) => a.createdAt - b.createdAt)
    .slice(0, excess);
  if (removable.length < excess)
    throw limitExceeded(`You can't have more than ${MAX_VERSIONS} versions of a secret.`);
  const removed = new Set(removable.map((version) => version.id));
  return Object.fromEntries(Object.entries(versions).filter(([id]) => !removed.has(id)));
}

/** A new version during a rotation ends the rotation: its version loses AWSPENDING. */
function abandonRotation(secret: Secret, added: string): Secret {
  const { rotation, versions } = secret;
  const abandoned = rotation?.rotatingTo;
  if (rotation === undefined || abandoned === undefined || abandoned === added) return secret;
  const pending = versions[abandoned]?.stages.includes('AWSPENDING');
  return {
    ...secret,
    versions: pending ? detach(versions, 'AWSPENDING') : versions,
    rotation: { ...rotation, rotatingTo: undefined, failure: 'abandoned' },
  };
}
