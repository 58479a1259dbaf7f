import type { TokenPolicy } from '../policy/policy.ts';
import { holdOf, LIFTED_TAG } from '../secrets-manager/hold.ts';
import { HOUR_MS } from '../time.ts';
import { LOST } from '../tokens/change-token.ts';
import type { Holder, ObservedSecret, ObservedToken } from '../tokens/observation.ts';
import { isWhole } from '../tokens/permission-sets.ts';
import {
  currentHolder,
  isArmed,
  isExpired,
  isFrozen,
  isSame,
  ownedCurrent,
  stateOf,
  tokenIdOf,
  tokenUnder,
  works,
} from '../tokens/state.ts';
import { versionIdOf } from '../tokens/version-id.ts';
import { resultOf, type TokenResult } from './end-token.ts';
import type { SeenAlone } from './observe.ts';
import { findSuccessor, foreignHolders } from './plan/decide-revocation.ts';
import { mendedBy } from './plan/decide-token.ts';
import { mayHaveEnded } from './plan/given-before.ts';
import { ENDING_WAYS, type Order } from './plan/order.ts';

interface Context {
  readonly order: Order;
  /** The policy's entry. Absent: it left the policy. */
  readonly entry: TokenPolicy | undefined;
  /** The Management API's time. */
  readonly now: number;
  /** Whether something shows that an order like this one was given before. */
  readonly isRepeated: boolean;
}

/** A token that is gone. Its version is all that is known, or an adoption: they name it, and nothing says what it could do. */
function goneResult(
  version: string,
  secret: string,
  holder: Holder = { state: 'gone' },
): TokenResult {
  const { adopted } = holder.state === 'gone' ? holder : {};
  return {
    tokenId: tokenIdOf(holder, version) ?? version,
    ...(adopted && { fingerprint: adopted.fp }),
    versions: [version],
    secret,
    result: 'gone',
  };
}

/** Frozen tokens: what this order did before, or others; `replace` leaves them to the person who froze them. */
function* frozen({ tokens }: ObservedSecret): Generator<TokenResult> {
  for (const owned of tokens) {
    if (isFrozen(owned)) yield resultOf({ token: owned.token, owned }, 'frozen');
  }
}

/** No marker says who took the permissions of a foreign token away, nor when: it may have been a moment ago. */
function* strippedForeign(seen: ObservedSecret): Generator<TokenResult> {
  for (const token of foreignHolders(seen)) {
    if (token.permissions.length === 0) yield resultOf({ token }, 'frozen');
  }
}

/**
 * By the listing, and by the versions where it shows nothing: a token that was armed to its end, and not long ago, or
 * that an order like this one may have ended, may not be dead everywhere.
 */
function* gone(
  { secret, holders, revoked }: SeenAlone,
  { now, isRepeated }: Context,
): Generator<TokenResult> {
  const ended = new Set(
    [...holders].flatMap(([each, { state }]) => (state === 'gone' ? each : [])),
  );
  for (const owned of revoked) {
    const { revokedAt = 0 } = owned.token;
    const isLabelled = owned.versions.filter((each) => ended.delete(each)).length > 0;
    const isRecent = isArmed(owned) && now - revokedAt < HOUR_MS;
    if (isLabelled || isRecent || (isRepeated && mayHaveEnded(owned, now))) {
      yield resultOf({ ...owned, owned }, 'gone');
    }
  }
  for (const version of ended) yield goneResult(version, secret.name, holders.get(version));
}

function* replaced(
  seen: ObservedSecret,
  { order, now, isRepeated }: Context,
): Generator<TokenResult> {
  const successor = findSuccessor(seen, order, now);
  if (!successor || !isSame(ownedCurrent(seen), successor)) return;
  const { replaces } = successor.marker;
  const isThere = [
    ...seen.tokens.map(({ token }) => token.id),
    ...[...seen.holders.values()].flatMap((each) =>
      each.state === 'foreign' ? each.token.id : [],
    ),
  ].some((id) => id === replaces);
  // Of an order that is seen to be repeated, every version is asked about, and an adopted token has none of this id.
  if (!isRepeated && replaces !== undefined && replaces !== 'nothing' && !isThere) {
    yield goneResult(versionIdOf(replaces), seen.secret.name);
  }
  const row = resultOf({ token: successor.token, owned: successor }, 'successor');
  const wasRefused = successor.marker.refused !== undefined; // until a run has seen it accepted
  yield wasRefused ? { ...row, wasRefused } : { ...row, had: [] };
}

/** A token that works, to which nothing was given now: an order before may have given less than it had. */
export function leftWorking(observed: ObservedToken): TokenResult {
  const { token, owned } = observed;
  const left = resultOf(observed, 'left');
  const isLacking = owned?.marker.had !== undefined && !isWhole(token.permissions, owned.marker);
  return isLacking ? { ...left, unconfirmed: LOST } : left;
}

/** Tokens with permissions: an order that undoes leaves no mark on what it gave back, and may have ended before it saw that. */
function* working({ tokens }: ObservedSecret, now: number): Generator<TokenResult> {
  for (const owned of tokens) {
    const { token } = owned;
    if (isArmed(owned) && !isExpired(token, now)) yield leftWorking({ token, owned });
  }
}

/** The deletion that was lifted ended what consumers read, and the next run of `rotate` mints another token. */
export const isRenewedNext = (
  { secret }: ObservedSecret,
  { way, entry }: Pick<Order, 'way'> & Pick<Context, 'entry'>,
): boolean => way === 'lift' && entry !== undefined && secret.tags[LIFTED_TAG] !== undefined;

/** What consumers read once it was undone: it works, or it is said what it lacks. */
function* current(seen: ObservedSecret, context: Context): Generator<TokenResult> {
  const { order, entry, now } = context;
  const { name, labels } = seen.secret;
  const holder = currentHolder(seen);
  if (holder?.state === 'gone' && !isRenewedNext(seen, { ...order, entry })) {
    const unconfirmed = `it is gone, and consumers read its string; ${mendedBy(entry)}`;
    yield { ...goneResult(labels.AWSCURRENT ?? '', name, holder), had: [], unconfirmed };
  }
  if (holder?.state !== 'owned' && holder?.state !== 'foreign') return;
  const observed: ObservedToken =
    holder.state === 'owned' ? { token: holder.owned.token, owned: holder.owned } : holder;
  const { token, owned } = observed;
  if (works(token, now)) {
    yield leftWorking(observed);
    return;
  }
  const state = stateOf({ token, marker: owned?.marker }, now);
  const isKept = state === 'frozen' || (owned && state === 'stripped'); // `rotate` leaves it to a person
  const end = isKept ? 'unfreeze it' : mendedBy(entry);
  const left = resultOf(observed, 'left');
  yield { ...left, had: [], unconfirmed: `it is ${state}, and consumers read its string; ${end}` };
}

/** Without our marker nothing says what a token could do before it was frozen. What consumers read is told of by itself. */
function* notGivenBack(seen: ObservedSecret): Generator<TokenResult> {
  const current = tokenUnder(seen, 'AWSCURRENT')?.id;
  for (const token of foreignHolders(seen)) {
    if (token.permissions.length > 0 || token.id === current) continue;
    const unconfirmed =
      'it does not have our marker, so its permissions were not kept: consumers that still have its string are refused until they read the secret again';
    yield { ...resultOf({ token }, 'left'), had: [], unconfirmed };
  }
}

/** What was done before, by the same order or by others. It is verified and reported like the rest. */
export function* alreadyDone(seen: SeenAlone, context: Context): Generator<TokenResult> {
  const { way } = context.order;
  if (!ENDING_WAYS.includes(way)) {
    if (holdOf(seen.secret)) return; // nothing was given back yet
    yield* working(seen, context.now);
    yield* current(seen, context);
    if (way === 'unfreeze') yield* notGivenBack(seen);
    return;
  }
  if (way !== 'delete') yield* frozen(seen);
  if (way === 'freeze') yield* strippedForeign(seen);
  yield* gone(seen, context);
  if (way === 'replace') yield* replaced(seen, context);
}
