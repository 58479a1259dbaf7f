import * as z from 'zod/mini';
import { SCHEDULED, type ScheduledJob } from '../../../functions/environment.ts';
import type { Check, Verdict } from '../../../functions/examination/check.ts';
import { differingParts } from '../../../functions/policy/document-mark.ts';
import { counted } from '../../../functions/run/counted.ts';
import { type MarkedFile, markOf, type PolicyFile } from '../../../lib/policy-file.ts';
import { policyOf, readPlanReport } from '../answers.ts';
import { type Engine, named } from '../engine.ts';
import { FunctionError, sentenceOf } from '../failure.ts';
import { findingsOf } from '../plan-text.ts';
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

/** What a function answered; absent: nothing. */
export interface Answered {
  readonly job: ScheduledJob;
  readonly answer?: unknown;
}

/** Whether the functions have the policy of the file. One that does not say it is not taken for the others. */
export function judgePolicy(
  answers: readonly Answered[],
  policyFile: MarkedFile & Pick<PolicyFile, 'policy'>,
): Verdict {
  const { file } = policyFile.policy;
  const ofFile = markOf(policyFile);
  const marks = answers.map(({ job, answer }) => ({ job, deployed: policyOf(answer) }));
  const others = marks.flatMap(({ job, deployed }) => {
    const keys = deployed ? differingParts(deployed, ofFile) : [];
    return keys.length > 0 ? [`${job} (they differ in ${named(keys)})`] : [];
  });
  const jobsOf = (wanted: boolean) =>
    marks.flatMap(({ job, deployed }) => (Boolean(deployed) === wanted ? [job] : [])).join(', ');
  const silent = jobsOf(false);
  const unsaid = silent === '' ? '' : `not known of ${silent}, which did not say`;
  if (others.length > 0) {
    return {
      state: 'warn',
      found: [`another one than ${file}: ${others.join('; ')}`, unsaid].filter(Boolean).join('; '),
      advice: 'cdk diff shows how, and cdk deploy gives the functions the file',
    };
  }
  if (unsaid !== '') return { state: 'unknown', found: unsaid };
  const compared = `${jobsOf(true)}; the other functions, which no run can ask, are not compared`;
  return { state: 'ok', found: `that of ${file} (${ofFile.hash}): ${compared}` };
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

/** What the functions see from where they run, and what `rotate` answered. */
export async function examineInLambda(
  engine: Engine,
): Promise<{ readonly checks: readonly Check[]; readonly answered: Answered }> {
  const { checks, answer } = await examineAt(engine);
  return { checks, answered: { job: 'rotate', answer } };
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

interface DryRun {
  readonly check: Check;
  readonly answered: Answered;
}

/** A run that changes nothing reads with the role of its function all that a real one would. */
export function lookAtDryRuns(engine: Engine): Promise<readonly DryRun[]> {
  const looks = SCHEDULED.map(async (job): Promise<DryRun> => {
    const check = `dry run of ${job}`;
    let answer: unknown;
    const found = (verdict: Verdict): DryRun => ({
      check: { check, ...verdict },
      answered: { job, answer },
    });
    try {
      answer = await engine.call(job, { dryRun: true });
      const { plan } = readPlanReport(answer);
      const { actions, findings, refusals } = plan;
      const seen = `${actions.length} to do, ${counted(findings.length, 'finding')}`;
      const { failing } = findingsOf(plan);
      if (failing.length > 0) {
        const why = `${seen}; the run fails: ${failing.map(({ message }) => message).join('; ')}`;
        return found({ state: 'fail', found: why, advice: 'keyturn plan' });
      }
      if (refusals.length === 0) return found({ state: 'ok', found: seen });
      const said = refusals.map(({ message }) => message).join('; ');
      return found({ state: 'warn', found: `${seen}; refused: ${said}`, advice: 'keyturn plan' });
    } catch (error) {
      return found(notAsked(check, engine.placeOf(job), error));
    }
  });
  return Promise.all(looks);
}
