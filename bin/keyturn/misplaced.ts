import { holdsCredential, redact } from '../../functions/credentials.ts';
import { CommandError } from './failure.ts';

/** The flag that a word of the command line belongs to, or what it is. */
function placeOf(words: readonly string[], index: number): string {
  const [flag = ''] = words[index]?.split('=', 1) ?? [];
  if (flag.startsWith('-')) return redact(flag);
  const before = words[index - 1] ?? '';
  return before.startsWith('--') ? before : 'an argument';
}

/**
 * Token strings belong on standard input: a word of the command line is in the shell's history and in the list of
 * processes, and would be logged and published as the name that it is given for.
 * @throws CommandError that does not quote the string
 */
export function refuseCredentials(words: readonly string[]): void {
  const index = words.findIndex((word) => holdsCredential(word));
  if (index < 0) return;
  throw new CommandError(
    `found a token string in ${placeOf(words, index)}, expected none on the command line, where your shell's history and the list of processes show it; ` +
      'take it for leaked: keyturn revoke --leaked asks for it, or reads it from standard input. Nothing was done',
  );
}

/** @throws CommandError that does not quote the string */
export function refuseCredentialIn(what: string, text: string): void {
  if (!holdsCredential(text)) return;
  throw new CommandError(
    `found a token string in ${what}, expected words for the log, which must not show it; use --leaked for the string. Nothing was done`,
  );
}
