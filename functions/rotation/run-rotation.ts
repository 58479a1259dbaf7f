import pLimit from 'p-limit';
import { entryOf } from '../policy/policy.ts';
import { atApiTime } from '../run/api-time.ts';
import { attempt, type Outcome, settle } from '../run/outcome.ts';
import type { Plan } from '../run/plan.ts';
import type { RotateRequest } from '../run/request.ts';
import { type Report, runPlan } from '../run/run-plan.ts';
import type { RunTools, Tools } from '../run/tools.ts';
import type { Observation } from '../tokens/observation.ts';
import { observe } from '../tokens/observe.ts';
import { adoptToken } from './adopt.ts';
import { measureTokens } from './plan/measure-tokens.ts';
import { needsDatabases, planRotation } from './plan/plan-rotation.ts';
import type { RotationAction } from './plan/rotation-action.ts';
import { rotateToken } from './rotate-token.ts';

/**
 * Carries out a rotation plan. Every secret is read again right before anything is done to it, so that the
 * plan may be old, or applied twice, or at the same time as another run.
 * @throws ApplyError naming every action that failed; the others are done
 */
async function applyRotation(
  plan: Plan<RotationAction>,
  observation: Observation,
  tools: Tools,
): Promise<readonly Outcome<RotationAction>[]> {
  const { policy, log } = tools;
  // Limits how many tokens are minted at the same time; the waits for their activation overlap.
  const start = pLimit(policy.concurrency);
  const outcomes = plan.actions.map((action) =>
    attempt(action, log, () => {
      const entry = entryOf(policy, action.secret);
      if (!entry) throw new Error(`the policy has no entry for ${action.secret}`);
      return action.kind === 'adopt'
        ? adoptToken({ entry, action }, start, tools)
        : rotateToken({ entry, action }, observation, start, tools);
    }),
  );
  return settle(await Promise.all(outcomes));
}

/** One run of `rotate`, in Lambda or on a laptop: observe, plan, check the limit, apply. */
export async function runRotation(
  request: RotateRequest,
  runTools: RunTools,
): Promise<Report<RotationAction>> {
  const { policy } = runTools;
  const observation = await observe(runTools, policy, needsDatabases(policy));
  const tools = atApiTime(runTools, observation);
  const plan = planRotation(policy, observation, request);
  if (!request.tokens) tools.measure(measureTokens(policy, observation, plan));
  return runPlan(plan, request, tools, () => applyRotation(plan, observation, tools));
}
