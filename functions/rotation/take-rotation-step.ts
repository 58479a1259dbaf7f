import * as z from 'zod/mini';
import { entryOf, type TokenPolicy } from '../policy/policy.ts';
import { atApiTime } from '../run/api-time.ts';
import { parseEvent } from '../run/request.ts';
import type { RunTools } from '../run/tools.ts';
import { holdOf, isOfAnotherCluster, type Secret } from '../secrets-manager/secret.ts';
import { claimSecret } from '../tokens/claim-secret.ts';
import { mintedFor, type ObservedSecret } from '../tokens/observation.ts';
import { observe } from '../tokens/observe.ts';
import { type ArmingTools, underHold } from '../tokens/under-hold.ts';
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

async function successorOf(
  entry: TokenPolicy,
  seen: ObservedSecret,
  version: string,
  tools: ArmingTools,
): Promise<Successor> {
  const found = mintedFor(version, seen.tokens);
  const successor = found && (await resumeSuccessor(entry, found, tools));
  if (!successor)
    throw new RotationStepError(`${entry.secret}: no token was minted for ${version}`);
  return successor;
}

async function take(
  { Step, ClientRequestToken: version }: SecretsManagerStep,
  entry: TokenPolicy,
  seen: ObservedSecret,
  tools: ArmingTools,
): Promise<void> {
  const hasValue = (await tools.secrets.value(entry.secret, version)) !== undefined;
  if (Step === 'createSecret') {
    if (!hasValue) await mintSuccessor(entry, seen, { forced: true, version }, tools);
    return;
  }
  // With RotateImmediately=false Secrets Manager asks only for this step, with a version that never gets a
  // value. https://docs.aws.amazon.com/secretsmanager/latest/apireference/API_RotateSecret.html
  if (Step === 'testSecret' && !hasValue) return;
  const successor = await successorOf(entry, seen, version, tools);
  if (Step === 'testSecret') await verify(successor, tools);
  if (Step !== 'finishSecret') return;
  const result = await finishRotation(entry, { seen, successor, reason: 'Forced' }, tools);
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
  const observation = await observe(runTools, policy, false);
  const tools = atApiTime(runTools, observation);
  const seen = await claimSecret(entry, observation, tools);
  const { holdError } = await underHold(entry.secret, tools, (arming) =>
    take(step, entry, seen, arming),
  );
  // The work is done, and a repeated step finds it. That the step fails tells people; `reap` obeys a hold
  // that was not seen.
  if (holdError) throw holdError;
}
