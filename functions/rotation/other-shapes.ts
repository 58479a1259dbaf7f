import { entryOf } from '../policy/policy.ts';
import type { Tools } from '../run/tools.ts';
import { BinaryValueError } from '../secrets-manager/secrets.ts';
import { refuseOtherShape } from '../tokens/compose-secret.ts';
import type { Observation } from '../tokens/observation.ts';
import { SecretShapeError } from '../tokens/secret-string.ts';
import { isStoring } from './plan/plan-rotation.ts';
import type { RotationAction } from './plan/rotation-action.ts';
import { formerText } from './successor.ts';

/** Why no successor could be stored in a secret. Undefined: nothing shows that. */
async function whyNot(
  action: RotationAction,
  { secrets }: Observation,
  tools: Tools,
): Promise<string | undefined> {
  const { secret } = action;
  const entry = entryOf(tools.policy, secret);
  const seen = secrets.get(secret);
  if (!entry || !seen || !isStoring(action)) return undefined;
  const hasValue = seen.secret.labels.AWSCURRENT !== undefined;
  try {
    const former = hasValue ? await formerText(entry, seen, tools) : undefined;
    refuseOtherShape(entry, tools.policy, former);
    return undefined;
  } catch (error) {
    if (error instanceof SecretShapeError || error instanceof BinaryValueError) {
      return error.message;
    }
    // The action will meet it too, and fail.
    tools.log.warn('a value could not be read', { secret, error });
    return undefined;
  }
}

/**
 * The secrets that a plan would give a new token, and whose text has no place for its string, with the reason. They
 * must be known before the limits are checked: what fails every time would use them up. Reads the value of each of
 * these secrets, and of no other.
 */
export async function findOtherShapes(
  actions: readonly RotationAction[],
  observation: Observation,
  tools: Tools,
): Promise<ReadonlyMap<string, string>> {
  const found = await Promise.all(
    actions.map(
      async (action) => [action.secret, await whyNot(action, observation, tools)] as const,
    ),
  );
  return new Map(found.flatMap(([secret, why]) => (why === undefined ? [] : [[secret, why]])));
}
