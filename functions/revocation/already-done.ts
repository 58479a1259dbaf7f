import type { TokenPolicy } from '../policy/policy.ts';
import { holdOf } from '../secrets-manager/hold.ts';
import { HOUR_MS } from '../time.ts';
import type { ObservedSecret } from '../tokens/observation.ts';
import { isArmed, isExpired, isSame, ownedCurrent } from '../tokens/state.ts';
import { tokenNamedBy, versionIdOf } from '../tokens/version-id.ts';
import { resultOf, type TokenResult } from './end-token.ts';
import type { SeenAlone } from './observe.ts';
import { findSuccessor, foreignHolders } from './plan/decide-revocation.ts';
import { type GivenBefore, mayHaveEnded } from './plan/given-before.ts';
import { ENDING_WAYS, type Order } from './plan/order.ts';

interface Context {
  readonly order: Order;
  /** The policy's entry. Absent: it left the policy. */
  readonly entry: TokenPolicy | undefined;
  /** The Management API's time. */
  readonly now: number;
  /** Absent: nothing shows that the order was given before. */
  readonly before?: GivenBefore | undefined;
}

/** A token that is gone. Its version is all that is known, and names it. */
const goneResult = (
  version: string,
  secret: string,
  had: TokenResult['had'] = [],
): TokenResult => ({
  tokenId: tokenNamedBy(version)?.tokenId ?? version,
  versions: [version],
  secret,
  result: 'gone',
  ...(had.length > 0 && { had }),
});

/** Frozen tokens: what this order did before, or others; `replace` leaves them to the person who froze them. */
function* frozen({ tokens }: ObservedSecret): Generator<TokenResult> {
  for (const owned of tokens) {
    const { token, marker } = owned;
    if (marker.frozen === undefined || token.permissions.length > 0) continue;
    yield resultOf({ token, owned }, 'frozen');
  }
}

/** No marker says who took the permissions of a foreign token away, nor when: it may have been a moment ago. */
function* strippedForeign(seen: ObservedSecret): Generator<TokenResult> {
  for (const token of foreignHolders(seen)) {
    if (token.permissions.length === 0) yield resultOf({ token }, 'frozen');
  }
}

/**
 * By the versions, and by the listing: a token that was armed to its end, and not long ago, or that the same order may
 * have ended, may not be dead everywhere.
 */
function* gone(
  { secret, holders, revoked }: SeenAlone,
  { entry, now, before }: Context,
): Generator<TokenResult> {
  for (const [version, holder] of holders) {
    if (holder.state === 'gone') yield goneResult(version, secret.name, entry?.permissions);
  }
  for (const owned of revoked) {
    const { revokedAt = 0 } = owned.token;
    const isRecent = isArmed(owned) && now - revokedAt < HOUR_MS;
    if (isRecent || (before && mayHaveEnded(owned, before, now))) {
      yield resultOf({ ...owned, owned }, 'gone');
    }
  }
}

function* replaced(seen: ObservedSecret, { order, now }: Context): Generator<TokenResult> {
  const successor = findSuccessor(seen, order, now);
  if (!successor || !isSame(ownedCurrent(seen), successor)) return;
  const { replaces } = successor.marker;
  const isThere = [
    ...seen.tokens.map(({ token }) => token.id),
    ...[...seen.holders.values()].flatMap((each) =>
      each.state === 'foreign' ? each.token.id : [],
    ),
  ].some((id) => id === replaces);
  if (replaces !== undefined && replaces !== 'nothing' && !isThere) {
    yield goneResult(versionIdOf(replaces), seen.secret.name, successor.token.permissions);
  }
  yield resultOf({ token: successor.token, owned: successor }, 'successor');
}

/** Tokens with permissions: an order that undoes leaves no mark on what it gave back, and may have ended before it saw that. */
function* working({ secret, tokens }: ObservedSecret, now: number): Generator<TokenResult> {
  if (holdOf(secret)) return; // nothing was given back yet
  for (const owned of tokens) {
    const { token } = owned;
    if (isArmed(owned) && !isExpired(token, now)) yield resultOf({ token, owned }, 'left');
  }
}

/** What was done before, by the same order or by others. It is verified and reported like the rest. */
export function* alreadyDone(seen: SeenAlone, context: Context): Generator<TokenResult> {
  const { way } = context.order;
  if (!ENDING_WAYS.includes(way)) {
    yield* working(seen, context.now);
    return;
  }
  if (way !== 'delete') yield* frozen(seen);
  if (way === 'freeze') yield* strippedForeign(seen);
  yield* gone(seen, context);
  if (way === 'replace') yield* replaced(seen, context);
}
