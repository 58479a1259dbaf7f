import { Command } from 'commander';
import { readPlanReport } from './answers.ts';
import { type CommonOptions, openEngine, withCommonOptions } from './common-options.ts';
import { CommandError } from './failure.ts';
import { jobOption, PLANNERS, type Planner } from './plan.ts';
import { formatOutcomes } from './plan-text.ts';
import type { Terminal } from './terminal.ts';
import { whileWaiting } from './waiting.ts';

interface ApplyOptions extends CommonOptions {
  readonly approve: string;
  readonly job?: Planner;
}

export const applyCommand = (terminal: Terminal): Command =>
  withCommonOptions(new Command('apply'))
    .summary('apply a plan that a limit refused')
    .description('Apply a plan that a limit refused. Applies it only if it has not changed since.')
    .requiredOption('--approve <hash>', 'hash of the plan; the refusal and keyturn plan show it')
    .addOption(jobOption('the job that made the plan (default: found by the hash)'))
    .addHelpText('after', '\nExample:\n  keyturn plan\n  keyturn apply --approve 5f0c9a2e11d0b7aa')
    .action(async (options: ApplyOptions) => {
      const { engine, json } = openEngine(options, terminal);
      const { approve } = options;
      const jobs = options.job ? [options.job] : PLANNERS;
      const current = await Promise.all(
        jobs.map(async (job) => readPlanReport(await engine.call(job, { dryRun: true })).plan),
      );
      const plan = current.find(({ hash }) => hash === approve);
      if (!plan) {
        const found = current.map(({ job, hash }) => `${job} ${hash}`).join(', ');
        throw new CommandError(
          `found the plans ${found}, expected ${approve}; the plan has changed: read it again (keyturn plan) and approve its new hash`,
        );
      }
      const { job } = plan;
      const report = readPlanReport(
        await whileWaiting(terminal, engine.placeOf(job), () => engine.call(job, { approve })),
      );
      if (json) terminal.printJson(report);
      else terminal.print(formatOutcomes(report));
    });
