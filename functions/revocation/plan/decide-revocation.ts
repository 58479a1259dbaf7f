import type { Without } from '../../run/plan.ts';
import { type Hold, holdOf } from '../../secrets-manager/secret.ts';
import { MINUTE_MS } from '../../time.ts';
import type { ObservedSecret, OwnedToken } from '../../tokens/observation.ts';
import {
  hasVersion,
  isExpired,
  isInert,
  isSame,
  isStripped,
  ownedCurrent,
} from '../../tokens/state.ts';
import type { RevocationRequest, RevocationWay } from '../request.ts';
import type { RevocationAction } from './revocation-action.ts';

/**
 * An order that is repeated within this time is the same order: people press twice, and the AWS CLI invokes
 * again if a function does not answer within 60 seconds (`--cli-read-timeout`).
 * https://docs.aws.amazon.com/cli/latest/reference/lambda/invoke.html
 */
const REPEATED_MS = 15 * MINUTE_MS;

/** A person's order about one secret. */
export interface Order extends Pick<RevocationRequest, 'way' | 'immediately'> {
  /** The id of the token that was named by id or fingerprint; it never counts as a successor. */
  readonly namedToken?: string;
  /** The secret or its token was named, not selected with many others: then `replace` also ends a freeze. */
  readonly named: boolean;
}

/** The ways that end tokens. */
export const ENDING_WAYS: readonly RevocationWay[] = ['replace', 'freeze', 'delete'];

/** An action in one secret, which the caller adds. */
type Action = Without<RevocationAction, 'secret'>;

const isAlive = (seen: ObservedSecret, id: string | undefined) =>
  seen.tokens.some(({ token }) => token.id === id);

/** Whether its string is stored: its version has a label, or it was armed. */
const isStored = ({ secret }: ObservedSecret, { versions, marker }: OwnedToken) =>
  marker.fp !== undefined || Object.values(secret.labels).some((each) => versions.includes(each));

/**
 * The token that this order, or the same order before, minted to replace what is revoked: it is younger
 * than `REPEATED_MS`, or the token that it replaces still exists. A repeated order continues with it.
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
  const labelled = (version = '') => able.find((each) => hasVersion(seen, each, version));
  return labelled(AWSCURRENT) ?? labelled(AWSPENDING) ?? byAge[0];
}

/** Takes off the labels by which a person could roll back to a revoked token, or a run could promote one. */
function detach(seen: ObservedSecret, kept?: OwnedToken): Action[] {
  const { labels } = seen.secret;
  return ['AWSPENDING', 'AWSPREVIOUS'].flatMap((label) => {
    const version = labels[label];
    if (version === undefined || version === labels.AWSCURRENT) return [];
    if (kept && hasVersion(seen, kept, version)) return [];
    return [{ kind: 'detach-label', label, version }];
  });
}

function deletions(seen: ObservedSecret, { namedToken }: Order, kept?: OwnedToken): Action[] {
  const owned = seen.tokens.filter((each) => each !== kept).map(({ token }) => token.id);
  // A foreign token is deleted only if a person named it.
  const named = [...seen.holders.values()].flatMap((holder) =>
    holder.state === 'foreign' && holder.token.id === namedToken ? [holder.token.id] : [],
  );
  return [...owned, ...named].map((tokenId) => ({ kind: 'delete', tokenId }));
}

function decideReplacing(seen: ObservedSecret, order: Order, now: number): Action[] {
  const hold = holdOf(seen.secret);
  const successor = findSuccessor(seen, order, now);
  const promoted = isSame(ownedCurrent(seen), successor);
  const replace: Action[] = promoted
    ? []
    : [{ kind: 'replace', ...(successor && { tokenId: successor.token.id }) }];
  const labels = new Set(Object.values(seen.secret.labels));
  // Another run minted it just now and is about to store it. It is inert, and that run will lose its race.
  const isHarmless = (owned: OwnedToken) =>
    isInert(owned) && !owned.versions.some((version) => labels.has(version));
  const targets = { ...seen, tokens: seen.tokens.filter((owned) => !isHarmless(owned)) };
  const endings = [...detach(seen, successor), ...deletions(targets, order, successor)];
  // Without the hold, frozen tokens stay frozen: their markers say so.
  const release: Action[] = hold ? [{ kind: 'release' }] : [];
  return order.immediately
    ? [...endings, ...release, ...replace]
    : [...release, ...replace, ...endings];
}

/** Whether unfreezing can give the permissions back. After a freeze with `noUndo` it cannot. */
export const canGiveBack = ({ token, marker }: OwnedToken) =>
  marker.frozen !== undefined &&
  (marker.was !== undefined || token.permissions.length > 0 || marker.quarantined !== undefined);

/** The hold is removed first: after a crash the tokens are still frozen by their own markers. */
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
  // Secrets Manager refuses to tag a secret that is scheduled for deletion, and no run changes its tokens.
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
        ...(held ? [] : detach(seen)),
        ...deletions(seen, order),
      ];
    case 'lift':
      // An unfinished deletion is finished first: otherwise a token that it left would be current again.
      return hold ? [...deletions(seen, order), { kind: 'release' }] : [];
    case 'unfreeze':
      return decideUnfreezing(seen);
    case 'restore':
    case 'whois':
      return [];
    default:
      order.way satisfies never;
      throw new Error('unknown way of an order');
  }
}

const NOT_REACHED: Partial<Record<RevocationWay, Partial<Record<Hold, string>>>> = {
  freeze: { deleted: 'is on hold (deleted) and stays so' },
  unfreeze: { deleted: 'is on hold (deleted): lift it' },
  lift: { frozen: 'is on hold (frozen): unfreeze it' },
  replace: { deleted: 'is on hold (deleted): lift it first' },
};

/** Why an order does not reach this secret. Undefined: it does. */
export function notReachedBecause({ secret }: ObservedSecret, order: Order): string | undefined {
  const hold = holdOf(secret);
  const held = hold && NOT_REACHED[order.way]?.[hold];
  if (held) return held;
  if (hold === 'frozen' && order.way === 'replace' && !order.named) {
    return 'is on hold (frozen) and stays so; to replace its token, name it';
  }
  return secret.replica ? 'is a replica; revoke in its primary Region' : undefined;
}

/**
 * Decides about all tokens of one secret: from the listing, and again from the secret as it is before and
 * after every action that others depend on. No actions: nothing is left to do.
 *
 * | way       | actions                                                                        |
 * |-----------|--------------------------------------------------------------------------------|
 * | freeze    | hold, strip all                                                                  |
 * | unfreeze  | release, give back to all that are frozen                                        |
 * | delete    | hold, detach AWSPENDING and AWSPREVIOUS, delete all                              |
 * | lift      | delete what is left, release                                                     |
 * | replace   | release what is frozen, replace unless AWSCURRENT is the successor, detach, delete all others |
 * | the same, `immediately` | detach, delete all but the successor, release, replace             |
 *
 * Only `delete` and `lift` change a secret on hold `deleted`. `replace` changes one on hold `frozen` only if
 * it was named.
 */
export function decideRevocation(
  seen: ObservedSecret,
  order: Order,
  now: number,
): readonly RevocationAction[] {
  if (notReachedBecause(seen, order) !== undefined) return [];
  const { name: secret } = seen.secret;
  return decideActions(seen, order, now).map((action) => ({ ...action, secret }));
}
