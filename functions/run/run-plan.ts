import { counted } from './counted.ts';
import { type ApplyError, failureOf, measureOutcomes, type Outcome } from './outcome.ts';
import type { Plan, Refusal } from './plan.ts';
import type { Tools } from './tools.ts';

const sentenceOf = ({ message, hash, actions }: Refusal) =>
  `${message}. ${counted(actions.length, 'action')} ${actions.length === 1 ? 'waits' : 'wait'}; to apply exactly these: {"approve": "${hash}"}`;

function otherActions(outcomes: readonly Outcome<object>[]): string {
  if (outcomes.length === 0) return 'Nothing was applied.';
  const done = outcomes.filter(({ result }) => result === 'done').length;
  return `Of the other actions, ${done} of ${outcomes.length} were done.`;
}

/** Some actions of the plan wait for an approval and were not applied; all others were carried out. */
export class PlanRefusedError extends Error {
  override readonly name = 'PlanRefusedError';

  constructor(
    refusals: readonly Refusal[],
    outcomes: readonly Outcome<object>[],
    failure?: ApplyError,
  ) {
    const lines = [...refusals.map(sentenceOf), failure?.message ?? otherActions(outcomes)];
    super(lines.join('\n'), { cause: failure });
  }
}

interface Order {
  readonly dryRun: boolean;
  readonly approve?: string | undefined;
  /** Absent: a person invoked the function. */
  readonly scheduled?: object | undefined;
}

/** What a function answers: the plan, and the outcomes unless it was a dry run. */
export interface Report<A extends object> {
  readonly plan: Plan<A>;
  readonly outcomes?: readonly Outcome<A>[];
}

function withoutRefused<A>(actions: readonly A[], refusals: readonly Refusal[]): readonly A[] {
  const refused = new Set(refusals.flatMap((refusal) => refusal.actions));
  return actions.filter((_action, index) => !refused.has(index));
}

/**
 * Logs a plan and applies it, but for the actions of its refusals; those of the approved one are applied. A
 * dry run only logs it.
 * @throws PlanRefusedError with the hash that approves exactly what was not applied, and with all failures
 * @throws ApplyError naming every action that failed, if nothing was refused
 */
export async function runPlan<A extends { readonly kind: string }>(
  plan: Plan<A>,
  { dryRun, approve, scheduled }: Order,
  { log, publish, measure }: Pick<Tools, 'log' | 'publish' | 'measure'>,
  apply: (actions: readonly A[]) => Promise<readonly Outcome<A>[]>,
): Promise<Report<A>> {
  const { job, actions, findings, limits } = plan;
  log.info('planned', {
    job,
    actions: actions.length,
    findings: findings.length,
    limits,
    refusals: plan.refusals.map(({ hash, message }) => ({ hash, message })),
    dryRun,
    by: scheduled ? 'schedule' : 'hand',
    ...(approve !== undefined && { approve }),
  });
  for (const finding of findings) log.info('found', { job, ...finding });
  if (dryRun) return { plan };
  const refusals = plan.refusals.filter(({ hash }) => hash !== approve);
  measure({ refusedPlans: refusals.length > 0 ? 1 : 0 });
  for (const { hash, message, counted, allowed } of refusals) {
    const limit = counted !== undefined && allowed !== undefined && { limit: { counted, allowed } };
    publish({ type: 'Plan Refused', detail: { job, hash, refusal: message, ...limit } });
  }
  const outcomes = await apply(withoutRefused(actions, refusals));
  measure(measureOutcomes(outcomes));
  const failure = failureOf(outcomes);
  if (refusals.length > 0) throw new PlanRefusedError(refusals, outcomes, failure);
  if (failure) throw failure;
  return { plan, outcomes };
}
