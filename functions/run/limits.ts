import type { Policy } from '../policy/policy.ts';
import { isOfAnotherCluster } from '../secrets-manager/secret.ts';
import { type Observation, provenCurrent } from '../tokens/observation.ts';
import { type Action, completePlan, type Finding, type LimitCount, type Plan } from './plan.ts';

/**
 * Whether an action leaves somebody without a proven successor, or replaces a token because it is
 * gone. Orphans never had a permission; a hold was a person's own wish; what is expired and not
 * ours serves nobody.
 */
function isLimited(action: Action, { secrets, at }: Observation): boolean {
  if (action.kind === 'rotate' || action.kind === 'resume') return action.reason === 'CurrentGone';
  if (action.kind !== 'quarantine' && action.kind !== 'delete') return false;
  if (action.reason === 'Orphan' || action.reason === 'HoldDeleted') return false;
  const seen = secrets.get(action.secret ?? '');
  const successor = seen && provenCurrent(seen, at);
  return successor === undefined || successor.token.id === action.tokenId;
}

/** Counts a plan against the policy's limit: a share of the owned tokens, or a number if that is more. */
function countLimited(
  { limits }: Policy,
  observation: Observation,
  actions: readonly Action[],
): LimitCount {
  let owned = 0;
  for (const { tokens } of observation.secrets.values()) owned += tokens.length;
  return {
    counted: actions.filter((action) => isLimited(action, observation)).length,
    allowed: Math.max(Math.floor((owned * limits.percent) / 100), limits.tokens),
  };
}

/** Why nothing of a plan may be applied without an approval of its hash; undefined: it may. */
function refusalOf(
  policy: Policy,
  observation: Observation,
  actions: readonly Action[],
  { counted, allowed }: LimitCount,
): string | undefined {
  if (actions.length === 0) return undefined;
  const moved = [...observation.secrets.values()]
    .flatMap(({ secret }) => (isOfAnotherCluster(secret, policy.cluster.url) ? [secret.name] : []))
    .sort();
  if (moved.length > 0) {
    return `${moved.length} secrets (${moved[0]}, …) hold tokens of another cluster than ${policy.cluster.url}`;
  }
  if (counted > allowed) {
    return `${counted} tokens would be taken away without a proven successor, or replaced because they are gone; the limit is ${allowed}`;
  }
  return undefined;
}

/** A plan of token actions, counted against its limit; it may refuse itself. */
export function limitedPlan<A extends Action>(
  job: 'rotate' | 'reap',
  policy: Policy,
  observation: Observation,
  actions: readonly A[],
  findings: readonly Finding[],
): Plan<A> {
  const limit = countLimited(policy, observation, actions);
  const refusal = refusalOf(policy, observation, actions, limit);
  const { owner, cluster } = policy;
  const about = { job, owner, cluster: cluster.url, actions, findings, limit };
  return completePlan({ ...about, ...(refusal && { refusal }) });
}
