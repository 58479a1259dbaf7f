import { Command, Option } from 'commander';
import { readPlanReport } from './answers.ts';
import { type CommonOptions, openEngine, withCommonOptions } from './common-options.ts';
import { CommandError } from './failure.ts';
import { formatOutcomes, formatPlan } from './plan-text.ts';
import type { Terminal } from './terminal.ts';
import { whileWaiting } from './waiting.ts';

interface RotateOptions extends CommonOptions {
  readonly dryRun?: true;
  readonly approve?: string;
}

export const rotateCommand = (terminal: Terminal): Command =>
  withCommonOptions(new Command('rotate'))
    .summary('rotate tokens now, due or not')
    .description(
      'Rotate tokens now, due or not. The old ones work through their grace period: after a leak, use revoke.',
    )
    .argument('<name...>', 'tokens, by their names in the policy')
    .option('--dry-run', 'show what would be done')
    .addOption(new Option('--force', 'implied').hideHelp())
    .option('--approve <hash>', 'of a plan for these tokens that was refused')
    .addHelpText(
      'after',
      `
A repetition within 15 minutes does nothing.

Examples:
  keyturn rotate telegraf
  keyturn rotate telegraf grafana --dry-run`,
    )
    .action(async (tokens: readonly string[], options: RotateOptions) => {
      const { engine, json, policy } = openEngine(options, terminal);
      const known = policy.tokens.map(({ name }) => name);
      const unknown = tokens.filter((name) => !known.includes(name));
      if (unknown.length > 0) {
        throw new CommandError(
          `found no token ${unknown.join(', ')} in ${options.policy}, expected some of ${known.join(', ')}; correct the name`,
        );
      }
      const { dryRun = false, approve } = options;
      const event = { tokens, force: true, dryRun, ...(approve !== undefined && { approve }) };
      const place = engine.placeOf('rotate');
      const report = readPlanReport(
        await whileWaiting(terminal, place, () => engine.call('rotate', event)),
      );
      if (json) terminal.printJson(report);
      else
        terminal.print(
          dryRun ? formatPlan(report, 'repeat with', terminal.style) : formatOutcomes(report),
        );
    });
