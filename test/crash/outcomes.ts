import type { Permission } from '../../sandbox/cluster/state.ts';
import type { History } from './history.ts';
import { leavesProven, short, type Violations } from './invariants.ts';
import { OWNER } from './policy.ts';
import type { Terms } from './terms.ts';
import {
  holdOf,
  isAlive,
  isArmed,
  isExpired,
  isOutOfReach,
  pendingOf,
  type SeenSecret,
  type SeenToken,
  secretOf,
  type View,
} from './view.ts';

/** I: no token string in a text that leaves Secrets Manager and the consumer. */
export function* leaks(strings: readonly string[], texts: readonly string[]): Violations {
  for (const text of texts) {
    const leaked = strings.find((string) => text.includes(string));
    if (leaked) yield `I: a token string in ${text.replaceAll(leaked, '[LEAKED]').slice(0, 200)}`;
  }
}

const isOurs = ({ id, marker }: SeenToken, { foreign }: History) =>
  marker.owner === OWNER && !foreign[id];

const isLike =
  ({ action, resource }: Permission) =>
  (each: Permission) =>
    each.action === action && each.resource === resource;

/** H: after a run of reap nothing works, or is there, of a secret that was on hold before it. */
export function* heldStaysDead(before: View, after: View, history: History): Violations {
  for (const token of after.tokens.values()) {
    const held = secretOf(token, before);
    // An adoption that is not proven yet has left the secret to people.
    if (held?.tags['keyturn:owner'] === undefined) continue;
    // What has expired is as dead as it can be, and a listing may hide it.
    if (!isOurs(token, history) || !isAlive(token) || isExpired(token, after.at)) continue;
    const hold = holdOf(held);
    // One that a person changed meanwhile is the next run's.
    if (holdOf(secretOf(token, after)) !== hold) continue;
    if (hold === 'deleted') yield `H: ${short(token.id)} lives, and its secret is on hold`;
    const known = [before.tokens.get(token.id)?.permissions, history.granted[token.id]];
    // What only a person can have given since the run began is the next run's, too.
    const isGivenSince = token.permissions.some(
      (each) => !known.some((had) => had?.some(isLike(each))),
    );
    if (hold === 'frozen' && isArmed(token) && !isGivenSince)
      yield `H: ${short(token.id)} works, and is frozen`;
  }
}

/** H: after a run nothing works that it gave permissions to while there was a hold. */
export function* givesNothingUnderHold({ givenUnderHold }: History, { tokens }: View): Violations {
  for (const id of Object.keys(givenUnderHold)) {
    const token = tokens.get(id);
    if (token && isAlive(token) && isArmed(token))
      yield `H: ${short(id)} was given permissions under a hold, and works`;
  }
}

/** Consumers of another secret have its string, which a person pasted there, and nobody may write that secret: it is theirs as long. */
const isKeptByOthers = ({ id }: SeenToken, own: SeenSecret, { secrets }: View): boolean =>
  [...secrets.values()].some(
    (each) =>
      each !== own &&
      each.tags['keyturn:owner'] !== undefined &&
      isOutOfReach(each) &&
      each.holders.AWSCURRENT === id,
  );

/** Why a token is not where it ought to end; undefined: it is. */
function unrest(
  token: SeenToken,
  secret: SeenSecret,
  view: View,
  { exempt }: History,
  { isRetired }: Terms,
): string | undefined {
  const { AWSCURRENT: current = '' } = secret.holders;
  if (isKeptByOthers(token, secret, view)) return undefined;
  const isStripped = current === token.id && exempt[current] && !isArmed(token);
  // What a person stripped under AWSCURRENT is held and reported, whether or not its entry is there.
  if (isRetired(secret.name)) return isStripped ? undefined : 'still there';
  if (current === token.id) return isArmed(token) || exempt[current] ? undefined : 'never armed';
  // While a person holds the current one back, the one before it waits with them.
  const waits = exempt[current] && !leavesProven(token, secret, view);
  return waits ? undefined : 'still there';
}

/** Whether somebody put a string that is no token's of ours under a label. */
export const holdsUnknown = (secret: SeenSecret, { foreign }: History): boolean =>
  (['AWSCURRENT', 'AWSPREVIOUS'] as const).some((label) => {
    const token = secret.holders[label];
    return secret.labels[label] !== undefined && (token === undefined || foreign[token]);
  });

/** Whether consumers have the string of another secret: its own rotation, when that is due, gives them one of theirs. */
export const holdsOthers = (secret: SeenSecret, view: View): boolean => {
  const token = view.tokens.get(secret.holders.AWSCURRENT ?? '');
  return token !== undefined && secretOf(token, view)?.name !== secret.name;
};

/**
 * Under AWSPREVIOUS a token whose marker a person took still works, as whoever rolls back needs it: nothing takes the label
 * off but the next rotation, and the token is theirs.
 */
const isDisownedPrevious = ({ holders }: SeenSecret, view: View, { disowned }: History) => {
  const { AWSCURRENT: current = '', AWSPREVIOUS: previous = '' } = holders;
  const token = view.tokens.get(previous);
  return disowned[previous] && !disowned[current] && token && isAlive(token) && isArmed(token);
};

/** Why a secret is not as it ought to end; undefined: it is. */
function unrestOf(secret: SeenSecret, view: View, history: History): string | undefined {
  const pending = pendingOf(secret, view.tokens);
  const current = view.tokens.get(secret.holders.AWSCURRENT ?? '');
  if (pending && !history.exempt[secret.holders.AWSCURRENT ?? ''])
    return `${short(pending)} is still pending`;
  if (secret.labels.AWSCURRENT === undefined) return `${secret.name} has no value`;
  if (holdsUnknown(secret, history) && !isDisownedPrevious(secret, view, history))
    return `a label of ${secret.name} is on a string of nobody's`;
  if (!current || !isAlive(current)) return `the token of ${secret.name} is gone, and not replaced`;
  return undefined;
}

/** Somebody took away the tag that says of which cluster a secret is, and its current token is not here to show that. */
function isOfUnknownCluster({ holders, tags }: SeenSecret, { tokens }: View): boolean {
  const current = tokens.get(holders.AWSCURRENT ?? '');
  const isTagged = tags['keyturn:owner'] === undefined || tags['keyturn:cluster'] !== undefined;
  return !isTagged && !(current && isAlive(current));
}

/** A value of which Keyturn writes one key, and which is not there: the rest of it is people's. */
const lacksTheRest = ({ name, labels }: SeenSecret, { keyed }: Terms): boolean =>
  labels.AWSCURRENT === undefined && keyed.includes(name);

/** Only people can say what belongs there. */
export const waitsForPeople = (secret: SeenSecret, view: View, terms: Terms): boolean =>
  lacksTheRest(secret, terms) || isOfUnknownCluster(secret, view);

/** D: what is neither current, held, nor gone, what is still pending, and what has no token of ours. */
export function* unsettled(view: View, history: History, terms: Terms): Violations {
  for (const token of view.tokens.values()) {
    const secret = secretOf(token, view);
    if (!isOurs(token, history) || !isAlive(token) || !secret || isOutOfReach(secret)) continue;
    const why = unrest(token, secret, view, history, terms);
    if (why) yield `D: ${short(token.id)} is ${why}`;
  }
  for (const secret of view.secrets.values()) {
    const isListed = terms.listed.includes(secret.name);
    if (waitsForPeople(secret, view, terms)) continue;
    const why = isListed && !isOutOfReach(secret) && unrestOf(secret, view, history);
    if (why) yield `D: ${why}`;
  }
}
