import { ApplyError, measureOutcomes, type Outcome } from './outcome.ts';
import type { Plan } from './plan.ts';
import type { Tools } from './tools.ts';

/** The plan is over its limit, or is for another cluster; nothing of it was applied. */
export class PlanRefusedError extends Error {
  override readonly name = 'PlanRefusedError';
}

interface Approval {
  readonly dryRun: boolean;
  readonly approve?: string | undefined;
}

/** What a function answers: the plan, and the outcomes unless it was a dry run. */
export interface Report<A extends object> {
  readonly plan: Plan<A>;
  readonly outcomes?: readonly Outcome<A>[];
}

/**
 * Logs a plan, checks that it may be applied, and applies it. A dry run only logs it.
 * @throws PlanRefusedError with the hash that approves exactly this plan
 */
export async function runPlan<A extends { readonly kind: string }>(
  plan: Plan<A>,
  { dryRun, approve }: Approval,
  { log, publish, measure }: Pick<Tools, 'log' | 'publish' | 'measure'>,
  apply: () => Promise<readonly Outcome<A>[]>,
): Promise<Report<A>> {
  const { job, hash, limit, refusal, findings } = plan;
  log.info('planned', {
    job,
    hash,
    actions: plan.actions.length,
    findings: findings.length,
    limit,
    dryRun,
  });
  for (const finding of findings) log.info('found', { job, ...finding });
  if (dryRun) return { plan };
  const refused = refusal !== undefined && approve !== hash;
  measure({ refusedPlans: refused ? 1 : 0 });
  if (refused) {
    publish({ type: 'Plan Refused', detail: { job, hash, refusal, limit } });
    throw new PlanRefusedError(
      `${refusal}. Nothing was applied. To apply exactly this plan: {"approve": "${hash}"}`,
    );
  }
  try {
    const outcomes = await apply();
    measure(measureOutcomes(outcomes));
    return { plan, outcomes };
  } catch (error) {
    if (error instanceof ApplyError) measure(measureOutcomes(error.outcomes));
    throw error;
  }
}
