import type { Policy } from '../../functions/policy/policy.ts';
import { CommandError, EXIT } from './failure.ts';
import { refuseCredentialIn } from './misplaced.ts';
import type { Terminal } from './terminal.ts';

/**
 * Asks the person to type a word before anything is done.
 * @param hint what a script's author should do first
 * @throws CommandError if another word is typed, or there is no terminal
 */
export async function confirmByTyping(
  word: string,
  inScripts: string,
  terminal: Terminal,
  hint = '. Read the output of --dry-run first',
): Promise<void> {
  if (!terminal.interactive) {
    throw new CommandError(
      `found no terminal for the confirmation, expected ${inScripts}; nothing was done${hint}`,
      { exitCode: EXIT.cancelled },
    );
  }
  terminal.note('');
  const typed = await terminal.ask(`Type ${word} to continue, or anything else to cancel: `);
  if (typed.trim() === word) return;
  throw new CommandError(`expected ${word}, found another word; nothing was done`, {
    exitCode: EXIT.cancelled,
  });
}

/**
 * Who names another cluster than the policy's means another one: known before anybody is asked.
 * @throws CommandError if `--confirm` is not the cluster's host
 */
export function refuseOtherHost(given: string | undefined, { cluster }: Policy): void {
  const { host, hostname } = new URL(cluster.url);
  if (given === undefined || given === host || given === hostname) return;
  throw new CommandError(
    `refused: found --confirm ${given}, expected ${hostname}, the host of the policy's cluster; check which policy file this is. Nothing was done`,
    { exitCode: EXIT.refused },
  );
}

/** The reason: for the log, the events and the next person on duty. */
export async function readReason(given: string | undefined, terminal: Terminal): Promise<string> {
  const reason = given ?? (terminal.interactive ? await terminal.ask('Why? (for the log) ') : '');
  refuseCredentialIn('the reason', reason);
  if (reason.trim() !== '') return reason.trim();
  throw new CommandError('found no reason, expected --reason TEXT; nothing was done', {
    exitCode: EXIT.cancelled,
  });
}
