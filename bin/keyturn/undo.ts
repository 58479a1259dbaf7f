import { Command } from 'commander';
import { carryOut, type OrderOptions } from './carry-out.ts';
import { withOrderOptions } from './revoke.ts';
import { readSelections, type SelectorOptions, withSelectors } from './selectors.ts';
import type { Terminal } from './terminal.ts';

type UndoOptions = OrderOptions & SelectorOptions;

const UNDO_COMMANDS = {
  unfreeze: [
    'undo revoke --freeze',
    'Give back the permissions that a freeze removed. The same string works again, and the schedules continue.',
  ],
  lift: [
    'end the hold of revoke --delete',
    'End the hold of revoke --delete. The next run of rotate issues a new token.',
  ],
  restore: [
    'undo a quarantine',
    'Give back the permissions that quarantine removed. The same string works again.',
  ],
} as const;

const undoCommand = (way: keyof typeof UNDO_COMMANDS, terminal: Terminal): Command =>
  withOrderOptions(withSelectors(new Command(way)))
    .summary(UNDO_COMMANDS[way][0])
    .description(UNDO_COMMANDS[way][1])
    .addHelpText(
      'after',
      `
Say which tokens: a name, or exactly one of --token, --token-id, --secret, --database, --all, --leaked.

Examples:
  keyturn ${way} telegraf --reason "false alarm"
  keyturn ${way} telegraf --dry-run
  keyturn ${way} --database telemetry --reason "false alarm"`,
    )
    .action(async (name: string | undefined, options: UndoOptions) => {
      const selections = await readSelections(name, options, terminal);
      const { withoutSecrets = false } = options;
      const orders = selections.map((each) => ({ ...each, way, withoutSecrets }));
      await carryOut(orders, options, terminal);
    });

export const undoCommands = (terminal: Terminal): readonly Command[] =>
  (['unfreeze', 'lift', 'restore'] as const).map((way) => undoCommand(way, terminal));
