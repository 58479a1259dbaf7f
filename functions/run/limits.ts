import type { Policy } from '../policy/policy.ts';
import { normalClusterUrl } from '../secrets-manager/secret.ts';
import {
  approvalHash,
  effectOf,
  type LimitCount,
  type Plan,
  type Refusal,
  sorted,
} from './plan.ts';

/** A kind of loss of which one run may cause only so much. */
export interface Limit<A> {
  readonly isLimited: (action: A) => boolean;
  /** What happens to one that is counted, or to several: `tokens would be …`. */
  readonly loss: { readonly one: string; readonly many: string };
  /** The number of which the limit is a percentage, such as that of all tokens. */
  readonly total: number;
  /** What loses something, if several actions take from the same and count once. Absent: every action counts. */
  readonly loser?: (action: A) => unknown;
}

/** A refusal that does not depend on a number. */
export interface Condition<A> extends Pick<Refusal, 'message' | 'hash'> {
  readonly isRefused: (action: A) => boolean;
}

/** A plan that was not yet compared with the policy's limits. */
interface Unlimited<A> extends Pick<Plan<A>, 'job' | 'actions' | 'findings'> {
  readonly policy: Policy;
  readonly limits: readonly Limit<A>[];
  readonly conditions?: readonly Condition<A>[];
  /** What the policy decides about a limited action and the action does not say: it belongs to the hash. */
  readonly givenBy?: (action: A) => unknown;
}

function countOf<A>(
  limited: readonly A[],
  { loss, total, loser = (action) => action }: Limit<A>,
  { percent, tokens: number }: Policy['limits'],
): LimitCount {
  const counted = new Set(limited.map(loser)).size;
  const allowed = Math.max(Math.floor((total * percent) / 100), number);
  return {
    message: `${counted} ${counted === 1 ? loss.one : loss.many}; the limit is ${allowed}`,
    counted,
    allowed,
  };
}

/**
 * Completes a plan: sorts it, and refuses what is over its limit (a percentage of its total, or a number if
 * that is more) and what does not meet its condition. Each kind is counted and refused by itself.
 */
export function limitedPlan<A extends object>(unlimited: Unlimited<A>): Plan<A> {
  const { job, policy, findings, conditions = [], givenBy = () => undefined } = unlimited;
  const { owner, cluster } = policy;
  const actions = sorted(unlimited.actions);
  const indexesOf = (test: (action: A) => boolean) =>
    actions.flatMap((action, index) => (test(action) ? [index] : []));
  const hashOf = (refused: readonly A[]) => {
    const effects = refused.map((action) => effectOf(action, givenBy(action))).sort();
    return approvalHash({ job, owner, cluster: normalClusterUrl(cluster.url), effects });
  };
  const counts = unlimited.limits.map((limit) => {
    const limited = actions.filter(limit.isLimited);
    return { limit, limited, count: countOf(limited, limit, policy.limits) };
  });
  const isOver = ({ count: { counted, allowed } }: (typeof counts)[number]) => counted > allowed;
  return {
    job,
    owner,
    cluster: cluster.url,
    actions,
    findings: sorted(findings),
    limits: counts.flatMap((each) => (each.count.counted > 0 && !isOver(each) ? each.count : [])),
    refusals: [
      ...conditions.map(({ message, hash, isRefused }) => ({
        hash,
        message,
        actions: indexesOf(isRefused),
      })),
      ...counts.filter(isOver).map(({ limit, limited, count }) => ({
        hash: hashOf(limited),
        ...count,
        actions: indexesOf(limit.isLimited),
      })),
    ],
  };
}
