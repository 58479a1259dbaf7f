import { InfluxError } from '../management-api/influx-error.ts';
import { entryOf } from '../policy/policy.ts';
import { backoffMs } from '../retry.ts';
import type { Tools } from '../run/tools.ts';
import { MINUTE_MS } from '../time.ts';
import type { ObservedSecret } from '../tokens/observation.ts';
import { tokenIdOf } from '../tokens/state.ts';
import { takeLabelOff } from '../tokens/take-label-off.ts';
import type { ArmingTools } from '../tokens/under-hold.ts';
import { giveBack, strip, type TokenResult } from './end-token.ts';
import { findUnlisted, inSecret, lookAndNote } from './look-at-secret.ts';
import type { SeenAlone } from './observe.ts';
import {
  decideRevocation,
  freezeLeftIn,
  notReachedBecause,
  otherHoldIn,
  shortfallOf,
} from './plan/decide-revocation.ts';
import { type Order, UNDOING_WAYS } from './plan/order.ts';
import type { RevocationAction } from './plan/revocation-action.ts';
import { isOfToken, keyOf, type Progress, tokenOf } from './progress.ts';
import { replaceCurrent } from './replace-current.ts';
import { RESERVE_MS, releaseHold, setHold } from './set-hold.ts';

/** In each round the secret is read and its actions are carried out, until there are none. */
export const MOST_ROUNDS = 8;
/**
 * An ingress that passes so many calls a second refuses those of many secrets at once; after a pause by chance they do not
 * come together again. A cluster that is away is told within minutes.
 */
const PAUSES = { most: 3, baseMs: 20_000, maxMs: 2 * MINUTE_MS };
/** All later actions depend on these, so the secret is read again after them. */
const READ_AGAIN_AFTER: readonly RevocationAction['kind'][] = ['hold', 'release', 'replace'];

/** What comes behind these is not done without them: no token is ended before there is a successor, and none is given back under a hold. */
const isGate = ({ kind }: RevocationAction, { way }: Order) =>
  kind === 'replace' || kind === 'release' || (way === 'lift' && kind === 'delete');

async function replace(
  progress: Progress,
  seen: ObservedSecret,
  tools: ArmingTools,
): Promise<void> {
  const { name, order, results } = progress;
  const entry = entryOf(tools.policy, name);
  if (!entry) {
    throw new Error(
      `no entry of the policy says what a successor of ${name} may do; freeze or delete it`,
    );
  }
  const { successor, unverified } = await replaceCurrent(entry, seen, order, tools);
  const { id, createdAt } = successor.token;
  progress.order = { ...order, successor: { id, createdAt } };
  progress.known.add(id);
  if (unverified === undefined) return;
  const about = { tokenId: id, secret: name, had: [], unconfirmed: unverified };
  results.set(id, { ...about, result: 'successor' });
}

/** Deleted tokens of a secret, as far as the cluster shows them or a version names them: the last ones first. */
function goneFrom({ revoked, secret: { labels }, holders }: SeenAlone): string[] {
  const shown = [...revoked].sort((a, b) => (b.token.revokedAt ?? 0) - (a.token.revokedAt ?? 0));
  const held = Object.values(labels).flatMap((version) => {
    const holder = holders.get(version);
    return holder?.state === 'gone' ? (tokenIdOf(holder, version) ?? []) : [];
  });
  return [...new Set([...held, ...shown.map(({ token }) => token.id)])];
}

async function carryOut(
  action: RevocationAction,
  seen: SeenAlone,
  progress: Progress,
  tools: ArmingTools,
): Promise<TokenResult | 'moved' | undefined> {
  const { revocation, partial, done } = progress;
  progress.hasBegun ||= action.kind !== 'hold';
  switch (action.kind) {
    case 'hold': {
      const [{ hold }, key] = [action, keyOf(action)];
      const text = await setHold(seen.secret, hold, revocation, tools);
      if (text !== undefined) partial.set(key, { hold, text, wasSet: done.has(key) });
      return undefined;
    }
    case 'release': {
      const { order } = progress;
      const hold = order.hold ?? { labels: [] };
      const left = await releaseHold(seen.secret, hold, goneFrom(seen), tools);
      progress.released = left !== order.hold;
      progress.order = { ...order, hold: left };
      return undefined;
    }
    case 'detach-label':
      return (await takeLabelOff(action, tools)) ? undefined : 'moved';
    case 'replace':
      await replace(progress, seen, tools);
      return undefined;
    case 'strip': {
      // Of what was passed over `findPassedOver` tells.
      const stripped = await strip(tokenOf(action.tokenId, seen), revocation.noUndo, tools);
      return stripped && inSecret(stripped, seen, tools);
    }
    case 'delete':
      return inSecret(
        await revocation.deleteToken(tokenOf(action.tokenId, seen), tools),
        seen,
        tools,
      );
    case 'give-back': {
      const { owned } = tokenOf(action.tokenId, seen);
      return owned && giveBack(owned, 'freeze', tools);
    }
    default:
      action satisfies never;
      throw new Error('unknown kind of action');
  }
}

/** Carries out actions until the first one after which the secret must be read again. True: all of them were carried out. */
async function takeSteps(
  actions: readonly RevocationAction[],
  seen: SeenAlone,
  progress: Progress,
  tools: ArmingTools,
): Promise<boolean> {
  const { results, failures, order, revocation } = progress;
  for (const action of actions) {
    const { reason, by } = revocation;
    const about = { ...action, way: order.way, reason, by };
    try {
      const result = await carryOut(action, seen, progress, tools);
      // By labels that have changed nobody decides what to end: a person may have rolled back.
      if (result === 'moved') return false;
      if (result) results.set(result.tokenId, result);
      progress.done.add(keyOf(action));
      tools.log.warn('revoking', about);
      if (READ_AGAIN_AFTER.includes(action.kind)) return false;
    } catch (error) {
      const tokenId = isOfToken(action) ? action.tokenId : undefined;
      failures.set(keyOf(action), { what: action.kind, where: progress.name, tokenId, error });
      tools.log.error('failed', { ...about, error });
      if (isGate(action, order)) return false;
    }
  }
  return failures.size === 0;
}

/** Why nothing more is done in a secret, whatever is planned. Undefined: nothing stands in the way. */
function endOf(
  seen: ObservedSecret,
  { order, released }: Progress,
  now: number,
): Pick<Progress, 'reason' | 'settled'> | undefined {
  if (order.isProof) return undefined;
  const other = otherHoldIn(seen, order);
  const left = released && !other ? freezeLeftIn(seen) : undefined;
  if (left !== undefined) return { reason: left, settled: true };
  const reason = other ?? notReachedBecause(seen, order, now);
  return reason === undefined ? undefined : { reason, settled: false };
}

/** What is left to do, of what can be done at all and would be seen to be done. */
const actionsLeft = (
  seen: ObservedSecret,
  { order, partial, unread, done }: Progress,
  { apiNow }: Tools,
): readonly RevocationAction[] =>
  decideRevocation(seen, order, apiNow()).filter((action) => {
    const key = keyOf(action);
    return !partial.has(key) && !(unread !== undefined && done.has(key));
  });

/** Those that have not failed. None while the rest waits for one that has. */
function stepsAmong(
  actions: readonly RevocationAction[],
  { order, failures }: Progress,
): readonly RevocationAction[] {
  const waits = actions.some((action) => isGate(action, order) && failures.has(keyOf(action)));
  if (waits && !order.immediately) return [];
  return actions.filter((action) => !failures.has(keyOf(action)));
}

/** What was ended is looked at behind its proof, once: one look for all secrets, which come to it beside each other. */
function proveFirst(progress: Progress, seen: ObservedSecret): boolean {
  const { order, unlooked } = progress;
  if (unlooked !== undefined || UNDOING_WAYS.includes(order.way)) return false;
  progress.unlooked = true;
  progress.left = { seen, actions: [] };
  return true;
}

/**
 * Reads the secret and carries out its actions, round after round. True: nothing is left to do, or, once, all was carried out
 * and nobody has looked yet (`unlooked`).
 */
async function takeRounds(progress: Progress, tools: ArmingTools): Promise<boolean> {
  const { failures } = progress;
  for (let round = 0; round <= MOST_ROUNDS; round += 1) {
    const seen = await lookAndNote(progress, tools);
    const end = endOf(seen, progress, tools.apiNow());
    progress.reason = end?.reason ?? shortfallOf(seen, progress.order);
    progress.left = { seen, actions: [] };
    if (end) return end.settled;
    const actions = actionsLeft(seen, progress, tools);
    progress.left = { seen, actions };
    if (actions.length === 0) {
      if (await findUnlisted(seen, progress, tools)) continue;
      failures.clear(); // another run has done what failed here
      return true;
    }
    const next = stepsAmong(actions, progress);
    if (next.length === 0 || round === MOST_ROUNDS) return false;
    const areDone = await takeSteps(next, seen, progress, tools);
    if (areDone && proveFirst(progress, seen)) return true;
  }
  return false;
}

const isLimited = (error: unknown) =>
  error instanceof InfluxError && (error.status === 429 || error.status === 503);

/**
 * Takes rounds until nothing is left to do, and takes up again what a server refused for being too busy, while there is
 * time. True: nothing is left to do.
 */
export async function settle(progress: Progress, tools: ArmingTools): Promise<boolean> {
  const { failures } = progress;
  for (;;) {
    const [rounds] = await Promise.allSettled([takeRounds(progress, tools)]);
    const limited = [...failures].filter(([, { error }]) => isLimited(error));
    const isBusy = rounds.status === 'fulfilled' ? limited.length > 0 : isLimited(rounds.reason);
    const waitMs = backoffMs(progress.pauses + 1, { ...PAUSES, random: tools.random });
    const isTime = tools.now() + waitMs < tools.deadline - RESERVE_MS;
    if (!isBusy || !isTime || progress.pauses === PAUSES.most) {
      if (rounds.status === 'rejected') throw rounds.reason;
      return rounds.value;
    }
    progress.pauses += 1;
    await tools.sleep(waitMs);
    for (const [key] of limited) failures.delete(key);
  }
}
