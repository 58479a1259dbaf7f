import pLimit from 'p-limit';
import { MINUTE_MS } from '../policy/duration.ts';
import { entryOf, type TokenPolicy } from '../policy/policy.ts';
import { attempt, type Outcome, settle } from '../run/outcome.ts';
import type { Plan, TokenAction } from '../run/plan.ts';
import type { Tools } from '../run/tools.ts';
import type { Observation, OwnedToken } from '../tokens/observation.ts';
import { obeyHold } from '../tokens/under-hold.ts';
import { adoptToken } from './adopt.ts';
import { finishRotation, startRotation } from './rotate-token.ts';

type Start = <T>(work: () => Promise<T>) => Promise<T>;

/** One token, start to end. `start` bounds how many are minted at once; their activations overlap. */
async function rotateToken(
  entry: TokenPolicy,
  action: TokenAction,
  observation: Observation,
  start: Start,
  tools: Tools,
): Promise<Outcome['result']> {
  const given: OwnedToken[] = [];
  const timeNeeded = tools.policy.activationTimeout + MINUTE_MS;
  let failed = false;
  try {
    const started = await start(async () => {
      if (tools.deadline - tools.now() < timeNeeded) return 'postponed';
      return await startRotation(entry, action, observation, given, tools);
    });
    if (typeof started === 'string') return started;
    return await finishRotation(entry, started, given, tools);
  } catch (error) {
    failed = true;
    throw error;
  } finally {
    if (given.length > 0) {
      await obeyHold(tools, entry.secret, given).catch((error: unknown) => {
        if (!failed) throw error;
        tools.log.error('the hold could not be read', { secret: entry.secret, error });
      });
    }
  }
}

/**
 * Carries out a rotation plan. Every token is looked at again right before anything is done to it,
 * so that a plan may be old, applied twice, or beside another run.
 * @throws ApplyError naming every token that failed; the others are done
 */
export async function applyRotation(
  plan: Plan<TokenAction>,
  observation: Observation,
  tools: Tools,
): Promise<readonly Outcome<TokenAction>[]> {
  const { policy, log } = tools;
  const start = pLimit(policy.concurrency);
  const outcomes = plan.actions.map((action) =>
    attempt(action, log, () => {
      const entry = entryOf(policy, action.secret ?? '');
      if (!entry) throw new Error(`the policy has no entry for ${action.secret}`);
      return action.kind === 'adopt'
        ? start(() => adoptToken(entry, tools))
        : rotateToken(entry, action, observation, start, tools);
    }),
  );
  return settle(await Promise.all(outcomes));
}
