import { Command } from 'commander';
import { carryOut, type OrderOptions } from './carry-out.ts';
import { CommandError } from './failure.ts';
import { withOrderOptions } from './revoke.ts';
import type { Terminal } from './terminal.ts';

interface UndoOptions extends OrderOptions {
  readonly tokenId?: string;
}

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
  withOrderOptions(new Command(way))
    .summary(UNDO_COMMANDS[way][0])
    .description(UNDO_COMMANDS[way][1])
    .argument('[name]', 'the token, by name in the policy')
    .option('--token-id <uuid>', 'the token, by id')
    .addHelpText(
      'after',
      `\nExamples:\n  keyturn ${way} telegraf --reason "false alarm"\n  keyturn ${way} telegraf --dry-run`,
    )
    .action(async (name: string | undefined, options: UndoOptions) => {
      const { tokenId } = options;
      const word = name ?? tokenId;
      if (word === undefined || (name !== undefined && tokenId !== undefined)) {
        throw new CommandError(
          `found ${word === undefined ? 'neither' : 'both'}, expected a token’s name or --token-id; say which token`,
        );
      }
      const event: Record<string, string> =
        name === undefined ? { tokenId: word } : { token: word };
      await carryOut([{ way, events: [event], word }], options, terminal);
    });

export const undoCommands = (terminal: Terminal): readonly Command[] =>
  (['unfreeze', 'lift', 'restore'] as const).map((way) => undoCommand(way, terminal));
