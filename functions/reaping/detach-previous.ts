import type { Result } from '../run/outcome.ts';
import type { Tools } from '../run/tools.ts';
import type { Observation } from '../tokens/observation.ts';
import { restartGrace } from '../tokens/restart-grace.ts';
import { tokenUnder } from '../tokens/state.ts';
import { takeLabelOff } from '../tokens/take-label-off.ts';
import { lookAgain } from './look-again.ts';
import { previousToDetach, reapingContext } from './plan/plan-reaping.ts';
import type { PreviousDetachment } from './plan/reaping-action.ts';

/**
 * R18: takes AWSPREVIOUS off a version that nobody should roll back to. Where nobody knows its string, every grace
 * period of the secret starts again first: until now none has run, and consumers may have any of its tokens.
 */
export async function detachPrevious(
  { secret, version, reason }: PreviousDetachment,
  observation: Observation,
  tools: Tools,
): Promise<Result> {
  const listed = observation.secrets.get(secret);
  const seen =
    listed && (await lookAgain(listed, observation, tools, tokenUnder(listed, 'AWSPREVIOUS')?.id));
  const context = reapingContext(tools.policy, secret, tools.apiNow());
  const found = seen && previousToDetach(seen, context);
  if (!seen || found?.version !== version || found.reason !== reason) return 'skipped';
  if (reason === 'UnknownVersion') {
    await restartGrace(seen, seen.tokens, context.lifetimes.gracePeriod, tools);
  }
  return (await takeLabelOff({ secret, label: 'AWSPREVIOUS', version }, tools)) ? 'done' : 'lost';
}
