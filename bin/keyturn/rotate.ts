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
    .summary('rotate tokens now, even if they are not due')
    .description(
      'Rotate tokens now, even if they are not due. The old tokens work until the end of their grace period: ' +
        'if a token has leaked, use revoke instead.',
    )
    .argument('<name...>', 'tokens, by name in the policy')
    .option('--dry-run', 'show what would be done; change nothing')
    .addOption(new Option('--force', 'implied').hideHelp())
    .option('--approve <hash>', 'hash of what a plan for these tokens refused')
    .addHelpText(
      'after',
      `
Repeated within 15 minutes it does nothing, unless the first rotation was due anyway.

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
          `found no token ${unknown.join(', ')} in ${options.policy}, expected one of ${known.join(', ')}; correct the name`,
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
          dryRun
            ? formatPlan(report, 'repeat the command with', terminal.style)
            : formatOutcomes(report),
        );
    });
