import type { Tools } from '../run/tools.ts';
import type { Secret } from '../secrets-manager/secret.ts';
import { freshToken } from '../tokens/change-token.ts';
import type { ObservedSecret, ObservedToken } from '../tokens/observation.ts';
import { ownedCurrent } from '../tokens/state.ts';
import { type ArmingTools, underHold } from '../tokens/under-hold.ts';
import { deleteToken, giveBack, resultOf, strip, type TokenResult } from './end-token.ts';
import { decideToken } from './plan/decide-token.ts';
import { needsNoAws } from './plan/order.ts';
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

/** The result for a token that needs no action. */
function presentResult(observed: ObservedToken, { order }: Revocation): TokenResult {
  if (order.way === 'freeze') return resultOf(observed, 'frozen');
  if (order.way === 'restore' && observed.owned?.marker.frozen !== undefined) {
    return { ...resultOf(observed, 'left'), unconfirmed: 'it is frozen; unfreeze it' };
  }
  const works = observed.token.permissions.length > 0;
  return works
    ? resultOf(observed, 'given-back')
    : { ...resultOf(observed, 'left'), unconfirmed: 'its permissions were not kept' };
}

function replacedBy(
  seen: ObservedSecret | undefined,
  { order }: Revocation,
): Pick<TokenResult, 'replacedBy'> {
  const current = seen && ownedCurrent(seen);
  return order.way === 'replace' && current ? { replacedBy: current.token.id } : {};
}

/** What became of one token, and what Secrets Manager refused beside it. */
interface Carried {
  readonly result: TokenResult;
  readonly failures: readonly unknown[];
  readonly unconfirmed: readonly string[];
}

const messageOf = (error: unknown) => (error instanceof Error ? error.message : String(error));

/** The labels as they are now. To end a token needs the cluster alone: where AWS refuses, those of the plan are used. */
async function labelsOf(
  { secret }: ObservedSecret,
  { order }: Revocation,
  tools: Tools,
): Promise<{ readonly labels: Secret['labels']; readonly unread?: string }> {
  try {
    return { labels: (await tools.secrets.describe(secret.name))?.labels ?? {} };
  } catch (error) {
    if (!needsNoAws(order)) throw error;
    const unread = `${secret.name}: its labels could not be read (${messageOf(error)}), so it is not known whether consumers read this token now`;
    return { labels: secret.labels, unread };
  }
}

/** Takes the actions. A label that stays is a temptation to roll back, but a token that stays works. */
async function takeActions(
  observed: ObservedToken,
  labels: Secret['labels'],
  revocation: Revocation,
  tools: ArmingTools,
): Promise<Carried> {
  const { order, reason } = revocation;
  let result = presentResult(observed, revocation);
  const failures: unknown[] = [];
  const unconfirmed: string[] = [];
  for (const action of decideToken(observed, order.way, labels)) {
    const about = { ...action, way: order.way, reason };
    try {
      result = (await carryOut(action, observed, revocation, tools)) ?? result;
      tools.log.warn('revoking', about);
    } catch (error) {
      if (action.kind !== 'detach-label') throw error;
      tools.log.error('failed', { ...about, error });
      failures.push(error);
      const { secret, label, version } = action;
      unconfirmed.push(`${secret}: ${label} is still on version ${version}: ${messageOf(error)}`);
    }
  }
  return { result, failures, unconfirmed };
}

/** Carries out the order and verifies it. `seen`: the token's secret, if the token is ours. */
async function carryOutOrder(
  planned: ObservedToken,
  seen: ObservedSecret | undefined,
  revocation: Revocation,
  tools: ArmingTools,
): Promise<Carried> {
  const { order, startedAt, controls } = revocation;
  const observed = await observeAgain(planned, tools);
  const looked = observed && seen ? await labelsOf(seen, revocation, tools) : { labels: {} };
  const carried = observed
    ? await takeActions(observed, looked.labels, revocation, tools)
    : { result: resultOf(planned, 'gone'), failures: [], unconfirmed: [] };
  const own = order.way === 'replace' ? seen?.secret.name : undefined;
  const ended = { ...carried.result, ...replacedBy(seen, revocation) };
  return {
    ...carried,
    result: await verifyRefused(ended, { startedAt, controls, own }, tools),
    unconfirmed: [...(looked.unread === undefined ? [] : [looked.unread]), ...carried.unconfirmed],
  };
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
    const { result: carried, holdError } = await underHold(name, tools, (arming) =>
      carryOutOrder(planned, seen, revocation, arming),
    );
    const { result, failures, unconfirmed } = carried;
    const results = [withHoldError(result, holdError)];
    return {
      results,
      failures: failures.map((error) => ({ what: 'detach-label', where: name, error })),
      unconfirmed: [...unsaid(results, holdError), ...unconfirmed],
      settled: failures.length === 0,
    };
  } catch (error) {
    const about = { tokenId: planned.token.id, way: order.way, reason };
    tools.log.error('failed', { ...about, error });
    const results = [resultOf(planned, 'failed')];
    const failures = [{ what: order.way, where: planned.token.id, error }];
    return { results, failures, unconfirmed: [], settled: false };
  }
}
