import { Command, Option } from 'commander';
import { carryOut, type OrderOptions } from './carry-out.ts';
import { withCommonOptions } from './common-options.ts';
import { readSelections, type SelectorOptions, withSelectors } from './selectors.ts';
import type { Terminal } from './terminal.ts';

interface RevokeOptions extends OrderOptions, SelectorOptions {
  readonly freeze?: true;
  readonly delete?: true;
  readonly immediately?: true;
  /** `--no-undo`, as commander stores it. */
  readonly undo: boolean;
}

const wayOf = (options: RevokeOptions) => {
  if (options.freeze) return 'freeze';
  return options.delete ? 'delete' : 'replace';
};

export const withOrderOptions = (command: Command): Command =>
  withCommonOptions(command)
    .option('--reason <text>', 'the reason, for the log and the events; required in scripts')
    .option('--yes', 'do not ask for confirmation; for scripts')
    .option('--dry-run', 'show what would be affected; change nothing')
    .option('--confirm <host>', 'with --all, for scripts: the host name of the cluster')
    .option(
      '--without-secrets',
      'go on though Secrets Manager shows no secret of the owner, or not that of the token',
    );

export const revokeCommand = (terminal: Terminal): Command =>
  withOrderOptions(withSelectors(new Command('revoke')))
    .summary('revoke tokens now, and verify that they are refused')
    .description(
      'Revoke tokens now, without a grace period, and verify that the cluster refuses them. ' +
        'Shows what is affected and asks for confirmation first.',
    )
    .addOption(
      new Option('--freeze', 'only remove the permissions; unfreeze gives them back').conflicts([
        'delete',
      ]),
    )
    .option('--delete', 'delete without a successor, until lift')
    .addOption(
      new Option('--immediately', 'delete first, then promote the successor').conflicts([
        'freeze',
        'delete',
      ]),
    )
    .option(
      '--no-undo',
      'with --freeze: continue even if the permissions cannot be recorded, so that unfreeze cannot give them back',
    )
    .addHelpText(
      'after',
      `
Say which tokens: a name, or exactly one of --token, --token-id, --secret, --database, --all, --leaked.

Without --freeze or --delete the tokens are replaced: their successors are promoted, then the old
tokens are deleted. Repeat a command that stopped, with the same words: it continues with the same
successor, as long as an older token lives, and for an hour after it was minted. Other words, or the
same ones later, are a new order.

With --leaked you may give a text with several strings: they are confirmed once, and each is an order
with a report of its own, but for those whose tokens one order ends. Up to eight orders run at
the same time. One that is refused or unknown stops no other one. The exit code is the worst of theirs.

Exit code: 0 if everything was done and the cluster was seen to refuse every token, while it accepted
another one; 3 if everything was done, and not all of it is proven; 1 if not everything was done, or
nothing is selected; 4 if it was refused, and all others were carried out, or a dry run shows that
it would be; 5 if cancelled: nothing was done.

Examples:
  keyturn revoke --leaked --reason "in a public repository"     # asks for the string
  keyturn revoke --leaked --reason "in a log" --yes < found.txt
  keyturn revoke --token telegraf --freeze --reason "odd writes"
  keyturn revoke --database telemetry --dry-run
  keyturn revoke --all --reason "laptop stolen" --confirm influxdb.example.com`,
    )
    .action(async (name: string | undefined, options: RevokeOptions) => {
      const selections = await readSelections(name, options, terminal);
      const { immediately = false, undo, withoutSecrets = false } = options;
      const how = { way: wayOf(options), immediately, noUndo: !undo, withoutSecrets };
      const orders = selections.map((each) => ({ ...each, ...how }));
      await carryOut(orders, options, terminal);
    });
