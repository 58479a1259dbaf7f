import { entryOf, type Policy } from '../../policy/policy.ts';
import { counted } from '../../run/counted.ts';
import {
  describeHold,
  type Hold,
  holdOf,
  holdOrigin,
  missingTraces,
  tracesBelow,
  tracesOf,
} from '../../secrets-manager/hold.ts';
import { formatInstant } from '../../time.ts';
import { parseMarker } from '../../tokens/marker.ts';
import type { ObservedSecret, ObservedToken, OwnedToken } from '../../tokens/observation.ts';
import {
  currentHolder,
  isExpired,
  isSame,
  ownedCurrent,
  wasArmed,
  works,
} from '../../tokens/state.ts';
import type { RevocationRequest, RevocationWay } from '../request.ts';
import {
  decideRevocation,
  findSuccessor,
  foreignHolders,
  notReachedBecause,
  originOf,
  shortfallOf,
} from './decide-revocation.ts';
import { decideToken, heldBecause, lostByFreeze, mendedBy } from './decide-token.ts';
import { homeOfToken } from './hidden-tokens.ts';
import { ENDING_WAYS, type Order } from './order.ts';
import type { OrderObservation, Target } from './target.ts';
import { elsewhere, isUnseen, shown, uncoveredBy, withoutTokenBy } from './uncovered.ts';

/** Whether another order than this one set the hold that stands, or this one does not say who it is. */
function isHeldByOther(secret: ObservedSecret['secret'], hold: Hold, order: Order): boolean {
  const origin = originOf(order);
  return !origin || missingTraces(secret, hold, origin).includes('tag');
}

/** A hold of other hands, and what becomes of it. */
function* warnOfHold(seen: ObservedSecret, order: Order): Generator<string> {
  const { secret } = seen;
  const { name } = secret;
  const hold = describeHold(secret);
  if (!hold) return;
  switch (order.way) {
    case 'unfreeze':
      yield `${name} is ${hold}; the order takes this hold away`;
      return;
    case 'lift': {
      const { tag, labels } = tracesBelow(tracesOf(secret));
      yield `${name} is ${hold}; the order takes this hold away`;
      yield* warnOfDeletions(seen);
      if (tag === undefined && labels.length === 0) return;
      yield `${name} stays on hold (frozen) behind that, as before the deletion: ${tag ?? 'by its label alone'}`;
      return;
    }
    case 'freeze':
      if (!isHeldByOther(secret, 'frozen', order)) return;
      yield `${name} is ${hold} already; the order adds its own reason, and unfreeze ends both`;
      return;
    case 'delete':
      if (!isHeldByOther(secret, 'deleted', order)) return;
      yield holdOf(secret) === 'deleted'
        ? `${name} is ${hold} already; the order adds its own reason, and lift ends both`
        : `${name} is ${hold}; the deletion is set over it, and lift leaves it so`;
      return;
    default:
  }
}

/** The tokens that work and that lifting a deletion ends first, since a hold for deletion condemns them. */
function* warnOfDeletions(seen: ObservedSecret): Generator<string> {
  for (const { token } of seen.tokens) {
    if (token.permissions.length === 0) continue;
    const which = ownedCurrent(seen)?.token.id === token.id ? 'the current token' : 'a token';
    yield `${token.id} is ${which} of ${seen.secret.name} and works (${shown(token.permissions)}): lift finishes the deletion first, and DELETES it; to keep it, take the tag keyturn:hold off by hand instead`;
  }
}

/** An order that finds nothing to undo says so. */
function* warnOfNothing(seen: ObservedSecret, order: Order, now: number): Generator<string> {
  const { name } = seen.secret;
  if (decideRevocation(seen, order, now).length > 0) return;
  if (order.way === 'unfreeze')
    yield `nothing to unfreeze: ${name} is not on hold, and no token of it is frozen`;
  if (order.way !== 'lift') return;
  const frozen = seen.tokens.filter(({ marker }) => marker.frozen !== undefined);
  const ids = frozen.map(({ token }) => token.id).join(', ');
  yield `nothing to lift: ${name} is not on hold${ids && `; ${ids} is frozen and stays so, until it is unfrozen`}`;
}

const frozenBefore = (id: string, frozen: number) =>
  `${id} is frozen since ${formatInstant(frozen)}, perhaps by an order about it alone, and the order gives its permissions back; if its string leaked, delete it first, by its id`;

/** Tokens that get permissions and that the hold does not explain: they were frozen before it, by an order about them alone. */
function* warnOfOthersFreeze(seen: ObservedSecret): Generator<string> {
  const { at } = holdOrigin(seen.secret) ?? {};
  const current = ownedCurrent(seen);
  for (const owned of seen.tokens) {
    const { token, marker } = owned;
    const { frozen, quarantined } = marker;
    if (frozen === undefined || !wasArmed(owned) || isSame(owned, current)) continue;
    if (quarantined !== undefined || (at !== undefined && frozen >= at)) continue;
    yield frozenBefore(token.id, frozen);
  }
}

function* warnOfSecret(seen: ObservedSecret, order: Order, now: number): Generator<string> {
  const { name } = seen.secret;
  const reason = notReachedBecause(seen, order, now) ?? shortfallOf(seen, order);
  if (reason) yield `${name} ${reason}`;
  else {
    yield* warnOfHold(seen, order);
    if (order.way === 'unfreeze') yield* warnOfOthersFreeze(seen);
    yield* warnOfNothing(seen, order, now);
  }
  if (ENDING_WAYS.includes(order.way)) {
    for (const { id, permissions } of foreignHolders(seen)) {
      if (id === order.namedToken) continue;
      yield `${id} does not have our marker, and a version of ${name} has its string: it belongs to this order (${shown(permissions)})`;
    }
  }
  const successor = order.way === 'replace' && !reason && findSuccessor(seen, order, now);
  if (successor)
    yield `${name}: the order goes on with its successor ${successor.token.id}, which works on; if its string leaked, too, give another reason, or name the string (--leaked)`;
}

const NOTHING: Partial<Record<RevocationWay, string>> = {
  unfreeze: 'is not frozen',
  lift: 'is by itself, and a hold is on a whole secret',
  restore: 'is not quarantined',
};

function warnOfOwned(
  observed: ObservedToken & { readonly owned: OwnedToken },
  { way }: RevocationRequest,
  around: OrderObservation,
): string[] {
  const { token, owned } = observed;
  const home = homeOfToken(observed, way, around.secrets);
  const held = heldBecause(observed, way, home?.secret);
  if (held !== undefined) return [`${owned.marker.secret} ${held}`];
  const nothing = decideToken(observed, way, home).length === 0 ? NOTHING[way] : undefined;
  const { frozen, quarantined } = owned.marker;
  if (way === 'restore' && frozen !== undefined && quarantined !== undefined) {
    return [`${token.id} is frozen: it gets no permissions back until you unfreeze it`];
  }
  if (nothing !== undefined) return [`nothing to ${way}: ${token.id} ${nothing}`];
  if (way === 'unfreeze' && owned.marker.quarantined !== undefined) {
    return [`${token.id} is quarantined: it gets no permissions back until you restore it`];
  }
  if (way === 'whois' || !isUnseen(owned, around)) return [];
  if (way === 'unfreeze') return [frozenBefore(token.id, owned.marker.frozen ?? around.at)];
  const what = way === 'replace' ? 'it is deleted without a successor' : 'it belongs to this order';
  return [`${token.id} has our owner, and ${elsewhere(owned, around)}: ${what}`];
}

function warnOfSingle(
  observed: ObservedToken,
  request: RevocationRequest,
  around: OrderObservation,
): string[] {
  const { token, owned } = observed;
  const { way, noUndo } = request;
  if (owned) return warnOfOwned({ token, owned }, request, around);
  if (way === 'delete' || way === 'whois') return [];
  if (way === 'freeze' && noUndo)
    return [`${token.id} is not ours: its permissions cannot be given back`];
  if (way !== 'replace') return [];
  const home = homeOfToken(observed, way, around.secrets);
  return home
    ? [
        `${token.id} does not have our marker, and a version of ${home.secret.name} has its string: it is deleted, and the secret keeps the token that it has now`,
      ]
    : [`${token.id} is not ours: it is deleted without a successor`];
}

/** What consumers of a secret have now, for whoever asks about a token of it that is gone. */
function* warnOfConsumers(
  seen: ObservedSecret,
  policy: Pick<Policy, 'tokens'>,
  now: number,
): Generator<string> {
  const { name, deletedAt } = seen.secret;
  const holder = currentHolder(seen);
  const hold = holdOf(seen.secret);
  if (deletedAt !== undefined) return yield `${name} is scheduled for deletion; restore it`;
  if (holder?.state === 'owned') {
    const { token } = holder.owned;
    const held = hold ? `; the secret is ${describeHold(seen.secret)}` : '';
    const dead = works(token, now) ? '' : `, which does not work either${held}`;
    yield `${name} has ${token.id} now (AWSCURRENT)${dead}`;
  }
  if (holder?.state === 'unknown') yield `${name} has a string that nobody knows (AWSCURRENT)`;
  if (holder?.state !== 'gone') return;
  const entry = policy.tokens.find(({ secret }) => secret === name);
  const next = hold
    ? `it is ${describeHold(seen.secret)}; ${hold === 'deleted' ? 'lift' : 'unfreeze'} it`
    : mendedBy(entry);
  yield `consumers of ${name} have no token that works: the one that they read is gone; ${next}`;
}

/** The token that was named is gone. */
function warnOfGone(
  id: string,
  { way }: Pick<RevocationRequest, 'way'>,
  policy: Pick<Policy, 'tokens'>,
  around: OrderObservation,
): string[] {
  const { endedIn, tokens, secrets } = around;
  const said = `${id} is revoked already`;
  const description = tokens.find((each) => each.id === id)?.description ?? '';
  const seen = secrets.get(endedIn?.secret ?? parseMarker(description)?.marker.secret ?? '');
  return [
    endedIn ? `${said}, and ${endedIn.secret} still has a version with its string` : said,
    ...(way === 'whois' && seen ? warnOfConsumers(seen, policy, around.at) : []),
  ];
}

/** What a freeze takes for good: its description has no room for it, and no entry of the policy says it. */
function warnOfLoss(
  { single }: Target,
  seen: readonly ObservedSecret[],
  { way }: RevocationRequest,
  policy: Pick<Policy, 'tokens'>,
  { at }: OrderObservation,
): string[] {
  if (way !== 'freeze') return [];
  const owned = [
    ...seen.flatMap(({ tokens }) => tokens),
    ...single.flatMap((each) => each.owned ?? []),
  ];
  return owned.flatMap((each) => {
    const { id, permissions } = each.token;
    const lost = isExpired(each.token, at) ? 0 : lostByFreeze(each, policy);
    const gives = entryOf(policy, each.marker.secret)
      ? 'unfreezing gives what the policy says'
      : 'no entry of the policy says them';
    return lost === 0
      ? []
      : `the description of ${id} has no room for its ${counted(permissions.length, 'permission')}, and ${gives}: ${lost} of them would not come back`;
  });
}

function warnOfLeaked({ leaked }: OrderObservation): string[] {
  if (leaked?.tokenId === undefined) return [];
  return [
    `no marker has the fingerprint; the string is in ${[...leaked.places, ...leaked.past].join(' and ')}, which has ${leaked.tokenId}`,
  ];
}

/** What an order does not do, and what a person should know before giving it. */
export function warningsOf(
  target: Target,
  order: Order,
  request: RevocationRequest,
  policy: Pick<Policy, 'owner' | 'tokens'>,
  around: OrderObservation,
): string[] {
  const seen = target.secrets.flatMap((name) => around.secrets.get(name) ?? []);
  return [
    ...new Set([
      ...uncoveredBy(target, request, policy, around),
      ...(around.unseen ?? []).map(({ said }) => said),
    ]),
    ...withoutTokenBy(target, request, policy, around),
    ...seen.flatMap((each) => [...warnOfSecret(each, order, around.at)]),
    ...target.single.flatMap((each) => warnOfSingle(each, request, around)),
    ...target.proven.map(
      (name) => `${name}: nothing is done there; what was ended there before is proven anew`,
    ),
    ...target.gone.flatMap((id) => warnOfGone(id, request, policy, around)),
    ...warnOfLoss(target, seen, request, policy, around),
    ...warnOfLeaked(around),
    ...(target.unknown === undefined ? [] : [target.unknown]),
  ];
}
