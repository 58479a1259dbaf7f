import { type Hold, holdOf, missingTraces } from '../../secrets-manager/hold.ts';
import type { ObservedSecret, OwnedToken } from '../../tokens/observation.ts';
import { currentHolder, isExpired, isInert } from '../../tokens/state.ts';
import { tokenNamedBy } from '../../tokens/version-id.ts';
import type { RevocationRequest, RevocationWay } from '../request.ts';
import { type Order, orderId } from './order.ts';
import type { OrderObservation } from './target.ts';

/** Also one that was revoked since: another order may have ended what this one minted. */
const hasTokenOf = (
  { tokens, revoked = [] }: ObservedSecret & { readonly revoked?: readonly OwnedToken[] },
  order: string,
): boolean => [...tokens, ...revoked].some(({ marker }) => marker.order === order);

const HOLDS: Partial<Record<RevocationWay, Hold>> = { freeze: 'frozen', delete: 'deleted' };

/**
 * Whether a secret bears a trace that an order like this one was given before: a token with its `order`, the hold that
 * it sets, or an AWSCURRENT whose token is gone, which is the first that an order ends.
 *
 * What a repetition claims rests on one rule. Where there is a trace, every string in every version that Secrets
 * Manager shows of the secret is asked about, whatever the policy says of it today and whoever ended its token:
 *
 * - until every router refuses it, where its token would still work if nobody had ended it;
 * - by one burst, where it would have expired by today's policy (`versionsOfEnded`), or is nobody's that is known;
 * - for everything that a string may do, where nobody knows any more what it could do.
 *
 * That holds for the secrets that the order means, for those that an earlier one meant by a database that nothing names
 * there any more, and for the secret of a token that was named and is gone: in both nothing is done, but all is proven.
 */
export function bearsTrace(seen: ObservedSecret, { id, way }: Pick<Order, 'id' | 'way'>): boolean {
  if (hasTokenOf(seen, id)) return true;
  const hold = HOLDS[way];
  const isHeld = hold !== undefined && holdOf(seen.secret) === hold;
  return isHeld || currentHolder(seen)?.state === 'gone';
}

/**
 * Whether this very order was carried out in a secret before: a token has its `order`, or the hold says the same person
 * and reason. What others ended there says nothing of it, however it was ended.
 */
function bearsTraceOf(seen: ObservedSecret, request: RevocationRequest): boolean {
  if (hasTokenOf(seen, orderId(request))) return true;
  const { way, by, reason = '' } = request;
  const hold = HOLDS[way];
  if (hold === undefined || holdOf(seen.secret) !== hold) return false;
  return !missingTraces(seen.secret, hold, { by, reason }).includes('tag');
}

/** The same of a secret by its name: nothing may tell any more which tokens it ended there. */
export function isRepeatedIn(
  name: string,
  request: RevocationRequest,
  { secrets }: Pick<OrderObservation, 'secrets'>,
): boolean {
  const seen = secrets.get(name);
  return seen !== undefined && bearsTraceOf(seen, request);
}

/** Whether a revoked token would work if nobody had ended it. */
export const mayHaveEnded = (owned: OwnedToken, now: number): boolean =>
  !isInert(owned) && !isExpired(owned.token, now);

/**
 * The same by the versions of tokens that the cluster does not list: those that came to nothing by themselves are left
 * out, as the version that came next was older than `expiresAfter` is now.
 * @param isListed whether the cluster lists a token, so that it is known how it is
 */
export function versionsOfEnded(
  times: ReadonlyMap<string, number>,
  { expiresAfter = Number.POSITIVE_INFINITY }: { readonly expiresAfter?: number },
  { now, isListed }: { readonly now: number; isListed(tokenId: string): boolean },
): string[] {
  const sorted = [...times].sort(([, a], [, b]) => a - b);
  return sorted.flatMap(([version], index) => {
    const named = tokenNamedBy(version);
    const replacedAt = sorted[index + 1]?.[1] ?? now;
    const isOver = replacedAt + expiresAfter < now;
    return named?.certain && !isOver && !isListed(named.tokenId) ? [version] : [];
  });
}
