import { Command } from 'commander';
import { type PlanReport, readPlanReport } from './answers.ts';
import { type CommonOptions, openEngine, withCommonOptions } from './common-options.ts';
import { CommandError, EXIT } from './failure.ts';
import { refuseUnknownTokens } from './named-tokens.ts';
import { requesterName } from './operator.ts';
import { formatOutcomes, printConfirmed } from './plan-text.ts';
import type { Terminal } from './terminal.ts';

interface AdoptOptions extends CommonOptions {
  readonly by?: string;
  readonly confirm?: true;
  readonly dryRun?: true;
}

/** What was done, or why nothing was left to do. */
const answerOf = (report: PlanReport): string =>
  report.outcomes?.length || report.plan.findings.length === 0
    ? formatOutcomes(report)
    : report.plan.findings.map(({ token, message }) => `${token} ${message}`).join('\n');

export const adoptCommand = (terminal: Terminal): Command =>
  withCommonOptions(new Command('adopt'))
    .summary('confirm an adoption that cannot be proven')
    .description(
      'Confirm that the string in the secret of an entry is the string of the token that its adopt.tokenId names. ' +
        'rotate proves that by itself, unless the token may read and write every database.',
    )
    .argument('<name>', 'the token, by name in the policy')
    .option('--confirm', 'you know that the string is that token’s; needed without --dry-run')
    .option('--by <who>', 'who confirms it, for the log and the event (default: you)')
    .option('--dry-run', 'show what would be adopted; change nothing')
    .addHelpText(
      'after',
      `
If it is another token's string, that token lives on, and the one that tokenId names is retired after the next
rotation: compare the description and the permissions that influxctl token list shows for tokenId first.

Example:
  keyturn adopt grafana --confirm`,
    )
    .action(async (name: string, options: AdoptOptions) => {
      const { by = requesterName(), dryRun = false, confirm = false } = options;
      if (!confirm && !dryRun) {
        throw new CommandError(
          'found no --confirm, expected it: you know that the string is that token’s. Nothing was done; --dry-run shows what would be adopted',
        );
      }
      const { engine, json, policy } = openEngine(options, terminal);
      refuseUnknownTokens([name], policy, options.policy);
      const event = { tokens: [name], confirmAdoption: by, dryRun };
      const report = readPlanReport(await engine.call('rotate', event));
      printConfirmed(report, { json, dryRun }, answerOf, terminal);
      const all = report.outcomes?.every(({ result }) => result === 'done') ?? true;
      process.exitCode = all ? EXIT.done : EXIT.failed;
    });
