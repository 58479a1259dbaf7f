import * as z from 'zod/mini';
import { SCHEDULED } from '../../../functions/environment.ts';
import type { Check, Verdict } from '../../../functions/examination/check.ts';
import { differingParts, documentMark } from '../../../functions/policy/document-mark.ts';
import { counted } from '../../../functions/run/counted.ts';
import type { PolicyFile } from '../../../lib/policy-file.ts';
import { policyOf, readPlanReport } from '../answers.ts';
import { type Engine, named } from '../engine.ts';
import { FunctionError, sentenceOf } from '../failure.ts';
import { unseen } from './look.ts';

const answerSchema = z.object({
  checks: z.array(
    z.object({
      check: z.string(),
      state: z.enum(['ok', 'warn', 'fail', 'unknown']),
      found: z.string(),
      advice: z.exactOptional(z.string()),
    }),
  ),
});

const EXAMINE = { examine: true };

/** Whether the functions have the policy of the file. */
export function judgePolicy(
  answer: unknown,
  { document, policy: { file } }: Pick<PolicyFile, 'document' | 'policy'>,
): Verdict {
  const deployed = policyOf(answer);
  if (!deployed) return { state: 'unknown', found: 'the function does not say which one it has' };
  const ofFile = documentMark(document);
  if (deployed.hash === ofFile.hash) {
    return { state: 'ok', found: `that of ${file} (${ofFile.hash})` };
  }
  return {
    state: 'warn',
    found: `another one than ${file}: they differ in ${named(differingParts(deployed, ofFile))}`,
    advice: 'cdk diff shows how, and cdk deploy gives the functions the file',
  };
}

/** A function that threw has failed. Else it was not asked, or did not come to its end: nothing is known. */
const notAsked = (check: string, place: string, error: unknown): Check =>
  error instanceof FunctionError
    ? { check, state: 'fail', found: sentenceOf(error) }
    : unseen(check, `lambda:InvokeFunction on ${place}`, error);

/** Asks a place to look at what a run needs. Never rejects. */
async function examineAt(
  engine: Engine,
): Promise<{ readonly checks: readonly Check[]; readonly answer?: unknown }> {
  const check = 'examination';
  try {
    const answer = await engine.call('rotate', EXAMINE);
    const { data } = answerSchema.safeParse(answer);
    if (data) return { checks: data.checks, answer };
    const found = `${engine.placeOf('rotate')} answers, and not with an examination`;
    const advice = 'it is of another version: deploy the stack from this checkout';
    return { checks: [{ check, state: 'unknown', found, advice }] };
  } catch (error) {
    const isOlder = error instanceof FunctionError && error.message.includes('unknown key examine');
    if (!isOlder) return { checks: [notAsked(check, engine.placeOf('rotate'), error)] };
    const advice = 'the function is of an older version: deploy the stack from this checkout';
    return { checks: [{ check, state: 'unknown', found: sentenceOf(error), advice }] };
  }
}

/** What the functions see from where they run, and which policy they have. */
export async function examineInLambda(
  engine: Engine,
  file: Pick<PolicyFile, 'document' | 'policy'>,
): Promise<{ readonly checks: readonly Check[]; readonly policy: Check }> {
  const { checks, answer } = await examineAt(engine);
  const verdict: Verdict =
    answer === undefined
      ? { state: 'unknown', found: 'the function did not say' }
      : judgePolicy(answer, file);
  return { checks, policy: { check: 'their policy', ...verdict } };
}

/**
 * What this machine sees.
 * @param isAlone whether nobody else looks: else a private cluster, which need not be reachable from here, is no failure
 */
export async function examineHere(engine: Engine, isAlone: boolean): Promise<readonly Check[]> {
  const { checks } = await examineAt(engine);
  if (isAlone) return checks;
  return checks.map((each) => (each.state === 'ok' ? each : { ...each, state: 'warn' }));
}

/** A run that changes nothing reads with the role of its function all that a real one would. */
export function lookAtDryRuns(engine: Engine): Promise<readonly Check[]> {
  const looks = SCHEDULED.map(async (job): Promise<Check> => {
    const check = `dry run of ${job}`;
    try {
      const { plan } = readPlanReport(await engine.call(job, { dryRun: true }));
      const { actions, findings, refusals } = plan;
      const found = `${actions.length} to do, ${counted(findings.length, 'finding')}`;
      if (refusals.length === 0) return { check, state: 'ok', found };
      const said = refusals.map(({ message }) => message).join('; ');
      return { check, state: 'warn', found: `${found}; refused: ${said}`, advice: 'keyturn plan' };
    } catch (error) {
      return notAsked(check, engine.placeOf(job), error);
    }
  });
  return Promise.all(looks);
}
