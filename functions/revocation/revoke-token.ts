import type { Tools } from '../run/tools.ts';
import { freshToken } from '../tokens/change-token.ts';
import type { ObservedSecret, ObservedToken } from '../tokens/observation.ts';
import { ownedCurrent } from '../tokens/state.ts';
import { type ArmingTools, underHold } from '../tokens/under-hold.ts';
import { deleteToken, giveBack, resultOf, strip, type TokenResult } from './end-token.ts';
import { decideToken } from './plan/decide-token.ts';
import type { SingleTokenAction } from './plan/revocation-action.ts';
import { type Revocation, type SecretResult, unsaid, withHoldError } from './revoke-secret.ts';
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
  { noUndo, order }: Revocation,
  tools: ArmingTools,
): Promise<TokenResult | undefined> {
  switch (action.kind) {
    case 'strip':
      return strip(observed, noUndo, tools);
    case 'delete':
      return deleteToken(observed, tools);
    case 'give-back': {
      const undo = order.way === 'restore' ? 'quarantine' : 'freeze';
      return observed.owned && giveBack(observed.owned, undo, tools);
    }
    case 'detach-label':
      await tools.secrets.moveLabel(action.secret, action.label, { from: action.version });
      return undefined;
    default:
      action satisfies never;
      throw new Error('unknown kind of action');
  }
}

/** Why an undoing order gives a token without permissions nothing back. */
function leftBecause({ owned }: ObservedToken): string {
  if (owned?.marker.frozen !== undefined) return 'it is frozen; unfreeze it';
  if (owned?.marker.quarantined !== undefined) return 'it is quarantined; restore it';
  return 'its permissions were not kept';
}

/** The result for a token that needs no action. One that has its permissions got nothing back. */
function presentResult(observed: ObservedToken, { order }: Revocation): TokenResult {
  if (order.way === 'freeze') return resultOf(observed, 'frozen');
  const left = resultOf(observed, 'left');
  const works = observed.token.permissions.length > 0;
  return works ? left : { ...left, unconfirmed: leftBecause(observed) };
}

function replacedBy(
  seen: ObservedSecret | undefined,
  { order }: Revocation,
): Pick<TokenResult, 'replacedBy'> {
  const current = seen && ownedCurrent(seen);
  return order.way === 'replace' && current ? { replacedBy: current.token.id } : {};
}

/** Carries out the order and verifies it. `seen`: the token's secret, if the token is ours. */
async function carryOutOrder(
  planned: ObservedToken,
  seen: ObservedSecret | undefined,
  revocation: Revocation,
  tools: ArmingTools,
): Promise<TokenResult> {
  const { order, reason, startedAt, controls } = revocation;
  const observed = await observeAgain(planned, tools);
  let result = observed ? presentResult(observed, revocation) : resultOf(planned, 'gone');
  if (observed) {
    const described = seen && (await tools.secrets.describe(seen.secret.name));
    for (const action of decideToken(observed, order.way, described?.labels ?? {})) {
      result = (await carryOut(action, observed, revocation, tools)) ?? result;
      tools.log.warn('revoking', { ...action, way: order.way, reason });
    }
  }
  const own = order.way === 'replace' ? seen?.secret.name : undefined;
  const ended = { ...result, ...replacedBy(seen, revocation) };
  return verifyRefused(ended, { startedAt, controls, own }, tools);
}

/** Carries out an order about one token by itself: it is neither current nor pending, or it is not ours. */
export async function revokeToken(
  planned: ObservedToken,
  seen: ObservedSecret | undefined,
  revocation: Revocation,
  tools: Tools,
): Promise<SecretResult> {
  const { order, reason } = revocation;
  const name = planned.owned?.marker.secret ?? '';
  try {
    const { result, holdError } = await underHold(name, tools, (arming) =>
      carryOutOrder(planned, seen, revocation, arming),
    );
    const results = [withHoldError(result, holdError)];
    return { results, failures: [], unconfirmed: unsaid(results, holdError), settled: true };
  } catch (error) {
    const about = { tokenId: planned.token.id, way: order.way, reason };
    tools.log.error('failed', { ...about, error });
    const results = [resultOf(planned, 'failed')];
    return { results, failures: [error], unconfirmed: [], settled: false };
  }
}
