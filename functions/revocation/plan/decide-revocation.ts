import type { Without } from '../../run/plan.ts';
import { type Hold, holdOf } from '../../secrets-manager/secret.ts';
import { MINUTE_MS } from '../../time.ts';
import type { ObservedSecret, OwnedToken } from '../../tokens/observation.ts';
import { isExpired, isInert, isStripped } from '../../tokens/state.ts';
import type { RevocationRequest, RevocationWay } from '../request.ts';
import type { RevocationAction } from './revocation-action.ts';

/** People press twice, and the AWS CLI invokes again after a minute; this long an order is the same one. */
const REPEATED_MS = 15 * MINUTE_MS;

/** What a person wants of one secret. */
export interface Order extends Pick<RevocationRequest, 'way' | 'immediately'> {
  /** The id of the token that was named by id or fingerprint: it is nobody's successor. */
  readonly namedToken?: string;
  /** Named by itself, not as one of many: a freeze may be replaced. */
  readonly named: boolean;
}

/** The ways that end tokens. */
export const ENDING_WAYS: readonly RevocationWay[] = ['replace', 'freeze', 'delete'];

/** Within one secret, which the caller knows. */
type Action = Without<RevocationAction, 'secret'>;

const isAlive = (seen: ObservedSecret, id: string | undefined) =>
  seen.tokens.some(({ token }) => token.id === id);

/** Stored, so that its string can be found; an unlabelled one is, if it was armed. */
const isStored = ({ secret }: ObservedSecret, { version, marker }: OwnedToken) =>
  marker.fp !== undefined || Object.values(secret.labels).includes(version);

/**
 * The token that an earlier `revoke`, or this one a moment ago, minted to replace what is revoked:
 * it is young, or what it replaces is still there. A repeated order goes on with it.
 */
export function findSuccessor(
  seen: ObservedSecret,
  { namedToken }: Pick<Order, 'namedToken'>,
  now: number,
): OwnedToken | undefined {
  const { AWSCURRENT, AWSPENDING } = seen.secret.labels;
  const able = seen.tokens.filter((owned) => {
    const { token, marker } = owned;
    if (marker.replaces === undefined || token.id === namedToken) return false;
    if (isStripped(owned) || isExpired(token, now) || !isStored(seen, owned)) return false;
    return now - token.createdAt < REPEATED_MS || isAlive(seen, marker.replaces);
  });
  const byAge = [...able].sort((a, b) => b.token.createdAt - a.token.createdAt);
  const labelled = (version: string | undefined) => able.find((each) => each.version === version);
  return labelled(AWSCURRENT) ?? labelled(AWSPENDING) ?? byAge[0];
}

/** Labels that would tempt somebody to roll back to a dead token, or a run to promote one. */
function detach({ secret: { labels } }: ObservedSecret, kept: string | undefined): Action[] {
  return ['AWSPENDING', 'AWSPREVIOUS'].flatMap((label) => {
    const version = labels[label];
    if (version === undefined || version === kept || version === labels.AWSCURRENT) return [];
    return [{ kind: 'detach-label', label, version }];
  });
}

function deletions(seen: ObservedSecret, { namedToken }: Order, kept?: OwnedToken): Action[] {
  const owned = seen.tokens.filter((each) => each !== kept).map(({ token }) => token.id);
  // Without our marker it is somebody else's, unless a person named exactly this one.
  const named = [...seen.holders.values()].flatMap((holder) =>
    holder.state === 'foreign' && holder.token.id === namedToken ? [holder.token.id] : [],
  );
  return [...owned, ...named].map((tokenId) => ({ kind: 'delete', tokenId }));
}

function decideReplacing(seen: ObservedSecret, order: Order, now: number): Action[] {
  const hold = holdOf(seen.secret);
  const successor = findSuccessor(seen, order, now);
  const promoted = successor !== undefined && successor.version === seen.secret.labels.AWSCURRENT;
  const replace: Action[] = promoted
    ? []
    : [{ kind: 'replace', ...(successor && { tokenId: successor.token.id }) }];
  const labels = new Set(Object.values(seen.secret.labels));
  // Minted by a run that is about to store it: it can do nothing, and loses its race.
  const isHarmless = (owned: OwnedToken) => isInert(owned) && !labels.has(owned.version);
  const targets = { ...seen, tokens: seen.tokens.filter((owned) => !isHarmless(owned)) };
  const endings = [...detach(seen, successor?.version), ...deletions(targets, order, successor)];
  // What is frozen stays frozen without the hold: its marker says so.
  const release: Action[] = hold ? [{ kind: 'release' }] : [];
  return order.immediately
    ? [...endings, ...release, ...replace]
    : [...release, ...replace, ...endings];
}

/** A freeze without undo keeps nothing to give back. */
export const canGiveBack = ({ token, marker }: OwnedToken) =>
  marker.frozen !== undefined &&
  (marker.was !== undefined || token.permissions.length > 0 || marker.quarantined !== undefined);

/** The hold goes first: a crash after it leaves tokens that stay frozen by their own markers. */
function decideUnfreezing(seen: ObservedSecret): Action[] {
  const hold = holdOf(seen.secret);
  const backs = seen.tokens.filter(canGiveBack);
  return [
    ...(hold ? [{ kind: 'release' as const }] : []),
    ...backs.map(({ token }) => ({ kind: 'give-back' as const, tokenId: token.id })),
  ];
}

function decideActions(seen: ObservedSecret, order: Order, now: number): Action[] {
  const { secret, tokens } = seen;
  const hold = holdOf(secret);
  // Secrets Manager refuses to tag what it is about to delete, and no run touches that.
  const held = secret.deletedAt !== undefined;
  switch (order.way) {
    case 'replace':
      return decideReplacing(seen, order, now);
    case 'freeze': {
      const armed = tokens.filter(({ token }) => token.permissions.length > 0);
      return [
        ...(hold || held ? [] : [{ kind: 'hold' as const, hold: 'frozen' as const }]),
        ...armed.map(({ token }) => ({ kind: 'strip' as const, tokenId: token.id })),
      ];
    }
    case 'delete':
      return [
        ...(hold === 'deleted' || held
          ? []
          : [{ kind: 'hold' as const, hold: 'deleted' as const }]),
        ...(held ? [] : detach(seen, undefined)),
        ...deletions(seen, order),
      ];
    case 'lift':
      // An unfinished deletion is finished first: what it left would be current again.
      return hold ? [...deletions(seen, order), { kind: 'release' }] : [];
    case 'unfreeze':
      return decideUnfreezing(seen);
    case 'restore':
    case 'whois':
      return [];
    default:
      order.way satisfies never;
      throw new Error('an order of no known way');
  }
}

const LEFT: Partial<Record<RevocationWay, Partial<Record<Hold, string>>>> = {
  freeze: { deleted: 'is on hold (deleted) and stays so' },
  unfreeze: { deleted: 'is on hold (deleted): lift it' },
  lift: { frozen: 'is on hold (frozen): unfreeze it' },
  replace: { deleted: 'is on hold (deleted): lift it first' },
};

/** Why an order cannot be carried out in this secret; undefined: it can. */
export function leftBecause({ secret }: ObservedSecret, order: Order): string | undefined {
  const hold = holdOf(secret);
  const held = hold && LEFT[order.way]?.[hold];
  if (held) return held;
  if (hold === 'frozen' && order.way === 'replace' && !order.named) {
    return 'is on hold (frozen) and stays so; to replace its token, name it';
  }
  return secret.replica ? 'is a replica; revoke in its primary Region' : undefined;
}

/**
 * Decides about all tokens of one secret, from the listing and again from a fresh look before and
 * after every step that others depend on. No steps: the order is carried out.
 *
 * | way       | steps                                                                          |
 * |-----------|--------------------------------------------------------------------------------|
 * | freeze    | hold, strip all                                                                  |
 * | unfreeze  | release, give back to all that are frozen                                        |
 * | delete    | hold, detach AWSPENDING and AWSPREVIOUS, delete all                              |
 * | lift      | delete what is left, release                                                     |
 * | replace   | release what is frozen, replace unless AWSCURRENT is the successor, detach, delete all others |
 * | the same, `immediately` | detach, delete all but the successor, release, replace             |
 *
 * A secret on hold `deleted` is left alone by all but `delete` and `lift`; one on hold `frozen` by
 * `replace` too, unless it was named.
 */
export function decideRevocation(
  seen: ObservedSecret,
  order: Order,
  now: number,
): readonly RevocationAction[] {
  if (leftBecause(seen, order) !== undefined) return [];
  const { name: secret } = seen.secret;
  return decideActions(seen, order, now).map((action) => ({ ...action, secret }));
}
