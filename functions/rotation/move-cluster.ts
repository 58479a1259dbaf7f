import type { Result } from '../run/outcome.ts';
import type { Tools } from '../run/tools.ts';
import {
  CLUSTER_TAG,
  MOVED_TAG,
  otherClusterOf,
  PREVIOUS_ONLY,
  UNKNOWN_CLUSTER,
} from '../secrets-manager/secret.ts';
import { formatInstant } from '../time.ts';
import { refuseForeignSecret } from '../tokens/claim-secret.ts';
import type { Observation, ObservedSecret } from '../tokens/observation.ts';
import { isCurrentHere } from '../tokens/state.ts';
import type { ClusterMove } from './plan/rotation-action.ts';

/** As after a move back to where AWSCURRENT is from: AWSPREVIOUS has a token of the cluster that is left. */
const lacksPrevious = ({ secret, holders }: ObservedSecret) =>
  holders.get(secret.labels.AWSPREVIOUS ?? '')?.state === 'gone';

/** Tags a secret with the policy's cluster, if it still is of the cluster from which a person approved the move, or still has no such tag. */
export async function moveCluster(
  { secret: name, from }: ClusterMove,
  observation: Pick<Observation, 'secrets'>,
  { secrets, policy, apiNow }: Tools,
): Promise<Result> {
  const secret = await secrets.describe(name);
  const { url } = policy.cluster;
  if (!secret) return 'skipped';
  const isLost = secret.tags[CLUSTER_TAG] === undefined;
  const isOfUnknown = from === undefined || from === UNKNOWN_CLUSTER;
  if (isOfUnknown ? !isLost : otherClusterOf(secret, url) !== from) return 'skipped';
  refuseForeignSecret(secret, policy);
  const seen = observation.secrets.get(name);
  const at = formatInstant(apiNow());
  // Where the new cluster has what consumers use, too, whatever becomes of that does not follow from the move.
  const isLeft = from !== undefined && !(seen && isCurrentHere(seen));
  const isBack = seen !== undefined && !isLeft && !isOfUnknown && lacksPrevious(seen);
  const moved = isLeft || isBack ? { [MOVED_TAG]: isLeft ? at : at + PREVIOUS_ONLY } : {};
  await secrets.tag(name, { [CLUSTER_TAG]: url, ...moved });
  return 'done';
}
