import { entryOf } from '../policy/policy.ts';
import { messageOf } from '../run/message-of.ts';
import type { Finding } from '../run/plan.ts';
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

/** A finding of this kind: whether a secret may get a token was not seen; the run that would give it one looks again. */
const SECRET_UNSEEN = 'SecretUnseen';

/** `unseen`: why nobody knows that. Neither: nothing keeps it from a token. */
interface Looked {
  readonly noToken?: NoToken;
  readonly unseen?: Finding;
}

async function whyNot(
  action: RotationAction,
  observation: Observation,
  tools: Tools,
): Promise<Looked> {
  const { secret, token } = action;
  const entry = entryOf(tools.policy, secret);
  const seen = observation.secrets.get(secret);
  try {
    if (action.kind === 'adopt') await refuseToAdopt(secret, observation, tools);
    else if (entry && isStoring(action)) {
      await (seen ? refuseSuccessor(entry, seen, tools) : refuseUnlisted(secret, tools));
    }
  } catch (error) {
    if (error instanceof OwnershipError) {
      return { noToken: { kind: NOT_OURS, message: error.message } };
    }
    if (error instanceof OutsiderError) {
      const { message, isUnseen } = error;
      const ofAdoption = isUnseen && action.kind === 'adopt' && { isUnseen };
      return { noToken: { kind: OUTSIDE_READER, message, ...ofAdoption } };
    }
    if (error instanceof SecretShapeError || error instanceof BinaryValueError) {
      return { noToken: { kind: OTHER_SHAPE, message: error.message } };
    }
    // If that lasts, the action meets it too, and fails; who only looks may lack what a run may do.
    tools.log.warn('a secret could not be looked at', { secret, error });
    const message = `${secret} could not be looked at, so nobody knows whether it may get a token: ${messageOf(error)}`;
    return { unseen: { kind: SECRET_UNSEEN, token, secret, message } };
  }
  return {};
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
): Promise<{ readonly noToken: ReadonlyMap<string, NoToken>; readonly unseen: Finding[] }> {
  const found = await Promise.all(
    actions.map(
      async (action) => [action.secret, await whyNot(action, observation, tools)] as const,
    ),
  );
  return {
    noToken: new Map(
      found.flatMap(([secret, { noToken }]) => (noToken ? [[secret, noToken]] : [])),
    ),
    unseen: found.flatMap(([, { unseen }]) => unseen ?? []),
  };
}
