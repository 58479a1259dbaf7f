import type { Permission } from '../../management-api/token.ts';
import type { Policy } from '../../policy/policy.ts';
import { describeHold } from '../../secrets-manager/hold.ts';
import type { ObservedSecret, ObservedToken } from '../../tokens/observation.ts';
import { currentHolder, isExpired } from '../../tokens/state.ts';
import type { RevocationRequest } from '../request.ts';
import {
  findSuccessor,
  foreignHolders,
  notReachedBecause,
  shortfallOf,
} from './decide-revocation.ts';
import { grantsOf } from './known-token.ts';
import { ENDING_WAYS, type Order } from './order.ts';
import type { OrderObservation, Target } from './select-tokens.ts';

const shown = (permissions: readonly Permission[]) =>
  permissions.map(({ action, resource }) => `${action} ${resource}`).join(', ') || 'nothing';

/** What an order about a database, or about everything, is to stop. Undefined: it is about certain tokens alone. */
function toStop(
  { selector }: RevocationRequest,
  policy: Pick<Policy, 'tokens'>,
  around: OrderObservation,
): readonly Permission[] | undefined {
  if (selector.kind === 'database') {
    return ['read', 'write'].map((action) => ({ action, resource: selector.name }));
  }
  if (selector.kind !== 'all') return undefined;
  const owned = [...around.secrets.values()].flatMap(({ tokens }) => tokens);
  return [
    ...policy.tokens.flatMap(({ permissions }) => permissions),
    ...owned.flatMap(({ token, marker }) => grantsOf(token, marker)),
  ];
}

const overlap = (a: Permission, b: Permission) =>
  a.action === b.action && (a.resource === b.resource || a.resource === '*' || b.resource === '*');

/** Ids of the tokens that the order means. */
function meantIds({ secrets, single, hidden }: Target, around: OrderObservation): Set<string> {
  const meant = new Set([...single, ...hidden].map(({ token }) => token.id));
  for (const name of secrets) {
    const seen = around.secrets.get(name);
    for (const { token } of seen?.tokens ?? []) meant.add(token.id);
    for (const { id } of seen ? foreignHolders(seen) : []) meant.add(id);
  }
  return meant;
}

/** Live tokens of others that can do what the order is to stop. */
function othersOf(
  target: Target,
  request: RevocationRequest,
  policy: Pick<Policy, 'tokens'>,
  around: OrderObservation,
): string[] {
  const stopped = ENDING_WAYS.includes(request.way) && toStop(request, policy, around);
  if (!stopped) return [];
  const meant = meantIds(target, around);
  return around.tokens.flatMap((token) => {
    const { id, revokedAt, permissions } = token;
    if (revokedAt !== undefined || isExpired(token, around.at) || meant.has(id)) return [];
    if (!permissions.some((each) => stopped.some((other) => overlap(each, other)))) return [];
    const what = request.selector.kind === 'database' ? request.selector.name : 'the same';
    return [
      `${id} is not of these secrets and can use ${what} (${shown(permissions)}); to revoke it, name it by its id`,
    ];
  });
}

/**
 * Secrets that the order does not name, and whose consumers it leaves without a token: they read a string that it ends,
 * or may end.
 */
export function withoutTokenBy(
  target: Target,
  { way }: Pick<RevocationRequest, 'way'>,
  around: OrderObservation,
): string[] {
  if (!ENDING_WAYS.includes(way)) return [];
  const ended = meantIds({ ...target, hidden: [] }, around);
  const strangers = target.single.flatMap(({ token, owned }) => (owned ? [] : [token.id]));
  return [...around.secrets.values()].flatMap((seen) => {
    const { name } = seen.secret;
    if (target.secrets.includes(name)) return [];
    const holder = currentHolder(seen);
    if (holder?.state === 'shared' && ended.has(holder.owned.token.id)) {
      return [
        `${name} (AWSCURRENT) has the string of ${holder.owned.token.id}, too: its consumers have no token that works, until it is rotated by name (keyturn rotate)`,
      ];
    }
    if (holder?.state !== 'unknown' || strangers.length === 0) return [];
    return [
      `nobody knows whose string ${name} (AWSCURRENT) has; if it is that of ${strangers.join(', ')}, its consumers have no token that works: replace it there first, with "secret": "${name}" (--secret)`,
    ];
  });
}

function withoutAws(
  { way }: RevocationRequest,
  { awsError }: OrderObservation,
): string | undefined {
  if (awsError === undefined) return undefined;
  const unknown = `Secrets Manager could not be asked (${awsError}): it is not known whether the token is current`;
  if (way === 'whois') return unknown;
  const consequence =
    way === 'delete'
      ? 'no hold was set, so the schedule replaces the token as soon as it runs again'
      : 'no hold was set, so a rotation may promote another token';
  return `${unknown}, and ${consequence}`;
}

/** What the order leaves, or cannot make sure of, though it belongs to what was ordered. None of it is confirmed. */
export function uncoveredBy(
  target: Target,
  request: RevocationRequest,
  policy: Pick<Policy, 'tokens'>,
  around: OrderObservation,
): string[] {
  const unasked = withoutAws(request, around);
  const hidden = target.hidden.map(
    ({ token, marker }) =>
      `${token.id} has our owner and works; its secret ${marker.secret} is not visible here, so it would get no successor and is left; to end it, name it by its id with --freeze or --delete`,
  );
  return [...(unasked ? [unasked] : []), ...hidden, ...othersOf(target, request, policy, around)];
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
  policy: Pick<Policy, 'tokens'>,
  around: OrderObservation,
): string[] {
  const seen = target.secrets.flatMap((name) => around.secrets.get(name) ?? []);
  return [
    ...uncoveredBy(target, request, policy, around),
    ...withoutTokenBy(target, request, around),
    ...seen.flatMap((each) => [...warnOfSecret(each, order, around.at)]),
    ...target.single.flatMap((each) => warnOfSingle(each, request)),
    ...(target.gone === undefined ? [] : [`${target.gone} is revoked already`]),
    ...warnOfLeaked(around),
    ...(target.unknown === undefined ? [] : [target.unknown]),
  ];
}
