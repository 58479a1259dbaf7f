import { createHash } from 'node:crypto';

/** The functions that make plans; `revoke` carries out a person's order instead. */
export type Job = 'rotate' | 'reap' | 'enforce';

/** Something that a person should know and that no action of this plan repairs. */
export interface Finding {
  readonly kind: string;
  readonly secret?: string;
  readonly token?: string;
  readonly tokenId?: string;
  readonly database?: string;
  readonly message: string;
}

/** How many of a plan's actions count against the limit, and how many are allowed. */
export interface LimitCount {
  readonly counted: number;
  readonly allowed: number;
}

/** What one run would do: sorted, serializable, and without secret text. */
export interface Plan<A> {
  readonly job: Job;
  readonly owner: string;
  readonly cluster: string;
  readonly actions: readonly A[];
  readonly findings: readonly Finding[];
  readonly limit: LimitCount;
  /** Why nothing of this plan may be applied unless its hash is approved. */
  readonly refusal?: string;
  /** 16 hex digits for job, owner, cluster and the effects of the actions: other effects give another hash. */
  readonly hash: string;
}

/** `Omit` that keeps a union of action kinds a union. */
export type Without<Action, Key extends PropertyKey> = Action extends unknown
  ? Omit<Action, Key>
  : never;

const byText = (a: string, b: string) => (a < b ? -1 : a > b ? 1 : 0);

/**
 * What an action does, whatever the order of its keys: without the rule's number and the policy's name
 * of the token. The reason stays: a rotation that is due and one whose token is gone are applied
 * differently. `given`: what the action does not say and the policy decides.
 */
function effectOf(action: object, given: unknown): string {
  const { rule, token, ...effect } = { ...action, given } as Record<string, unknown>;
  const sorted = Object.entries(effect).sort(([a], [b]) => byText(a, b));
  return JSON.stringify(sorted);
}

/**
 * Sorts a plan and adds its hash.
 * @param givenBy what the policy decides about an action, such as the permissions of a new token
 */
export function completePlan<A extends object>(
  plan: Omit<Plan<A>, 'hash'>,
  givenBy: (action: A) => unknown = () => undefined,
): Plan<A> {
  const sorted = <Item>(items: readonly Item[]) =>
    [...items].sort((a, b) => byText(JSON.stringify(a), JSON.stringify(b)));
  const { job, owner, cluster } = plan;
  const effects = plan.actions.map((action) => effectOf(action, givenBy(action))).sort();
  const hash = createHash('sha256').update(JSON.stringify({ job, owner, cluster, effects }));
  return {
    ...plan,
    actions: sorted(plan.actions),
    findings: sorted(plan.findings),
    hash: hash.digest('hex').slice(0, 16),
  };
}
