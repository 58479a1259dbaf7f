import type { ObservedSecret, ObservedToken } from '../../tokens/observation.ts';
import type { RevocationRequest } from '../request.ts';
import { ENDING_WAYS, findSuccessor, notReachedBecause, type Order } from './decide-revocation.ts';
import { type OrderObservation, type Target, touches } from './select-tokens.ts';

function* warnOfSecret(seen: ObservedSecret, order: Order, now: number): Generator<string> {
  const { name, deletedAt } = seen.secret;
  const notReached = notReachedBecause(seen, order);
  if (notReached) yield `${name} ${notReached}`;
  if (deletedAt !== undefined)
    yield `${name} is scheduled for deletion; nothing in it can be changed`;
  for (const holder of ENDING_WAYS.includes(order.way) ? seen.holders.values() : []) {
    if (holder.state !== 'foreign' || holder.token.id === order.namedToken) continue;
    yield `${name} has ${holder.token.id}, which does not have our marker and is left alone; to revoke it, name it by its id`;
  }
  const successor = order.way === 'replace' && findSuccessor(seen, order, now);
  if (successor) {
    yield `${name} already has a successor from an earlier order, ${successor.token.id}, which stays; to revoke it too, name it by its id`;
  }
}

function warnOfOthers(request: RevocationRequest, { tokens, secrets }: OrderObservation): string[] {
  const { selector } = request;
  if (selector.kind !== 'database') return [];
  const owned = new Set(
    [...secrets.values()].flatMap((seen) => seen.tokens.map(({ token }) => token.id)),
  );
  const others = tokens.filter(
    ({ id, revokedAt, permissions }) =>
      revokedAt === undefined && !owned.has(id) && touches(permissions, selector.name),
  );
  return others.map(
    ({ id }) => `${id} is not ours and can use ${selector.name}; to revoke it, name it by its id`,
  );
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
  const gone = `the cluster has no token ${target.gone}, or it is revoked already`;
  return [
    ...seen.flatMap((each) => [...warnOfSecret(each, order, around.at)]),
    ...target.single.flatMap((each) => warnOfSingle(each, request)),
    ...(target.gone === undefined ? [] : [gone]),
    ...warnOfLeaked(around),
    ...(target.unknown === undefined ? [] : [target.unknown]),
    ...warnOfOthers(request, around),
  ];
}
