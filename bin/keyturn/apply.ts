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
    .description('Apply a plan that was refused, exactly as it was planned.')
    .requiredOption('--approve <hash>', 'of the plan, as the refusal and `keyturn plan` tell it')
    .addOption(jobOption('whose plan it is; found by the hash where it is left out'))
    .addHelpText('after', '\nExample:\n  keyturn plan\n  keyturn apply --approve 5f0c9a2e11d0b7aa')
    .action(async (options: ApplyOptions) => {
      const { engine, json } = openEngine(options, terminal);
      const { approve } = options;
      const jobs = options.job ? [options.job] : PLANNERS;
      const present = await Promise.all(
        jobs.map(async (job) => readPlanReport(await engine.call(job, { dryRun: true })).plan),
      );
      const plan = present.find(({ hash }) => hash === approve);
      if (!plan) {
        const found = present.map(({ job, hash }) => `${job} ${hash}`).join(', ');
        throw new CommandError(
          `found the plans ${found}, expected ${approve}: what there is to do has changed since; read it (keyturn plan) and approve it anew`,
        );
      }
      const { job } = plan;
      const report = readPlanReport(
        await whileWaiting(terminal, engine.placeOf(job), () => engine.call(job, { approve })),
      );
      if (json) terminal.printJson(report);
      else terminal.print(formatOutcomes(report));
    });
