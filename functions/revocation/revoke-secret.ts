import type { Tools } from '../run/tools.ts';
import { HOLD_TAG } from '../secrets-manager/secret.ts';
import { refuseForeignSecret } from '../tokens/claim-secret.ts';
import type { ObservedSecret, OwnedToken } from '../tokens/observation.ts';
import { obeyHold } from '../tokens/under-hold.ts';
import { doneBefore } from './already-done.ts';
import { type Deed, deleteToken, giveBack, strip } from './end-token.ts';
import { decideRevocation, leftBecause, type Order } from './plan/decide-revocation.ts';
import { succeed } from './replace-current.ts';
import type { RevocationAction } from './report.ts';
import { surveySecret } from './survey.ts';
import { proveDeath } from './verify-refused.ts';

/** A look, what it asks for, and again, until it asks for nothing. */
const MOST_ROUNDS = 8;
/** What follows depends on these, so everything is looked at again behind them. */
const PIVOTS: readonly RevocationAction['kind'][] = ['hold', 'release', 'succeed'];

export interface Revocation {
  readonly order: Order;
  readonly noUndo: boolean;
  /** For people: events and log lines say it. */
  readonly reason: string;
  readonly startedAt: number;
}

/** What became of one secret's tokens. */
export interface SecretResult {
  readonly deeds: readonly Deed[];
  readonly failures: readonly unknown[];
  /** The last look found nothing more to do. */
  readonly settled: boolean;
}

/** One secret's revocation while it lasts. */
interface Progress {
  readonly name: string;
  readonly revocation: Revocation;
  readonly deeds: Map<string, Deed>;
  readonly given: OwnedToken[];
  /** By the action that failed, which is not tried again. */
  readonly failures: Map<string, unknown>;
}

const keyOf = ({ kind, label, tokenId }: RevocationAction) => `${kind} ${label} ${tokenId}`;

function doomedBy({ tokenId }: RevocationAction, seen: ObservedSecret) {
  const owned = seen.tokens.find(({ token }) => token.id === tokenId);
  if (owned) return { token: owned.token, owned };
  for (const holder of seen.holders.values()) {
    if (holder.state === 'foreign' && holder.token.id === tokenId) return { token: holder.token };
  }
  throw new Error(`token ${tokenId} was not looked at`);
}

async function bringSuccessor(
  { name, revocation, given, deeds }: Progress,
  seen: ObservedSecret,
  tools: Tools,
) {
  const entry = tools.policy.tokens.find(({ secret }) => secret === name);
  if (!entry) {
    throw new Error(
      `no entry of the policy says what a successor of ${name} may do; freeze or delete it`,
    );
  }
  const unproven = await succeed(entry, seen, revocation.order, given, tools);
  if (unproven === undefined) return;
  const { AWSCURRENT: tokenId = '' } = (await tools.secrets.describe(name))?.labels ?? {};
  deeds.set(tokenId, {
    tokenId,
    secret: name,
    result: 'successor',
    had: [],
    unconfirmed: unproven,
  });
}

async function carryOut(
  action: RevocationAction,
  seen: ObservedSecret,
  progress: Progress,
  tools: Tools,
): Promise<Deed | undefined> {
  const { name, revocation, given } = progress;
  const { secrets } = tools;
  switch (action.kind) {
    case 'hold':
      await secrets.tag(name, { [HOLD_TAG]: action.label ?? '' });
      return undefined;
    case 'release':
      await secrets.untag(name, [HOLD_TAG]);
      return undefined;
    case 'detach-label':
      await secrets.moveLabel(name, action.label ?? '', { from: action.tokenId ?? '' });
      return undefined;
    case 'succeed':
      await bringSuccessor(progress, seen, tools);
      return undefined;
    case 'strip':
      return strip(doomedBy(action, seen), revocation.noUndo, tools);
    case 'delete':
      return deleteToken(doomedBy(action, seen), tools);
    case 'give-back': {
      const { owned } = doomedBy(action, seen);
      return owned && giveBack(owned, 'freeze', given, tools);
    }
  }
}

function remember(seen: ObservedSecret, { revocation, deeds }: Progress, tools: Tools): void {
  const entry = tools.policy.tokens.find(({ secret }) => secret === seen.secret.name);
  const context = { order: revocation.order, entry, now: tools.apiNow() };
  for (const deed of doneBefore(seen, context)) {
    const isKnown = [...deeds.values()].some(
      ({ tokenId, version = tokenId }) => tokenId === deed.tokenId || version === deed.version,
    );
    if (!isKnown) deeds.set(deed.tokenId, deed);
  }
}

/** Carries out what a look asks for, up to and with the first step that all else depends on. */
async function takeSteps(
  actions: readonly RevocationAction[],
  seen: ObservedSecret,
  progress: Progress,
  tools: Tools,
): Promise<void> {
  const { revocation, deeds, failures } = progress;
  const { order, reason } = revocation;
  for (const action of actions) {
    const about = { ...action, way: order.way, reason };
    try {
      const deed = await carryOut(action, seen, progress, tools);
      if (deed) deeds.set(deed.tokenId, deed);
      tools.log.warn('revoking', about);
      if (PIVOTS.includes(action.kind)) return;
    } catch (error) {
      failures.set(keyOf(action), error);
      tools.log.error('failed', { ...about, error });
      if (action.kind === 'succeed') return; // nothing is killed before there is one
    }
  }
}

/** Level by level until a look asks for nothing that has not failed. */
async function settle(progress: Progress, tools: Tools): Promise<boolean> {
  const { name, revocation, failures } = progress;
  for (let round = 0; round < MOST_ROUNDS; round += 1) {
    const seen = await surveySecret(name, tools, revocation.order.condemned);
    if (!seen) throw new Error(`there is no secret ${name}`);
    refuseForeignSecret(seen.secret, tools.policy);
    remember(seen, progress, tools);
    const left = leftBecause(seen, revocation.order);
    if (left !== undefined) return false;
    const actions = decideRevocation(seen, revocation.order, tools.apiNow());
    if (actions.length === 0) {
      failures.clear(); // somebody else has done what failed here
      return true;
    }
    const untried = actions.filter((action) => !failures.has(keyOf(action)));
    const waitsForSuccessor = actions.some(
      (action) => action.kind === 'succeed' && failures.has(keyOf(action)),
    );
    if (untried.length === 0 || (waitsForSuccessor && !revocation.order.immediately)) return false;
    await takeSteps(untried, seen, progress, tools);
  }
  return false;
}

async function prove({ deeds, revocation }: Progress, proved: Set<string>, tools: Tools) {
  const fresh = [...deeds.values()].filter(({ tokenId }) => !proved.has(tokenId));
  await Promise.all(
    fresh.map(async (deed) => {
      proved.add(deed.tokenId);
      deeds.set(deed.tokenId, await proveDeath(deed, revocation.startedAt, tools));
    }),
  );
}

/** Who took the place of what died. */
function withSuccessor(deeds: readonly Deed[]): Deed[] {
  const successor = deeds.find(({ result }) => result === 'successor');
  return deeds.map((deed) =>
    successor && (deed.result === 'deleted' || deed.result === 'gone')
      ? { ...deed, replacedBy: successor.tokenId }
      : deed,
  );
}

/**
 * Carries out an order about all tokens of one secret, proves it on the data plane, and looks once
 * more: a rotation in flight may have armed another one meanwhile. Does what is left when repeated.
 */
export async function revokeSecret(
  name: string,
  revocation: Revocation,
  tools: Tools,
): Promise<SecretResult> {
  const progress: Progress = {
    name,
    revocation,
    deeds: new Map(),
    given: [],
    failures: new Map(),
  };
  const proved = new Set<string>();
  let settled = false;
  try {
    for (let looks = 0; looks < 2; looks += 1) {
      settled = await settle(progress, tools);
      await prove(progress, proved, tools);
    }
  } catch (error) {
    settled = false;
    progress.failures.set('look', error);
    const about = { secret: name, way: revocation.order.way };
    tools.log.error('failed', { ...about, error });
  } finally {
    if (progress.given.length > 0) await obeyHold(tools, name, progress.given);
  }
  const failures = [...progress.failures.values()];
  return { deeds: withSuccessor([...progress.deeds.values()]), failures, settled };
}
