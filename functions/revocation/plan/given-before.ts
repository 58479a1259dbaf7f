import { type Hold, holdOf, holdOrigin } from '../../secrets-manager/hold.ts';
import { LONGEST_LAG_MS, type ObservedSecret, type OwnedToken } from '../../tokens/observation.ts';
import { currentHolder, isExpired, isInert } from '../../tokens/state.ts';
import { tokenNamedBy } from '../../tokens/version-id.ts';
import type { RevocationWay } from '../request.ts';
import type { Order } from './order.ts';

/** The same order, or one like it, may have ended tokens of a secret before. */
export interface GivenBefore {
  /** What ended earlier was not ended by it. Milliseconds since 1970; absent: nobody knows when it was given. */
  readonly since?: number;
}

/** A secret, and its revoked tokens, as far as the cluster still lists them. */
type Seen = ObservedSecret & { readonly revoked: readonly OwnedToken[] };

const HOLDS: Partial<Record<RevocationWay, Hold>> = { freeze: 'frozen', delete: 'deleted' };

/** Two clocks, and an order that ends the tokens before it mints a successor, lie within an hour. */
const from = (at: number | undefined): GivenBefore =>
  at === undefined ? {} : { since: at - LONGEST_LAG_MS };

/**
 * Whether a secret bears a trace of such an order, before this one changes anything: the successor that it minted, the
 * hold that it set, or an AWSCURRENT whose token is gone, as one leaves it that ended there, or that could set no hold.
 * A first order finds none of these, and so does not pay for old versions.
 */
export function givenBefore(seen: Seen, { id, way }: Order): GivenBefore | undefined {
  const isOfOrder = ({ marker }: OwnedToken) => marker.order === id;
  if (seen.tokens.some(isOfOrder)) {
    // The same words given a third time ended the first successor, too.
    const minted = [...seen.tokens, ...seen.revoked].filter(isOfOrder);
    return from(Math.min(...minted.map(({ token }) => token.createdAt)));
  }
  const isGone = currentHolder(seen)?.state === 'gone';
  if (!isGone && (HOLDS[way] === undefined || holdOf(seen.secret) !== HOLDS[way])) return undefined;
  const current = seen.secret.labels.AWSCURRENT ?? '';
  const revoked = seen.revoked.find(({ versions }) => versions.includes(current));
  const held = HOLDS[way] && holdOrigin(seen.secret)?.at;
  const known = [held, revoked?.token.revokedAt].filter((at) => at !== undefined);
  return from(known.length > 0 ? Math.min(...known) : undefined);
}

/** Whether such an order may have ended this token, and it could do something before. */
export const mayHaveEnded = (owned: OwnedToken, { since }: GivenBefore, now: number): boolean =>
  !isInert(owned) &&
  !isExpired(owned.token, since ?? now) &&
  (owned.token.revokedAt ?? now) >= (since ?? 0);

/**
 * The versions of tokens that the cluster does not list and that such an order may have ended. Left out is what ended
 * by itself: the version that came next was older than `expiresAfter` then. No token works so long after it was
 * replaced, also one of a former policy that gave it longer: `expiresAfter` is longer than two grace periods.
 * @param isListed whether the cluster lists a token, so that it is known how it is
 */
export function versionsOfEnded(
  times: ReadonlyMap<string, number>,
  { since }: GivenBefore,
  { expiresAfter = Number.POSITIVE_INFINITY }: { readonly expiresAfter?: number },
  { now, isListed }: { readonly now: number; isListed(tokenId: string): boolean },
): string[] {
  const sorted = [...times].sort(([, a], [, b]) => a - b);
  return sorted.flatMap(([version], index) => {
    const named = tokenNamedBy(version);
    const replacedAt = sorted[index + 1]?.[1] ?? now;
    const isOld = replacedAt + expiresAfter < (since ?? now);
    return named?.certain && !isOld && !isListed(named.tokenId) ? [version] : [];
  });
}
