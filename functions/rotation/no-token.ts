import { entryOf } from '../policy/policy.ts';
import type { Tools } from '../run/tools.ts';
import { holdOf } from '../secrets-manager/hold.ts';
import { OWNER_TAG } from '../secrets-manager/secret.ts';
import { BinaryValueError } from '../secrets-manager/secrets.ts';
import { OwnershipError, refuseForeignSecret, refuseOtherCluster } from '../tokens/claim-secret.ts';
import type { Observation } from '../tokens/observation.ts';
import { isUnproven } from '../tokens/proof.ts';
import { OutsiderError, refuseOutsiders } from '../tokens/refuse-outsiders.ts';
import { SecretShapeError } from '../tokens/secret-string.ts';
import { currentHolder } from '../tokens/state.ts';
import {
  isStoring,
  NOT_OURS,
  type NoToken,
  OTHER_SHAPE,
  OUTSIDE_READER,
} from './plan/plan-rotation.ts';
import type { RotationAction } from './plan/rotation-action.ts';
import { refuseSuccessor } from './successor.ts';

/** @throws OutsiderError or OwnershipError */
async function refuseToAdopt(name: string, { secrets }: Observation, tools: Tools): Promise<void> {
  const seen = secrets.get(name);
  const holder = seen && currentHolder(seen);
  // It is adopted, and only what the proof left is taken away.
  if (holder?.state === 'owned' && !isUnproven(holder.owned.marker)) return;
  const secret = await tools.secrets.describe(name);
  // One that nobody owns is what is adopted.
  if (secret?.tags[OWNER_TAG] !== undefined) refuseForeignSecret(secret, tools.policy);
  if (secret && !holdOf(secret)) await refuseOutsiders({ secret, holders: new Map() }, tools);
}

/**
 * A listing by tags does not show what is not ours.
 * @throws OwnershipError
 */
async function refuseUnlisted(name: string, tools: Tools): Promise<void> {
  const secret = await tools.secrets.describe(name);
  if (!secret) return;
  refuseForeignSecret(secret, tools.policy);
  refuseOtherCluster(secret, tools.policy);
}

/** Undefined: nothing shows that. */
async function whyNot(
  action: RotationAction,
  observation: Observation,
  tools: Tools,
): Promise<NoToken | undefined> {
  const { secret } = action;
  const entry = entryOf(tools.policy, secret);
  const seen = observation.secrets.get(secret);
  try {
    if (action.kind === 'adopt') await refuseToAdopt(secret, observation, tools);
    else if (entry && isStoring(action)) {
      await (seen ? refuseSuccessor(entry, seen, tools) : refuseUnlisted(secret, tools));
    }
  } catch (error) {
    if (error instanceof OwnershipError) return { kind: NOT_OURS, message: error.message };
    if (error instanceof OutsiderError) {
      const { message, isUnseen } = error;
      return {
        kind: OUTSIDE_READER,
        message,
        ...(isUnseen && action.kind === 'adopt' && { isUnseen }),
      };
    }
    if (error instanceof SecretShapeError || error instanceof BinaryValueError) {
      return { kind: OTHER_SHAPE, message: error.message };
    }
    // The action will meet it too, and fail.
    tools.log.warn('a secret could not be looked at', { secret, error });
  }
  return undefined;
}

/**
 * The secrets that a plan would adopt, or give a new token, and that get none, with the reason. They must be known before
 * the limits are checked: what fails every time would use them up. Reads the value of each secret that would get one, and,
 * unless it has one of ours, who else may read it; asks whose the secret is that is not listed; and asks about no other.
 */
export async function findNoToken(
  actions: readonly RotationAction[],
  observation: Observation,
  tools: Tools,
): Promise<ReadonlyMap<string, NoToken>> {
  const found = await Promise.all(
    actions.map(
      async (action) => [action.secret, await whyNot(action, observation, tools)] as const,
    ),
  );
  return new Map(found.flatMap(([secret, why]) => (why === undefined ? [] : [[secret, why]])));
}
