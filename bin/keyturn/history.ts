import { Command, InvalidArgumentError } from 'commander';
import type { Policy } from '../../functions/policy/policy.ts';
import { durationSchema } from '../../functions/policy/schemas/duration.ts';
import { formatInstant } from '../../functions/time.ts';
import { type CommonOptions, openEngine, withCommonOptions } from './common-options.ts';
import { CommandError, EXIT } from './failure.ts';
import { formatHistory, type History, historyJson } from './history/history-text.ts';
import type { Entry } from './history/tell-history.ts';
import { refuseUnknownTokens } from './named-tokens.ts';
import type { Terminal } from './terminal.ts';

/** Without a name: what was done lately. With one: at least its last two rotations, and all that the logs keep by default. */
const USUAL = { all: '7d', one: '90d' };

interface HistoryOptions extends CommonOptions {
  readonly since?: Since;
}

export interface Since {
  readonly text: string;
  /** Milliseconds since 1970. */
  readonly at: number;
}

export function readSince(text: string): Since {
  const { data: duration } = durationSchema.safeParse(text);
  if (duration) return { text, at: Date.now() - duration };
  const at = /^\d{4}-\d\d-\d\d(?:T\d\d:\d\d(?::\d\d)?Z)?$/.test(text)
    ? Date.parse(text)
    : Number.NaN;
  // The 30th of February would be one of March.
  const isDay = !Number.isNaN(at) && new Date(at).toISOString().startsWith(text.slice(0, 10));
  if (isDay && at <= Date.now()) return { text, at };
  throw new InvalidArgumentError(
    'expected a duration above zero, such as 7d or 12h, or an instant that is over, in UTC, such as 2026-01-31 or 2026-01-31T06:00:00Z.',
  );
}

/** Who asks later, such as an auditor, may ask for an entry that is gone: its secret's name is what is left of it. */
function entryNamed(named: string, policy: Policy, file: string): Entry {
  const known = policy.tokens.find(({ name, secret }) => name === named || secret === named);
  if (known) return { name: known.name, secret: known.secret, isRemoved: false };
  if (!named.includes('/')) refuseUnknownTokens([named], policy, file);
  return { name: named, secret: named, isRemoved: true };
}

/** @throws CommandError if nothing is told of an entry that the policy has not: a slip is no empty history */
function refuseNothing({ happenings, since }: History, { secret }: Entry, { file }: Policy): void {
  if (happenings.length > 0) return;
  throw new CommandError(
    `found nothing of ${secret} since ${formatInstant(since)}, expected an entry of ${file}, or the name of the secret of one that is gone; --since goes back further`,
  );
}

const HELP = `
Each entry says when (UTC), what, by whom and why as far as anything tells it, and in brackets which
source says so. What no log tells of and what no marker has is shown as not Keyturn's.

With TOKEN, each rotation follows with its evidence: minted, stored, proven (every probe of the data
plane was accepted), promoted, and what became of the old string. What no source tells any more is
"no evidence in what was read", never assumed.

Needs logs:FilterLogEvents on the log groups of the functions, beside the right to invoke rotate.

Exit code: 0 if everything was read, 3 if not (the end of the answer says what, and why), 1 if
nothing was.

Examples:
  keyturn history
  keyturn history telegraf --since 1y
  keyturn history keyturn/prod/former   # its entry is gone: by the name of its secret
  keyturn history --since 2026-01-31T06:00:00Z --json`;

export const historyCommand = (terminal: Terminal): Command =>
  withCommonOptions(new Command('history'))
    .summary('show who changed what, when and why, with the evidence of rotations')
    .description(
      'Show what was done to tokens, secrets and databases, in order of time: from the logs of the functions, the tokens that the cluster still lists, ' +
        'and the versions that Secrets Manager still keeps. Changes nothing.',
    )
    .argument(
      '[token]',
      'one token, by name in the policy or by its secret, with the evidence of its rotations',
    )
    .option(
      '--since <when>',
      `how far back: a duration or an instant (default: ${USUAL.all}; ${USUAL.one} with a token)`,
      readSince,
    )
    .addHelpText('after', HELP)
    .action(async (token: string | undefined, options: HistoryOptions) => {
      const { policy, engine, json } = openEngine(options, terminal);
      const entry = token === undefined ? undefined : entryNamed(token, policy, options.policy);
      const { text, at } = options.since ?? readSince(entry ? USUAL.one : USUAL.all);
      // The client of another service, which no other command needs.
      const { tellHistory } = await import('./history/tell-history.ts');
      const { functionPrefix } = options;
      const history = await tellHistory(
        { policy, engine },
        {
          since: at,
          sinceText: options.since ? text : `${text}, unless --since says otherwise`,
          ...(entry && { entry }),
          ...(functionPrefix !== undefined && { functionPrefix }),
        },
        terminal,
      );
      if (entry?.isRemoved) refuseNothing(history, entry, policy);
      if (json) terminal.printJson(historyJson(history));
      else terminal.print(formatHistory(history, terminal.style));
      const isWhole = history.sources.every((each) => each.isWhole);
      process.exitCode = isWhole ? EXIT.done : EXIT.unconfirmed;
    });
