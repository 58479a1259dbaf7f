import type { Permission } from '../../management-api/token.ts';
import { describeHold } from '../../secrets-manager/hold.ts';
import type { ObservedSecret, ObservedToken } from '../../tokens/observation.ts';
import type { RevocationRequest } from '../request.ts';
import {
  findSuccessor,
  foreignHolders,
  notReachedBecause,
  shortfallOf,
} from './decide-revocation.ts';
import { ENDING_WAYS, type Order } from './order.ts';
import { type OrderObservation, type Target, touches } from './select-tokens.ts';

const shown = (permissions: readonly Permission[]) =>
  permissions.map(({ action, resource }) => `${action} ${resource}`).join(', ') || 'nothing';

/** Live tokens of others that can do what an order about a database is to stop. */
function othersOf(
  { selector, way }: RevocationRequest,
  { secrets, single }: Target,
  around: OrderObservation,
): string[] {
  if (selector.kind !== 'database' || !ENDING_WAYS.includes(way)) return [];
  const meant = new Set(single.map(({ token }) => token.id));
  for (const name of secrets) {
    const seen = around.secrets.get(name);
    for (const { token } of seen?.tokens ?? []) meant.add(token.id);
    for (const { id } of seen ? foreignHolders(seen) : []) meant.add(id);
  }
  return around.tokens
    .filter(
      ({ id, revokedAt, expiresAt = Number.POSITIVE_INFINITY, permissions }) =>
        revokedAt === undefined &&
        expiresAt > around.at &&
        !meant.has(id) &&
        touches(permissions, selector.name),
    )
    .map(
      ({ id, permissions }) =>
        `${id} is not of these secrets and can use ${selector.name} (${shown(permissions)}); to revoke it, name it by its id`,
    );
}

function withoutAws(
  { way }: RevocationRequest,
  { awsError }: OrderObservation,
): string | undefined {
  if (awsError === undefined) return undefined;
  const consequence =
    way === 'delete'
      ? 'no hold was set, so the schedule replaces the token as soon as it runs again'
      : 'no hold was set, so a rotation may promote another token';
  return `Secrets Manager could not be asked (${awsError}): it is not known whether the token is current, and ${consequence}`;
}

/** What the order leaves, or cannot make sure of, though it belongs to what was ordered. None of it is confirmed. */
export function uncoveredBy(
  target: Target,
  request: RevocationRequest,
  around: OrderObservation,
): string[] {
  const unasked = withoutAws(request, around);
  const hidden = target.hidden.map(
    ({ token, marker }) =>
      `${token.id} has our owner and works; its secret ${marker.secret} is not visible here, so it would get no successor and is left; to end it, name it by its id with --freeze or --delete`,
  );
  return [...(unasked ? [unasked] : []), ...hidden, ...othersOf(request, target, around)];
}

function* warnOfSecret(seen: ObservedSecret, order: Order, now: number): Generator<string> {
  const { name } = seen.secret;
  const reason = notReachedBecause(seen, order) ?? shortfallOf(seen, order);
  if (reason) yield `${name} ${reason}`;
  const isUndoing = order.way === 'unfreeze' || order.way === 'lift';
  const hold = isUndoing && !reason ? describeHold(seen.secret) : undefined;
  if (hold) yield `${name} is ${hold}; the order takes this hold away`;
  if (ENDING_WAYS.includes(order.way)) {
    for (const { id, permissions } of foreignHolders(seen)) {
      if (id === order.namedToken) continue;
      yield `${id} does not have our marker, and a version of ${name} has its string: it belongs to this order (${shown(permissions)})`;
    }
  }
  const successor = order.way === 'replace' && !reason && findSuccessor(seen, order, now);
  if (successor) yield `${name}: the order goes on with its successor ${successor.token.id}`;
}

function warnOfSingle(
  { token, owned }: ObservedToken,
  { way, noUndo }: RevocationRequest,
): string[] {
  if (owned || way === 'delete' || way === 'whois') return [];
  if (way === 'freeze' && noUndo)
    return [`${token.id} is not ours: its permissions cannot be given back`];
  return way === 'replace' ? [`${token.id} is not ours: it is deleted without a successor`] : [];
}

function warnOfLeaked({ leaked }: OrderObservation): string[] {
  if (leaked?.tokenId === undefined) return [];
  return [
    `no marker has the fingerprint; the string is in ${leaked.places.join(' and ')}, which has ${leaked.tokenId}`,
  ];
}

/** What an order does not do, and what a person should know before giving it. */
export function warningsOf(
  target: Target,
  order: Order,
  request: RevocationRequest,
  around: OrderObservation,
): string[] {
  const seen = target.secrets.flatMap((name) => around.secrets.get(name) ?? []);
  return [
    ...uncoveredBy(target, request, around),
    ...seen.flatMap((each) => [...warnOfSecret(each, order, around.at)]),
    ...target.single.flatMap((each) => warnOfSingle(each, request)),
    ...(target.gone === undefined ? [] : [`${target.gone} is revoked already`]),
    ...warnOfLeaked(around),
    ...(target.unknown === undefined ? [] : [target.unknown]),
  ];
}
