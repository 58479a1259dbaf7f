import { Command, InvalidArgumentError, Option } from 'commander';
import { SCHEDULED, type ScheduledJob, scheduleName } from '../../functions/environment.ts';
import type { Policy } from '../../functions/policy/policy.ts';
import { createScheduleReader } from '../../functions/schedules/reader.ts';
import type { ScheduleStatus } from '../../functions/schedules/schedule-status.ts';
import { formatInstant } from '../../functions/time.ts';
import { type PlanReport, readPlanReport, readRotation, withWholePlan } from './answers.ts';
import { type CommonOptions, openEngine, withCommonOptions } from './common-options.ts';
import type { Engine } from './engine.ts';
import { CommandError, EXIT, kindOf, sentenceOf } from './failure.ts';
import type { Looks } from './looks.ts';
import { exitCodeOf, type Status, statusOf } from './status-report.ts';
import { formatStatus, statusJson } from './status-text.ts';
import { wrapped } from './table.ts';
import type { Terminal } from './terminal.ts';
import { InterruptedError, untilStopped } from './waiting.ts';

interface StatusOptions extends CommonOptions {
  readonly probe: boolean;
  /** Seconds; true: the option alone. */
  readonly watch?: number | true;
}

/** What the functions say of their schedules, and of the others what one's own credentials let one see. */
async function scheduleStates(
  { owner }: Policy,
  reports: readonly PlanReport[],
): Promise<readonly ScheduleStatus[]> {
  const told = reports.flatMap(({ schedule }) => schedule ?? []);
  const { read } = createScheduleReader();
  const states = SCHEDULED.map((job) => scheduleName(owner, job)).map((name) => {
    const known = told.find((each) => each.name === name && each.state !== 'unknown');
    return known ?? read(name).catch((): ScheduleStatus => ({ name, state: 'unknown' }));
  });
  return await Promise.all(states);
}

type Opened = Pick<ReturnType<typeof openEngine>, 'policy' | 'mark' | 'engine'> & {
  readonly isLocal?: boolean;
};

/** A function of an earlier version does not know the key. */
const isOlder = (error: unknown) =>
  kindOf(error) === 'RequestError' && sentenceOf(error).includes('unknown key probe');

/** Why a function could not be asked. It says nothing about what the others see. */
function failed(error: unknown): Error {
  if (error instanceof InterruptedError) throw error;
  const hint = isOlder(error)
    ? '; the deployed function is of an earlier version: deploy the stack, or use --no-probe'
    : '';
  return new CommandError(`${sentenceOf(error)}${hint}`, { cause: error });
}

/** The cluster did not do what it was asked for, or there was no management token to ask it with. */
const OF_CLUSTER = [
  'InfluxError',
  'ManagementTokenError',
  'RefusedClientError',
  'AbsentTokenError',
  'MisshapenTokenError',
];

const isOfCluster = (error: unknown): boolean =>
  OF_CLUSTER.includes(kindOf(error)) || (error instanceof Error && isOfCluster(error.cause));

/** @throws the error of the first job if no job can be asked, and not for the cluster's sake */
async function look(engine: Engine, { probe }: Pick<StatusOptions, 'probe'>): Promise<Looks> {
  const ask = async <Report extends PlanReport>(
    job: ScheduledJob,
    event: object,
    read: (answer: unknown) => Report,
  ) => withWholePlan(read(await engine.call(job, { dryRun: true, ...event })), engine.placeOf(job));
  const [rotate, reap, enforce] = await Promise.allSettled([
    ask('rotate', probe ? { probe } : {}, readRotation),
    ask('reap', {}, readPlanReport),
    ask('enforce', {}, readPlanReport),
  ]);
  const refusals = [rotate, reap, enforce].flatMap((each) =>
    each.status === 'rejected' ? [each.reason] : [],
  );
  const isNoneAsked = refusals.length === SCHEDULED.length;
  if (isNoneAsked && !refusals.every(isOfCluster)) throw refusals[0];
  return {
    rotate: rotate.status === 'fulfilled' ? rotate.value : failed(rotate.reason),
    reap: reap.status === 'fulfilled' ? reap.value : failed(reap.reason),
    enforce: enforce.status === 'fulfilled' ? enforce.value : failed(enforce.reason),
  };
}

/** @throws the error of the first function if none can be asked: not for the cluster's sake alone, or AWS does not answer either */
export async function statusNow(
  { policy, mark, engine, isLocal = false }: Opened,
  options: Pick<StatusOptions, 'probe'>,
): Promise<Status> {
  const looks = await look(engine, options);
  const found = Object.values(looks);
  const reports = found.filter((each) => !(each instanceof Error));
  const schedules = await scheduleStates(policy, reports);
  // Without an answer of anybody there is nothing to show.
  const isAwsSeen = schedules.some(({ state }) => state !== 'unknown');
  if (reports.length === 0 && !isAwsSeen) throw found[0];
  return statusOf({ policy, ...(mark && { mark }), isLocal }, looks, schedules, Date.now());
}

/** In seconds; every look asks the whole cluster. */
const WATCH = { usual: 60, least: 5, most: 86_400 };

function readSeconds(text: string): number {
  const seconds = Number(text);
  if (Number.isInteger(seconds) && seconds >= WATCH.least && seconds <= WATCH.most) return seconds;
  throw new InvalidArgumentError(`expected seconds, from ${WATCH.least} to ${WATCH.most}.`);
}

const HELP = `
STATE is what the systems of record say (docs/glossary.md, "Conditions of an entry"). STRING is
what the cluster says of the string that consumers have now: it is asked for all that the entry
grants, writes nothing, and takes two minutes at most. What was not asked in time says so.

Exit code, for monitoring:
  0  everything was looked at and is well
  6  something is not well: a token, a database, a schedule that is off, a part of a plan that
     was refused, a management token that expires within 14 days or that no run can use
  7  nothing bad was seen, and not everything could be looked at (always so with --no-probe),
     or a function was deployed with another policy than the file
  1  an error: nothing could be looked at, neither the cluster nor AWS

Examples:
  keyturn status
  keyturn status --watch          # again every ${WATCH.usual} seconds, until Ctrl-C
  keyturn status --local --json`;

export const statusCommand = (terminal: Terminal): Command =>
  withCommonOptions(new Command('status'))
    .summary('show how everything is: tokens, databases, schedules')
    .description(
      'Show what the consumers of every token in the policy have now and whether the cluster accepts it, when it is rotated and when it expires, ' +
        'what waits for an approval, and how databases, schedules and the management token are. Changes nothing.',
    )
    .option('--no-probe', 'do not ask the cluster about the strings of consumers')
    .addOption(
      new Option(
        '--watch [seconds]',
        `look again and again, every ${WATCH.usual} seconds unless told otherwise`,
      )
        .argParser(readSeconds)
        .conflicts('json'),
    )
    .addHelpText('after', HELP)
    .action(async (options: StatusOptions) => {
      const opened = openEngine(options, terminal);
      const { policy, json } = opened;
      const show: Show = async (begin) => {
        const status = await statusNow(opened, options);
        begin?.();
        process.exitCode = exitCodeOf(status);
        if (json) return terminal.printJson(statusJson(status, policy));
        return terminal.print(formatStatus(status, terminal.style, Date.now()));
      };
      const { watch } = options;
      if (watch === undefined) await show();
      else await repeat(show, watch === true ? WATCH.usual : watch, terminal);
    });

/** @param begin is called when everything is known, before it is printed */
type Show = (begin?: () => void) => Promise<void>;

/** Shows it again and again on an empty screen, until Ctrl-C or until nobody reads it. A look that fails is told, and the next one may succeed. */
function repeat(show: Show, seconds: number, terminal: Terminal): Promise<void> {
  const begin = () => {
    terminal.clear();
    const now = formatInstant(Date.now());
    terminal.print(terminal.style('dim', `${now}, again every ${seconds} s; Ctrl-C ends it`));
  };
  const look = async () => {
    try {
      await show(begin);
    } catch (error) {
      if (!(error instanceof Error) || error instanceof InterruptedError) throw error;
      begin();
      process.exitCode = EXIT.failed;
      terminal.print(terminal.style('red', wrapped(sentenceOf(error), terminal.style, '')));
    }
    // It is known when it is written: whoever read it is gone.
    await terminal.flushed();
    return !terminal.isCut;
  };
  return untilStopped(look, seconds * 1_000);
}
