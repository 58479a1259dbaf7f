import type { Plan } from '../model/plan.ts';
import type { Outcome } from './outcome.ts';
import type { Tools } from './tools.ts';

/** A plan over its limit, or for another cluster: nothing of it was applied. */
export class PlanRefusedError extends Error {
  override readonly name = 'PlanRefusedError';
}

interface Approval {
  readonly dryRun: boolean;
  readonly approve?: string | undefined;
}

/** What a function answers: the plan, and what became of it unless it was a dry run. */
export interface Report<A extends object> {
  readonly plan: Plan<A>;
  readonly outcomes?: readonly Outcome<A>[];
}

/**
 * Logs a plan, checks that it may be applied, and applies it. A dry run ends before that.
 * @throws PlanRefusedError that tells how to approve exactly this plan
 */
export async function runPlan<A extends object>(
  plan: Plan<A>,
  { dryRun, approve }: Approval,
  { log, publish }: Pick<Tools, 'log' | 'publish'>,
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
  if (refusal !== undefined && approve !== hash) {
    publish({ type: 'Plan Refused', detail: { job, hash, refusal, limit } });
    throw new PlanRefusedError(
      `${refusal}. Nothing was applied. To apply exactly this plan: {"approve": "${hash}"}`,
    );
  }
  return { plan, outcomes: await apply() };
}
