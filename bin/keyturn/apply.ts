import { Command } from 'commander';
import { SCHEDULED, type ScheduledJob } from '../../functions/environment.ts';
import { offNote } from '../../functions/schedules/schedule-text.ts';
import { readPlanReport } from './answers.ts';
import { type CommonOptions, openEngine, withCommonOptions } from './common-options.ts';
import { CommandError } from './failure.ts';
import { jobOption } from './plan.ts';
import { formatOutcomes } from './plan-text.ts';
import type { Terminal } from './terminal.ts';

interface ApplyOptions extends CommonOptions {
  readonly approve: string;
  readonly job?: ScheduledJob;
}

export const applyCommand = (terminal: Terminal): Command =>
  withCommonOptions(new Command('apply'))
    .summary('apply what a plan refused')
    .description(
      'Apply what a plan refused, if exactly that is still refused, and the rest of the plan with it.',
    )
    .requiredOption('--approve <hash>', 'hash of the refusal; the error and keyturn plan show it')
    .addOption(jobOption('the job that made the plan (default: found by the hash)'))
    .addHelpText('after', '\nExample:\n  keyturn plan\n  keyturn apply --approve 5f0c9a2e11d0b7aa')
    .action(async (options: ApplyOptions) => {
      const { engine, json } = openEngine(options, terminal);
      const { approve } = options;
      const jobs = options.job ? [options.job] : SCHEDULED;
      const current = await Promise.all(
        jobs.map(async (job) => readPlanReport(await engine.call(job, { dryRun: true })).plan),
      );
      const plan = current.find(({ refusals }) => refusals.some(({ hash }) => hash === approve));
      if (!plan) {
        const found = current.flatMap(({ job, refusals }) =>
          refusals.map(({ hash }) => `${job} ${hash}`),
        );
        throw new CommandError(
          `found ${found.join(', ') || 'nothing refused'}, expected ${approve}; what is refused has changed: read it again (keyturn plan) and approve its new hash`,
        );
      }
      const { job } = plan;
      const report = readPlanReport(await engine.call(job, { approve }));
      const note = offNote(report.schedule);
      if (note) terminal.note(note);
      if (json) terminal.printJson(report);
      else terminal.print(formatOutcomes(report));
    });
