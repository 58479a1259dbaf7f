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
  /** The run that applies the plan fails for it, until a person mends something. */
  readonly fails?: true;
}

/** How much one kind of loss counts against its limit, and how much is allowed. */
export interface LimitCount {
  /** For people: `2 tokens would be …; the limit is 3`. */
  readonly message: string;
  readonly counted: number;
  readonly allowed: number;
}

/** Why some actions of a plan are not applied unless their hash is approved. */
export interface Refusal extends Partial<Omit<LimitCount, 'message'>> {
  readonly message: string;
  /** 16 hex digits for exactly what is refused: neither words nor what is applied beside it change them. */
  readonly hash: string;
  /** The refused actions, by their index in the plan's `actions`. An action may be refused more than once. */
  readonly actions: readonly number[];
}

/** What one run would do: sorted, serializable, and without secret text. */
export interface Plan<A> {
  readonly job: Job;
  readonly owner: string;
  readonly cluster: string;
  readonly actions: readonly A[];
  readonly findings: readonly Finding[];
  /** What counts against a limit and is within it. What is over its limit is in `refusals`. */
  readonly limits: readonly LimitCount[];
  readonly refusals: readonly Refusal[];
}

/** `Omit` that keeps a union of action kinds a union. */
export type Without<Action, Key extends PropertyKey> = Action extends unknown
  ? Omit<Action, Key>
  : never;

const byText = (a: string, b: string) => (a < b ? -1 : a > b ? 1 : 0);

export const sorted = <Item>(items: readonly Item[]): Item[] =>
  [...items].sort((a, b) => byText(JSON.stringify(a), JSON.stringify(b)));

/**
 * What an action does, whatever the order of its keys: without the rule's number and the policy's name
 * of the token. The reason stays: a rotation that is due and one whose token is gone are applied
 * differently. `given`: what the action does not say and the policy decides.
 */
export function effectOf(action: object, given: unknown): string {
  const { rule, token, ...effect } = { ...action, given } as Record<string, unknown>;
  const entries = Object.entries(effect).sort(([a], [b]) => byText(a, b));
  return JSON.stringify(entries);
}

/** 16 hex digits for what a person approves. */
export const approvalHash = (subject: unknown): string =>
  createHash('sha256').update(JSON.stringify(subject)).digest('hex').slice(0, 16);
