import type { Policy } from '../../functions/policy/policy.ts';
import { CommandError } from './failure.ts';

const MOST_SHOWN = 10;

/** @throws CommandError that names the file if its policy has no token of a name */
export function refuseUnknownTokens(
  named: readonly string[],
  { tokens }: Pick<Policy, 'tokens'>,
  file: string,
): void {
  const known = tokens.map(({ name }) => name);
  const unknown = named.filter((name) => !known.includes(name));
  if (unknown.length === 0) return;
  const more = known.length > MOST_SHOWN ? ` or another of its ${known.length}` : '';
  if (known.length === 0) {
    throw new CommandError(
      `found no token ${unknown.join(', ')} in ${file}, which names databases alone; write an entry for it`,
    );
  }
  throw new CommandError(
    `found no token ${unknown.join(', ')} in ${file}, expected one of ${known.slice(0, MOST_SHOWN).join(', ')}${more}; correct the name`,
  );
}
