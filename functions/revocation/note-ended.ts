import type { Tools } from '../run/tools.ts';
import { endedTag, isEndedByOrder } from '../tokens/ended-tag.ts';
import type { TokenResult } from './end-token.ts';
import type { Order } from './plan/order.ts';

/**
 * Ids of what an order deleted. Where it has nothing left to do, what is gone counts, too: its earlier run may have died behind
 * the deletion. Of one that failed that may have been a person.
 */
export function endedBy(
  results: Iterable<TokenResult>,
  { way, isProof }: Order,
  isSettled: boolean,
): string[] {
  const isDeleting = way === 'delete' || way === 'replace';
  const isMeant = (result: TokenResult['result']) =>
    result === 'deleted' || (result === 'gone' && isSettled && isDeleting);
  return [...results].flatMap((each) => (!isProof && isMeant(each.result) ? each.tokenId : []));
}

/**
 * Leaves on a secret which of its tokens an order ended, so that no alarm takes that for a person's act. A tag has no
 * compare-and-set: where another order may have written it meanwhile, whoever calls this calls it again. Best effort: without
 * it `rotate` alarms for the rest of a grace period. Resolves to false where AWS refused it.
 */
export async function noteEnded(
  name: string,
  tokenIds: readonly string[],
  { secrets, log }: Tools,
): Promise<boolean> {
  if (tokenIds.length === 0) return true;
  try {
    const secret = await secrets.describe(name);
    if (!secret || tokenIds.every((id) => isEndedByOrder(id, secret))) return true;
    await secrets.tag(name, endedTag(tokenIds, secret));
    return true;
  } catch (error) {
    log.warn('an end could not be noted', { secret: name, error });
    return false;
  }
}
