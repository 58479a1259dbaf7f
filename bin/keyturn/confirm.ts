import { CommandError, EXIT } from './failure.ts';
import type { Terminal } from './terminal.ts';

/**
 * Has a word typed before anything is done.
 * @throws CommandError if another one is typed, or nobody is there to type
 */
export async function confirmByTyping(
  word: string,
  inScripts: string,
  terminal: Terminal,
): Promise<void> {
  if (!terminal.interactive) {
    throw new CommandError(
      `found no terminal to confirm at, expected ${inScripts}; nothing was done. Read what --dry-run shows first`,
      { exitCode: EXIT.cancelled },
    );
  }
  terminal.note('');
  const typed = await terminal.ask(`Type ${word} to go on, anything else to stop: `);
  if (typed.trim() === word) return;
  throw new CommandError('that was something else; nothing was done', {
    exitCode: EXIT.cancelled,
  });
}

/** Why it is done: for the log, the events and whoever is on duty next. */
export async function readReason(given: string | undefined, terminal: Terminal): Promise<string> {
  const reason = given ?? (terminal.interactive ? await terminal.ask('Why? (for the log) ') : '');
  if (reason.trim() !== '') return reason.trim();
  throw new CommandError('found no reason, expected --reason TEXT; nothing was done', {
    exitCode: EXIT.cancelled,
  });
}
