import { TokenValue } from '../../functions/token-value.ts';
import { CommandError } from './failure.ts';
import type { Terminal } from './terminal.ts';

const TOKEN = /apiv\d+_[A-Za-z0-9_=-]{20,}/g;
const MANAGEMENT_TOKEN = /^M\.V1\./;

/**
 * Reads a leaked string, or a text with one in it, and keeps its fingerprint alone.
 * @throws CommandError that does not quote it
 */
export async function readLeaked(terminal: Terminal): Promise<string> {
  const question = 'Paste the leaked string, then press Enter; it is not shown: ';
  const given = (await terminal.readHidden(question)).trim();
  const found = [...new Set(given.match(TOKEN))];
  const [leaked = given] = found;
  if (given === '') {
    throw new CommandError(
      'found nothing on standard input, expected the leaked string; paste it or pipe it in',
    );
  }
  if (found.length > 1) {
    throw new CommandError(
      `found ${found.length} token strings, expected one; give them one after the other`,
    );
  }
  if (MANAGEMENT_TOKEN.test(leaked)) {
    throw new CommandError(
      'found a management token, expected a database token; revoke it with influxctl, put a new one into its secret, and read the runbook',
    );
  }
  if (/\s/.test(leaked)) {
    throw new CommandError(
      'found a text without a token string, expected the string alone; copy it without what stands around it',
    );
  }
  return new TokenValue(leaked).fingerprint();
}
