import { Command } from 'commander';
import { redact } from '../../functions/credentials.ts';
import type { Policy } from '../../functions/policy/policy.ts';
import { counted } from '../../functions/run/counted.ts';
import type { PauseNote } from '../../functions/schedules/pause-note.ts';
import { formatState } from '../../functions/schedules/schedule-text.ts';
import { formatInstant, MINUTE_MS } from '../../functions/time.ts';
import { readDeployedPolicyFile } from '../../lib/policy-file.ts';
import { nextFiring } from '../../lib/schedule/gaps.ts';
import { jsonOption, onePolicyFile, policyOption } from './common-options.ts';
import { confirmByTyping, readReason } from './confirm.ts';
import { CommandError } from './failure.ts';
import { callerName, createScheduler, type Scheduler } from './scheduler.ts';
import {
  isToDo,
  lookAtAll,
  messageOf,
  type Seen,
  type Switched,
  switchAll,
  type Way,
} from './switch-schedules.ts';
import { formatTable } from './table.ts';
import type { Style, Terminal } from './terminal.ts';
import { SCHEDULER, whileWaiting } from './waiting.ts';

interface SwitchOptions {
  readonly policy: string;
  readonly json?: true;
  readonly reason?: string;
  readonly yes?: true;
  readonly dryRun?: true;
}

const WHAT_PAUSE_MEANS = `
A run that has begun goes on to its end, 15 minutes at most, and an invocation that is under way still arrives. Then nothing
is rotated, retired or corrected until keyturn resume, and tokens that expire are not replaced. Commands work as before, and
so does Secrets Manager's own rotation. The alarms "A function is not running" ring meanwhile, as they should.`;

/** `rate(30 minutes)`, `cron(0 3 * * ? *) Europe/Berlin` */
const expressionOf = ({ found }: Seen): string => {
  const { ScheduleExpression = '', ScheduleExpressionTimezone: zone } = found ?? {};
  return ScheduleExpression.startsWith('cron')
    ? `${ScheduleExpression} ${zone ?? 'UTC'}`
    : ScheduleExpression;
};

const stateOf = ({ status, error }: Seen) =>
  `${formatState(status)}${error === undefined ? '' : `: ${messageOf(error)}`}`;

export const formatSeen = (seen: readonly Seen[], style: Style) =>
  formatTable(
    ['SCHEDULE', 'FIRES', 'STATE'],
    seen.map((each) => ({ cells: [each.status.name, expressionOf(each), stateOf(each)] })),
    style,
  );

/** `fires next at 2026-01-31T03:00:00Z`, `fires within 30 minutes`; of a flexible window, at its end. */
function nextOf({ found }: Seen, now: number): string {
  const { ScheduleExpression = '', ScheduleExpressionTimezone = 'UTC' } = found ?? {};
  const window = found?.FlexibleTimeWindow?.MaximumWindowInMinutes ?? 0;
  const [, period] = /^rate\((.*)\)$/.exec(ScheduleExpression) ?? [];
  const later = window > 0 ? `, and up to ${counted(window, 'minute')}` : '';
  if (period !== undefined) return `fires within ${period}${later}`;
  const next = nextFiring(ScheduleExpression, ScheduleExpressionTimezone, now);
  if (next === undefined) return '';
  const until = window > 0 ? ` to ${formatInstant(next + window * MINUTE_MS)}` : '';
  return `fires next at ${formatInstant(next)}${until}`;
}

function outcomeOf(each: Switched, now: number): string {
  const { result, status, error } = each;
  if (result === 'started') return nextOf(each, now);
  if (result === 'missing') return 'there is no such schedule in this account and Region';
  if (result === 'failed') return `it is ${formatState(status)}: ${messageOf(error)}`;
  const noted = each.unnoted ? '; its description has no room to say who did it' : '';
  return `it is ${formatState(status)}${noted}`;
}

export const formatSwitched = (switched: readonly Switched[], style: Style, now: number) =>
  formatTable(
    ['SCHEDULE', 'RESULT', 'NOW'],
    switched.map((each) => ({ cells: [each.status.name, each.result, outcomeOf(each, now)] })),
    style,
  );

function asJson(each: Seen & Partial<Switched>, now: number) {
  const { status, found, result, error } = each;
  const next =
    status.state === 'on' && found
      ? nextFiring(found.ScheduleExpression ?? '', found.ScheduleExpressionTimezone ?? 'UTC', now)
      : undefined;
  return {
    ...status,
    expression: found?.ScheduleExpression,
    timeZone: found?.ScheduleExpressionTimezone,
    result,
    ...(next !== undefined && { nextFiring: formatInstant(next) }),
    ...(error !== undefined && { error: messageOf(error) }),
  };
}

/** Says which are not as they should be; repeating the command does what is left. */
function refuseUnfinished(way: Way, switched: readonly Switched[]): void {
  const failed = switched.filter(({ result }) => result === 'failed' || result === 'missing');
  if (failed.length === 0) return;
  const names = failed.map(({ status }) => status.name).join(', ');
  const wanted = way === 'pause' ? 'off' : 'on';
  throw new CommandError(
    `${switched.length - failed.length} of ${switched.length} schedules are ${wanted}, not seen so: ${names}; mend the cause, then repeat the command, which does what is left`,
  );
}

/** The note for a pause: it stays in the schedules' descriptions until they are resumed. */
async function noteOf(options: SwitchOptions, terminal: Terminal): Promise<PauseNote> {
  const reason = await readReason(options.reason, terminal);
  if (redact(reason) !== reason) {
    throw new CommandError(
      'found something like a token string in the reason, expected words; nothing was done. ' +
        'Who may read the schedules would read it: if it has leaked, give it to keyturn revoke --leaked, which asks for it',
    );
  }
  const by = await callerName().catch((error: unknown) => {
    terminal.note(`Who you are is not known to AWS (${messageOf(error)}); the note says "unknown"`);
    return 'unknown';
  });
  return { at: formatInstant(Date.now()), by, reason };
}

async function carryOut(
  way: Way,
  seen: readonly Seen[],
  { owner }: Policy,
  options: SwitchOptions & { readonly scheduler: Scheduler; readonly terminal: Terminal },
): Promise<readonly Switched[]> {
  const { scheduler, terminal } = options;
  // What is to do is known; without a note, the second look would find nothing else to do either.
  if (!seen.some((each) => isToDo(each, way))) {
    return seen.map((each) => ({
      ...each,
      result: each.status.state === 'missing' ? 'missing' : 'unchanged',
    }));
  }
  const what = way === 'pause' ? 'Stop the schedules' : 'Start the schedules';
  terminal.note(`${what} of ${owner}:\n\n${formatSeen(seen, terminal.noteStyle)}`);
  if (way === 'pause') terminal.note(WHAT_PAUSE_MEANS);
  const note = way === 'pause' ? await noteOf(options, terminal) : undefined;
  if (!options.yes) await confirmByTyping(owner, '--yes', terminal);
  const stamped = note && { ...note, at: formatInstant(Date.now()) };
  // One that was interrupted is told beside those that were changed.
  return await switchAll(seen, stamped, scheduler, (work) =>
    whileWaiting(terminal, { place: SCHEDULER, isLook: false }, work),
  );
}

async function run(way: Way, options: SwitchOptions, terminal: Terminal): Promise<void> {
  const { policy } = readDeployedPolicyFile(onePolicyFile(options.policy));
  if (way === 'resume' && policy.schedules.paused) {
    throw new CommandError(
      `found schedules.paused: true in ${options.policy}, expected false; nothing was done. Remove it there and deploy, which starts the schedules`,
    );
  }
  const scheduler = createScheduler();
  const seen = await whileWaiting(terminal, { place: SCHEDULER, isLook: true }, () =>
    lookAtAll(policy, scheduler),
  );
  const print = (all: readonly (Seen & Partial<Switched>)[], text: string) => {
    const now = Date.now();
    if (!options.json) return terminal.print(text);
    terminal.printJson({
      owner: policy.owner,
      schedules: all.map((each) => asJson(each, now)),
    });
  };
  if (options.dryRun) return print(seen, formatSeen(seen, terminal.style));
  const switched = await carryOut(way, seen, policy, { ...options, scheduler, terminal });
  print(switched, formatSwitched(switched, terminal.style, Date.now()));
  refuseUnfinished(way, switched);
}

const withSwitchOptions = (command: Command): Command =>
  command
    .addOption(policyOption())
    .addOption(jsonOption())
    .option('--yes', 'do not ask for confirmation; for scripts')
    .option('--dry-run', 'show the schedules and their state; change nothing');

export const pauseCommand = (terminal: Terminal): Command =>
  withSwitchOptions(new Command('pause'))
    .summary('stop all schedules of the policy’s owner, without a deploy')
    .description(
      'Stop the schedules of rotate, reap and enforce, until resume. Who did it, when and why is kept in their descriptions. ' +
        'Shows the schedules and asks for confirmation first. Repeat the command if it could not stop all of them.',
    )
    .option(
      '--reason <text>',
      'the reason, which the schedules’ descriptions keep; required in scripts',
    )
    .addHelpText(
      'after',
      `${WHAT_PAUSE_MEANS}

A deploy starts a schedule again only if that schedule has changed in the policy.

Examples:
  keyturn pause --reason "tokens vanish, nobody knows why"
  keyturn pause --dry-run --json      # what the schedules are now`,
    )
    .action((options: SwitchOptions) => run('pause', options, terminal));

export const resumeCommand = (terminal: Terminal): Command =>
  withSwitchOptions(new Command('resume'))
    .summary('start them again')
    .description(
      'Start the schedules of rotate, reap and enforce again, whoever stopped them, and give them their descriptions back. ' +
        'Shows the schedules and asks for confirmation first. Repeat the command if it could not start all of them.',
    )
    .addHelpText('after', '\nExamples:\n  keyturn resume\n  keyturn resume --yes')
    .action((options: SwitchOptions) => run('resume', options, terminal));
