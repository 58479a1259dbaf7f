import type { Versions } from './state.ts';

/** The id of the version that has a staging label. */
export const holderOf = (versions: Versions, stage: string): string | undefined =>
  Object.values(versions).find((version) => version.stages.includes(stage))?.id;

/**
 * Moves a label to a version, without an error if another version has it. When AWSCURRENT moves,
 * AWSPREVIOUS moves to the version that had it (UpdateSecretVersionStage, Secrets Manager API Reference).
 */
export function attach(versions: Versions, stage: string, id: string): Versions {
  const former = holderOf(versions, stage);
  const version = versions[id];
  if (version === undefined || former === id) return versions;
  const moved = {
    ...detach(versions, stage),
    [id]: { ...version, stages: [...version.stages, stage].sort() },
  };
  return stage === 'AWSCURRENT' && former !== undefined
    ? attach(moved, 'AWSPREVIOUS', former)
    : moved;
}

export function detach(versions: Versions, stage: string): Versions {
  const former = Object.values(versions).find((version) => version.stages.includes(stage));
  if (former === undefined) return versions;
  const stages = former.stages.filter((other) => other !== stage);
  return { ...versions, [former.id]: { ...former, stages } };
}

export const labelledVersions = (versions: Versions): Readonly<Record<string, readonly string[]>> =>
  Object.fromEntries(
    Object.values(versions)
      .filter((version) => version.stages.length > 0)
      .map((version) => [version.id, version.stages]),
  );
