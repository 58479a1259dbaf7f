import { Command } from 'commander';
import { carryOut, type OrderOptions } from './carry-out.ts';
import { CommandError } from './failure.ts';
import { withOrderOptions } from './revoke.ts';
import type { Terminal } from './terminal.ts';

interface UndoOptions extends OrderOptions {
  readonly tokenId?: string;
}

const UNDOINGS = {
  unfreeze: ['undo revoke --freeze', 'Give back what a freeze took; schedules go on from there.'],
  lift: ['undo the hold of revoke --delete', 'Let the next run of rotate issue a new token.'],
  restore: ['undo a quarantine', 'Give back what quarantine took: the same string works again.'],
} as const;

const undoCommand = (way: keyof typeof UNDOINGS, terminal: Terminal): Command =>
  withOrderOptions(new Command(way))
    .summary(UNDOINGS[way][0])
    .description(UNDOINGS[way][1])
    .argument('[name]', 'the token, by its name in the policy')
    .option('--token-id <uuid>', 'the token, by its id')
    .addHelpText(
      'after',
      `\nExamples:\n  keyturn ${way} telegraf --reason "false alarm"\n  keyturn ${way} telegraf --dry-run`,
    )
    .action(async (name: string | undefined, options: UndoOptions) => {
      const { tokenId } = options;
      const word = name ?? tokenId;
      if (word === undefined || (name !== undefined && tokenId !== undefined)) {
        throw new CommandError('expected a token’s name, or --token-id; say which token is meant');
      }
      const event: Record<string, string> =
        name === undefined ? { tokenId: word } : { token: word };
      await carryOut({ way, event, word }, options, terminal);
    });

export const undoCommands = (terminal: Terminal): readonly Command[] =>
  (['unfreeze', 'lift', 'restore'] as const).map((way) => undoCommand(way, terminal));
