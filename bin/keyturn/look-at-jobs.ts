import type { ScheduledJob } from '../../functions/environment.ts';
import { type PlanReport, readPlanReport } from './answers.ts';
import type { Engine } from './engine.ts';
import { kindOf, sentenceOf } from './failure.ts';
import { withoutOpaque } from './misplaced.ts';
import { InterruptedError } from './waiting.ts';

/** A job that failed, or was not begun, and why. */
export interface FailedJob {
  readonly job: ScheduledJob;
  readonly error: unknown;
}

export type JobResult = { readonly job: ScheduledJob; readonly report: PlanReport } | FailedJob;

export const isFailed = (each: object): each is FailedJob => 'error' in each;

export const reportsOf = (results: readonly JobResult[]): PlanReport[] =>
  results.flatMap((each) => (isFailed(each) ? [] : each.report));

/** The plan of a job as its function has it now. */
export const lookAt = async (job: ScheduledJob, engine: Engine): Promise<PlanReport> =>
  readPlanReport(await engine.call(job, { dryRun: true }));

/** Of each job its plan, or why it has none: one that cannot be looked at hides no other. */
export const lookAtAll = (
  jobs: readonly ScheduledJob[],
  engine: Engine,
): Promise<readonly JobResult[]> =>
  Promise.all(
    jobs.map(async (job) => {
      try {
        return { job, report: await lookAt(job, engine) };
      } catch (error) {
        if (error instanceof InterruptedError) throw error;
        return { job, error };
      }
    }),
  );

/** Without what a person typed and may be a credential: an error names the function, and a flag may name that. */
const said = (error: unknown) => withoutOpaque(sentenceOf(error), process.argv.slice(2));

/** A line for people. */
export const failureLine = ({ job, error }: FailedJob) => `${job}: ${said(error)}`;

export const failureJson = ({ job, error }: FailedJob) => ({
  job,
  error: { kind: kindOf(error), message: said(error) },
});
