import type { TokenPolicy } from '../policy/policy.ts';
import type { Outcome } from '../run/outcome.ts';
import type { Reason, TokenAction } from '../run/plan.ts';
import type { Tools } from '../run/tools.ts';
import { pendingVersion } from '../secrets-manager/secret.ts';
import { changeToken, freshToken, restored } from '../tokens/change-token.ts';
import { lookAt } from '../tokens/claim-secret.ts';
import { grantsHash } from '../tokens/marker.ts';
import {
  currentHolder,
  type Observation,
  type ObservedSecret,
  type OwnedToken,
  pendingHolder,
} from '../tokens/observation.ts';
import { isOurs } from '../tokens/secret-string.ts';
import { decideRotation } from './plan/decide-rotation.ts';
import { promote } from './promote.ts';
import { mintSuccessor, resumeSuccessor, type Successor } from './successor.ts';

type Result = Outcome['result'];

/** An armed token that waits for its activation; `promote` goes on with it. */
export interface Started {
  readonly seen: ObservedSecret;
  readonly successor: Successor;
  readonly reason: Reason;
}

const ownedCurrent = (seen: ObservedSecret) => {
  const holder = currentHolder(seen);
  return holder?.state === 'owned' ? holder.owned : undefined;
};

/** These cannot wait for Secrets Manager's own rotation, which may have died. */
const URGENT: readonly Reason[] = ['NearExpiry', 'Expired', 'CurrentGone', 'Missing'];

/** A pending version without a value belongs to Secrets Manager's own rotation: unknown is not gone. */
async function isPlaceholder(seen: ObservedSecret, { secrets }: Tools): Promise<boolean> {
  const version = pendingVersion(seen.secret);
  if (version === undefined || pendingHolder(seen)?.state !== 'gone') return false;
  return (await secrets.value(seen.secret.name, version)) === undefined;
}

/**
 * AWSCURRENT is a version that a person put, with a string of their own: the id is no token's, and
 * replacing what they just mended would undo it. A rotation that somebody asks for by name does.
 */
async function isPutByPerson(
  entry: TokenPolicy,
  { secret }: ObservedSecret,
  { secrets, log }: Tools,
): Promise<boolean> {
  const version = secret.labels.AWSCURRENT;
  const text = version && (await secrets.value(secret.name, version));
  if (!text || isOurs(entry, version, text)) return false;
  const message = 'AWSCURRENT holds what a person put there; rotate it by name to replace it';
  log.warn('found', { kind: 'UnknownVersion', secret: secret.name, message });
  return true;
}

async function detachPending(seen: ObservedSecret, tools: Tools): Promise<Result> {
  const version = pendingVersion(seen.secret);
  if (version === undefined || (await isPlaceholder(seen, tools))) return 'skipped';
  await tools.secrets.moveLabel(seen.secret.name, 'AWSPENDING', { from: version });
  return 'done';
}

async function widen(
  entry: TokenPolicy,
  seen: ObservedSecret,
  given: OwnedToken[],
  tools: Tools,
): Promise<Result> {
  const current = ownedCurrent(seen);
  const fresh = current && (await freshToken(tools, current));
  if (!fresh || fresh.marker.grants !== grantsHash(fresh.token.permissions)) return 'skipped';
  const { permissions } = entry;
  given.push(fresh);
  await changeToken(tools, fresh, { marker: { grants: grantsHash(permissions) }, permissions });
  tools.publish({
    type: 'Token Permissions Changed',
    detail: { token: entry.name, secret: entry.secret, tokenId: fresh.token.id },
  });
  return 'done';
}

async function giveBack(seen: ObservedSecret, given: OwnedToken[], tools: Tools): Promise<Result> {
  const current = ownedCurrent(seen);
  const fresh = current && (await freshToken(tools, current));
  if (!fresh || fresh.marker.quarantined === undefined || fresh.marker.frozen !== undefined) {
    return 'skipped';
  }
  given.push(fresh);
  await changeToken(tools, fresh, restored(fresh));
  tools.publish({
    type: 'Token Permissions Changed',
    detail: { secret: seen.secret.name, tokenId: fresh.token.id, reason: 'RolledBack' },
  });
  return 'done';
}

async function resume(
  entry: TokenPolicy,
  seen: ObservedSecret,
  reason: Reason,
  given: OwnedToken[],
  tools: Tools,
): Promise<Started | Result> {
  const pending = pendingHolder(seen);
  const found =
    reason === 'Unarmed'
      ? ownedCurrent(seen)
      : pending?.state === 'owned'
        ? pending.owned
        : undefined;
  const successor = found && (await resumeSuccessor(entry, found, given, tools));
  return successor ? { seen, successor, reason } : 'skipped';
}

/**
 * Takes the steps up to the armed token, or all there are for the other kinds. What is given
 * permissions is added to `given`, and the caller reads the hold last, however this ends.
 */
export async function startRotation(
  entry: TokenPolicy,
  planned: TokenAction,
  observation: Observation,
  given: OwnedToken[],
  tools: Tools,
): Promise<Started | Result> {
  const seen = await lookAt(entry, observation, tools);
  const { action } = decideRotation(entry, seen, {
    now: tools.apiNow(),
    timeZone: tools.policy.timeZone,
    forced: planned.reason === 'Forced',
  });
  // A replacement because the current token is gone was counted against the limit, or not at all.
  const uncounted = action?.reason === 'CurrentGone' && planned.reason !== 'CurrentGone';
  if (!action || uncounted) return 'skipped';
  if (action.reason === 'CurrentGone' && (await isPutByPerson(entry, seen, tools))) return 'held';
  switch (action.kind) {
    case 'rotate': {
      if (!URGENT.includes(action.reason) && (await isPlaceholder(seen, tools))) return 'skipped';
      const successor = await mintSuccessor(entry, seen, action, given, tools);
      return { seen, successor, reason: action.reason };
    }
    case 'resume':
      return resume(entry, seen, action.reason, given, tools);
    case 'detach-pending':
      return detachPending(seen, tools);
    case 'widen':
      return widen(entry, seen, given, tools);
    case 'give-back':
      return giveBack(seen, given, tools);
    default:
      throw new Error(`${action.kind} is no step of a rotation`);
  }
}

/** Probes and promotes what `startRotation` armed. */
export async function finishRotation(
  entry: TokenPolicy,
  { seen, successor, reason }: Started,
  given: OwnedToken[],
  tools: Tools,
): Promise<Result> {
  const former = ownedCurrent(seen);
  const previous = { version: seen.secret.labels.AWSCURRENT, owned: former };
  const result = await promote(entry, successor, previous, given, tools);
  if (result !== 'promoted') return result;
  const { token } = successor.owned;
  tools.publish({
    type: 'Token Rotated',
    detail: {
      token: entry.name,
      secret: entry.secret,
      secretArn: seen.secret.arn,
      tokenId: token.id,
      ...(former && former.token.id !== token.id && { previousTokenId: former.token.id }),
      reason,
    },
  });
  return 'done';
}
