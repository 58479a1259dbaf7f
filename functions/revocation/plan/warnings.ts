import type { Permission } from '../../management-api/token.ts';
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
import { markerOfOthers, parseMarker } from '../../tokens/marker.ts';
import type { ObservedSecret, ObservedToken, OwnedToken } from '../../tokens/observation.ts';
import {
  currentHolder,
  isExpired,
  isFrozen,
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
import { deletedSince, hiddenTokens, homeOfToken } from './hidden-tokens.ts';
import { grantsOf } from './known-token.ts';
import { ENDING_WAYS, needsNoAws, type Order } from './order.ts';
import { isCutShort, type OrderObservation, type Target } from './target.ts';
import { type Unseen, unseenIn } from './unseen.ts';

/** Tokens that a label or an earlier look names were read by their ids; nobody knows what else is not listed. */
export const CUT_LISTING =
  'the listing of tokens is cut: it lacks live tokens that the cluster shows by their ids, so tokens that no label names may be left out, and work; give the order again';

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

/** Ids of tokens without our marker whose strings are under labels of these secrets. */
const foreignIn = (names: readonly string[], { secrets }: OrderObservation): string[] =>
  names.flatMap((name) => {
    const seen = secrets.get(name);
    return seen ? foreignHolders(seen).map(({ id }) => id) : [];
  });

/** Ids of the tokens that the order means. */
function meantIds({ secrets, single, hidden }: Target, around: OrderObservation): Set<string> {
  const owned = secrets.flatMap((name) => around.secrets.get(name)?.tokens ?? []);
  return new Set([
    ...[...single, ...hidden, ...owned].map(({ token }) => token.id),
    ...foreignIn(secrets, around),
  ]);
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
  { owner, tokens }: Pick<Policy, 'owner' | 'tokens'>,
  around: OrderObservation,
): string[] {
  if (!ENDING_WAYS.includes(way)) return [];
  const ended = meantIds({ ...target, hidden: [] }, around);
  // Tokens without our marker: those that are named, and those under a label of a secret that is.
  const strangers = [
    ...target.single.flatMap(({ token, owned }) => (owned ? [] : [token.id])),
    ...foreignIn(target.secrets, around),
  ];
  // Also one whose adoption is being proven, which bears our marker already.
  const isSingle = (id: string) => target.single.some(({ token }) => token.id === id);
  const unadopted = tokens.flatMap(({ name, secret, adopt }) =>
    adopt && isSingle(adopt.tokenId) && !around.secrets.has(secret)
      ? [
          `${secret} is not listed as ours, so nobody looked what it has; by the policy (adopt), consumers of ${name} have ${adopt.tokenId}: if they do, they have no token that works, and adoption fails; to give them another one, let it be adopted (keyturn rotate ${name}) before this order, or afterwards save the string of a token that you mint by hand in ${secret}, and write its id as adopt.tokenId`,
        ]
      : [],
  );
  const ofOthers = target.single.flatMap(({ token, owned }) => {
    const marker = owned ? undefined : markerOfOthers(token, owner);
    return marker
      ? [
          `consumers of ${marker.secret} have ${token.id}, which belongs to the deployment "${marker.owner}": they have no token that works until ${way === 'freeze' ? 'it is unfrozen there' : 'its next run of rotate'}`,
        ]
      : [];
  });
  const others = [...around.secrets.values()].flatMap((seen) => {
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
  return [...unadopted, ...ofOthers, ...others];
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

const isUnseen = ({ marker }: OwnedToken, { secrets }: OrderObservation) =>
  !secrets.get(marker.secret)?.tokens.some((each) => each.marker.home === marker.home);

/** Where a token has its secret, if it is none that we see. */
function elsewhere({ marker: { secret } }: OwnedToken, around: OrderObservation): string {
  if (around.secrets.has(secret)) {
    return `its secret is another ${secret} than the one here (which was made again, or is of another account)`;
  }
  const unseen = unseenIn(around, (each) => each === secret);
  if (!unseen) return `its secret ${secret} is not visible here`;
  return `its secret ${secret} ${unseen.notOurs ? 'does not have our tag' : 'could not be looked at'}`;
}

const whenSeen = ({ notOurs }: Unseen) =>
  `give this order again when it ${notOurs ? 'has our tag' : 'can be looked at'}`;

/** Nothing is given back in a secret that may be on hold. */
function givenBackBy({ marker }: OwnedToken, around: OrderObservation): string {
  const unseen = unseenIn(around, (each) => each === marker.secret);
  return unseen ? whenSeen(unseen) : 'to give its permissions back, name it by its id';
}

/** Secrets of tokens that the order means, and that were ended before. */
const endedBefore = ({ gone }: Target, { tokens }: OrderObservation) =>
  tokens.flatMap(({ id, description }) =>
    gone.includes(id) ? (parseMarker(description)?.marker.secret ?? []) : [],
  );

/** What could not be looked at, as far as the order may mean it. */
function unseenOf(
  target: Target,
  { selector: { kind } }: RevocationRequest,
  around: OrderObservation,
): string[] {
  const { secrets, single, proven } = target;
  const { unseen = [] } = around;
  const isWide = kind === 'all' || kind === 'database';
  const meant = new Set([
    ...secrets,
    ...proven,
    ...single.map(({ owned }) => owned?.marker.secret),
    ...endedBefore(target, around),
  ]);
  return unseen.flatMap(({ secret, said }) => (isWide || meant.has(secret) ? [said] : []));
}

/** Secrets that can take no hold: replicas, what is not looked at, and what is not here and rotate makes again because the policy names it. */
function withoutHold(
  target: Target,
  request: RevocationRequest,
  { tokens }: Pick<Policy, 'tokens'>,
  around: OrderObservation,
): string[] {
  const { single } = target;
  const { secrets, awsError } = around;
  if (!needsNoAws(request) || awsError !== undefined) return [];
  const ended = new Set(single.flatMap(({ owned }) => owned?.marker.secret ?? []));
  const replicas = [...ended].filter((name) => secrets.get(name)?.secret.replica);
  // Given again, the order still lacks its hold.
  const unheld = new Set([...ended, ...endedBefore(target, around)]);
  const unseen = (around.unseen ?? []).filter(
    ({ secret }) => unheld.has(secret) && !secrets.has(secret),
  );
  const missing = tokens.filter(
    ({ secret }) =>
      ended.has(secret) && !secrets.has(secret) && !unseen.some((each) => each.secret === secret),
  );
  return [
    ...replicas.map(
      (name) =>
        `${name} is a replica: no hold was set, and its labels stay as they are, so a rotation in its primary Region may promote another token; give this order there, too`,
    ),
    ...unseen.map((each) => `no hold could be set on ${each.secret}: ${whenSeen(each)}`),
    ...missing.map(
      ({ name, secret }) =>
        `${secret} is not visible here, so no hold could be set: while the policy has the entry ${name}, the next run of rotate makes the secret again, with a new token that works; take the entry out of the policy, or stop the schedules (keyturn pause)`,
    ),
  ];
}

/**
 * Tokens of secrets that are not visible, which a repeated order does not find again where the cluster lists no token
 * that is deleted.
 */
function endedUnlisted(
  { secrets, proven }: Target,
  request: RevocationRequest,
  around: OrderObservation,
): string[] {
  const { kind } = request.selector;
  const lists = around.tokens.some(({ revokedAt }) => revokedAt !== undefined);
  const seen = [...secrets, ...proven].flatMap((name) => around.secrets.get(name) ?? []);
  const since = deletedSince(request, seen);
  if (lists || since === undefined || (kind !== 'database' && kind !== 'all')) return [];
  return [
    `an order like this one was given before (${formatInstant(since)}), and the cluster lists no deleted tokens: if that one ended tokens of secrets that are not visible here, only its own answer says so, and their strings may work`,
  ];
}

/** Tokens that were frozen before and that a replacement leaves so: dead until somebody gives their permissions back. */
function leftFrozen(
  { secrets }: Target,
  { way }: Pick<RevocationRequest, 'way'>,
  around: OrderObservation,
): string[] {
  if (way !== 'replace') return [];
  const seen = secrets.flatMap((name) => around.secrets.get(name) ?? []);
  const tokens = seen.flatMap((each) => (holdOf(each.secret) ? [] : each.tokens));
  return tokens.flatMap((owned) => {
    const { token, marker } = owned;
    const isRevivable = wasArmed(owned) && !isExpired(token, around.at);
    if (!isFrozen(owned) || !isRevivable || marker.quarantined !== undefined) return [];
    return `${token.id} of ${marker.secret} is frozen, and this order leaves it so: unfreeze would give its permissions back; to end it afterwards, order "tokenId": "${token.id}" (--token-id ${token.id}) with "way": "delete" (--delete)`;
  });
}

/**
 * Whoever names a current token means its whole secret. Where that is not seen, nobody knows whether it is current: the
 * others of the same secret are left, and may have to be ended, too.
 */
function leftBesideNamed(
  { namedToken, gone }: Target,
  { way, selector: { kind } }: RevocationRequest,
  { owner }: Pick<Policy, 'owner'>,
  around: OrderObservation,
): string[] {
  const isOne = kind === 'tokenId' || kind === 'fingerprint';
  if (!isOne || !ENDING_WAYS.includes(way)) return [];
  const homes = new Set(
    around.tokens.flatMap(({ id, description }) =>
      id === namedToken || gone.includes(id) ? (parseMarker(description)?.marker.home ?? []) : [],
    ),
  );
  return hiddenTokens(around, owner).flatMap((each) => {
    const { token, marker } = each;
    if (token.id === namedToken || !homes.has(marker.home) || !works(token, around.at)) return [];
    return `${token.id} is of the same secret and works; ${elsewhere(each, around)}, so this order leaves it; to end it, name it by its id (--token-id)`;
  });
}

/** What the order leaves, or cannot make sure of, though it belongs to what was ordered. None of it is confirmed. */
export function uncoveredBy(
  target: Target,
  request: RevocationRequest,
  policy: Pick<Policy, 'owner' | 'tokens'>,
  around: OrderObservation,
): string[] {
  const unasked = withoutAws(request, around);
  const hidden = target.hidden.map((each) =>
    request.way === 'unfreeze'
      ? `${each.token.id} is frozen, and ${elsewhere(each, around)}: it is left so; ${givenBackBy(each, around)}`
      : `${each.token.id} has our owner and works; ${elsewhere(each, around)}, so it would get no successor and is left; to end it, name it by its id with --freeze or --delete`,
  );
  const isCut = target.secrets.length > 0 && isCutShort(around);
  return [
    ...(unasked ? [unasked] : []),
    ...unseenOf(target, request, around),
    ...(isCut ? [CUT_LISTING] : []),
    ...hidden,
    ...leftBesideNamed(target, request, policy, around),
    ...leftFrozen(target, request, around),
    ...withoutHold(target, request, policy, around),
    ...endedUnlisted(target, request, around),
    ...othersOf(target, request, policy, around),
  ];
}

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
