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

/** What an action changes: without its reason, the rule's number and the token's name in the policy. */
function effectOf(action: object): object {
  const { reason, rule, token, ...effect } = { ...action } as Record<string, unknown>;
  return effect;
}

function hashOf<A extends object>({ job, owner, cluster }: Omit<Plan<A>, 'hash'>, actions: A[]) {
  const effects = actions.map((action) => JSON.stringify(effectOf(action))).sort();
  const text = JSON.stringify({ job, owner, cluster, effects });
  return createHash('sha256').update(text).digest('hex').slice(0, 16);
}

/** Sorts a plan and adds its hash. */
export function completePlan<A extends object>(plan: Omit<Plan<A>, 'hash'>): Plan<A> {
  const sorted = <Item>(items: readonly Item[]) =>
    [...items].sort((a, b) => byText(JSON.stringify(a), JSON.stringify(b)));
  const actions = sorted(plan.actions);
  return { ...plan, actions, findings: sorted(plan.findings), hash: hashOf(plan, actions) };
}
