import { entryOf } from '../policy/policy.ts';
import type { RunTools } from '../run/tools.ts';
import { BinaryValueError } from '../secrets-manager/secrets.ts';
import type { TokenValue } from '../token-value.ts';
import type { ReadFingerprint, VersionHints } from './find-holder.ts';
import { fingerprintsIn, readTokenString, SecretShapeError } from './secret-string.ts';
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

/** What a text of another form shows: nothing, if it has a string that we know, and else that it has none. */
function ofOtherForm(text: TokenValue, known: readonly string[]): string | undefined {
  const held = fingerprintsIn(text);
  return known.some((each) => held.has(each)) ? undefined : text.fingerprint();
}

/**
 * Reads whose string a version has. Nothing that is wrong with one secret's value stops a run for all
 * others: a string that cannot be read is one that nobody knows, which is reported and alarmed.
 */
export const fingerprintReader =
  ({ secrets, policy, log }: Pick<RunTools, 'secrets' | 'policy' | 'log'>): ReadFingerprint =>
  async (secret, version, { known, previous }) => {
    let text: TokenValue | undefined;
    try {
      text = await secrets.value(secret, version);
      if (!text) return 'empty';
      const entry: Entry = entryOf(policy, secret) ?? { secret };
      const before = previous && !entry.adopt && (await previousText(secret, previous, secrets));
      const hints = { known, ...(before && { previous: before }) };
      return readTokenString(entry, text, hints).fingerprint();
    } catch (error) {
      log.warn('a value could not be read', { secret, version, error });
      return text && error instanceof SecretShapeError ? ofOtherForm(text, known) : undefined;
    }
  };

/** Whether a version has a string, in whatever form its value is. Undefined: the value could not be read. */
export const stringFinder =
  ({ secrets, log }: Pick<RunTools, 'secrets' | 'log'>) =>
  async (secret: string, version: string, fingerprint: string): Promise<boolean | undefined> => {
    try {
      const text = await secrets.value(secret, version);
      return text !== undefined && fingerprintsIn(text).has(fingerprint);
    } catch (error) {
      log.warn('a value could not be read', { secret, version, error });
      return undefined;
    }
  };
