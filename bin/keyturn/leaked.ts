import { TokenValue } from '../../functions/token-value.ts';
import { CommandError } from './failure.ts';
import type { Terminal } from './terminal.ts';

/**
 * `apiv1_` and a base64 string, of either alphabet, since the documentation does not say which:
 * docs.influxdata.com/influxdb3/cloud-dedicated/reference/internals/security/
 */
const TOKEN = /apiv\d+_[A-Za-z0-9+/_-]{20,}={0,2}/g;
/**
 * As `influxctl management list` shows it:
 * docs.influxdata.com/influxdb3/clustered/reference/cli/influxctl/management/list/
 */
const MANAGEMENT_TOKEN = /^M\.V1\./;

/**
 * Reads a leaked string, or a text that contains it, and returns only its fingerprint.
 * @throws CommandError that does not quote the string
 */
export async function readLeaked(terminal: Terminal): Promise<string> {
  const question = 'Paste the leaked string (it is not shown) and press Enter: ';
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
      `found ${found.length} token strings, expected one; repeat the command for each of them`,
    );
  }
  if (MANAGEMENT_TOKEN.test(leaked)) {
    throw new CommandError(
      'found a management token, expected a database token; revoke it with influxctl, put a new one into its secret, and follow docs/runbook.md',
    );
  }
  if (/\s/.test(leaked)) {
    throw new CommandError(
      'found a text without a token string, expected only the string; copy it without the text around it',
    );
  }
  return new TokenValue(leaked).fingerprint();
}
