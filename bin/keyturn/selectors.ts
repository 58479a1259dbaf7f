import { type Command, Option } from 'commander';
import { CommandError } from './failure.ts';
import { readLeaked } from './leaked.ts';
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
    .option('--token <name>', 'by its name in the policy')
    .option('--token-id <uuid>', 'by its id; of others too')
    .option('--secret <name-or-arn>', 'all tokens of a secret')
    .option('--database <name>', 'all owned tokens that can read or write it')
    .option('--all', 'every owned token')
    .addOption(
      new Option('--leaked', 'by the string itself, read from standard input and never shown'),
    );

/** Whose tokens are meant: what is sent of it, and how people call it. */
export interface Selection {
  readonly event: Readonly<Record<string, string | true>>;
  /** What is typed to confirm; absent for a leaked string, which must not be. */
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
      `found ${found}, expected one of ${KEYS.map(flagOf).join(', ')}; say whose tokens are meant`,
    );
  }
  if (key === 'leaked') return { event: { fingerprint: await readLeaked(terminal) } };
  const value = options[key] ?? true;
  return { event: { [key]: value }, ...(typeof value === 'string' && { word: value }) };
}

const flagOf = (key: string) =>
  `--${key.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`;
