import pLimit from 'p-limit';
import { MINUTE_MS } from '../policy/duration.ts';
import { attempt, type Outcome, settle } from '../run/outcome.ts';
import type { Action, Plan } from '../run/plan.ts';
import type { Tools } from '../run/tools.ts';
import { refuseForeignSecret } from '../tokens/claim-secret.ts';
import type { Observation } from '../tokens/observation.ts';
import { deleteForeign, retireToken } from './retire-token.ts';

const TIME_NEEDED_MS = MINUTE_MS;

async function deleteSecret(
  name: string,
  { secrets, policy, publish }: Tools,
): Promise<Outcome['result']> {
  const secret = await secrets.describe(name);
  if (!secret || secret.deletedAt !== undefined) return 'skipped';
  refuseForeignSecret(secret, policy);
  await secrets.delete(name);
  publish({ type: 'Secret Deleted', detail: { secret: name, reason: 'Removed' } });
  return 'done';
}

function carryOut(
  action: Action,
  observation: Observation,
  tools: Tools,
): Promise<Outcome['result']> {
  if (action.kind === 'delete-secret') return deleteSecret(action.secret, tools);
  if (action.kind === 'delete-foreign') return deleteForeign(action, tools);
  return retireToken(action, observation, tools);
}

/**
 * Carries out a reaping plan. Every token and its secret are looked at again right before.
 * @throws ApplyError naming everything that failed; the rest is done
 */
export async function applyReaping(
  plan: Plan,
  observation: Observation,
  tools: Tools,
): Promise<readonly Outcome[]> {
  const bounded = pLimit(tools.policy.concurrency);
  const outcomes = plan.actions.map((action) =>
    bounded(() =>
      attempt(action, tools.log, async () => {
        if (tools.deadline - tools.now() < TIME_NEEDED_MS) return 'postponed';
        return await carryOut(action, observation, tools);
      }),
    ),
  );
  return settle(await Promise.all(outcomes));
}
