import type { Result } from '../run/outcome.ts';
import type { Tools } from '../run/tools.ts';
import type { Observation } from '../tokens/observation.ts';
import { restartGrace } from '../tokens/restart-grace.ts';
import { previousToken } from '../tokens/state.ts';
import { lookAgain } from './look-again.ts';
import { previousToDetach, reapingContext } from './plan/plan-reaping.ts';
import type { PreviousDetachment } from './plan/reaping-action.ts';

/** Takes AWSPREVIOUS off a version. False: another run, or a person, moved it first; whatever the error was, the labels decide. */
export async function takeOffPrevious(
  secret: string,
  version: string,
  { secrets }: Tools,
): Promise<boolean> {
  try {
    await secrets.moveLabel(secret, 'AWSPREVIOUS', { from: version });
    return true;
  } catch (error) {
    const again = await secrets.describe(secret);
    if (!again || again.labels.AWSPREVIOUS === version) throw error;
    return false;
  }
}

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
  const seen = listed && (await lookAgain(listed, observation, tools, previousToken(listed)?.id));
  const context = reapingContext(tools.policy, secret, tools.apiNow());
  const found = seen && previousToDetach(seen, context);
  if (!seen || found?.version !== version || found.reason !== reason) return 'skipped';
  if (reason === 'UnknownVersion') {
    await restartGrace(seen.tokens, context.lifetimes.gracePeriod, tools);
  }
  return (await takeOffPrevious(secret, version, tools)) ? 'done' : 'lost';
}
