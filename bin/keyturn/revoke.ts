import { Command, Option } from 'commander';
import { carryOut, type OrderOptions } from './carry-out.ts';
import { withCommonOptions } from './common-options.ts';
import { readSelection, type SelectorOptions, withSelectors } from './selectors.ts';
import type { Terminal } from './terminal.ts';

interface RevokeOptions extends OrderOptions, SelectorOptions {
  readonly freeze?: true;
  readonly delete?: true;
  readonly immediately?: true;
  /** `--no-undo`, as commander spells it. */
  readonly undo: boolean;
}

const wayOf = (options: RevokeOptions) => {
  if (options.freeze) return 'freeze';
  return options.delete ? 'delete' : 'replace';
};

export const withOrderOptions = (command: Command): Command =>
  withCommonOptions(command)
    .option('--reason <text>', 'why, for the log and the events; wanted')
    .option('--yes', 'do not ask at the terminal; for scripts')
    .option('--dry-run', 'show what it touches, and do nothing');

export const revokeCommand = (terminal: Terminal): Command =>
  withOrderOptions(withSelectors(new Command('revoke')))
    .summary('end tokens now, and prove that they are dead')
    .description(
      'End tokens now, without grace, and prove that they are dead. Shows what is touched and asks first.',
    )
    .addOption(
      new Option('--freeze', 'take permissions away, which can be undone').conflicts(['delete']),
    )
    .option('--delete', 'delete without a successor')
    .addOption(
      new Option('--immediately', 'kill first, promote the successor then').conflicts([
        'freeze',
        'delete',
      ]),
    )
    .option('--no-undo', 'freeze though what is taken away cannot be kept')
    .option('--confirm <host>', 'with --all, in a script: the host name of the cluster')
    .addHelpText(
      'after',
      `
Without --freeze or --delete the token is replaced: a successor is promoted, then the old one dies.
Repeating a command is safe: it goes on where it ended and never mints a second successor.

Exit code: 0 everything was done and every dead token was seen dead; 3 done, but not proven for
every token; 1 not everything was done; 5 cancelled, nothing was done.

Examples:
  keyturn revoke --leaked --reason "in a public repository"     # asks for the string, hidden
  keyturn revoke --leaked --reason "in a log" --yes < found.txt
  keyturn revoke --token telegraf --freeze --reason "odd writes"
  keyturn revoke --database telemetry --dry-run
  keyturn revoke --all --reason "laptop stolen" --confirm influxdb.example.com`,
    )
    .action(async (options: RevokeOptions) => {
      const selection = await readSelection(options, terminal);
      const { immediately = false, undo } = options;
      const order = { ...selection, way: wayOf(options), immediately, noUndo: !undo };
      await carryOut(order, options, terminal);
    });
