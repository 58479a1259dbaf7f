import { alreadyExists, limitExceeded } from './aws-error.ts';
import { attach, detach, holderOf } from './labels.ts';
import type { Secret, SecretVersion, Versions } from './state.ts';

const DAY_MS = 86_400_000;
const MAX_VERSIONS = 100;
const MAX_LABELS = 20;

export interface NewVersion {
  readonly id: string;
  readonly secretString: string | undefined;
  readonly secretBinary: string | undefined;
}

/**
 * Adds a version, or fills the placeholder of that id, and moves the labels to it.
 * The first version of an empty secret gets AWSCURRENT whatever was asked for.
 */
export function addVersion(
  secret: Secret,
  added: NewVersion,
  stages: readonly string[],
  now: number,
): Secret {
  const placeholder = secret.versions[added.id];
  const first = Object.keys(secret.versions).length === 0;
  const room = placeholder === undefined ? reap(secret.versions, now) : secret.versions;
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
  const versions = withinLabels(labels.has('AWSCURRENT') ? unpend(labelled, added.id) : labelled);
  return abandonRotation({ ...secret, versions }, added.id);
}

/**
 * A version put as current takes AWSPENDING off every other one. Recorded for the former current
 * version; documented ("RotationAbandoned") for a version still pending.
 */
const unpend = (versions: Versions, current: string) =>
  holderOf(versions, 'AWSPENDING') === current ? versions : detach(versions, 'AWSPENDING');

export const hasValue = (version: SecretVersion) =>
  version.secretString !== undefined || version.secretBinary !== undefined;

export const sameValue = (version: SecretVersion, other: NewVersion) =>
  version.secretString === other.secretString && version.secretBinary === other.secretBinary;

// Text as other emulators have it.
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

/** Makes room for one more. Labelled versions stay, and so does whatever is younger than a day. */
function reap(versions: Versions, now: number): Versions {
  const excess = Object.keys(versions).length + 1 - MAX_VERSIONS;
  if (excess <= 0) return versions;
  const reapable = Object.values(versions)
    .filter((version) => version.stages.length === 0 && now - version.createdAt >= DAY_MS)
    .sort((a, b) => a.createdAt - b.createdAt)
    .slice(0, excess);
  if (reapable.length < excess)
    throw limitExceeded(`You can't have more than ${MAX_VERSIONS} versions of a secret.`);
  const reaped = new Set(reapable.map((version) => version.id));
  return Object.fromEntries(Object.entries(versions).filter(([id]) => !reaped.has(id)));
}

/** A new version during a rotation ends it: the service takes AWSPENDING off what it had made. */
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
