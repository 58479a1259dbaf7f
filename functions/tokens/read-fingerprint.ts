import { entryOf } from '../policy/policy.ts';
import type { RunTools } from '../run/tools.ts';
import { BinaryValueError } from '../secrets-manager/secrets.ts';
import type { ReadFingerprint, VersionHints } from './find-holder.ts';
import { holdsString, readTokenString } from './secret-string.ts';
import type { Entry, Hints } from './token-places.ts';

/** A text before that nobody can read shows nothing. */
async function previousText(
  secret: string,
  { version, own }: NonNullable<VersionHints['previous']>,
  secrets: Pick<RunTools, 'secrets'>['secrets'],
): Promise<Hints['previous']> {
  try {
    const text = await secrets.value(secret, version);
    return text && { text, own };
  } catch (error) {
    if (error instanceof BinaryValueError) return undefined;
    throw error;
  }
}

/**
 * Reads whose string a version has. Nothing that is wrong with one secret's value stops a run for all
 * others: a string that cannot be read is one that nobody knows, which is reported and alarmed.
 */
export const fingerprintReader =
  ({ secrets, policy, log }: Pick<RunTools, 'secrets' | 'policy' | 'log'>): ReadFingerprint =>
  async (secret, version, { known, previous }) => {
    try {
      const text = await secrets.value(secret, version);
      if (!text) return 'empty';
      const entry: Entry = entryOf(policy, secret) ?? { secret };
      const before = previous && !entry.adopt && (await previousText(secret, previous, secrets));
      const hints = { known, ...(before && { previous: before }) };
      return readTokenString(entry, text, hints).fingerprint();
    } catch (error) {
      log.warn('a value could not be read', { secret, version, error });
      return undefined;
    }
  };

/** Whether a version has a string, in whatever form its value is. Undefined: the value could not be read. */
export const stringFinder =
  ({ secrets, log }: Pick<RunTools, 'secrets' | 'log'>) =>
  async (secret: string, version: string, fingerprint: string): Promise<boolean | undefined> => {
    try {
      const text = await secrets.value(secret, version);
      return text !== undefined && holdsString(text, fingerprint);
    } catch (error) {
      log.warn('a value could not be read', { secret, version, error });
      return undefined;
    }
  };
