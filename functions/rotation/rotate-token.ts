import type { Permission } from '../management-api/token.ts';
import type { TokenPolicy } from '../policy/policy.ts';
import type { BareOutcome, Result } from '../run/outcome.ts';
import type { Tools } from '../run/tools.ts';
import { pendingVersion } from '../secrets-manager/secret.ts';
import { freshToken, NOT_KEPT, restored } from '../tokens/change-token.ts';
import { claimSecret } from '../tokens/claim-secret.ts';
import { isOutdated } from '../tokens/compose-secret.ts';
import { grantsHash } from '../tokens/marker.ts';
import type { Observation, ObservedSecret, OwnedToken } from '../tokens/observation.ts';
import { isAsBefore, stillGiven, union } from '../tokens/permission-sets.ts';
import { SecretShapeError } from '../tokens/secret-string.ts';
import {
  currentHolder,
  isExpired,
  ownedCurrent,
  ownedPending,
  strandedBySave,
  tokenIdOf,
} from '../tokens/state.ts';
import { type ArmingTools, underHold } from '../tokens/under-hold.ts';
import { versionIdOf } from '../tokens/version-id.ts';
import { decideRotation, permissionsOf } from './plan/decide-rotation.ts';
import { probeable } from './plan/permissions.ts';
import { type Learnt, rotationContext } from './plan/plan-rotation.ts';
import { isBecauseGone } from './plan/reason-to-replace.ts';
import type {
  ArmingOfPending,
  Minting,
  RenewalAction,
  Replacement,
  Resumption,
  RollbackRepair,
  Verification,
} from './plan/rotation-action.ts';
import { announceRotation, noteUnseen, promote, verify } from './promote.ts';
import {
  formerText,
  hintsOfPending,
  mintSuccessor,
  readSuccessor,
  resumeSuccessor,
  type Successor,
} from './successor.ts';
import { supersedeLeft } from './supersede.ts';
import { hasTimeForStep, type Turns } from './turns.ts';

/** An entry and its action in the plan. */
interface Planned {
  readonly entry: TokenPolicy;
  readonly action: RenewalAction;
  readonly asked: boolean;
}

/** An armed token that waits for its activation; `finishRotation` continues with it. */
export interface Started {
  /** The entry, with the permissions that its token may have now. */
  readonly entry: TokenPolicy;
  readonly seen: ObservedSecret;
  readonly successor: Successor;
  readonly reason: string;
  /** What a person must hear of, however it ends. */
  readonly error?: Error;
  /** When its tokens were listed, by the Management API's time. */
  readonly listedAt?: number;
}

/** What a token that a person went back to was given. */
interface GivenBack {
  readonly permissions: readonly Permission[];
  /** It may be less than it had. */
  readonly error?: Error;
}

/** What all tokens of one run share. */
export interface Around {
  readonly observation: Observation;
  readonly learnt: Learnt;
  readonly turns: Turns;
}

async function detachPending(
  { secret, gracePeriod }: TokenPolicy,
  seen: ObservedSecret,
  version: string,
  tools: Tools,
): Promise<Result> {
  if (version === seen.secret.labels.AWSPREVIOUS) await supersedeLeft(seen, gracePeriod, tools);
  await tools.secrets.moveLabel(secret, 'AWSPENDING', { from: version });
  return 'done';
}

async function widen(
  { name, secret, permissions }: TokenPolicy,
  seen: ObservedSecret,
  tools: ArmingTools,
): Promise<Result> {
  const current = ownedCurrent(seen);
  const fresh = current && (await freshToken(tools, current));
  if (!fresh) return 'skipped';
  const has = fresh.token.permissions;
  const fits = grantsHash(has) === grantsHash(permissions);
  const given = fits ? has : stillGiven(has, fresh.marker.grants, { permissions });
  if (!given) return 'skipped';
  // What the policy takes away, a successor loses: consumers of this one keep it. What a person added stays a person's.
  const grants = grantsHash(union(permissions, given));
  await tools.armInUse(fresh, { marker: { grants }, permissions: union(permissions, has) });
  tools.publish({
    type: 'Token Permissions Changed',
    detail: { token: name, secret, tokenId: fresh.token.id },
  });
  return 'done';
}

/** Consumers have it, and no router may know of it yet: like a first token it is `refused` until it was seen accepted. */
async function giveBack(
  { permissions, gracePeriod }: TokenPolicy,
  seen: ObservedSecret,
  tools: ArmingTools,
): Promise<GivenBack | undefined> {
  const current = ownedCurrent(seen);
  const fresh = current && (await freshToken(tools, current));
  if (!fresh || isExpired(fresh.token, tools.apiNow())) return undefined;
  const { quarantined, frozen } = fresh.marker;
  const isLeft = frozen !== undefined && !isAsBefore(fresh.token, fresh);
  if (quarantined === undefined || isLeft) return undefined;
  const { marker, permissions: given = fresh.token.permissions } = restored(fresh, permissions);
  const unseen = { ...marker, refused: tools.apiNow() };
  await supersedeLeft(seen, gracePeriod, tools);
  const changed = await tools.armInUse(fresh, { marker: unseen, permissions: given });
  tools.publish({
    type: 'Token Permissions Changed',
    detail: { secret: seen.secret.name, tokenId: fresh.token.id, reason: 'RolledBack' },
  });
  return {
    permissions: given,
    ...(!isAsBefore(changed, fresh) && { error: new Error(`${fresh.token.id}: ${NOT_KEPT}`) }),
  };
}

/** Whether people changed AWSCURRENT's text, beside the token string, since the pending text was made of it. */
async function isPendingOutdated(
  entry: TokenPolicy,
  seen: ObservedSecret,
  { owned, version }: Pick<Successor, 'owned' | 'version'>,
  tools: Tools,
): Promise<boolean> {
  if (seen.secret.labels.AWSCURRENT === version) return false;
  const [text, current] = await Promise.all([
    tools.secrets.value(entry.secret, version),
    formerText(entry, seen, tools),
  ]);
  if (!text || !current) return false;
  try {
    return isOutdated(entry, { text, ...hintsOfPending(owned, current) }, current);
  } catch (error) {
    if (!(error instanceof SecretShapeError)) throw error;
    // Nobody can tell where its string is, so nobody could ever arm it.
    tools.log.warn('a value could not be read', { secret: entry.secret, version, error });
    return true;
  }
}

/** Puts AWSPENDING back on a version that lost it. After an error the labels are read, and they decide. */
async function keepPending(
  { name, labels: { AWSPENDING: from } }: ObservedSecret['secret'],
  version: string,
  { secrets }: Tools,
): Promise<void> {
  if (from === version) return;
  try {
    await secrets.moveLabel(name, 'AWSPENDING', { to: version, ...(from && { from }) });
  } catch (error) {
    const now = await secrets.describe(name);
    if (now?.labels.AWSPENDING !== version) throw error;
  }
}

/** Steps 2 to 4, or what an earlier run left of them. */
async function obtain(
  entry: TokenPolicy,
  seen: ObservedSecret,
  action: Replacement | Minting | Resumption | ArmingOfPending,
  forced: boolean,
  tools: ArmingTools,
): Promise<Successor | undefined> {
  if (action.kind === 'rotate' || action.kind === 'mint') {
    return mintSuccessor(entry, seen, { forced }, tools);
  }
  const { AWSCURRENT } = seen.secret.labels;
  const candidates = [
    { owned: ownedCurrent(seen), version: AWSCURRENT },
    { owned: ownedPending(seen), version: pendingVersion(seen.secret) },
    { owned: strandedBySave(seen), version: versionIdOf(action.tokenId) },
  ];
  for (const { owned, version } of candidates) {
    if (owned?.token.id !== action.tokenId || version === undefined) continue;
    // Like what waits: whether it is outdated is asked before it is promoted.
    const isLabelled = version === AWSCURRENT || version === pendingVersion(seen.secret);
    const mayMint = isLabelled || action.kind === 'resume';
    if (mayMint && (await isPendingOutdated(entry, seen, { owned, version }, tools))) {
      return mintSuccessor(entry, seen, { forced: forced || owned.marker.forced === true }, tools);
    }
    const isCurrent = version === AWSCURRENT;
    if (!isCurrent) await keepPending(seen.secret, version, tools);
    return resumeSuccessor(entry, seen, { owned, version, isCurrent }, { forced }, tools);
  }
  return undefined;
}

/** The token under AWSCURRENT and its string. Undefined: it is not that of the action any more. */
function readCurrent(
  entry: TokenPolicy,
  seen: ObservedSecret,
  { tokenId }: Verification | RollbackRepair,
  tools: Tools,
): Promise<Successor | undefined> {
  const owned = ownedCurrent(seen);
  const version = seen.secret.labels.AWSCURRENT;
  if (owned?.token.id !== tokenId || version === undefined) return Promise.resolve(undefined);
  return readSuccessor(entry, seen, { owned, version }, tools);
}

/** A token that a person went back to: gives it its permissions, and asks for it like for one that was never seen. */
async function resumeRolledBack(
  entry: TokenPolicy,
  seen: ObservedSecret,
  action: RollbackRepair,
  tools: ArmingTools,
): Promise<Started | BareOutcome> {
  const given = await giveBack(entry, seen, tools);
  if (!given) return { result: 'skipped' };
  const { permissions, ...told } = given;
  const successor = await readCurrent(entry, seen, action, tools);
  if (!successor) return { result: 'skipped', ...told };
  return { entry: { ...entry, permissions }, seen, successor, reason: action.reason, ...told };
}

/**
 * Reads the secret again and carries out what it decides now, even if the plan had another action: for
 * what ends with a promotion up to the armed token, for all other kinds completely.
 */
async function startRotation(
  { entry: declared, action: planned, asked }: Planned,
  { observation, learnt }: Around,
  tools: ArmingTools,
): Promise<Started | BareOutcome> {
  const seen = await claimSecret(declared, observation, tools);
  const context = {
    ...rotationContext(tools.policy, observation, learnt),
    now: tools.apiNow(),
    forced: asked,
    refused: isStillRefused(declared, seen, observation, learnt),
  };
  const { action } = decideRotation(declared, seen, context);
  const counted = isBecauseGone(planned, observation.secrets.get(declared.secret));
  // What the plan's limit did not count, the next run must count.
  if (!action || (isBecauseGone(action, seen) && !counted)) return { result: 'skipped' };
  const entry = { ...declared, permissions: permissionsOf(declared, seen, context.isKnown) };
  switch (action.kind) {
    case 'rotate':
    case 'mint':
    case 'resume':
    case 'arm': {
      const forced = asked || action.reason === 'Forced';
      // Consumers have a token without permissions, and the successor takes minutes.
      const isTaken = ownedCurrent(seen)?.marker.quarantined !== undefined;
      const { error } = (isTaken && (await giveBack(entry, seen, tools))) || {};
      const told = error && { error };
      const successor = await obtain(entry, seen, action, forced, tools);
      if (!successor) return { result: 'skipped', ...told };
      if (action.kind === 'mint' || action.kind === 'arm') {
        return { ...armedOutcome('done', successor), ...told };
      }
      return { entry, seen, successor, reason: action.reason, ...told };
    }
    case 'verify': {
      const found = await readCurrent(entry, seen, action, tools);
      if (!found) return { result: 'skipped' };
      // A refusal that this run met must outlive it.
      const successor = { ...found, owned: await noteUnseen(found.owned, tools) };
      // What it lacks of the policy is given by `widen`; a refusal of that would say nothing of what it has.
      const { permissions } = successor.owned.token;
      const { reason } = action;
      return { entry: { ...entry, permissions }, seen, successor, reason };
    }
    case 'detach-pending':
      return { result: await detachPending(entry, seen, action.version, tools) };
    case 'widen':
      return { result: await widen(entry, seen, tools) };
    case 'give-back':
      return resumeRolledBack(entry, seen, action, tools);
    default:
      action satisfies never;
      throw new Error('unknown kind of action');
  }
}

const currentOf = ({ token, marker }: OwnedToken): NonNullable<BareOutcome['current']> => ({
  token: { id: token.id, ...(token.expiresAt !== undefined && { expiresAt: token.expiresAt }) },
  since: marker.adopted ?? token.createdAt,
});

const armedOutcome = (
  result: 'done' | 'armed',
  { owned: { token, marker } }: Successor,
): BareOutcome => ({
  result,
  ...(marker.armed !== undefined && {
    armed: {
      tokenId: token.id,
      at: marker.armed,
      ...(token.expiresAt !== undefined && { expiresAt: token.expiresAt }),
      forced: marker.forced === true,
    },
  }),
});

/** The refusal was of the version that had AWSCURRENT when it was probed. */
function isStillRefused(
  { secret }: TokenPolicy,
  now: ObservedSecret,
  { secrets }: Observation,
  { refused }: Learnt,
): boolean {
  const probed = secrets.get(secret)?.secret.labels.AWSCURRENT;
  return refused.has(secret) && probed === now.secret.labels.AWSCURRENT;
}

/** Steps 6 to 8 of a verified token, and the event. `onCurrent`: it is current from now on, whatever fails behind that. */
export async function finishRotation(
  { entry, seen, successor, reason, listedAt }: Started,
  tools: ArmingTools,
  onCurrent: () => void = () => {},
): Promise<Result> {
  const tokenId = successor.owned.token.id;
  const { arn: secretArn, labels } = seen.secret;
  // Also one that is gone, or is not ours any more.
  const formerId = tokenIdOf(currentHolder(seen), labels.AWSCURRENT ?? '');
  const previousTokenId = formerId === tokenId ? undefined : formerId;
  const onPromoted = () => {
    onCurrent();
    announceRotation({ entry, secretArn, tokenId, previousTokenId, reason }, tools);
  };
  const result = await promote(entry, { successor, seen, listedAt, onPromoted }, tools);
  return result === 'promoted' ? 'done' : result;
}

/** Whether consumers have the token already: it is the first one, whose version got AWSCURRENT as soon as it was put. */
const isCurrent = ({ version }: Successor, { secret }: ObservedSecret): boolean =>
  (secret.labels.AWSCURRENT ?? version) === version;

/** Steps 6 to 8. What fails behind the promotion does not undo it: consumers have the token. */
async function finishVerified(started: Started, tools: ArmingTools): Promise<BareOutcome> {
  let current: BareOutcome['current'];
  const onCurrent = () => {
    current = currentOf(started.successor.owned);
  };
  try {
    const result = await finishRotation(started, tools, onCurrent);
    return { result, ...(result === 'done' && current && { current }) };
  } catch (error) {
    if (!current) throw error;
    const { entry } = started;
    tools.log.error('failed after the promotion', { secret: entry.secret, error });
    return { result: 'done', current, error };
  }
}

/** Steps 5 to 8. `armed`: the data plane did not accept it in time, and a later run goes on. */
async function verifyAndFinish(
  started: Started,
  { observation, learnt, turns }: Around,
  tools: ArmingTools,
): Promise<BareOutcome> {
  const { entry, seen, successor } = started;
  const { isKnown } = rotationContext(tools.policy, observation, learnt);
  const { accepted, detail } = await verify(
    successor,
    probeable(entry.permissions, isKnown),
    tools,
    turns.finish,
  );
  if (accepted)
    return turns.finish(() => finishVerified({ ...started, listedAt: observation.at }, tools));
  const about = { token: entry.name, secret: entry.secret, tokenId: successor.owned.token.id };
  tools.log.warn('not accepted yet', { ...about, detail });
  return isCurrent(successor, seen) ? { result: 'armed' } : armedOutcome('armed', successor);
}

/** Carries out the action of one entry. */
export async function rotateToken(
  planned: Planned,
  around: Around,
  tools: Tools,
): Promise<BareOutcome> {
  const { entry } = planned;
  const worked = await underHold(entry.secret, tools, async (arming) => {
    const started = await around.turns.start(async (): Promise<Started | BareOutcome> => {
      if (!hasTimeForStep(tools)) return { result: 'postponed' };
      return await startRotation(planned, around, arming);
    });
    if ('result' in started) return started;
    const { error } = started;
    return { ...(error && { error }), ...(await verifyAndFinish(started, around, arming)) };
  });
  const { result: outcome, holdError, obeyed } = worked;
  // What the run gave was taken away again: nothing of it works, and nothing waits.
  if (obeyed !== undefined && ['armed', 'done'].includes(outcome.result)) {
    const { error } = outcome;
    return { result: 'held', ...(error !== undefined && { error }) };
  }
  return { ...outcome, ...(holdError && { error: holdError }) };
}
