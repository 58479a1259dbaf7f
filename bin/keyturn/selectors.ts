import { type Command, Option } from 'commander';
import { CommandError } from './failure.ts';
import { type Leaked, MANAGEMENT_TOKEN, readLeaked } from './leaked.ts';
import type { Terminal } from './terminal.ts';

export interface SelectorOptions {
  readonly token?: string;
  readonly tokenId?: string;
  readonly secret?: string;
  readonly database?: string;
  readonly all?: true;
  readonly leaked?: true;
}

const KEYS = ['token', 'tokenId', 'secret', 'database', 'all', 'leaked'] as const;

export const withSelectors = (command: Command): Command =>
  command
    .argument('[name]', 'the same as --token <name>')
    .option('--token <name>', 'one token, by name in the policy')
    .option('--token-id <uuid>', 'one token, by id or its first 8 characters; also a foreign token')
    .option('--secret <name-or-arn>', 'all tokens of this secret')
    .option('--database <name>', 'all owned tokens that can read or write this database')
    .option('--all', 'all owned tokens')
    .addOption(
      new Option(
        '--leaked',
        'the tokens of leaked strings, which are read from standard input and not shown',
      ),
    );

/** Which tokens are selected: what is sent to the function, and the name that people use. */
export interface Selection {
  /**
   * What the selector may be, the likeliest first: a leaked string can be read in several ways, and the first one
   * that is a token's counts. Empty: nothing can be selected by what is left of it.
   */
  readonly events: readonly Readonly<Record<string, string | true>>[];
  /** The word to type as confirmation; absent for a leaked string, which nobody should type. */
  readonly word?: string;
  /** Of a leaked string: the line of the text that was given. */
  readonly line?: number;
  /** Why nothing is selected, if no reading is a token's. Absent: the function says it. */
  readonly otherwise?: string;
}

/** Management tokens are answered like the other strings, though nothing is ordered for them. */
function selectLeaked({ strings, management }: Leaked): readonly Selection[] {
  const selections: Selection[] = strings.map(({ line, fingerprints, cut }) => ({
    line,
    events: fingerprints.map((fingerprint) => ({ fingerprint })),
    ...(cut !== undefined && { otherwise: cut }),
  }));
  const others = management.map((line) => ({ line, events: [], otherwise: MANAGEMENT_TOKEN }));
  return [...selections, ...others].sort((a, b) => (a.line ?? 0) - (b.line ?? 0));
}

/**
 * One selection, or one for each leaked string.
 * @throws CommandError unless exactly one selector was given
 */
export async function readSelections(
  name: string | undefined,
  named: SelectorOptions,
  terminal: Terminal,
): Promise<readonly Selection[]> {
  if (name !== undefined && named.token !== undefined) {
    throw new CommandError(
      `found both ${name} and --token ${named.token}, expected one of them; say which token`,
    );
  }
  const options = { ...named, ...(name !== undefined && { token: name }) };
  const given = KEYS.filter((key) => options[key] !== undefined);
  const [key] = given;
  if (key === undefined || given.length > 1) {
    const found = given.map(flagOf).join(' and ') || 'none';
    throw new CommandError(
      `found ${found}, expected exactly one of ${KEYS.map(flagOf).join(', ')}; say which tokens`,
    );
  }
  if (key === 'leaked') return selectLeaked(await readLeaked(terminal));
  const value = options[key] ?? true;
  return [{ events: [{ [key]: value }], ...(typeof value === 'string' && { word: value }) }];
}

const flagOf = (key: string) =>
  `--${key.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`;
