import { Command, Option } from 'commander';
import { SCHEDULED, type ScheduledJob } from '../../functions/environment.ts';
import { offNote } from '../../functions/schedules/schedule-text.ts';
import { readDeployedPolicyFile, readPolicyFile } from '../../lib/policy-file.ts';
import { type PlanReport, readPlanReport } from './answers.ts';
import { type CommonOptions, openEngine, withCommonOptions } from './common-options.ts';
import { EXIT } from './failure.ts';
import { plansMarkdown } from './plan-markdown.ts';
import { formatPlan } from './plan-text.ts';
import type { Terminal } from './terminal.ts';

export const jobOption = (help: string) => new Option('--job <job>', help).choices(SCHEDULED);

interface PlanOptions extends CommonOptions {
  readonly job?: ScheduledJob;
  readonly markdown?: true;
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
Exit code: 0 if nothing would change, 2 if something would change, 1 after an error.

Examples:
  keyturn plan
  keyturn plan --job reap --json
  keyturn plan --local            # what a changed file would do; also if Lambda cannot be reached
  keyturn plan --local --markdown # the same for a comment on a pull request`,
    )
    .action(async (options: PlanOptions) => {
      // What is planned of a changed file must be what can be deployed.
      const read = options.local ? (file: string) => readPolicyFile(file) : readDeployedPolicyFile;
      const { engine, policy, json } = openEngine(options, terminal, read);
      const jobs = options.job ? [options.job] : SCHEDULED;
      const reports = await Promise.all(
        jobs.map(async (job) => readPlanReport(await engine.call(job, { dryRun: true }))),
      );
      const now = Date.now();
      const shown = (each: PlanReport) => formatPlan(each, 'keyturn apply', terminal.style, now);
      for (const { schedule } of reports) {
        const note = offNote(schedule);
        if (note) terminal.note(note);
      }
      if (json) terminal.printJson(reports.map(({ plan }) => plan));
      else if (options.markdown)
        terminal.print(plansMarkdown(reports, { owner: policy.owner, now }));
      else terminal.print(reports.map(shown).join('\n\n'));
      const changes = reports.some(({ plan }) => plan.actions.length > 0);
      process.exitCode = changes ? EXIT.wouldChange : EXIT.done;
    });
