import { Command } from 'commander';
import { SCHEDULED, type ScheduledJob } from '../../functions/environment.ts';
import { offNote } from '../../functions/schedules/schedule-text.ts';
import { type PlanReport, readPlanReport } from './answers.ts';
import { type CommonOptions, openEngine, withCommonOptions } from './common-options.ts';
import { confirmByTyping } from './confirm.ts';
import type { Engine } from './engine.ts';
import { CommandError, EXIT, kindOf, sentenceOf } from './failure.ts';
import { jobOption } from './plan.ts';
import { formatOutcomes, formatPlan } from './plan-text.ts';
import type { Terminal } from './terminal.ts';
import { InterruptedError } from './waiting.ts';

interface ApplyOptions extends CommonOptions {
  readonly approve?: string;
  readonly job?: ScheduledJob;
  readonly yes?: true;
}

const lookAt = (jobs: readonly ScheduledJob[], engine: Engine): Promise<readonly PlanReport[]> =>
  Promise.all(jobs.map(async (job) => readPlanReport(await engine.call(job, { dryRun: true }))));

/** Exactly what was refused, and the rest of its plan with it. */
async function approved(
  approve: string,
  jobs: readonly ScheduledJob[],
  engine: Engine,
): Promise<PlanReport> {
  const plans = (await lookAt(jobs, engine)).map(({ plan }) => plan);
  const plan = plans.find(({ refusals }) => refusals.some(({ hash }) => hash === approve));
  if (!plan) {
    const found = plans.flatMap(({ job, refusals }) =>
      refusals.map(({ hash }) => `${job} ${hash}`),
    );
    throw new CommandError(
      `found ${found.join(', ') || 'nothing refused'}, expected ${approve}; what is refused has changed: read it again (keyturn plan) and approve its new hash`,
    );
  }
  return readPlanReport(await engine.call(plan.job, { approve }));
}

const NOTHING = 'nothing to do';

const jobsOf = ({ job }: ApplyOptions) => (job ? [job] : SCHEDULED);

const isEmpty = ({ plan }: PlanReport) => plan.actions.length === 0;

/** The runs that the schedules would start, one after the other. One that fails stops no other. */
async function applyAll(
  looks: readonly PlanReport[],
  { engine, terminal }: { readonly engine: Engine; readonly terminal: Terminal },
) {
  const reports: PlanReport[] = [];
  const failures: { readonly job: ScheduledJob; readonly error: unknown }[] = [];
  for (const { plan } of looks) {
    const { job } = plan;
    try {
      reports.push(readPlanReport(await engine.call(job, {})));
    } catch (error) {
      if (error instanceof InterruptedError) throw error;
      terminal.note(`${job}: ${sentenceOf(error)}`);
      failures.push({ job, error });
    }
  }
  return { reports, failures };
}

const HELP = `
Without --approve it does now what the schedules would do next: it shows the plan of keyturn plan and
asks first. What a limit refuses waits, and the exit code is 4.

Examples:
  keyturn apply --job enforce
  keyturn apply --yes
  keyturn plan
  keyturn apply --approve 5f0c9a2e11d0b7aa`;

export const applyCommand = (terminal: Terminal): Command =>
  withCommonOptions(new Command('apply'))
    .summary('do now what keyturn plan shows, or what a plan refused')
    .description(
      'Run rotate, reap and enforce now, as their schedules would. With --approve, apply what a plan refused, if exactly that is still refused, and the rest of that plan with it.',
    )
    .option('--approve <hash>', 'hash of the refusal; the error and keyturn plan show it')
    .option('--yes', 'do not ask for confirmation; for scripts')
    .addOption(
      jobOption('only this job (with --approve: the job that made the plan; default: by the hash)'),
    )
    .addHelpText('after', HELP)
    .action((options: ApplyOptions) =>
      options.approve === undefined
        ? applyPlans(options, terminal)
        : applyApproved(options.approve, options, terminal),
    );

async function applyApproved(approve: string, options: ApplyOptions, terminal: Terminal) {
  const { engine, json } = openEngine(options, terminal);
  const report = await approved(approve, jobsOf(options), engine);
  const note = offNote(report.schedule);
  if (note) terminal.note(note);
  if (json) terminal.printJson(report);
  else terminal.print(formatOutcomes(report));
}

async function applyPlans(options: ApplyOptions, terminal: Terminal) {
  const { engine, json, policy } = openEngine(options, terminal);
  const looks = (await lookAt(jobsOf(options), engine)).filter((each) => !isEmpty(each));
  if (looks.length > 0 && !options.yes) {
    const now = Date.now();
    const shown = looks.map((each) => formatPlan(each, 'keyturn apply', terminal.noteStyle, now));
    terminal.note(shown.join('\n\n'));
    await confirmByTyping(policy.owner, '--yes', terminal, '. Read what keyturn plan says first');
  }
  const { reports, failures } = await applyAll(looks, { engine, terminal });
  if (json) terminal.printJson(reports);
  else terminal.print(looks.length === 0 ? NOTHING : reports.map(formatApplied).join('\n\n'));
  if (failures.length === 0) return;
  const isRefused = failures.every(({ error }) => kindOf(error) === 'PlanRefusedError');
  const names = failures.map(({ job }) => job).join(', ');
  throw new CommandError(
    `not everything was done (${names}): what it says above tells why; the other runs did their work`,
    { exitCode: isRefused ? EXIT.refused : EXIT.failed },
  );
}

const formatApplied = (report: PlanReport): string =>
  [`${report.plan.job}:`, ...formatOutcomes(report).split('\n')].join('\n  ');
