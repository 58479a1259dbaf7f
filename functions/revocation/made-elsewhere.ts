import type { Tools } from '../run/tools.ts';
import { isOfAnotherCluster, MOVED_TAG } from '../secrets-manager/secret.ts';
import type { ObservedSecret } from '../tokens/observation.ts';
import { mayBeOfAnother } from '../tokens/state.ts';
import type { TokenResult } from './end-token.ts';
import type { RevocationObservation } from './observe.ts';

const ELSEWHERE =
  'this cluster does not have it, and another one, where its secret was before, may: it may work there, so revoke it there, too';

/** With the times of its versions, if they tell anything. Without an answer no version is known to be of this cluster. */
async function withTimes(seen: ObservedSecret, { secrets }: Tools): Promise<ObservedSecret> {
  if (seen.secret.tags[MOVED_TAG] === undefined) return seen;
  const versionTimes = await secrets.versionTimes(seen.secret.name).catch(() => undefined);
  return versionTimes ? { ...seen, versionTimes } : seen;
}

/**
 * Rows of tokens that are gone, as far as this cluster tells. That it refuses what another one made shows nothing of
 * what becomes of it there. What the cluster lists as revoked was its own.
 */
export async function doubtElsewhere(
  rows: readonly TokenResult[],
  { secrets }: RevocationObservation,
  tools: Tools,
): Promise<TokenResult[]> {
  const looked = new Map<string, Promise<ObservedSecret>>();
  const doubt = async (row: TokenResult): Promise<TokenResult> => {
    const { result, had, secret = '', versions = [] } = row;
    const seen = secrets.get(secret);
    if (!seen || result !== 'gone' || had !== undefined) return row;
    const before = looked.get(secret) ?? withTimes(seen, tools);
    looked.set(secret, before);
    const timed = await before;
    const isOthers =
      isOfAnotherCluster(seen.secret, tools.policy.cluster.url) ||
      versions.some((version) => mayBeOfAnother(timed, version));
    if (!isOthers) return row;
    const { deadAfterSeconds, ...rest } = row;
    return { ...rest, unconfirmed: ELSEWHERE };
  };
  return await Promise.all(rows.map(doubt));
}
