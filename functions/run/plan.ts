import { createHash } from 'node:crypto';

/** The functions that plan; `revoke` carries out a person's order instead. */
export type Job = 'rotate' | 'reap' | 'enforce';

/** Something a person should know and that no action of this plan mends. */
export interface Finding {
  readonly kind: string;
  readonly secret?: string;
  readonly token?: string;
  readonly tokenId?: string;
  readonly database?: string;
  readonly message: string;
}

/** How many of a plan's actions the limit is about, and how many may be. */
export interface LimitCount {
  readonly counted: number;
  readonly allowed: number;
}

/** What one run would do. A value: sorted, serializable and without secrets. */
export interface Plan<A> {
  readonly job: Job;
  readonly owner: string;
  readonly cluster: string;
  readonly actions: readonly A[];
  readonly findings: readonly Finding[];
  readonly limit: LimitCount;
  /** Why nothing of this plan may be applied unless its hash is approved. */
  readonly refusal?: string;
  /** Of the job, the owner, the cluster and what the actions would do: other effects, another hash. */
  readonly hash: string;
}

/** `Omit` that keeps a union of action kinds a union. */
export type Without<Action, Key extends PropertyKey> = Action extends unknown
  ? Omit<Action, Key>
  : never;

const byText = (a: string, b: string) => (a < b ? -1 : a > b ? 1 : 0);

/** What an action does, without what says why, by which rule, and how the policy calls its subject. */
function effectOf(action: object): object {
  const { reason, rule, token, ...effect } = { ...action } as Record<string, unknown>;
  return effect;
}

function hashOf<A extends object>({ job, owner, cluster }: Omit<Plan<A>, 'hash'>, actions: A[]) {
  const effects = actions.map((action) => JSON.stringify(effectOf(action))).sort(byText);
  const text = JSON.stringify({ job, owner, cluster, effects });
  return createHash('sha256').update(text).digest('hex').slice(0, 16);
}

/** Completes a plan: sorts it and gives it its hash. */
export function completePlan<A extends object>(plan: Omit<Plan<A>, 'hash'>): Plan<A> {
  const sorted = <Item>(items: readonly Item[]) =>
    [...items].sort((a, b) => byText(JSON.stringify(a), JSON.stringify(b)));
  const actions = sorted(plan.actions);
  return { ...plan, actions, findings: sorted(plan.findings), hash: hashOf(plan, actions) };
}
