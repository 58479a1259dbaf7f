import { type Command, Option } from 'commander';
import { CommandError } from './failure.ts';
import { MANAGEMENT_TOKEN, readLeaked } from './leaked.ts';
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
    .option('--token <name>', 'one token, by name in the policy')
    .option('--token-id <uuid>', 'one token, by id; also a foreign token')
    .option('--secret <name-or-arn>', 'all tokens of this secret')
    .option('--database <name>', 'all owned tokens that can read or write this database')
    .option('--all', 'all owned tokens')
    .addOption(
      new Option(
        '--leaked',
        'the token of a leaked string, which is read from standard input and not shown',
      ),
    );

/** Which tokens are selected: what is sent to the function, and the name that people use. */
export interface Selection {
  readonly event: Readonly<Record<string, string | true>>;
  /** The word to type as confirmation; absent for a leaked string, which nobody should type. */
  readonly word?: string;
}

/** @throws CommandError unless exactly one selector was given */
export async function readSelection(
  options: SelectorOptions,
  terminal: Terminal,
): Promise<Selection> {
  const given = KEYS.filter((key) => options[key] !== undefined);
  const [key] = given;
  if (key === undefined || given.length > 1) {
    const found = given.map(flagOf).join(' and ') || 'none';
    throw new CommandError(
      `found ${found}, expected exactly one of ${KEYS.map(flagOf).join(', ')}; say which tokens`,
    );
  }
  if (key === 'leaked') {
    const { strings, management } = await readLeaked(terminal);
    const [leaked, another] = strings;
    if (management.length > 0) throw new CommandError(MANAGEMENT_TOKEN);
    if (another) {
      throw new CommandError(
        `found ${strings.length} token strings, expected one; repeat the command for each of them`,
      );
    }
    if (leaked?.cut) throw new CommandError(leaked.cut);
    return { event: { fingerprint: leaked?.fingerprints[0] ?? '' } };
  }
  const value = options[key] ?? true;
  return { event: { [key]: value }, ...(typeof value === 'string' && { word: value }) };
}

const flagOf = (key: string) =>
  `--${key.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`;
