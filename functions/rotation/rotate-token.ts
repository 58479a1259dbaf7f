import type { TokenPolicy } from '../policy/policy.ts';
import type { BareOutcome, Result } from '../run/outcome.ts';
import type { Tools } from '../run/tools.ts';
import { pendingVersion } from '../secrets-manager/secret.ts';
import { MINUTE_MS } from '../time.ts';
import { freshToken, restored } from '../tokens/change-token.ts';
import { claimSecret } from '../tokens/claim-secret.ts';
import { grantsHash } from '../tokens/marker.ts';
import type { Observation, ObservedSecret, OwnedToken } from '../tokens/observation.ts';
import { fingerprintsOf, isOurs, isOutdated } from '../tokens/secret-string.ts';
import { ownedCurrent, ownedPending, pendingHolder } from '../tokens/state.ts';
import { type ArmingTools, underHold } from '../tokens/under-hold.ts';
import { decideRotation } from './plan/decide-rotation.ts';
import type { RenewalAction, Replacement, Resumption } from './plan/rotation-action.ts';
import { announceRotation, promote } from './promote.ts';
import { mintSuccessor, resumeSuccessor, type Successor } from './successor.ts';

/** An entry and its action in the plan. */
interface Planned {
  readonly entry: TokenPolicy;
  readonly action: RenewalAction;
}

/** An armed token that waits for its activation; `finishRotation` continues with it. */
export interface Started {
  readonly seen: ObservedSecret;
  readonly successor: Successor;
  readonly reason: string;
}

/** These reasons cannot wait for Secrets Manager's own rotation, which may have died (P7). */
const URGENT: readonly Replacement['reason'][] = [
  'NearExpiry',
  'Expired',
  'CurrentGone',
  'Missing',
];

/** Whether the pending version has no value yet: Secrets Manager's own rotation made it, and will fill it. */
async function isPlaceholder(seen: ObservedSecret, { secrets }: Tools): Promise<boolean> {
  const version = pendingVersion(seen.secret);
  if (version === undefined || pendingHolder(seen)?.state !== 'gone') return false;
  return (await secrets.value(seen.secret.name, version)) === undefined;
}

/**
 * Whether AWSCURRENT has a value that a person wrote: no token has the id of its version. Replacing it
 * could undo a repair, so only a rotation that is asked for by name does it.
 */
async function isPutByPerson(
  entry: TokenPolicy,
  { secret }: ObservedSecret,
  { secrets, log }: Tools,
): Promise<boolean> {
  const version = secret.labels.AWSCURRENT;
  const text = version && (await secrets.value(secret.name, version));
  if (!text || isOurs(entry, version, text)) return false;
  const message = 'AWSCURRENT has a value that a person put there; rotate it by name to replace it';
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
  tools: ArmingTools,
): Promise<Result> {
  const current = ownedCurrent(seen);
  const fresh = current && (await freshToken(tools, current));
  if (!fresh || fresh.marker.grants !== grantsHash(fresh.token.permissions)) return 'skipped';
  const { permissions } = entry;
  await tools.arm(fresh, { marker: { grants: grantsHash(permissions) }, permissions });
  tools.publish({
    type: 'Token Permissions Changed',
    detail: { token: entry.name, secret: entry.secret, tokenId: fresh.token.id },
  });
  return 'done';
}

async function giveBack(seen: ObservedSecret, tools: ArmingTools): Promise<Result> {
  const current = ownedCurrent(seen);
  const fresh = current && (await freshToken(tools, current));
  if (!fresh || fresh.marker.quarantined === undefined || fresh.marker.frozen !== undefined) {
    return 'skipped';
  }
  await tools.arm(fresh, restored(fresh));
  tools.publish({
    type: 'Token Permissions Changed',
    detail: { secret: seen.secret.name, tokenId: fresh.token.id, reason: 'RolledBack' },
  });
  return 'done';
}

async function replace(
  entry: TokenPolicy,
  seen: ObservedSecret,
  { reason }: Replacement,
  tools: ArmingTools,
): Promise<Started | Result> {
  if (!URGENT.includes(reason) && (await isPlaceholder(seen, tools))) return 'skipped';
  const successor = await mintSuccessor(entry, seen, { forced: reason === 'Forced' }, tools);
  return { seen, successor, reason };
}

/** Whether people changed AWSCURRENT's text, beside the token string, since the pending text was made of it. */
async function isPendingOutdated(
  entry: TokenPolicy,
  seen: ObservedSecret,
  { version, marker }: OwnedToken,
  { secrets }: Tools,
): Promise<boolean> {
  if (seen.secret.labels.AWSCURRENT === version) return false;
  const [text, current] = await Promise.all([
    secrets.value(entry.secret, version),
    secrets.value(entry.secret),
  ]);
  if (!text || !current) return false;
  const pending = { text, fingerprints: [marker.fp ?? ''] };
  return isOutdated(entry, pending, { text: current, fingerprints: fingerprintsOf(seen) });
}

async function resume(
  entry: TokenPolicy,
  seen: ObservedSecret,
  { tokenId, reason }: Resumption,
  tools: ArmingTools,
): Promise<Started | Result> {
  const held = [ownedCurrent(seen), ownedPending(seen)];
  const found = held.find((each) => each?.token.id === tokenId);
  if (found && (await isPendingOutdated(entry, seen, found, tools))) {
    const forced = found.marker.forced === true;
    return { seen, successor: await mintSuccessor(entry, seen, { forced }, tools), reason };
  }
  const successor = found && (await resumeSuccessor(entry, found, tools));
  return successor ? { seen, successor, reason } : 'skipped';
}

/**
 * Reads the secret again and carries out what it decides now, even if the plan had another action: for
 * `rotate` and `resume` up to the armed token, for all other kinds completely.
 */
async function startRotation(
  { entry, action: planned }: Planned,
  observation: Observation,
  tools: ArmingTools,
): Promise<Started | Result> {
  const seen = await claimSecret(entry, observation, tools);
  const { action } = decideRotation(entry, seen, {
    now: tools.apiNow(),
    timeZone: tools.policy.timeZone,
    forced: planned.reason === 'Forced',
  });
  // CurrentGone counts against the limit. If the plan did not count it, the next run must.
  const uncounted = action?.reason === 'CurrentGone' && planned.reason !== 'CurrentGone';
  if (!action || uncounted) return 'skipped';
  if (action.reason === 'CurrentGone' && (await isPutByPerson(entry, seen, tools))) return 'held';
  switch (action.kind) {
    case 'rotate':
      return replace(entry, seen, action, tools);
    case 'resume':
      return resume(entry, seen, action, tools);
    case 'detach-pending':
      return detachPending(seen, tools);
    case 'widen':
      return widen(entry, seen, tools);
    case 'give-back':
      return giveBack(seen, tools);
    default:
      action satisfies never;
      throw new Error('unknown kind of action');
  }
}

/** Verifies and promotes an armed token. */
export async function finishRotation(
  entry: TokenPolicy,
  { seen, successor, reason }: Started,
  tools: ArmingTools,
): Promise<Result> {
  const former = ownedCurrent(seen);
  const previous = { version: seen.secret.labels.AWSCURRENT, owned: former };
  const result = await promote(entry, { successor, previous }, tools);
  if (result !== 'promoted') return result;
  const tokenId = successor.owned.token.id;
  const previousTokenId = former?.token.id === tokenId ? undefined : former?.token.id;
  const { arn: secretArn } = seen.secret;
  announceRotation({ entry, secretArn, tokenId, previousTokenId, reason }, tools);
  return 'done';
}

/** Carries out the action of one entry. `start` limits how many are begun at the same time. */
export async function rotateToken(
  planned: Planned,
  observation: Observation,
  start: <T>(work: () => Promise<T>) => Promise<T>,
  tools: Tools,
): Promise<BareOutcome> {
  const { entry } = planned;
  const timeNeededMs = tools.policy.activationTimeout + MINUTE_MS;
  const { result, holdError } = await underHold(entry.secret, tools, async (arming) => {
    const started = await start(async () => {
      if (tools.deadline - tools.now() < timeNeededMs) return 'postponed';
      return await startRotation(planned, observation, arming);
    });
    return typeof started === 'string' ? started : await finishRotation(entry, started, arming);
  });
  return { result, ...(holdError && { error: holdError }) };
}
