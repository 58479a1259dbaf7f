import type { Permission } from '../../management-api/token.ts';
import type { Policy } from '../../policy/policy.ts';
import { holdOf } from '../../secrets-manager/hold.ts';
import { formatInstant } from '../../time.ts';
import { markerOfOthers, parseMarker } from '../../tokens/marker.ts';
import type { OwnedToken } from '../../tokens/observation.ts';
import { currentHolder, isExpired, isFrozen, wasArmed, works } from '../../tokens/state.ts';
import type { RevocationRequest } from '../request.ts';
import { foreignHolders } from './decide-revocation.ts';
import { deletedSince, hiddenTokens } from './hidden-tokens.ts';
import { grantsOf } from './known-token.ts';
import { ENDING_WAYS, needsNoAws } from './order.ts';
import { isCutShort, type OrderObservation, type Target } from './target.ts';
import { type Unseen, unseenIn } from './unseen.ts';

/** Tokens that a label or an earlier look names were read by their ids; nobody knows what else is not listed. */
export const CUT_LISTING =
  'the listing of tokens is cut: it lacks live tokens that the cluster shows by their ids, so tokens that no label names may be left out, and work; give the order again';

export const shown = (permissions: readonly Permission[]) =>
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

export const isUnseen = ({ marker }: OwnedToken, { secrets }: OrderObservation) =>
  !secrets.get(marker.secret)?.tokens.some((each) => each.marker.home === marker.home);

/** Where a token has its secret, if it is none that we see. */
export function elsewhere({ marker: { secret } }: OwnedToken, around: OrderObservation): string {
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
