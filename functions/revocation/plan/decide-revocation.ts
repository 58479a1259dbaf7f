import type { Token } from '../../management-api/token.ts';
import type { Without } from '../../run/plan.ts';
import {
  describeHold,
  type Hold,
  hasOtherHold,
  holdOf,
  LIFTED_TAG,
  missingTraces,
} from '../../secrets-manager/hold.ts';
import { HOUR_MS, LONGEST_RUN_MS } from '../../time.ts';
import type { ObservedSecret, OwnedToken } from '../../tokens/observation.ts';
import {
  hasVersion,
  isArmed,
  isExpired,
  isFrozen,
  isInert,
  isSame,
  isStripped,
  ownedCurrent,
} from '../../tokens/state.ts';
import type { RevocationWay } from '../request.ts';
import { ENDING_WAYS, type Order } from './order.ts';
import type { RevocationAction } from './revocation-action.ts';

/** An order that was done this long ago is over: the same words are a new order. */
const SAME_ORDER_MS = HOUR_MS;

/** An action in one secret, which the caller adds. */
type Action = Without<RevocationAction, 'secret'>;

/** Minted by the same order. Earlier versions wrote which token was replaced, and not by which order. */
const isOfOrder = ({ marker }: OwnedToken, { id }: Pick<Order, 'id'>) =>
  marker.order === id || (marker.order === undefined && marker.replaces !== undefined);

/** AWSCURRENT's, whose permissions somebody took away without a trace (S7). */
const isHeld = (owned: OwnedToken, seen: ObservedSecret) =>
  isStripped(owned) && owned.marker.quarantined === undefined && isSame(owned, ownedCurrent(seen));

/**
 * What runs stripped under a deletion that was lifted since: AWSCURRENT's, minted after all that was deleted. A freeze by
 * an order is about a superseded token, or of a time when no run can have seen that hold any more: `unfreeze` that.
 */
function strippedUnderLifted(seen: ObservedSecret): OwnedToken[] {
  const current = ownedCurrent(seen);
  if (!current || current.marker.superseded !== undefined) return [];
  const liftedAt = Date.parse(seen.secret.tags[LIFTED_TAG] ?? '');
  return (current.marker.frozen ?? Number.NaN) < liftedAt + LONGEST_RUN_MS ? [current] : [];
}

const isOlder = ({ token }: OwnedToken, than: { readonly createdAt: number }) =>
  token.createdAt < than.createdAt;

/**
 * Whether anything that the order ends is older than its successor, and lives; it may lack our marker. What the schedules have
 * quarantined since needs no order any more.
 */
const isAnyLeft = (seen: ObservedSecret, { createdAt }: Token) =>
  seen.tokens.some((each) => {
    const { quarantined = 0 } = each.marker;
    return isOlder(each, { createdAt }) && !isFrozen(each) && quarantined <= createdAt;
  }) || foreignHolders(seen).some((each) => each.createdAt < createdAt);

/**
 * The token that this order, or the same one before, minted to replace what is revoked: under AWSPENDING, or
 * under AWSCURRENT as long as something older lives that it ends, or for an hour. Of several the youngest. One that waited and ends within
 * the hour is none: consumers would have it for minutes.
 */
export function findSuccessor(
  seen: ObservedSecret,
  order: Pick<Order, 'id' | 'namedToken' | 'successor'>,
  now: number,
): OwnedToken | undefined {
  const { AWSCURRENT = '', AWSPENDING = '' } = seen.secret.labels;
  const own = seen.tokens.find(({ token }) => token.id === order.successor?.id);
  if (own) return own;
  const able = seen.tokens.filter((owned) => {
    if (!isOfOrder(owned, order) || owned.token.id === order.namedToken) return false;
    if (isStripped(owned) || isExpired(owned.token, now)) return false;
    const isYoung = now - owned.token.createdAt < SAME_ORDER_MS;
    if (hasVersion(seen, owned, AWSCURRENT)) return isYoung || isAnyLeft(seen, owned.token);
    const isOfUse = isYoung || !isExpired(owned.token, now + SAME_ORDER_MS);
    return isOfUse && owned.marker.superseded === undefined && hasVersion(seen, owned, AWSPENDING);
  });
  return able.sort((a, b) => b.token.createdAt - a.token.createdAt)[0];
}

/** Since when tokens are not condemned by the order: they were made after its successor. Absent: all are. */
function cutoffOf(order: Order, successor: OwnedToken | undefined) {
  return order.successor ?? successor?.token;
}

/**
 * Tokens that the order ends. Frozen ones are a person's, and cannot be used. What another run of the same
 * order minted has lost its race as soon as the successor is current.
 */
function condemned(seen: ObservedSecret, order: Order, successor?: OwnedToken): OwnedToken[] {
  if (order.way !== 'replace') return [...seen.tokens];
  const cutoff = cutoffOf(order, successor);
  const current = ownedCurrent(seen);
  const labels = new Set(Object.values(seen.secret.labels));
  return seen.tokens.filter((owned) => {
    if (isFrozen(owned) || isSame(owned, successor)) return false;
    const hasLost = owned.marker.order === order.id && isSame(current, successor);
    if (cutoff) return isOlder(owned, cutoff) || hasLost;
    // Another run minted it just now and is about to store it. It is inert, and that run will lose its race.
    return !isInert(owned) || owned.versions.some((version) => labels.has(version));
  });
}

/** Tokens without our marker whose strings are in labelled versions, or that a person named. */
export function foreignHolders({ holders }: ObservedSecret): readonly Token[] {
  const tokens = [...holders.values()].flatMap((holder) =>
    holder.state === 'foreign' ? [holder.token] : [],
  );
  return [...new Map(tokens.map((token) => [token.id, token])).values()];
}

/** Takes off the labels by which a person could roll back to what was ended, or a run could promote it. */
function detach(seen: ObservedSecret, ended?: readonly OwnedToken[]): Action[] {
  const { labels } = seen.secret;
  return ['AWSPENDING', 'AWSPREVIOUS'].flatMap((label) => {
    const version = labels[label];
    if (version === undefined || version === labels.AWSCURRENT) return [];
    const holder = seen.holders.get(version);
    // While nobody knows its string, the label is all that lets the same order ask for it again.
    const isUnknown = holder?.state === 'unknown' || holder?.state === 'shared';
    if (isUnknown && label === 'AWSPREVIOUS') return [];
    const stays =
      ended && holder?.state === 'owned' && !ended.some((each) => isSame(each, holder.owned));
    return stays ? [] : [{ kind: 'detach-label', label, version }];
  });
}

const deletionOf = (tokenId: string): Action => ({ kind: 'delete', tokenId });
const deletions = (tokens: readonly OwnedToken[]) =>
  tokens.map(({ token }) => deletionOf(token.id));

/** AWSCURRENT's first: that it is gone tells a repetition that others may be, too. */
const currentFirst = (seen: ObservedSecret, tokens: readonly OwnedToken[]): OwnedToken[] => {
  const current = ownedCurrent(seen);
  return [...tokens].sort((a, b) => Number(isSame(b, current)) - Number(isSame(a, current)));
};

/**
 * What ends the condemned tokens. Foreign ones first, while a label still names them; owned ones are found
 * by their markers.
 */
function endings(seen: ObservedSecret, order: Order, successor?: OwnedToken): Action[] {
  const cutoff = order.way === 'replace' ? cutoffOf(order, successor) : undefined;
  const foreign = foreignHolders(seen).filter(
    (each) => !cutoff || each.createdAt < cutoff.createdAt,
  );
  const ended = condemned(seen, order, successor);
  return [
    ...foreign.map(({ id }) => deletionOf(id)),
    ...detach(seen, order.way === 'replace' ? ended : undefined),
    ...deletions(currentFirst(seen, ended)),
  ];
}

function decideReplacing(seen: ObservedSecret, order: Order, now: number): Action[] {
  const successor = findSuccessor(seen, order, now);
  const current = ownedCurrent(seen);
  const cutoff = cutoffOf(order, successor);
  // A run that was faster has promoted a younger token, which the order does not condemn.
  const isYounger =
    current && cutoff && isArmed(current) && !isExpired(current.token, now)
      ? current.token.createdAt > cutoff.createdAt
      : false;
  const isDone = isSame(current, successor) || isYounger;
  const replace: Action[] = isDone
    ? []
    : [{ kind: 'replace', ...(successor && { tokenId: successor.token.id }) }];
  const ends = endings(seen, order, successor);
  if (seen.secret.deletedAt !== undefined) return ends;
  return order.immediately ? [...ends, ...replace] : [...replace, ...ends];
}

/** Who gives an order, and why. Undefined: a dry run that does not say it. */
export const originOf = ({ by, reason }: Pick<Order, 'by' | 'reason'>) =>
  reason === undefined ? undefined : { by, reason };

/** The hold with both its traces, as far as the secret can have them. */
function holding({ secret }: ObservedSecret, hold: Hold, order: Order): Action[] {
  if (secret.deletedAt !== undefined) return []; // Secrets Manager refuses to change it
  const hasVersions = secret.labels.AWSCURRENT !== undefined;
  const missing = missingTraces(secret, hold, originOf(order)).filter(
    (trace) => trace === 'tag' || hasVersions,
  );
  return missing.length > 0 ? [{ kind: 'hold', hold }] : [];
}

function releasing({ secret }: ObservedSecret): Action[] {
  const hold = describeHold(secret);
  return hold ? [{ kind: 'release', hold }] : [];
}

const givingBack = (tokens: readonly OwnedToken[]): Action[] =>
  tokens.map(({ token }) => ({ kind: 'give-back', tokenId: token.id }));

/** Every token is stamped, quarantined ones too: otherwise a roll back would give permissions back. */
const stripping = (seen: ObservedSecret): Action[] => [
  ...seen.tokens
    .filter(({ token, marker }) => marker.frozen === undefined || token.permissions.length > 0)
    .map(({ token }) => ({ kind: 'strip' as const, tokenId: token.id })),
  ...foreignHolders(seen)
    .filter(({ permissions }) => permissions.length > 0)
    .map(({ id }) => ({ kind: 'strip' as const, tokenId: id })),
];

function decideActions(seen: ObservedSecret, order: Order, now: number): Action[] {
  switch (order.way) {
    case 'replace':
      return decideReplacing(seen, order, now);
    case 'freeze':
      return [...holding(seen, 'frozen', order), ...stripping(seen)];
    case 'delete': {
      const ends = endings(seen, order);
      const isFixed = seen.secret.deletedAt !== undefined;
      return [
        ...holding(seen, 'deleted', order),
        ...(isFixed ? ends.filter(({ kind }) => kind !== 'detach-label') : ends),
      ];
    }
    case 'lift':
      // An unfinished deletion is finished first: otherwise a token that it left would be current again.
      return holdOf(seen.secret)
        ? [...deletions(seen.tokens), ...releasing(seen)]
        : givingBack(strippedUnderLifted(seen));
    case 'unfreeze':
      // The hold first: after a crash the tokens are still frozen by their own markers.
      return [
        ...releasing(seen),
        ...givingBack(
          seen.tokens.filter((each) => each.marker.frozen !== undefined || isHeld(each, seen)),
        ),
      ];
    case 'restore':
    case 'whois':
      return [];
    default:
      order.way satisfies never;
      throw new Error('unknown way of an order');
  }
}

const NOT_REACHED: Partial<Record<RevocationWay, Partial<Record<Hold, string>>>> = {
  freeze: { deleted: 'it stays so' },
  unfreeze: { deleted: 'lift it' },
  lift: { frozen: 'unfreeze it' },
  replace: { deleted: 'lift it first', frozen: 'unfreeze it first' },
};

/** Why an order does not reach this secret. Undefined: it does. */
export function notReachedBecause(
  seen: ObservedSecret,
  order: Order,
  now: number,
): string | undefined {
  const { secret } = seen;
  const { way, immediately, entries, noToken } = order;
  if (secret.replica) {
    const here = ENDING_WAYS.includes(way)
      ? ', or end one token here, by its id or its string, with "way": "freeze" (--freeze) or "way": "delete" (--delete)'
      : '';
    return `is a replica; give the order in its primary Region${here}`;
  }
  const hold = holdOf(secret);
  const advice = hold && NOT_REACHED[way]?.[hold];
  if (advice) return `is ${describeHold(secret)}; ${advice}`;
  if (way !== 'replace') return undefined;
  // Without an entry nothing is minted or promoted any more: what an order before has promoted is there.
  const isPromoted = isSame(ownedCurrent(seen), findSuccessor(seen, order, now));
  if (!entries.has(secret.name) && !isPromoted) {
    return 'has no entry in the policy, which would say what a successor may do; end its tokens with "way": "freeze" (--freeze) or "way": "delete" (--delete)';
  }
  const refusal = noToken?.get(secret.name);
  if (refusal !== undefined) {
    return `${refusal}. Nothing of it is ended without a successor; to end its tokens now, order "way": "freeze" (--freeze) or "way": "delete" (--delete)`;
  }
  if (secret.deletedAt === undefined || immediately) return undefined;
  const deletion = 'is scheduled for deletion, so no successor can be stored in it';
  return seen.tokens.length === 0
    ? `${deletion}, and none of its tokens is listed any more; restore it first, if anybody is to have another`
    : `${deletion}, and its tokens still work; restore it first, or end them with "way": "delete" (--delete)`;
}

/**
 * The hold that an undoing order met and that its plan did not show: somebody set it meanwhile, and what a
 * person did not see he does not release.
 */
export function otherHoldIn({ secret }: ObservedSecret, { hold }: Order): string | undefined {
  if (!hold || !hasOtherHold(secret, hold)) return undefined;
  return `is ${describeHold(secret)}, which was not there when this order was planned: nothing more is undone; look at it, and give the order again`;
}

/** The freeze that a lifted deletion leaves, because it was there before. */
export function freezeLeftIn({ secret }: ObservedSecret): string | undefined {
  const hold = describeHold(secret);
  return hold && `stays ${hold}; it was so before the deletion, and unfreeze ends it`;
}

/** What the order cannot make sure of in a secret that it reaches. */
export function shortfallOf(
  { secret, tokens }: ObservedSecret,
  { way, isProof }: Pick<Order, 'way' | 'isProof'>,
): string | undefined {
  if (isProof) return undefined;
  if (secret.deletedAt !== undefined && way === 'replace') {
    return 'is scheduled for deletion, so it got no successor';
  }
  if (way !== 'freeze' && way !== 'delete') return undefined;
  if (secret.deletedAt !== undefined) {
    return 'is scheduled for deletion and takes no hold: restoring it undoes this order; give it again then';
  }
  if (secret.labels.AWSCURRENT === undefined && tokens.length > 0) {
    return 'has no version, so its hold is its tag alone';
  }
  return undefined;
}

/**
 * Decides about all tokens of one secret: from the listing, and again from the secret as it is before and
 * after every action that others depend on. No actions: nothing is left to do.
 *
 * | way       | actions                                                                        |
 * |-----------|--------------------------------------------------------------------------------|
 * | freeze    | hold, strip and stamp all                                                      |
 * | unfreeze  | release, give back to all that are frozen, and to AWSCURRENT's if it is held   |
 * | delete    | hold, detach AWSPENDING and AWSPREVIOUS, delete all                            |
 * | lift      | delete what is left, release; then give back what a run stripped meanwhile     |
 * | replace   | replace unless AWSCURRENT is the successor or younger, then detach and delete all older ones |
 * | the same, `immediately` | delete all but the successor, replace                            |
 *
 * Only `delete` and `lift` change a secret on hold `deleted`; `replace` changes none that is on hold.
 */
export function decideRevocation(
  seen: ObservedSecret,
  order: Order,
  now: number,
): readonly RevocationAction[] {
  if (order.isProof || notReachedBecause(seen, order, now) !== undefined) return [];
  const { name: secret } = seen.secret;
  return decideActions(seen, order, now).map((action) => ({ ...action, secret }));
}
