import type { Policy, TokenPolicy } from '../../policy/policy.ts';
import type { Condition } from '../../run/limits.ts';
import { approvalHash } from '../../run/plan.ts';
import { normalClusterUrl, otherClusterOf, type Secret } from '../../secrets-manager/secret.ts';
import type { ClusterMove, RotationAction } from './rotation-action.ts';

/** Moves an entry's secret, if its tokens are of another cluster than the policy's and it can be tagged. */
export function clusterMove(
  { name: token, secret: name }: TokenPolicy,
  secret: Secret | undefined,
  { cluster }: Policy,
): ClusterMove[] {
  if (!secret || secret.deletedAt !== undefined || secret.replica) return [];
  const from = otherClusterOf(secret, cluster.url);
  if (from === undefined) return [];
  return [{ token, secret: name, kind: 'move-cluster', from, reason: 'ClusterChanged' }];
}

/**
 * Until the move is approved, everything about the moved secrets waits: in the wrong cluster their tokens
 * would look gone. The hash is of the URLs alone, so that one approval is good for all secrets, and for
 * what a crash has left of them.
 */
export function moveConditions(
  actions: readonly RotationAction[],
  { cluster }: Policy,
): Condition<RotationAction>[] {
  const moves = actions.filter((action) => action.kind === 'move-cluster');
  if (moves.length === 0) return [];
  const moved = new Set(moves.map(({ secret }) => secret));
  const from = [...new Set(moves.map((move) => move.from))].sort();
  const to = normalClusterUrl(cluster.url);
  return [
    {
      message: `${moved.size} secrets have tokens of ${from.join(', ')}, and the policy names the cluster ${to}`,
      hash: approvalHash({ from, to }),
      isRefused: ({ secret }) => moved.has(secret),
    },
  ];
}
