import { messageOf } from '../run/message-of.ts';
import type { Tools } from '../run/tools.ts';
import type { Secret } from '../secrets-manager/secret.ts';
import { freshToken } from '../tokens/change-token.ts';
import type { ObservedSecret, ObservedToken } from '../tokens/observation.ts';
import { ownedCurrent, provenCurrent, works } from '../tokens/state.ts';
import { takeLabelOff } from '../tokens/take-label-off.ts';
import { type ArmingTools, underHold } from '../tokens/under-hold.ts';
import { leftWorking } from './already-done.ts';
import { NotDeletedError } from './delete-token.ts';
import { giveBack, QUARANTINED, resultOf, strip, type TokenResult } from './end-token.ts';
import { endedBy, noteEnded } from './note-ended.ts';
import { observeOne } from './observe.ts';
import { decideToken, heldBecause } from './plan/decide-token.ts';
import { ENDING_WAYS, needsNoAws, type Order, UNDOING_WAYS } from './plan/order.ts';
import type { SingleTokenAction } from './plan/revocation-action.ts';
import { isInUse } from './plan/select-token.ts';
import { located, type Revocation, type SecretResult } from './progress.ts';
import { failedResult } from './tell-failures.ts';
import { afterLastLook, unsaid } from './tell-secret.ts';
import { verifyAccepted } from './verify-accepted.ts';
import { verifyRefused } from './verify-refused.ts';

async function observeAgain(
  { token, owned }: ObservedToken,
  tools: Tools,
): Promise<ObservedToken | undefined> {
  if (owned) {
    const fresh = await freshToken(tools, owned);
    return fresh && { token: fresh.token, owned: fresh };
  }
  const fresh = await tools.api.getToken(token.id);
  return fresh && fresh.revokedAt === undefined ? { token: fresh } : undefined;
}

async function carryOut(
  action: SingleTokenAction,
  observed: ObservedToken,
  { noUndo, order, deleteToken }: Revocation,
  tools: ArmingTools,
): Promise<TokenResult | 'moved' | undefined> {
  switch (action.kind) {
    case 'strip':
      return (await strip(observed, noUndo, tools)) ?? resultOf(observed, 'frozen');
    case 'delete':
      return deleteToken(observed, tools);
    case 'give-back': {
      const undo = order.way === 'restore' ? 'quarantine' : 'freeze';
      if (!observed.owned) return undefined;
      const given = await giveBack(observed.owned, undo, tools);
      const isIdle = given.result === 'left' && given.unconfirmed === undefined;
      return isIdle && observed.owned.marker.quarantined !== undefined
        ? { ...given, unconfirmed: QUARANTINED }
        : given;
    }
    case 'detach-label':
      return (await takeLabelOff(action, tools)) ? undefined : 'moved';
    default:
      action satisfies never;
      throw new Error('unknown kind of action');
  }
}

/** Why a token that an undoing order leaves as it is does not work. Undefined: it does. */
function idleBecause({ token, owned }: ObservedToken, { way }: Order): string | undefined {
  const { frozen, quarantined } = owned?.marker ?? {};
  const isAsleep = token.permissions.length === 0 || quarantined !== undefined;
  if (frozen !== undefined && isAsleep) return 'it is frozen; unfreeze it';
  if (token.permissions.length > 0) return undefined;
  const isQuarantined = way !== 'restore' && quarantined !== undefined;
  return isQuarantined ? QUARANTINED : 'its permissions were not kept';
}

/** The result for a token that needs no action. */
function presentResult(
  observed: ObservedToken,
  secret: Secret | undefined,
  { order }: Revocation,
): TokenResult {
  const held = heldBecause(observed, order.way, secret);
  const isEnding = ENDING_WAYS.includes(order.way);
  const idle = isEnding ? undefined : idleBecause(observed, order);
  const unconfirmed = held === undefined ? idle : `its secret ${held}`;
  const isDead = isEnding && observed.token.permissions.length === 0;
  if (!isEnding && unconfirmed === undefined) return leftWorking(observed);
  return {
    ...resultOf(observed, isDead ? 'frozen' : 'left'),
    ...(isDead && { wasBefore: true }),
    ...(unconfirmed !== undefined && { unconfirmed }),
  };
}

function withSuccessor(
  ended: TokenResult,
  seen: ObservedSecret | undefined,
  { order }: Revocation,
): TokenResult {
  const isEnded = ended.result === 'deleted' || ended.result === 'gone';
  const current = order.way === 'replace' && isEnded && seen ? ownedCurrent(seen) : undefined;
  return current ? { ...ended, replacedBy: current.token.id } : ended;
}

/** What became of one token, and what Secrets Manager refused beside it. */
interface Carried {
  readonly result: TokenResult;
  readonly failures: readonly unknown[];
  readonly unconfirmed: readonly string[];
  /** No hold is in the way of the order. */
  readonly isReached: boolean;
}

/** The secret as it is now. To end a token needs the cluster alone: where AWS refuses, that of the plan counts. */
async function lookAgain(
  planned: ObservedSecret,
  { order }: Revocation,
  tools: Tools,
): Promise<{ readonly now?: ObservedSecret | undefined; readonly unread?: string }> {
  const { name } = planned.secret;
  let secret: Secret | undefined = planned.secret;
  try {
    secret = await tools.secrets.describe(name);
    const secrets = { ...tools.secrets, describe: async () => secret };
    return { now: await observeOne(name, { ...tools, secrets }) };
  } catch (error) {
    if (!needsNoAws(order)) throw error;
    const unread = `${name}: it could not be looked at again (${messageOf(error)}), so it is not known whether consumers read this token now`;
    return { now: secret && { ...planned, secret }, unread };
  }
}

/** @throws Error if an order about this token means its whole secret by now, as when somebody rolled back to it */
function refuseInUse(
  { token, owned }: ObservedToken,
  now: ObservedSecret | undefined,
  { way }: Order,
  { apiNow }: Tools,
): void {
  const isUsed = now && !now.secret.replica && isInUse(now, token.id, owned?.versions ?? []);
  const isLost = way === 'replace' && !(now && provenCurrent(now, apiNow()));
  if (!ENDING_WAYS.includes(way) || !(isUsed || isLost)) return;
  const why = isUsed ? 'it is current or pending' : 'no token of its secret is proven current';
  throw new Error(
    `${why} by now: nothing was done to it; give the order again, or for the whole secret, by its name`,
  );
}

/**
 * Takes the actions. A label that stays is a temptation to roll back, but a token that stays works.
 * @param about the secret that it is in, if we see that
 * @param onMoved called when somebody moved the label since the look; throws if the token may not be ended any more
 */
async function takeActions(
  observed: ObservedToken,
  { now, onMoved }: { readonly now: ObservedSecret | undefined; onMoved(): Promise<unknown> },
  revocation: Revocation,
  tools: ArmingTools,
): Promise<Carried> {
  const { order, reason, by } = revocation;
  const isReached = heldBecause(observed, order.way, now?.secret) === undefined;
  let result = presentResult(observed, now?.secret, revocation);
  const failures: unknown[] = [];
  const unconfirmed: string[] = [];
  for (const action of decideToken(observed, order.way, now)) {
    const about = { ...action, way: order.way, reason, by };
    let isMoved = false;
    try {
      const done = await carryOut(action, observed, revocation, tools);
      isMoved = done === 'moved';
      if (done !== 'moved') result = done ?? result;
      tools.log.warn('revoking', about);
    } catch (error) {
      if (action.kind !== 'detach-label') throw error;
      tools.log.error('failed', { ...about, error });
      failures.push(error);
      const { secret: name, label, version } = action;
      unconfirmed.push(`${name}: ${label} is still on version ${version}: ${messageOf(error)}`);
    }
    if (isMoved) await onMoved();
  }
  return { result: now ? located(result, now) : result, failures, unconfirmed, isReached };
}

/** Carries out the order, unless a hold is in its way. `seen`: the secret that the token is in, if we see that. */
async function changeOne(
  planned: ObservedToken,
  seen: ObservedSecret | undefined,
  revocation: Revocation,
  tools: ArmingTools,
): Promise<Carried> {
  const observed = await observeAgain(planned, tools);
  if (!observed) {
    return {
      result: resultOf(planned, 'gone'),
      failures: [],
      unconfirmed: [],
      isReached: true,
    };
  }
  const look = async () => {
    const looked = seen ? await lookAgain(seen, revocation, tools) : {};
    if (seen) refuseInUse(observed, looked.now, revocation.order, tools);
    return looked;
  };
  const { now, unread } = await look();
  const carried = await takeActions(observed, { now, onMoved: look }, revocation, tools);
  return unread === undefined
    ? carried
    : { ...carried, unconfirmed: [unread, ...carried.unconfirmed] };
}

/** The same, and verifies it. */
async function carryOutOrder(
  planned: ObservedToken,
  seen: ObservedSecret | undefined,
  revocation: Revocation,
  tools: ArmingTools,
): Promise<Carried> {
  const { order, startedAt, controls } = revocation;
  const carried = await changeOne(planned, seen, revocation, tools);
  const own = order.way === 'replace' ? seen?.secret.name : undefined;
  const replaced = withSuccessor(carried.result, seen, revocation);
  // No marker of its own says that an order froze it.
  const isUnmarked = carried.result.result === 'frozen' && !planned.owned;
  const ids = isUnmarked ? [planned.token.id] : endedBy([carried.result], order, carried.isReached);
  const note = async () => seen && noteEnded(seen.secret.name, ids, tools);
  const [ended, isNoted] = await Promise.all([
    verifyRefused(replaced, { startedAt, controls, own }, tools),
    note(),
  ]);
  if (isNoted) await note();
  return { ...carried, result: await verifyAccepted(ended, tools) };
}

/** Carries out an order about one token by itself: it is neither current nor pending, or it is not ours. */
export async function revokeToken(
  planned: ObservedToken,
  seen: ObservedSecret | undefined,
  revocation: Revocation,
  tools: Tools,
): Promise<SecretResult> {
  const { order, reason } = revocation;
  const name = planned.owned?.marker.secret ?? seen?.secret.name ?? '';
  try {
    const { result: carried, ...lastLook } = await underHold(name, tools, (arming) =>
      carryOutOrder(planned, seen, revocation, arming),
    );
    const { result, failures, unconfirmed, isReached } = carried;
    const results = [afterLastLook(result, lastLook)];
    return {
      results,
      failures: failures.map((error) => ({ what: 'detach-label', where: name, error })),
      unconfirmed: [...unsaid(results, lastLook), ...unconfirmed],
      alive: [],
      settled: failures.length === 0 && isReached && lastLook.obeyed === undefined,
    };
  } catch (error) {
    const about = { tokenId: planned.token.id, way: order.way, reason };
    tools.log.error('failed', { ...about, error });
    const { token } = planned;
    const isGiving = UNDOING_WAYS.includes(order.way);
    const results = [failedResult(planned, isGiving, error, tools.apiNow())];
    const failures = [{ what: order.way, where: token.id, tokenId: token.id, error }];
    const isCutOff = error instanceof NotDeletedError || !works(token, tools.apiNow());
    const alive = isGiving || isCutOff ? [] : [token.id];
    return { results, failures, unconfirmed: [], alive, settled: false };
  }
}
