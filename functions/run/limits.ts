import type { Policy } from '../policy/policy.ts';
import { isOfAnotherCluster, type Secret } from '../secrets-manager/secret.ts';
import { completePlan, type Plan } from './plan.ts';

/** What the limits of `rotate` and `reap` count, as refusals say it. */
export const TOKENS_LOST =
  'tokens would be taken away without a proven successor, or replaced because they are gone';

/** A plan that was not yet compared with the policy's limit. */
interface Unlimited<A> extends Pick<Plan<A>, 'job' | 'actions' | 'findings'> {
  readonly policy: Policy;
  /** How many of the actions count against the limit. */
  readonly counted: number;
  /** The number of which the limit is a percentage: all tokens, or all databases. */
  readonly total: number;
  /** What would happen to those that are counted: `tokens would be …`. */
  readonly loss: string;
  /** What the policy decides about an action and the action does not say: it belongs to the plan's hash. */
  readonly givenBy?: (action: A) => unknown;
  /** Secrets that are checked for tokens of another cluster. */
  readonly secrets?: readonly Secret[];
}

function refuseOtherCluster(secrets: readonly Secret[], { cluster }: Policy): string | undefined {
  const moved = secrets
    .flatMap((secret) => (isOfAnotherCluster(secret, cluster.url) ? [secret.name] : []))
    .sort();
  if (moved.length === 0) return undefined;
  return `${moved.length} secrets (${moved[0]}, …) hold tokens of another cluster than ${cluster.url}`;
}

/**
 * Completes a plan. It gets a refusal if more is counted than the limit allows (a percentage of the
 * total, or a number if that is more), or if secrets have tokens of another cluster.
 */
export function limitedPlan<A extends object>(unlimited: Unlimited<A>): Plan<A> {
  const { job, policy, actions, findings, counted, total, loss, secrets = [], givenBy } = unlimited;
  const { percent, tokens: number } = policy.limits;
  const allowed = Math.max(Math.floor((total * percent) / 100), number);
  const overLimit = counted > allowed ? `${counted} ${loss}; the limit is ${allowed}` : undefined;
  const refusals = [refuseOtherCluster(secrets, policy), overLimit].filter(Boolean);
  const refusal = actions.length > 0 && refusals.length > 0 ? refusals.join('; ') : undefined;
  const plan = {
    job,
    owner: policy.owner,
    cluster: policy.cluster.url,
    actions,
    findings,
    limit: { counted, allowed },
    ...(refusal !== undefined && { refusal }),
  };
  return completePlan(plan, givenBy);
}
