import type { Policy, TokenPolicy } from '../../policy/policy.ts';
import { counted } from '../../run/counted.ts';
import type { Condition } from '../../run/limits.ts';
import { approvalHash } from '../../run/plan.ts';
import { holdOf } from '../../secrets-manager/hold.ts';
import {
  CLUSTER_TAG,
  normalClusterUrl,
  otherClusterOf,
  UNKNOWN_CLUSTER,
} from '../../secrets-manager/secret.ts';
import type { ObservedSecret } from '../../tokens/observation.ts';
import { currentHolder, provenCurrent, wasLifted } from '../../tokens/state.ts';
import type { ClusterMove, RotationAction } from './rotation-action.ts';

/**
 * Moves an entry's secret, if its tokens are of another cluster than the policy's and it can be tagged. A tag
 * that people took off is put back where the current token is seen to work in this cluster, or where an order
 * deleted it, and was lifted so that another one is made. Where it is gone otherwise, nobody knows whether it ever
 * was here: then the lost tag is no consent.
 */
export function clusterMove(
  { name: token, secret: name }: TokenPolicy,
  seen: ObservedSecret | undefined,
  now: number,
  { cluster }: Policy,
): ClusterMove[] {
  if (!seen || seen.secret.deletedAt !== undefined || seen.secret.replica) return [];
  const about = { token, secret: name, kind: 'move-cluster' } as const;
  const from = otherClusterOf(seen.secret, cluster.url);
  if (from !== undefined) return [{ ...about, from, reason: 'ClusterChanged' }];
  if (seen.secret.tags[CLUSTER_TAG] !== undefined || holdOf(seen.secret)) return [];
  const isGone = currentHolder(seen)?.state === 'gone';
  if (provenCurrent(seen, now) || (isGone && wasLifted(seen, now)))
    return [{ ...about, reason: 'ClusterTagLost' }];
  return isGone ? [{ ...about, from: UNKNOWN_CLUSTER, reason: 'ClusterTagLost' }] : [];
}

/** Whether an action gives a secret another cluster than it had, as far as is known. */
export const isMove = (action: RotationAction): action is ClusterMove & { readonly from: string } =>
  action.kind === 'move-cluster' && action.from !== undefined;

/**
 * Until the move is approved, everything about the moved secrets waits: in the wrong cluster their tokens
 * would look gone. The hash is of the URLs alone, so that one approval is good for all secrets, and for
 * what a crash has left of them.
 */
export function moveConditions(
  actions: readonly RotationAction[],
  { cluster }: Policy,
): Condition<RotationAction>[] {
  const moves = actions.filter(isMove);
  if (moves.length === 0) return [];
  const moved = new Set(moves.map(({ secret }) => secret));
  const from = [...new Set(moves.map((move) => move.from))].sort();
  const to = normalClusterUrl(cluster.url);
  return [
    {
      message: `${counted(moved.size, 'secret')} ${moved.size === 1 ? 'has' : 'have'} tokens of ${from.join(', ')}, and the policy names the cluster ${to}`,
      hash: approvalHash({ from, to }),
      isRefused: ({ secret }) => moved.has(secret),
    },
  ];
}
