import { Command } from 'commander';
import { SCHEDULED, scheduleName } from '../../functions/environment.ts';
import { OWNER_NAME } from '../../functions/policy/names.ts';
import type { Policy } from '../../functions/policy/policy.ts';
import { CANNOT_TAKE_OVER } from '../../functions/rotation/plan/plan-takeover.ts';
import { createScheduleReader } from '../../functions/schedules/reader.ts';
import type { ScheduleStatus } from '../../functions/schedules/schedule-status.ts';
import { formatInstant, LONGEST_RUN_MS, MINUTE_MS } from '../../functions/time.ts';
import { type PlanReport, readPlanReport } from './answers.ts';
import { type CommonOptions, openEngine, withCommonOptions } from './common-options.ts';
import { NotDeployedError } from './comparing-policies.ts';
import type { Engine } from './engine.ts';
import { CommandError, EXIT } from './failure.ts';
import { refuseUnknownTokens } from './named-tokens.ts';
import { requesterName } from './operator.ts';
import { findingText, formatOutcomes, printConfirmed } from './plan-text.ts';
import type { Terminal } from './terminal.ts';

interface TakeoverOptions extends CommonOptions {
  readonly all?: true;
  readonly by?: string;
  readonly confirm?: true;
  readonly dryRun?: true;
  readonly from?: string;
  readonly stopped?: true;
}

/** @throws CommandError if nothing is named, or what the policy does not have */
function namesOf(
  named: readonly string[],
  { all, policy: file }: TakeoverOptions,
  policy: Policy,
): readonly string[] {
  if (named.length > 0 === (all === true)) {
    throw new CommandError(
      'found no token to take over, or both names and --all, expected the names of tokens in the policy, or --all; nothing was done',
    );
  }
  refuseUnknownTokens(named, policy, file);
  return all ? policy.tokens.map(({ name }) => name) : named;
}

const UNCONFIRMED =
  'found no --confirm, expected it, because two deployments that both rotate these secrets end their tokens under each other’s consumers; stop the other one, and give --confirm, or --dry-run to see what would be taken over. Nothing was done';

function refuseNoOwner(from: string): void {
  if (OWNER_NAME.test(from)) return;
  throw new CommandError(
    `found --from ${JSON.stringify(from)}, expected an owner as a policy names it; correct it. Nothing was done`,
  );
}

/**
 * Two deployments that both take a token for theirs retire it under each other's consumers.
 * @throws CommandError if a schedule of the other one is on, or nobody knows, or it was stopped so late that its last run
 * may not be over, as far as this account and Region show
 */
async function refuseLiveDeployment(from: string): Promise<void> {
  const { read } = createScheduleReader();
  const missing: string[] = [];
  for (const name of SCHEDULED.map((job) => scheduleName(from, job))) {
    const status = await read(name).catch(String);
    if (typeof status === 'string' || status.state === 'unknown') {
      const why = typeof status === 'string' ? status : 'its state is unknown';
      throw new CommandError(
        `found no answer about the schedule ${name} (${why}), expected it to be off: the deployment "${from}" may go on rotating these secrets; use credentials that may read it (scheduler:GetSchedule), or, if you know that it is stopped since 15 minutes, add --stopped. Nothing was done`,
      );
    }
    refuseLiveSchedule(status, from);
    if (status.state === 'missing') missing.push(name);
  }
  if (missing.length === 0) return;
  throw new CommandError(
    `found no ${missing.join(', ')} here, expected schedules that are off for 15 minutes: the deployment "${from}" is destroyed, and nothing shows since when, or it is in another account or Region, where nothing shows whether it is stopped; if you know that its last run is over, which takes 15 minutes, add --stopped. Nothing was done`,
  );
}

/**
 * A note of `keyturn pause` stays where a person starts the schedule by hand and stops it again, so it may be older than the last stop.
 * EventBridge keeps one instant, that of the last change of anything: the last stop was not after it.
 */
function refuseLiveSchedule({ name, state, since, lastChanged }: ScheduleStatus, from: string) {
  if (state === 'on') {
    throw new CommandError(
      `found the schedule ${name} on, expected the deployment "${from}" paused or destroyed: it would go on rotating these secrets; stop it (keyturn pause --policy <its file>), wait until its last run is over (15 minutes), and repeat this command. Nothing was done`,
    );
  }
  if (state !== 'off') return;
  if (lastChanged === undefined) {
    throw new CommandError(
      `found no instant since which the schedule ${name} is off, expected it off for 15 minutes: a run of the deployment "${from}" may be under way; if you know that it is stopped since 15 minutes, add --stopped. Nothing was done`,
    );
  }
  const overAt = Date.parse(lastChanged) + LONGEST_RUN_MS;
  if (Date.now() >= overAt) return;
  if (since !== undefined && Date.parse(lastChanged) - Date.parse(since) > MINUTE_MS) {
    throw new CommandError(
      `found the schedule ${name} last changed at ${lastChanged}, though its note says that it was paused at ${since}, expected no change for 15 minutes: it may have been on until then, and a run of the deployment "${from}" may be under way; repeat this command after ${formatInstant(overAt)}, or, if you know that it was off all the time, add --stopped. Nothing was done`,
    );
  }
  const stoppedAt = since ?? lastChanged;
  throw new CommandError(
    `found the schedule ${name} off only since ${stoppedAt}, expected it off for 15 minutes: a run of the deployment "${from}" may be under way, and end what this command takes over; repeat it after ${formatInstant(overAt)}. Nothing was done`,
  );
}

/** What was planned and is not done, though nothing failed. */
const UNDONE: Partial<Record<string, string>> = {
  skipped: 'the secret, or a token of it, was changed meanwhile',
  postponed: 'too little time was left',
};

function undoneIn({ outcomes = [] }: PlanReport): string[] {
  const results = new Set(outcomes.map(({ result }) => result));
  return Object.entries(UNDONE).flatMap(([result, why]) =>
    results.has(result) ? [`${result}: ${why}; repeat the command`] : [],
  );
}

const answerOf = ({ plan, ...report }: PlanReport): string =>
  [
    ...(report.outcomes?.length ? [formatOutcomes({ plan, ...report })] : []),
    ...undoneIn({ plan, ...report }),
    ...plan.findings.map(findingText),
  ].join('\n');

/** What a takeover was asked for, and whether it is for all entries: one that is not deployed yet then keeps back none of the others. */
interface Takeover {
  readonly event: { readonly tokens: readonly string[] };
  readonly all: boolean;
}

/** @throws NotDeployedError if a named token, or none of all, is in the policy of the function */
async function takeOver(
  { event, all }: Takeover,
  engine: Engine,
  terminal: Terminal,
): Promise<{ readonly report: PlanReport; readonly isAll: boolean }> {
  try {
    return { report: readPlanReport(await engine.call('rotate', event)), isAll: true };
  } catch (error) {
    if (!(error instanceof NotDeployedError) || !all) throw error;
    const { why, tokens: lacking } = error;
    const tokens = event.tokens.filter((name) => !lacking.includes(name));
    if (tokens.length === 0) throw error;
    terminal.note(`${why}; not taken over: ${lacking.join(', ')}`);
    const answer = await engine.call('rotate', { ...event, tokens });
    return { report: readPlanReport(answer), isAll: false };
  }
}

/** Whether all that was named is ours now, or would be. */
const isWhole = ({ plan, outcomes = [] }: PlanReport): boolean =>
  outcomes.every(({ result }) => result === 'done') &&
  plan.findings.every(({ kind }) => kind !== CANNOT_TAKE_OVER);

export const takeoverCommand = (terminal: Terminal): Command =>
  withCommonOptions(new Command('takeover'))
    .summary('make tokens ours again after a secret, or a deployment, has moved')
    .description(
      'Make secrets and the tokens that they hold this deployment’s again: after a replica was promoted in another Region, ' +
        'a secret was made anew from a backup, or the owner in the policy changed. Their strings and permissions stay as they are.',
    )
    .argument('[name...]', 'tokens, by name in the policy')
    .option('--all', 'all tokens of the policy')
    .option('--from <owner>', 'the owner that the secrets had, if it was another one')
    .option(
      '--stopped',
      'you know that the deployment in --from is stopped: do not ask for its schedules',
    )
    .option(
      '--confirm',
      'you know that no other deployment rotates these secrets; needed without --dry-run',
    )
    .option('--by <who>', 'who confirms it, for the log and the event (default: you)')
    .option('--dry-run', 'show what would be taken over; change nothing')
    .addHelpText(
      'after',
      `
First stop the deployment that these secrets had: keyturn pause, or destroy its stack, and wait 15 minutes. Two
deployments that both take a token for theirs end it under each other's consumers. Then repeat this command until it
says that everything is ours: it goes on where an earlier one stopped.

Examples:
  keyturn takeover --all --confirm                          # in the Region where the replicas were promoted
  keyturn takeover telegraf --from oldname --confirm        # after owner was changed
  keyturn takeover --all --from oldname --stopped --confirm # and its stack destroyed`,
    )
    .action(async (named: readonly string[], options: TakeoverOptions) => {
      const { by = requesterName(), confirm, dryRun = false, from, stopped = false } = options;
      if (!confirm && !dryRun) throw new CommandError(UNCONFIRMED);
      const { engine, json, policy } = openEngine(options, terminal);
      const tokens = namesOf(named, options, policy);
      const isOther = from !== undefined && from !== policy.owner;
      if (isOther) refuseNoOwner(from);
      if (isOther && !dryRun && !stopped) await refuseLiveDeployment(from);
      const event = { tokens, takeOver: { by, ...(from !== undefined && { from }) }, dryRun };
      const asked = { event, all: options.all === true };
      const { report, isAll } = await takeOver(asked, engine, terminal);
      printConfirmed(report, { json, dryRun }, answerOf, terminal);
      process.exitCode = isAll && isWhole(report) ? EXIT.done : EXIT.failed;
    });
