import type { Tools } from '../run/tools.ts';
import { tracesOf } from '../secrets-manager/hold.ts';
import { MINUTE_MS } from '../time.ts';
import type { ObservedSecret } from '../tokens/observation.ts';
import { ownedCurrent } from '../tokens/state.ts';
import { type ArmingTools, underHold } from '../tokens/under-hold.ts';
import type { TokenResult } from './end-token.ts';
import { endedBy, noteEnded } from './note-ended.ts';
import { decideRevocation } from './plan/decide-revocation.ts';
import { UNDOING_WAYS } from './plan/order.ts';
import { keyOf, type Progress, provingOf, type Revocation, type SecretResult } from './progress.ts';
import { MOST_ROUNDS, settle } from './settle-secret.ts';
import { afterLastLook, leftOf, unconfirmedOf, unsaid, withSuccessor } from './tell-secret.ts';
import { endAgain, mayWork, noteUnshown, untilShown } from './until-shown.ts';
import { verifyAccepted } from './verify-accepted.ts';
import { verifyRefused } from './verify-refused.ts';

/** What was done again since a result was verified is a result of its own. */
async function verifyEnded(
  progress: Progress,
  verified: Set<TokenResult>,
  tools: Tools,
): Promise<void> {
  const { results } = progress;
  const fresh = [...results.values()].filter((result) => !verified.has(result));
  await Promise.all(
    fresh.map(async (result) => {
      const refused = await verifyRefused(result, provingOf(progress), tools);
      const seen = await verifyAccepted(refused, tools);
      verified.add(seen);
      results.set(result.tokenId, seen);
    }),
  );
}

/** What is still to be done after the last pass was not done, whatever a call answered; others wait for what failed. */
function noteLeft({ name, left: { actions }, failures, done }: Progress): void {
  for (const action of actions) {
    const key = keyOf(action);
    if (failures.has(key) || !done.has(key)) continue;
    const error = new Error('it was answered as done, and is not done');
    const tokenId = 'tokenId' in action ? action.tokenId : undefined;
    failures.set(key, { what: action.kind, where: name, tokenId, error });
  }
  if (actions.length === 0 || failures.size > 0) return;
  const error = new Error(`it was different at each of ${MOST_ROUNDS} looks`);
  failures.set('observe', { what: 'observe', where: name, error });
}

/** Kept for what comes after the waiting, and for the report. */
const RESERVE_MS = MINUTE_MS;
/** A third time only if the second reading was out of date. */
const MOST_PASSES = 3;

/** Takes what is left to do, and verifies it. True: it was looked at behind the proof. */
async function settleAndVerify(
  progress: Progress,
  verified: Set<TokenResult>,
  tools: ArmingTools,
): Promise<boolean> {
  const { name, results, order } = progress;
  progress.settled = await settle(progress, tools);
  const ids = endedBy(results.values(), order, progress.settled);
  // The proof may take minutes, and `rotate` may run meanwhile.
  await Promise.all([verifyEnded(progress, verified, tools), noteEnded(name, ids, tools)]);
  if (!progress.unlooked) return false;
  await settleAndVerify(progress, verified, tools);
  return true;
}

/**
 * Carries out the order and verifies it, twice. Strings are ended and probed at once, whatever a late reading shows, and
 * only then it is waited for. An error becomes a failure of the result; it is never thrown.
 */
async function carryOutOrder(progress: Progress, tools: ArmingTools): Promise<void> {
  const verified = new Set<TokenResult>();
  try {
    for (let pass = 1; pass <= MOST_PASSES; pass += 1) {
      const isSecond = await settleAndVerify(progress, verified, tools);
      if ((pass > 1 || isSecond) && progress.late.length === 0) break;
      // It was shown before, so it may not be late: somebody may have undone it.
      const isUndone = pass < MOST_PASSES && progress.late.some((id) => progress.shown.has(id));
      const leftMs = tools.deadline - RESERVE_MS - tools.now();
      const waitMs = pass > 1 ? leftMs : leftMs / 2;
      if (!isUndone) await untilShown(progress, tools.now() + waitMs, tools);
      if (isUndone || pass === 1) await endAgain(progress, tools);
    }
    noteLeft(progress);
    noteUnshown(progress);
  } catch (error) {
    progress.settled = false;
    progress.failures.set('observe', { what: 'observe', where: progress.name, error });
    const about = { secret: progress.name, way: progress.revocation.order.way };
    tools.log.error('failed', { ...about, error });
    await verifyEnded(progress, verified, tools); // what was ended before
  }
}

/** To order anything by the name of a secret whose successor is promoted would end that, too. */
function aliveIn(
  progress: Progress,
  results: readonly TokenResult[],
  left: ReturnType<typeof leftOf>,
): readonly string[] {
  const notEnded = left.flatMap(({ result, isAlive }) => (isAlive ? result.tokenId : []));
  const ids = [...notEnded, ...mayWork(progress)];
  const current = ownedCurrent(progress.left.seen)?.token.id ?? '';
  const isPromoted =
    results.some(({ result }) => result === 'successor') ||
    progress.order.successor?.id === current;
  return isPromoted || ids.length === 0 ? ids : [progress.name];
}

/**
 * Carries out an order about all tokens of one secret and verifies it on the data plane, twice: a rotation
 * that runs at the same time may have armed another token meanwhile. A repeated order does what is left.
 * @param planned the secret as the plan showed it
 */
export async function revokeSecret(
  planned: ObservedSecret,
  revocation: Revocation,
  tools: Tools,
): Promise<SecretResult> {
  const { name } = planned.secret;
  const isUndoing = UNDOING_WAYS.includes(revocation.order.way);
  const progress: Progress = {
    name,
    revocation,
    order: { ...revocation.order, ...(isUndoing && { hold: tracesOf(planned.secret) }) },
    results: new Map(),
    failures: new Map(),
    pauses: 0,
    partial: new Map(),
    known: new Set(planned.tokens.map(({ token }) => token.id)),
    foreign: new Set(revocation.order.namedToken ? [revocation.order.namedToken] : []),
    unknown: new Map(),
    unseen: new Set(),
    left: { seen: planned, actions: decideRevocation(planned, revocation.order, tools.apiNow()) },
    done: new Set(),
    hasBegun: false,
    late: [],
    shown: new Set(),
    released: false,
    cut: false,
    settled: false,
  };
  const { looks } = revocation;
  const lastLook = await looks.together(() =>
    underHold(name, tools, (arming) => carryOutOrder(progress, arming)),
  );
  const left = leftOf(progress, tools.apiNow());
  for (const { result } of left) progress.results.set(result.tokenId, result);
  const results = withSuccessor([...progress.results.values()]);
  const told = results.map((each) => afterLastLook(each, lastLook));
  return {
    results: told,
    failures: [...progress.failures.values()],
    unconfirmed: [...unsaid(told, lastLook), ...(await unconfirmedOf(progress, tools))],
    alive: aliveIn(progress, results, left),
    settled: progress.settled && lastLook.obeyed === undefined,
  };
}
