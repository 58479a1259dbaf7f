import { holdsCredential, redact } from '../../functions/credentials.ts';
import { isRandom } from '../../functions/held-credentials.ts';
import { holdsJwt } from '../../functions/policy/misplaced.ts';
import { CommandError } from './failure.ts';

const isMisplaced = (word: string) => holdsCredential(word) || holdsJwt(word);

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
  const index = words.findIndex(isMisplaced);
  if (index < 0) return;
  throw new CommandError(
    `found a token string in ${placeOf(words, index)}, expected none on the command line, where your shell's history and the list of processes show it; ` +
      'take it for leaked: keyturn revoke --leaked asks for it, or reads it from standard input. Nothing was done',
  );
}

/** The one variable in which a credential belongs. */
const CREDENTIAL = 'KEYTURN_MANAGEMENT_TOKEN';

/**
 * As `refuseCredentials`, for the variables that stand for options.
 * @throws CommandError that does not quote the string
 */
export function refuseCredentialsIn(environment: NodeJS.ProcessEnv): void {
  for (const [key, value = ''] of Object.entries(environment)) {
    if (!key.startsWith('KEYTURN_') || key === CREDENTIAL || !isMisplaced(value)) continue;
    throw new CommandError(
      `found a token string in ${key}, expected a name or a path; unset it, and if it was the management token, set ${CREDENTIAL}. Nothing was done`,
    );
  }
}

/** No table shows the values of these. */
const ECHOED = ['--management-token-file', '--confirm', '--policy', '--function-prefix'];
const looksOpaque = (word: string) => /^[0-9a-f]{32,}$/i.test(word) || isRandom(word);

/** Without what was given for a file or a host, and looks like a string of another kind: an error would echo it. */
export function withoutOpaque(text: string, words: readonly string[]): string {
  const values = words.map((word, index) => {
    const [flag = '', ...rest] = word.split('=');
    if (ECHOED.includes(flag) && rest.length > 0) return rest.join('=');
    return ECHOED.includes(words[index - 1] ?? '') ? word : '';
  });
  return values.filter(looksOpaque).reduce((said, each) => said.replaceAll(each, '[token]'), text);
}

/** @throws CommandError that does not quote the string */
export function refuseCredentialIn(what: string, text: string): void {
  if (!isMisplaced(text)) return;
  throw new CommandError(
    `found a token string in ${what}, expected words for the log, which must not show it; use --leaked for the string. Nothing was done`,
  );
}
