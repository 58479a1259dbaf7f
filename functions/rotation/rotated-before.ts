import type { TokenPolicy } from '../policy/policy.ts';
import type { Tools } from '../run/tools.ts';
import type { Observation } from '../tokens/observation.ts';
import { tokenNamedBy } from '../tokens/version-id.ts';

/** Whether a version has Keyturn's own id, and AWSCURRENT's token is not the one that the entry names. */
async function isRotated({ secret, adopt }: TokenPolicy, { secrets, log }: Tools) {
  try {
    const { labels = {} } = (await secrets.describe(secret)) ?? {};
    const named = Object.values(labels).map(tokenNamedBy);
    const current = tokenNamedBy(labels.AWSCURRENT ?? '');
    const isNamed = current?.tokenId === adopt?.tokenId.toLowerCase();
    return !isNamed && named.some((each) => each?.certain);
  } catch (error) {
    // The adoption will meet it too, and fail.
    log.warn('a secret could not be described', { secret, error });
    return false;
  }
}

/**
 * The secrets that are not listed as ours, but that Keyturn has rotated: their tag was lost, or is not listed yet. An
 * `adopt` that stayed in their entries means nothing any more. Asks only about entries that would be adopted.
 */
export async function findRotatedBefore(
  { secrets }: Pick<Observation, 'secrets'>,
  tools: Tools,
): Promise<ReadonlySet<string>> {
  const unlisted = tools.policy.tokens.filter(({ adopt, secret }) => adopt && !secrets.has(secret));
  const found = await Promise.all(
    unlisted.map(async (entry) => ((await isRotated(entry, tools)) ? [entry.secret] : [])),
  );
  return new Set(found.flat());
}
