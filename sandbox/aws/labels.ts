import type { Versions } from './state.ts';

/** The id of the version that a staging label is attached to. */
export const holderOf = (versions: Versions, stage: string): string | undefined =>
  Object.values(versions).find((version) => version.stages.includes(stage))?.id;

/**
 * Attaches a label, silently taking it from whichever version had it. AWSCURRENT leaves
 * AWSPREVIOUS on the version it came from; every other label moves alone.
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
