import * as z from 'zod/mini';
import type { Permission } from '../management-api/token.ts';
import { entryOf, type TokenPolicy } from '../policy/policy.ts';
import { atApiTime } from '../run/api-time.ts';
import { parseEvent } from '../run/request.ts';
import type { RunTools } from '../run/tools.ts';
import { holdOf } from '../secrets-manager/hold.ts';
import { isOfAnotherCluster, type Secret } from '../secrets-manager/secret.ts';
import { claimSecret } from '../tokens/claim-secret.ts';
import type { Holder, ObservedSecret } from '../tokens/observation.ts';
import { observe } from '../tokens/observe.ts';
import { fingerprintReader } from '../tokens/read-fingerprint.ts';
import { ownedCurrent } from '../tokens/state.ts';
import { type ArmingTools, underHold } from '../tokens/under-hold.ts';
import { cannotStore, heldByPerson, permissionsOf } from './plan/decide-rotation.ts';
import { conditionOf, contextOf, REFUSED } from './plan/entry-condition.ts';
import { wasRefused } from './plan/measure-tokens.ts';
import { knownDatabases, needsDatabases, probeable, unknownDatabases } from './plan/permissions.ts';
import { verify } from './promote.ts';
import { finishRotation } from './rotate-token.ts';
import { mintSuccessor, resumeSuccessor, type Successor } from './successor.ts';

// The event: https://docs.aws.amazon.com/secretsmanager/latest/userguide/rotate-secrets_lambda-functions.html
const schema = z.object({
  Step: z.enum(['createSecret', 'setSecret', 'testSecret', 'finishSecret']),
  /** The secret's ARN. */
  SecretId: z.string(),
  /** Id of the version that Secrets Manager labelled AWSPENDING, without a value. */
  ClientRequestToken: z.string(),
});

/** One of the four steps that Secrets Manager asks for when it rotates a secret. */
export type SecretsManagerStep = z.output<typeof schema>;

/** @throws RequestError */
export const parseRotationStep = (event: unknown): SecretsManagerStep => parseEvent(schema, event);

/** A step that Secrets Manager asks for cannot be taken; Secrets Manager repeats the rotation, or gives up. */
export class RotationStepError extends Error {
  override readonly name = 'RotationStepError';
}

/** @throws RotationStepError naming what forbids it */
function refuse(secret: Secret, version: string, url: string): void {
  const { name, labels, deletedAt, replica } = secret;
  const why =
    (labels.AWSPENDING !== version && `AWSPENDING is not on the version ${version}`) ||
    (holdOf(secret) && 'a person put it on hold') ||
    (deletedAt !== undefined && 'it is scheduled for deletion') ||
    (replica && 'it is a replica') ||
    (isOfAnotherCluster(secret, url) && 'its tokens are of another cluster');
  if (why) throw new RotationStepError(`${name}: ${why}`);
}

/** The version may have a token nevertheless: a Management API shows one minutes after it was minted. */
const whyNone = (version: string, holder: Holder | undefined) =>
  holder?.state === 'unknown'
    ? `the cluster shows no token whose string the version ${version} has, perhaps not yet; once it is shown, keyturn rotate NAME promotes it, and an hour after this rotation began a run of rotate does, or takes AWSPENDING off`
    : `the version ${version} has no token that could be promoted (${holder?.state ?? 'it has no label'})`;

async function successorOf(
  entry: TokenPolicy,
  seen: ObservedSecret,
  version: string,
  tools: ArmingTools,
): Promise<Successor> {
  const holder = seen.holders.get(version);
  const found =
    holder?.state === 'owned' ? { owned: holder.owned, version, isCurrent: false } : undefined;
  const successor = found && (await resumeSuccessor(entry, seen, found, { forced: true }, tools));
  if (!successor) throw new RotationStepError(`${entry.secret}: ${whyNone(version, holder)}`);
  return successor;
}

interface About {
  /** With the permissions that its token may get now. */
  readonly entry: TokenPolicy;
  readonly seen: ObservedSecret;
  /** Those of them that a probe can decide. */
  readonly probed: readonly Permission[];
}

async function take(
  { Step, ClientRequestToken: version }: SecretsManagerStep,
  { entry, seen, probed }: About,
  tools: ArmingTools,
): Promise<void> {
  const hasValue = (await tools.secrets.value(entry.secret, version)) !== undefined;
  if (Step === 'createSecret') {
    if (hasValue) return;
    const note = cannotStore(seen);
    if (note) throw new RotationStepError(`${entry.secret}: ${note.message}`);
    const minted = await mintSuccessor(entry, seen, { forced: true, minted: version }, tools);
    if (!minted) throw new RotationStepError(`${entry.secret}: a person stopped it`);
    return;
  }
  // With RotateImmediately=false Secrets Manager asks only for this step, with a version that never gets a
  // value. https://docs.aws.amazon.com/secretsmanager/latest/apireference/API_RotateSecret.html
  if (Step === 'testSecret' && !hasValue) return;
  const successor = await successorOf(entry, seen, version, tools);
  if (Step === 'setSecret') return;
  const { accepted, detail } = await verify(successor, probed, tools);
  if (!accepted) throw new RotationStepError(`${entry.secret}: not accepted yet; ${detail}`);
  if (Step !== 'finishSecret') return;
  const result = await finishRotation({ entry, seen, successor, reason: 'Forced' }, tools);
  if (result !== 'done') throw new RotationStepError(`${entry.secret}: not promoted (${result})`);
}

/**
 * One step of Secrets Manager's own rotation, which uses the steps of ours. Secrets Manager chooses the
 * version's id, and the token's marker names it. If `rotate` has finished the rotation, a step does nothing.
 * @throws RotationStepError naming what forbids the step
 */
export async function takeRotationStep(
  step: SecretsManagerStep,
  runTools: RunTools,
): Promise<void> {
  const { policy, secrets } = runTools;
  const secret = await secrets.describe(step.SecretId);
  if (!secret) throw new RotationStepError(`no secret has the ARN ${step.SecretId}`);
  if (secret.labels.AWSCURRENT === step.ClientRequestToken) return;
  const entry = entryOf(policy, secret.name);
  if (!entry) throw new RotationStepError(`the policy has no entry for ${secret.name}`);
  refuse(secret, step.ClientRequestToken, policy.cluster.url);
  const readFingerprint = fingerprintReader(runTools);
  const observation = await observe(runTools, policy, {
    readFingerprint,
    databases: needsDatabases(policy),
  });
  const tools = atApiTime(runTools, observation);
  const seen = await claimSecret(entry, observation, tools);
  const isKnown = knownDatabases(policy, observation.databases);
  const permissions = permissionsOf(entry, seen, isKnown);
  const current = ownedCurrent(seen);
  const held = current && heldByPerson(current);
  if (held) throw new RotationStepError(`${entry.secret}: ${held.message}`);
  if (permissions.length === 0) {
    const names = unknownDatabases(entry, isKnown).join(', ');
    throw new RotationStepError(`${entry.secret}: ${names} neither exists nor is declared`);
  }
  const about = { entry: { ...entry, permissions }, seen, probed: probeable(permissions, isKnown) };
  const context = contextOf(policy, observation, { thirdMs: 0, refused: new Set() });
  const condition = conditionOf(entry, seen, context);
  const isRefused = condition === 'refused' && current !== undefined && wasRefused(current);
  const wasOut = REFUSED.has(condition) || isRefused;
  const { holdError } = await underHold(entry.secret, tools, (arming) => take(step, about, arming));
  // Nobody is told by a run of rotate what was mended before it.
  if (step.Step === 'finishSecret' && wasOut) tools.measure({ mendedOutages: 1 });
  // The work is done, and a repeated step finds it. That the step fails tells people; `reap` obeys a hold
  // that was not seen.
  if (holdError) throw holdError;
}
