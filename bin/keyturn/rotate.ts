import { setTimeout as sleep } from 'node:timers/promises';
import { Command, Option } from 'commander';
import { offNote } from '../../functions/schedules/schedule-text.ts';
import { MINUTE_MS } from '../../functions/time.ts';
import { type PlanReport, readPlanReport } from './answers.ts';
import { type CommonOptions, openEngine, withCommonOptions } from './common-options.ts';
import type { Engine } from './engine.ts';
import { CommandError, EXIT } from './failure.ts';
import { refuseUnknownTokens } from './named-tokens.ts';
import { formatPlan } from './plan-text.ts';
import { continued, formatRotation, isCarriedOut, unfinished } from './rotation-text.ts';
import type { Terminal } from './terminal.ts';
import { whileWaiting } from './waiting.ts';

interface RotateOptions extends CommonOptions {
  readonly dryRun?: true;
  readonly approve?: string;
  readonly wait?: true;
}

/** A run waits some minutes by itself; between two runs there is nothing to wait for. */
const PAUSE_MS = 5_000;
const LONGEST_WAIT_MS = 30 * MINUTE_MS;

/** Repeats the rotation until nothing of it is left to do, or the longest wait is over. */
async function finish(
  started: PlanReport,
  names: readonly string[],
  engine: Engine,
): Promise<PlanReport> {
  const until = Date.now() + LONGEST_WAIT_MS;
  let report = started;
  let tokens = unfinished(report, names);
  while (tokens.length > 0) {
    if (Date.now() >= until) {
      throw new CommandError(
        `${tokens.join(', ')}: not promoted within ${LONGEST_WAIT_MS / MINUTE_MS} minutes; repeat the command`,
      );
    }
    await sleep(PAUSE_MS);
    const again = readPlanReport(await engine.call('rotate', { tokens, force: true }));
    // What this run did not plan any more is current: another run has promoted it.
    report = continued(report, again, tokens);
    tokens = unfinished(again, tokens);
  }
  return report;
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
    .addOption(
      new Option('--wait', 'wait until every token is promoted, half an hour at most').conflicts(
        'dryRun',
      ),
    )
    .addHelpText(
      'after',
      `
A token that a run has armed already is promoted, and no other one is minted.
Repeated within 15 minutes it does nothing. Where a token is neither rotated nor armed, it says why; the exit code is 1.

Examples:
  keyturn rotate telegraf
  keyturn rotate telegraf grafana --dry-run
  keyturn rotate telegraf --wait`,
    )
    .action(async (tokens: readonly string[], options: RotateOptions) => {
      const { engine, json, policy } = openEngine(options, terminal);
      refuseUnknownTokens(tokens, policy, options.policy);
      const { dryRun = false, approve, wait = false } = options;
      const event = { tokens, force: true, dryRun, ...(approve !== undefined && { approve }) };
      const report = await whileWaiting(
        terminal,
        { place: engine.placeOf('rotate'), isLook: dryRun },
        async () => {
          const started = readPlanReport(await engine.call('rotate', event));
          return wait ? await finish(started, tokens, engine) : started;
        },
      );
      const note = offNote(report.schedule);
      if (note) terminal.note(note);
      if (!dryRun && !isCarriedOut(report, tokens)) process.exitCode = EXIT.failed;
      if (json) return terminal.printJson(report);
      if (!dryRun) return terminal.print(formatRotation(report, tokens, policy));
      const named = (report.entries ?? []).filter(({ token }) => tokens.includes(token));
      const shown = { ...report, entries: named };
      terminal.print(formatPlan(shown, 'repeat the command with', terminal.style, Date.now()));
    });
