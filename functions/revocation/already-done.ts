import type { TokenPolicy } from '../policy/policy.ts';
import { currentHolder, type ObservedSecret } from '../tokens/observation.ts';
import { type Deed, deedOf } from './end-token.ts';
import { canGiveBack, findSuccessor, type Order } from './plan/decide-revocation.ts';

interface Context {
  readonly order: Order;
  /** The policy's entry; absent: it left the policy. */
  readonly entry: TokenPolicy | undefined;
  /** The Management API's time. */
  readonly now: number;
}

const KILLS: readonly Order['way'][] = ['replace', 'delete', 'freeze'];

/** A token that nothing is known of but its version, which is its id unless it was adopted. */
const goneDeed = (version: string, secret: string, had: Deed['had']): Deed => ({
  tokenId: version,
  version,
  secret,
  result: 'gone',
  had,
});

function* frozen({ tokens }: ObservedSecret, { order }: Context): Generator<Deed> {
  for (const owned of tokens) {
    const { token, marker } = owned;
    if (marker.frozen === undefined || token.permissions.length > 0) continue;
    if (order.way === 'freeze') yield deedOf({ token, owned }, 'frozen');
    if (order.way === 'unfreeze' && !canGiveBack(owned)) {
      const unconfirmed = 'nothing kept what it could do; replace it';
      yield { ...deedOf({ token, owned }, 'left'), unconfirmed };
    }
  }
}

function* left({ secret, holders }: ObservedSecret, { order }: Context): Generator<Deed> {
  for (const holder of holders.values()) {
    if (holder.state !== 'foreign' || holder.token.id === order.condemned) continue;
    const unconfirmed = 'does not bear our marker; to revoke it, name it by its id';
    yield { ...deedOf({ token: holder.token }, 'left'), secret: secret.name, unconfirmed };
  }
}

function* replaced(seen: ObservedSecret, { order, now }: Context): Generator<Deed> {
  const successor = findSuccessor(seen, order, now);
  if (!successor || successor.version !== seen.secret.labels.AWSCURRENT) return;
  const { replaces = 'nothing' } = successor.marker;
  const isForeign = seen.holders.get(replaces)?.state === 'foreign';
  const isGone = !isForeign && !seen.tokens.some(({ token }) => token.id === replaces);
  if (isGone && replaces !== 'nothing') {
    yield goneDeed(replaces, seen.secret.name, successor.token.permissions);
  }
  yield deedOf({ token: successor.token, owned: successor }, 'successor');
}

/** What a look finds done already, by the same order before or by others: it is proved and told as well. */
export function* doneBefore(seen: ObservedSecret, context: Context): Generator<Deed> {
  const { order, entry } = context;
  yield* frozen(seen, context);
  if (!KILLS.includes(order.way)) return;
  yield* left(seen, context);
  const { AWSCURRENT } = seen.secret.labels;
  const isGone = currentHolder(seen)?.state === 'gone';
  if (AWSCURRENT !== undefined && isGone) {
    yield goneDeed(AWSCURRENT, seen.secret.name, entry?.permissions ?? []);
  }
  if (order.way === 'replace') yield* replaced(seen, context);
}
