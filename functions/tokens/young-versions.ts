import type { Secret } from '../secrets-manager/secret.ts';
import { type Secrets, UnreadableSecretError } from '../secrets-manager/secrets.ts';
import type { HolderSources } from './find-holder.ts';
import { LONGEST_LAG_MS } from './observation.ts';

async function timesOf({ name }: Secret, secrets: Pick<Secrets, 'versionTimes'>) {
  try {
    return await secrets.versionTimes(name);
  } catch (error) {
    if (error instanceof UnreadableSecretError) return undefined;
    throw error;
  }
}

/**
 * Whether a version was put within the last hour. A secret that was not changed since then answers without a
 * request; of one whose versions cannot be read, the last change counts.
 */
export function youngVersions(
  secrets: Pick<Secrets, 'versionTimes'>,
  now: number,
): NonNullable<HolderSources['isYoung']> {
  const isRecent = (at: number) => now - at < LONGEST_LAG_MS;
  return async (secret, version, known = now) => {
    if (!isRecent(Math.min(secret.changedAt, known))) return false;
    const times = await timesOf(secret, secrets);
    return isRecent(times?.get(version) ?? secret.changedAt);
  };
}
