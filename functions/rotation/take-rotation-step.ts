import { entryOf, type TokenPolicy } from '../policy/policy.ts';
import { atApiTime, type RunTools, type Tools } from '../run/tools.ts';
import { holdOf, isOfAnotherCluster, type Secret } from '../secrets-manager/secret.ts';
import { lookAt } from '../tokens/claim-secret.ts';
import type { ObservedSecret, OwnedToken } from '../tokens/observation.ts';
import { observe } from '../tokens/observe.ts';
import { obeyHold } from '../tokens/under-hold.ts';
import { prove } from './promote.ts';
import { finishRotation } from './rotate-token.ts';
import type { RotationStep } from './rotation-step.ts';
import { mintSuccessor, resumeSuccessor, type Successor } from './successor.ts';

/** A step that Secrets Manager asks for cannot be taken; it repeats the rotation or gives up. */
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

/** The token minted for this version, armed or not; a claim is believed because the version is pending. */
function tokenOf({ tokens }: ObservedSecret, version: string): OwnedToken | undefined {
  const found = tokens.find(({ marker }) => marker.version === version);
  return found && { ...found, version };
}

async function successorOf(
  entry: TokenPolicy,
  seen: ObservedSecret,
  version: string,
  given: OwnedToken[],
  tools: Tools,
): Promise<Successor> {
  const found = tokenOf(seen, version);
  const successor = found && (await resumeSuccessor(entry, found, given, tools));
  if (!successor)
    throw new RotationStepError(`${entry.secret}: no token was minted for ${version}`);
  return successor;
}

async function take(
  { Step, ClientRequestToken: version }: RotationStep,
  entry: TokenPolicy,
  seen: ObservedSecret,
  given: OwnedToken[],
  tools: Tools,
): Promise<void> {
  const hasValue = (await tools.secrets.value(entry.secret, version)) !== undefined;
  if (Step === 'createSecret') {
    if (hasValue) return;
    await mintSuccessor(entry, seen, { reason: 'Forced', version }, given, tools);
    return;
  }
  // With RotateImmediately=false only this step comes, for a version that never gets a value.
  if (Step === 'testSecret' && !hasValue) return;
  const successor = await successorOf(entry, seen, version, given, tools);
  if (Step === 'testSecret') await prove(successor, tools);
  if (Step !== 'finishSecret') return;
  const result = await finishRotation(entry, { seen, successor, reason: 'Forced' }, given, tools);
  if (result !== 'done') throw new RotationStepError(`${entry.secret}: ${result} at the end`);
}

/**
 * Secrets Manager's own rotation, with the parts of ours: the version's id is Secrets Manager's, and the
 * token's marker says so. `rotate` may finish it, and a finished one is answered in silence.
 * @throws RotationStepError naming what forbids the step
 */
export async function takeRotationStep(step: RotationStep, runTools: RunTools): Promise<void> {
  const { policy, secrets } = runTools;
  const secret = await secrets.describe(step.SecretId);
  if (!secret) throw new RotationStepError(`there is no secret ${step.SecretId}`);
  if (secret.labels.AWSCURRENT === step.ClientRequestToken) return;
  const entry = entryOf(policy, secret.name);
  if (!entry) throw new RotationStepError(`the policy has no entry for ${secret.name}`);
  refuse(secret, step.ClientRequestToken, policy.cluster.url);
  const observation = await observe(runTools, policy, false);
  const tools = atApiTime(runTools, observation);
  const seen = await lookAt(entry, observation, tools);
  const given: OwnedToken[] = [];
  try {
    await take(step, entry, seen, given, tools);
  } finally {
    if (given.length > 0) await obeyHold(tools, entry.secret, given);
  }
}
