import type { Token } from '../management-api/token.ts';
import type { TokenPolicy } from '../policy/policy.ts';
import type { Tools } from '../run/tools.ts';
import { homeOf, parseMarker } from '../tokens/marker.ts';
import type { Observation } from '../tokens/observation.ts';
import { tokenNamedBy } from '../tokens/version-id.ts';

/**
 * Whether AWSCURRENT has what Keyturn put there, under its own version id or under one that Secrets Manager chose, and the
 * entry names another token. What people put there since may be the token that it names.
 */
async function isRotated(
  { secret, adopt }: TokenPolicy,
  { foreign }: Pick<Observation, 'foreign'>,
  { secrets, log, policy }: Tools,
) {
  try {
    const { labels = {}, arn = '' } = (await secrets.describe(secret)) ?? {};
    const adopted = adopt?.tokenId.toLowerCase();
    const { AWSCURRENT: current = '' } = labels;
    const named = tokenNamedBy(current);
    if (named?.certain) return named.tokenId !== adopted;
    const isMintedFor = ({ id, description }: Token) => {
      const { owner, home, minted } = parseMarker(description)?.marker ?? {};
      const isIts = owner === policy.owner && home === homeOf(arn);
      return isIts && id !== adopted && minted === current;
    };
    return current !== '' && [...foreign.values()].some(isMintedFor);
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
