import { Command, Option } from 'commander';
import { SCHEDULED, type ScheduledJob } from '../../functions/environment.ts';
import { offNote } from '../../functions/schedules/schedule-text.ts';
import { type PolicyFile, readDeployedPolicyFile, readPolicyFile } from '../../lib/policy-file.ts';
import { advised } from './advice.ts';
import { leftOutOf, type PlanReport } from './answers.ts';
import { type CommonOptions, openEngine, withCommonOptions } from './common-options.ts';
import { refuseElsewhere } from './elsewhere.ts';
import { EXIT, kindOf } from './failure.ts';
import {
  type FailedJob,
  failureJson,
  failureLine,
  isFailed,
  type JobResult,
  lookAtAll,
  reportsOf,
} from './look-at-jobs.ts';
import { plansMarkdown } from './plan-markdown.ts';
import { findingsOf, formatPlan } from './plan-text.ts';
import { otherPolicies } from './status-report.ts';
import { otherPolicySaid } from './status-text.ts';
import type { Terminal } from './terminal.ts';
import { warningLine } from './validate.ts';

export const jobOption = (help: string) => new Option('--job <job>', help).choices(SCHEDULED);

interface PlanOptions extends CommonOptions {
  readonly job?: ScheduledJob;
  readonly markdown?: true;
}

/** @throws what a job failed with, if there is no plan at all; others that failed alike are not worth a line each */
function refuseNone(
  looked: readonly JobResult[],
  failed: readonly FailedJob[],
  terminal: Terminal,
) {
  const [first, ...others] = failed;
  if (!first || failed.length < looked.length) return;
  const kind = kindOf(first.error);
  for (const each of others) if (kindOf(each.error) !== kind) terminal.note(failureLine(each));
  throw first.error;
}

/**
 * What is to be known of a file that is not deployed yet.
 * @throws PolicyFileError if it cannot be deployed here
 */
async function noteOfFile(policyFile: PolicyFile): Promise<readonly string[]> {
  const unknown = await refuseElsewhere(policyFile);
  return [...policyFile.warnings.map(warningLine), ...(unknown === undefined ? [] : [unknown])];
}

/** A plan, and which of its lists are not whole. */
const planJson = ({ plan, leftOut }: PlanReport) => ({ ...plan, ...(leftOut && { leftOut }) });

async function showPlans(options: PlanOptions, terminal: Terminal): Promise<void> {
  // What is planned of a changed file must be what can be deployed.
  const read = options.local ? (file: string) => readPolicyFile(file) : readDeployedPolicyFile;
  const { engine, policy, policyFile, mark, json, isLocal } = openEngine(options, terminal, read);
  const ofFile = options.local ? await noteOfFile(policyFile) : [];
  for (const note of ofFile) terminal.note(note);
  const looked = await lookAtAll(options.job ? [options.job] : SCHEDULED, engine);
  const failed = looked.filter(isFailed);
  refuseNone(looked, failed, terminal);
  const reports = reportsOf(looked);
  const notes = reports.flatMap(({ schedule }) => offNote(schedule) ?? []);
  const unseen = failed.map(failureLine);
  for (const note of [...notes, ...unseen]) terminal.note(note);
  const now = Date.now();
  const approval = advised('keyturn apply', isLocal);
  const shown = (each: PlanReport) => formatPlan(each, approval, terminal.style, now);
  if (json) {
    terminal.printJson(
      looked.map((each) => (isFailed(each) ? failureJson(each) : planJson(each.report))),
    );
  } else if (options.markdown) {
    const cut = looked.flatMap((each) =>
      isFailed(each) ? [] : (leftOutOf(each.report, engine.placeOf(each.job)) ?? []),
    );
    const known = [...otherPolicies(mark, reports).map(otherPolicySaid), ...ofFile, ...cut];
    terminal.print(plansMarkdown(reports, { owner: policy.owner, now, unseen, known }));
  } else terminal.print(reports.map(shown).join('\n\n'));
  const changes = reports.some(({ plan }) => plan.actions.length > 0);
  const fails =
    failed.length > 0 || reports.some(({ plan }) => findingsOf(plan).failing.length > 0);
  const exitCode = changes ? EXIT.wouldChange : EXIT.done;
  process.exitCode = fails ? EXIT.failed : exitCode;
}

export const planCommand = (terminal: Terminal): Command =>
  withCommonOptions(new Command('plan'))
    .summary('show what the next runs would do')
    .description('Show what the next runs would do, and what they find. Changes nothing.')
    .addOption(jobOption('plan only this job'))
    .addOption(
      new Option('--markdown', 'print Markdown, for a comment on a pull request').conflicts('json'),
    )
    .addHelpText(
      'after',
      `
Exit code: 0 if nothing would change, 2 if something would change, 1 after an error, also if one job of
several could not be looked at: it is named, and the plans of the others are shown; and if a run
would fail until somebody mends something, which is shown as "fails".

Examples:
  keyturn plan
  keyturn plan --job reap --json
  keyturn plan --local            # what a changed file would do; also if Lambda cannot be reached
  keyturn plan --local --markdown # the same for a comment on a pull request`,
    )
    .action((options: PlanOptions) => showPlans(options, terminal));
