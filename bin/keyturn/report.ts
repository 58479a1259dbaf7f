import { resolve } from 'node:path';
import { Command } from 'commander';
import type { Policy } from '../../functions/policy/policy.ts';
import { counted } from '../../functions/run/counted.ts';
import { formatInstant } from '../../functions/time.ts';
import { type CommonOptions, openEngine, STDOUT, withCommonOptions } from './common-options.ts';
import type { Engine } from './engine.ts';
import { CommandError, EXIT, sentenceOf } from './failure.ts';
import type { History } from './history/history-text.ts';
import { readSince, type Since } from './history.ts';
import type { Page } from './report/page.ts';
import { openPlace } from './report/write-page.ts';
import { statusNow } from './status.ts';
import { exitCodeOf } from './status-report.ts';
import { wrapped } from './table.ts';
import type { Terminal } from './terminal.ts';
import { version } from './version.ts';
import { InterruptedError } from './waiting.ts';

/** Longer than a token lives by default, and as long as the logs are kept. */
const USUAL = '90d';

interface ReportOptions extends CommonOptions {
  readonly html: string;
  readonly probe: boolean;
  readonly since?: Since;
}

const HELP = `
The page is one file: it loads nothing, runs no script, and prints. It shows what keyturn status and
keyturn history find: what consumers have now and every risk; a timeline of each token from minting to
deletion, with rotations, revocations and incidents; databases and drift; which entry may read and write
what. What could not be looked at is said there, and never called well. No token string is on it, but
names of secrets, databases and people are: give it to whoever may know these.

A page of this command that is there is replaced, as a whole or not at all; any other file is refused.

Exit code: as status (0 well, 6 not well, 7 something could not be looked at), and 7 also if a part of
the history could not be read. 1: an error, no page was written.

Needs what status and history need.

Examples:
  keyturn report --html keyturn.html
  keyturn report --html keyturn.html --since 30d
  keyturn report --html keyturn.html --local --json
  keyturn report --html - | gzip > keyturn.html.gz`;

/** Why the past could not be read is a part of the page. */
async function historyOf(
  opened: { readonly policy: Policy; readonly engine: Engine },
  asked: Pick<History, 'since' | 'sinceText'>,
  { functionPrefix }: ReportOptions,
  terminal: Terminal,
): Promise<History | Error> {
  const { tellHistory } = await import('./history/tell-history.ts');
  const prefix = functionPrefix === undefined ? {} : { functionPrefix };
  return tellHistory(opened, { ...asked, ...prefix }, terminal).catch((error: unknown) => {
    if (error instanceof InterruptedError || !(error instanceof Error)) throw error;
    return new Error(sentenceOf(error), { cause: error });
  });
}

async function look(
  options: ReportOptions,
  terminal: Terminal,
): Promise<{ readonly page: Page; readonly exitCode: number }> {
  const opened = openEngine(options, terminal);
  const { policy, engine } = opened;
  const { text, at: since } = options.since ?? readSince(USUAL);
  const asked = {
    since,
    sinceText: options.since ? text : `${text}, unless --since says otherwise`,
  };
  const [{ lookAtCredentials }, { pageOf }] = await Promise.all([
    import('./doctor/credentials.ts'),
    import('./report/page.ts'),
  ]);
  // One after the other, so that what is seen now is no older than what is told.
  const history = await historyOf(opened, asked, options, terminal);
  const status = await statusNow(opened, options);
  const { check } = await lookAtCredentials();
  const page = pageOf(policy, status, history, asked, {
    now: Date.now(),
    policyFile: policy.file,
    account: check.state === 'ok' ? check.found : `not known: ${check.found}`,
    place: [...new Set((['rotate', 'reap', 'enforce'] as const).map(engine.placeOf))].join(', '),
    version: version(),
  });
  const code = exitCodeOf(status);
  return { page, exitCode: code === EXIT.done && !page.isWhole ? EXIT.unknown : code };
}

const summaryOf = ({ tokens, databases, risks, marks, groups }: Page) => ({
  tokens: tokens.length,
  databases: databases.length,
  risks: risks.length,
  lives: groups.reduce((sum, { lives }) => sum + lives.length, 0),
  rotations: marks.filter(({ kind }) => kind === 'rotation').length,
  revocations: marks.filter(({ kind }) => kind === 'revocation').length,
  incidents: marks.filter(({ kind }) => kind === 'incident').length,
});

/** In one sentence. */
function foundIn(page: Page): string {
  const { rotations, incidents, risks } = summaryOf(page);
  const counts = [counted(rotations, 'rotation'), counted(incidents, 'incident')].join(' and ');
  const whole = page.isWhole ? '' : ', as far as the history could be read';
  return `${page.sentence} ${counts} since ${formatInstant(page.since)}${whole}; ${counted(risks, 'risk')}.`;
}

export const reportCommand = (terminal: Terminal): Command =>
  withCommonOptions(new Command('report'))
    .summary('write a page of how everything is, and was')
    .description(
      'Write one HTML file that shows how every token, database and schedule is, a timeline of what was done to each token, and what is a risk. Changes nothing else.',
    )
    .requiredOption('--html <file>', 'the page to write, or "-" for standard output')
    .option(
      '--since <when>',
      `where the timeline begins: a duration or an instant (default: ${USUAL})`,
      readSince,
    )
    .option('--no-probe', 'do not ask the cluster about the strings of consumers')
    .addHelpText('after', HELP)
    .action(async (options: ReportOptions) => {
      const isPrinted = options.html === STDOUT;
      if (isPrinted && options.json) {
        throw new CommandError('--json says what was written to a file; name one in place of "-"');
      }
      const write = isPrinted ? terminal.print : openPlace(options.html);
      const { page, exitCode } = await look(options, terminal);
      const { pageHtml } = await import('./report/page-html.ts');
      write(pageHtml(page, terminal.clean));
      process.exitCode = exitCode;
      if (isPrinted) return;
      const { verdict, since, isWhole } = page;
      if (options.json) {
        const file = resolve(options.html);
        terminal.printJson({
          ...{ file, verdict, since: formatInstant(since), complete: isWhole },
          ...summaryOf(page),
        });
        return;
      }
      terminal.print(`wrote ${options.html}`);
      terminal.print(wrapped(foundIn(page), terminal.style, ''));
    });
