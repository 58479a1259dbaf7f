import pLimit from 'p-limit';
import { entryOf } from '../policy/policy.ts';
import { atApiTime } from '../run/api-time.ts';
import { attempt, type Outcome } from '../run/outcome.ts';
import type { RotateRequest } from '../run/request.ts';
import { type Report, runPlan } from '../run/run-plan.ts';
import type { RunTools, Tools } from '../run/tools.ts';
import type { Observation } from '../tokens/observation.ts';
import { observe } from '../tokens/observe.ts';
import { adoptToken } from './adopt.ts';
import { moveCluster } from './move-cluster.ts';
import { measureTokens } from './plan/measure-tokens.ts';
import { needsDatabases, planRotation } from './plan/plan-rotation.ts';
import type { RotationAction } from './plan/rotation-action.ts';
import { rotateToken } from './rotate-token.ts';

/**
 * Carries out the actions of a rotation plan. Every secret is read again right before anything is done to
 * it, so that the plan may be old, or applied twice, or at the same time as another run.
 */
async function applyRotation(
  actions: readonly RotationAction[],
  observation: Observation,
  tools: Tools,
): Promise<readonly Outcome<RotationAction>[]> {
  const { policy, log } = tools;
  // Limits how many tokens are minted at the same time; the waits for their activation overlap.
  const start = pLimit(policy.concurrency);
  const carryOut = (action: RotationAction) =>
    attempt(action, log, () => {
      const entry = entryOf(policy, action.secret);
      if (!entry) throw new Error(`the policy has no entry for ${action.secret}`);
      switch (action.kind) {
        case 'move-cluster':
          return start(() => moveCluster(action, tools));
        case 'adopt':
          return start(() => adoptToken(entry, tools));
        default:
          return rotateToken({ entry, action }, observation, start, tools);
      }
    });
  const isMove = ({ kind }: RotationAction) => kind === 'move-cluster';
  // A secret's tag names the cluster before anything else is done to the secret.
  const moved = await Promise.all(actions.filter(isMove).map(carryOut));
  const others = await Promise.all(actions.filter((action) => !isMove(action)).map(carryOut));
  return [...moved, ...others];
}

/** One run of `rotate`, in Lambda or on a laptop: observe, plan, check the limits, apply. */
export async function runRotation(
  request: RotateRequest,
  runTools: RunTools,
): Promise<Report<RotationAction>> {
  const { policy } = runTools;
  const observation = await observe(runTools, policy, needsDatabases(policy));
  const tools = atApiTime(runTools, observation);
  const plan = planRotation(policy, observation, request);
  if (!request.tokens) tools.measure(measureTokens(policy, observation, plan));
  return runPlan(plan, request, tools, (actions) => applyRotation(actions, observation, tools));
}
