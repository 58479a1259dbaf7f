import type { TokenPolicy } from '../policy/policy.ts';
import type { ObservedSecret } from '../tokens/observation.ts';
import { currentHolder, isSame, ownedCurrent } from '../tokens/state.ts';
import { tokenNamedBy, versionIdOf } from '../tokens/version-id.ts';
import { resultOf, type TokenResult } from './end-token.ts';
import { canGiveBack, ENDING_WAYS, findSuccessor, type Order } from './plan/decide-revocation.ts';

interface Context {
  readonly order: Order;
  /** The policy's entry. Absent: it left the policy. */
  readonly entry: TokenPolicy | undefined;
  /** The Management API's time. */
  readonly now: number;
}

/** A token that is gone. Its version is all that is known, and names it. */
const goneResult = (version: string, secret: string, had: TokenResult['had']): TokenResult => ({
  tokenId: tokenNamedBy(version)?.tokenId ?? version,
  versions: [version],
  secret,
  result: 'gone',
  had,
});

function* frozen({ tokens }: ObservedSecret, { order }: Context): Generator<TokenResult> {
  for (const owned of tokens) {
    const { token, marker } = owned;
    if (marker.frozen === undefined || token.permissions.length > 0) continue;
    if (order.way === 'freeze') yield resultOf({ token, owned }, 'frozen');
    if (order.way === 'unfreeze' && !canGiveBack(owned)) {
      const unconfirmed = 'its permissions were not kept; replace it';
      yield { ...resultOf({ token, owned }, 'left'), unconfirmed };
    }
  }
}

function* notOurs({ secret, holders }: ObservedSecret, { order }: Context): Generator<TokenResult> {
  for (const holder of holders.values()) {
    if (holder.state !== 'foreign' || holder.token.id === order.namedToken) continue;
    const unconfirmed = 'does not have our marker; to revoke it, name it by its id';
    yield { ...resultOf({ token: holder.token }, 'left'), secret: secret.name, unconfirmed };
  }
}

function* replaced(seen: ObservedSecret, { order, now }: Context): Generator<TokenResult> {
  const successor = findSuccessor(seen, order, now);
  if (!successor || !isSame(ownedCurrent(seen), successor)) return;
  const { replaces = 'nothing' } = successor.marker;
  const isForeign = [...seen.holders.values()].some(
    (each) => each.state === 'foreign' && each.token.id === replaces,
  );
  const isGone = !isForeign && !seen.tokens.some(({ token }) => token.id === replaces);
  if (isGone && replaces !== 'nothing') {
    yield goneResult(versionIdOf(replaces), seen.secret.name, successor.token.permissions);
  }
  yield resultOf({ token: successor.token, owned: successor }, 'successor');
}

/** What was done before, by the same order or by others. It is verified and reported like the rest. */
export function* alreadyDone(seen: ObservedSecret, context: Context): Generator<TokenResult> {
  const { order, entry } = context;
  yield* frozen(seen, context);
  if (!ENDING_WAYS.includes(order.way)) return;
  yield* notOurs(seen, context);
  const { AWSCURRENT } = seen.secret.labels;
  const isGone = currentHolder(seen)?.state === 'gone';
  if (AWSCURRENT !== undefined && isGone) {
    yield goneResult(AWSCURRENT, seen.secret.name, entry?.permissions ?? []);
  }
  if (order.way === 'replace') yield* replaced(seen, context);
}
