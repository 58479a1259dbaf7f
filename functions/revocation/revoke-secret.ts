import { entryOf } from '../policy/policy.ts';
import type { Tools } from '../run/tools.ts';
import { HOLD_TAG } from '../secrets-manager/secret.ts';
import { refuseForeignSecret } from '../tokens/claim-secret.ts';
import type { ObservedSecret, ObservedToken } from '../tokens/observation.ts';
import { type ArmingTools, type HoldError, underHold } from '../tokens/under-hold.ts';
import { tokenNamedBy } from '../tokens/version-id.ts';
import { alreadyDone } from './already-done.ts';
import { deleteToken, giveBack, strip, type TokenResult } from './end-token.ts';
import { observeOne } from './observe.ts';
import { decideRevocation, notReachedBecause, type Order } from './plan/decide-revocation.ts';
import type { RevocationAction } from './plan/revocation-action.ts';
import { replaceCurrent } from './replace-current.ts';
import { verifyRefused } from './verify-refused.ts';

/** In each round the secret is read and its actions are carried out, until there are none. */
const MOST_ROUNDS = 8;
/** All later actions depend on these, so the secret is read again after them. */
const READ_AGAIN_AFTER: readonly RevocationAction['kind'][] = ['hold', 'release', 'replace'];

export interface Revocation {
  readonly order: Order;
  readonly noUndo: boolean;
  /** For people; shown in events and log lines. */
  readonly reason: string;
  readonly startedAt: number;
}

/** What happened to the tokens of one secret. */
export interface SecretResult {
  readonly results: readonly TokenResult[];
  readonly failures: readonly unknown[];
  /** Nothing was left to do when the secret was read last, and the hold could be obeyed after that. */
  readonly settled: boolean;
}

/** The state of one secret's revocation while it runs. */
interface Progress {
  readonly name: string;
  readonly revocation: Revocation;
  readonly results: Map<string, TokenResult>;
  /** By the action that failed, which is not tried again. */
  readonly failures: Map<string, unknown>;
  settled: boolean;
}

const keyOf = (action: RevocationAction) => JSON.stringify(action);

function tokenOf(tokenId: string, seen: ObservedSecret): ObservedToken {
  const owned = seen.tokens.find(({ token }) => token.id === tokenId);
  if (owned) return { token: owned.token, owned };
  for (const holder of seen.holders.values()) {
    if (holder.state === 'foreign' && holder.token.id === tokenId) return { token: holder.token };
  }
  throw new Error(`token ${tokenId} was not observed`);
}

async function replace(
  { name, revocation, results }: Progress,
  seen: ObservedSecret,
  tools: ArmingTools,
): Promise<void> {
  const entry = entryOf(tools.policy, name);
  if (!entry) {
    throw new Error(
      `no entry of the policy says what a successor of ${name} may do; freeze or delete it`,
    );
  }
  const unverified = await replaceCurrent(entry, seen, revocation.order, tools);
  if (unverified === undefined) return;
  const { AWSCURRENT = '' } = (await tools.secrets.describe(name))?.labels ?? {};
  const { tokenId = AWSCURRENT } = tokenNamedBy(AWSCURRENT) ?? {};
  const about = { tokenId, secret: name, had: [], unconfirmed: unverified };
  results.set(tokenId, { ...about, result: 'successor' });
}

async function carryOut(
  action: RevocationAction,
  seen: ObservedSecret,
  progress: Progress,
  tools: ArmingTools,
): Promise<TokenResult | undefined> {
  const { name, revocation } = progress;
  const { secrets } = tools;
  switch (action.kind) {
    case 'hold':
      await secrets.tag(name, { [HOLD_TAG]: action.hold });
      return undefined;
    case 'release':
      await secrets.untag(name, [HOLD_TAG]);
      return undefined;
    case 'detach-label':
      await secrets.moveLabel(name, action.label, { from: action.version });
      return undefined;
    case 'replace':
      await replace(progress, seen, tools);
      return undefined;
    case 'strip':
      return strip(tokenOf(action.tokenId, seen), revocation.noUndo, tools);
    case 'delete':
      return deleteToken(tokenOf(action.tokenId, seen), tools);
    case 'give-back': {
      const { owned } = tokenOf(action.tokenId, seen);
      return owned && giveBack(owned, 'freeze', tools);
    }
    default:
      action satisfies never;
      throw new Error('unknown kind of action');
  }
}

function noteAlreadyDone(
  seen: ObservedSecret,
  { revocation, results }: Progress,
  { policy, apiNow }: Tools,
): void {
  const entry = entryOf(policy, seen.secret.name);
  for (const done of alreadyDone(seen, { order: revocation.order, entry, now: apiNow() })) {
    const isKnown = [...results.values()].some(
      ({ tokenId, versions = [] }) =>
        tokenId === done.tokenId || versions.some((each) => done.versions?.includes(each)),
    );
    if (!isKnown) results.set(done.tokenId, done);
  }
}

/** Carries out actions until the first one after which the secret must be read again. */
async function takeSteps(
  actions: readonly RevocationAction[],
  seen: ObservedSecret,
  progress: Progress,
  tools: ArmingTools,
): Promise<void> {
  const { revocation, results, failures } = progress;
  const { order, reason } = revocation;
  for (const action of actions) {
    const about = { ...action, way: order.way, reason };
    try {
      const result = await carryOut(action, seen, progress, tools);
      if (result) results.set(result.tokenId, result);
      tools.log.warn('revoking', about);
      if (READ_AGAIN_AFTER.includes(action.kind)) return;
    } catch (error) {
      failures.set(keyOf(action), error);
      tools.log.error('failed', { ...about, error });
      if (action.kind === 'replace') return; // no token is ended before there is a successor
    }
  }
}

/** Reads the secret and carries out its actions, round after round. True: nothing is left to do. */
async function settle(progress: Progress, tools: ArmingTools): Promise<boolean> {
  const { name, revocation, failures } = progress;
  for (let round = 0; round < MOST_ROUNDS; round += 1) {
    const seen = await observeOne(name, tools, revocation.order.namedToken);
    if (!seen) throw new Error(`no secret has the name ${name}`);
    refuseForeignSecret(seen.secret, tools.policy);
    noteAlreadyDone(seen, progress, tools);
    if (notReachedBecause(seen, revocation.order) !== undefined) return false;
    const actions = decideRevocation(seen, revocation.order, tools.apiNow());
    if (actions.length === 0) {
      failures.clear(); // another run has done what failed here
      return true;
    }
    const untried = actions.filter((action) => !failures.has(keyOf(action)));
    const waitsForSuccessor = actions.some(
      (action) => action.kind === 'replace' && failures.has(keyOf(action)),
    );
    if (untried.length === 0 || (waitsForSuccessor && !revocation.order.immediately)) return false;
    await takeSteps(untried, seen, progress, tools);
  }
  return false;
}

async function verifyEnded(
  { results, revocation }: Progress,
  verified: Set<string>,
  tools: Tools,
): Promise<void> {
  const fresh = [...results.values()].filter(({ tokenId }) => !verified.has(tokenId));
  await Promise.all(
    fresh.map(async (result) => {
      verified.add(result.tokenId);
      results.set(result.tokenId, await verifyRefused(result, revocation.startedAt, tools));
    }),
  );
}

/** Carries out the order and verifies it, twice. An error becomes a failure of the result; it is never thrown. */
async function carryOutOrder(progress: Progress, tools: ArmingTools): Promise<void> {
  const verified = new Set<string>();
  try {
    for (let pass = 0; pass < 2; pass += 1) {
      progress.settled = await settle(progress, tools);
      await verifyEnded(progress, verified, tools);
    }
  } catch (error) {
    progress.settled = false;
    progress.failures.set('observe', error);
    const about = { secret: progress.name, way: progress.revocation.order.way };
    tools.log.error('failed', { ...about, error });
  }
}

/** Adds the successor's id to every token that it replaces. */
function withSuccessor(results: readonly TokenResult[]): TokenResult[] {
  const successor = results.find(({ result }) => result === 'successor');
  return results.map((each) =>
    successor && (each.result === 'deleted' || each.result === 'gone')
      ? { ...each, replacedBy: successor.tokenId }
      : each,
  );
}

/** A token that got permissions is unconfirmed if its secret's hold could not be read, or obeyed, after that. */
export function withHoldError(result: TokenResult, holdError?: HoldError): TokenResult {
  const isGiven = result.result === 'successor' || result.result === 'given-back';
  if (!holdError || !isGiven || result.unconfirmed !== undefined) return result;
  return { ...result, unconfirmed: holdError.message };
}

/**
 * Carries out an order about all tokens of one secret and verifies it on the data plane, twice: a rotation
 * that runs at the same time may have armed another token meanwhile. A repeated order does what is left.
 */
export async function revokeSecret(
  name: string,
  revocation: Revocation,
  tools: Tools,
): Promise<SecretResult> {
  const progress: Progress = {
    name,
    revocation,
    results: new Map(),
    failures: new Map(),
    settled: false,
  };
  const { holdError } = await underHold(name, tools, (arming) => carryOutOrder(progress, arming));
  const results = withSuccessor([...progress.results.values()]);
  return {
    results: results.map((each) => withHoldError(each, holdError)),
    failures: [...progress.failures.values()],
    settled: progress.settled && !holdError,
  };
}
