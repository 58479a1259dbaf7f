import { homedir, hostname, userInfo } from 'node:os';
import { uncheckedTls } from '../../functions/environment.ts';
import { CommandError } from './failure.ts';

/** A user of a container may have a number and no name. */
function userName(): string {
  try {
    return userInfo().username;
  } catch {
    return `uid ${process.getuid?.() ?? 'unknown'}`;
  }
}

/** Who is logged in on this machine: `alice@laptop`, or `uid 54321@pod-1`. */
export const operatorName = (): string => `${userName()}@${hostname()}`;

/** The same in the characters that `rotate` takes. */
export const requesterName = (): string =>
  operatorName()
    .replace(/[^A-Za-z0-9@._+:/\\-]/g, '-')
    .slice(0, 64);

/** @throws CommandError if certificates would not be checked */
export function refuseUncheckedTls(): void {
  const why = uncheckedTls(process.env);
  if (why !== undefined) throw new CommandError(why);
}

/** The AWS SDK looks for its files at home, and fails where a user without a name has none: containers say `/` then. */
export function settleHome(): void {
  try {
    homedir();
  } catch {
    process.env.HOME = '/';
  }
}
