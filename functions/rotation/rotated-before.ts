import type { Token } from '../management-api/token.ts';
import type { TokenPolicy } from '../policy/policy.ts';
import type { Tools } from '../run/tools.ts';
import { homeOf, parseMarker } from '../tokens/marker.ts';
import type { Observation } from '../tokens/observation.ts';
import { tokenNamedBy } from '../tokens/version-id.ts';

/**
 * Whether Keyturn gave a version to the secret, under its own id or under one that Secrets Manager chose, and AWSCURRENT's
 * token is not the one that the entry names.
 */
async function isRotated(
  { secret, adopt }: TokenPolicy,
  { foreign }: Pick<Observation, 'foreign'>,
  { secrets, log, policy }: Tools,
) {
  try {
    const { labels = {}, arn = '' } = (await secrets.describe(secret)) ?? {};
    const adopted = adopt?.tokenId.toLowerCase();
    if (tokenNamedBy(labels.AWSCURRENT ?? '')?.tokenId === adopted) return false;
    const versions = new Set(Object.values(labels));
    // What was adopted before bears versions too, and was minted for none.
    const isMintedFor = ({ id, description }: Token) => {
      const { owner, home, minted = '' } = parseMarker(description)?.marker ?? {};
      const isIts = owner === policy.owner && home === homeOf(arn);
      return isIts && id !== adopted && versions.has(minted);
    };
    return (
      [...versions].some((version) => tokenNamedBy(version)?.certain) ||
      [...foreign.values()].some(isMintedFor)
    );
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
  { secrets, foreign }: Pick<Observation, 'secrets' | 'foreign'>,
  tools: Tools,
): Promise<ReadonlySet<string>> {
  const unlisted = tools.policy.tokens.filter(({ adopt, secret }) => adopt && !secrets.has(secret));
  const found = await Promise.all(
    unlisted.map(async (entry) =>
      (await isRotated(entry, { foreign }, tools)) ? [entry.secret] : [],
    ),
  );
  return new Set(found.flat());
}
