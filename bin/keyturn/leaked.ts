import { findCredentials, readingsWithoutBeginning } from '../../functions/credentials.ts';
import { counted } from '../../functions/run/counted.ts';
import { TokenValue } from '../../functions/token-value.ts';
import { CommandError } from './failure.ts';
import type { Terminal } from './terminal.ts';

/** A leaked string, as far as it may be told: what it is never leaves this file. */
export interface LeakedString {
  /** The line of the text that was given. */
  readonly line: number;
  /** Not empty: it was cut, and this says so. */
  readonly cut?: string;
  /** Of what the string may be, the likeliest first. Empty: there is too little of it. */
  readonly fingerprints: readonly string[];
}

export interface Leaked {
  /** At least one, or a management token. */
  readonly strings: readonly LeakedString[];
  /** The lines with management tokens. */
  readonly management: readonly number[];
}

/** What to do with a management token, which Keyturn cannot revoke. */
export const MANAGEMENT_TOKEN =
  'found a management token, or a JWT, which may be one, expected a database token; revoke it with influxctl and put a new one into its secret: docs/operations.md, "Replacing the management token"; a JWT of an identity provider ends by itself, and there the secret of its client is changed';

/** Of fewer characters, a fingerprint would tell what they are. */
const FEW = 20;
/** A string of an unknown form: nothing but characters that a token may have. */
const WORD = /^[A-Za-z0-9._~+/=-]+$/;

const cutBecause = (length: number) =>
  `the string was cut: found ${counted(length, 'character')} after its beginning (apiv1_), expected 86 or more; a part identifies no token: find the whole string`;

const CUT_IN_FRONT =
  'the string was cut in front, or is none of InfluxDB: it does not begin with apiv1_, and no token has it as it is; a part identifies no token: find the whole string';

/**
 * Reads leaked strings, or a text that contains them, and returns only their fingerprints.
 * @throws CommandError that does not quote the text, if there is nothing in it
 */
export async function readLeaked(terminal: Terminal): Promise<Leaked> {
  const question = 'Paste the leaked string (it is not shown) and press Enter: ';
  const given = await terminal.readHidden(question);
  const word = given.replace(/^\uFEFF/, '').trim();
  if (word === '') {
    throw new CommandError(
      'found nothing on standard input, expected the leaked string; paste it or pipe it in',
    );
  }
  const { strings, management } = findCredentials(given);
  if (strings.length > 0 || management.length > 0) {
    return {
      management,
      strings: strings.map(({ line, whole, length, readings }) => {
        const fingerprints = readings.map((each) => each.fingerprint());
        if (whole) return { line, fingerprints };
        // Should another version of InfluxDB have shorter strings, they are found all the same.
        const few = length < FEW ? [] : fingerprints.slice(0, 1);
        return { line, cut: cutBecause(length), fingerprints: few };
      }),
    };
  }
  if (!WORD.test(word)) {
    throw new CommandError(
      'found a text without a token string, expected only the string; copy it without the text around it',
    );
  }
  // It is asked about all the same: another version of InfluxDB may have strings of another form.
  const readings = [...readingsWithoutBeginning(word), new TokenValue(word)];
  const fingerprints = readings.map((each) => each.fingerprint());
  return { strings: [{ line: 1, cut: CUT_IN_FRONT, fingerprints }], management };
}

/** `string 2 (line 5)`, where there are several. */
export const nameOfString = (index: number, { line }: Pick<LeakedString, 'line'>): string =>
  `string ${index + 1} (line ${line})`;
