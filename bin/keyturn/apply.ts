import { Command } from 'commander';
import { SCHEDULED, type ScheduledJob } from '../../functions/environment.ts';
import { offNote } from '../../functions/schedules/schedule-text.ts';
import { advised } from './advice.ts';
import { type Action, isRefused, type PlanReport, readPlanReport } from './answers.ts';
import { type CommonOptions, openEngine, withCommonOptions } from './common-options.ts';
import { confirmByTyping } from './confirm.ts';
import type { Engine } from './engine.ts';
import { CommandError, EXIT, kindOf, sentenceOf } from './failure.ts';
import {
  failureJson,
  failureLine,
  isFailed,
  type JobResult,
  lookAt,
  lookAtAll,
  reportsOf,
} from './look-at-jobs.ts';
import { jobOption } from './plan.ts';
import { actionText, findingsOf, formatOutcomes, formatPlan } from './plan-text.ts';
import type { Terminal } from './terminal.ts';
import { hasBegun, InterruptedError } from './waiting.ts';

interface ApplyOptions extends CommonOptions {
  readonly approve?: string;
  readonly job?: ScheduledJob;
  readonly yes?: true;
}

/** A run that would do nothing and fail says why, as its schedule's would. */
const nothingToDo = ({ plan }: PlanReport) =>
  plan.actions.length === 0 && findingsOf(plan).failing.length === 0;

/** Exactly what was refused, and the rest of its plan with it. */
async function approved(
  approve: string,
  jobs: readonly ScheduledJob[],
  { engine, isLocal }: Pick<ReturnType<typeof openEngine>, 'engine' | 'isLocal'>,
): Promise<PlanReport> {
  const looks = await lookAtAll(jobs, engine);
  const plans = reportsOf(looks).map(({ plan }) => plan);
  const plan = plans.find(({ refusals }) => refusals.some(({ hash }) => hash === approve));
  if (plan) return readPlanReport(await engine.call(plan.job, { approve }));
  const failed = looks.filter(isFailed);
  const [only] = failed;
  if (only && failed.length === looks.length) throw only.error;
  const found = plans.flatMap(({ job, refusals }) => refusals.map(({ hash }) => `${job} ${hash}`));
  const unseen = failed.map(({ job, error }) => `; ${job} was not seen: ${sentenceOf(error)}`);
  const advice = only
    ? 'nothing was done; repeat the command when all can be looked at, or name the job (--job)'
    : `what is refused has changed: read it again (${advised('keyturn plan', isLocal)}) and approve its new hash`;
  throw new CommandError(
    `found ${found.join(', ') || 'nothing refused'}, expected ${approve}${unseen.join('')}; ${advice}`,
  );
}

const NOTHING = 'nothing to do';

const jobsOf = ({ job }: ApplyOptions) => (job ? [job] : SCHEDULED);

/** An action by what it does to what. Why may change without that. */
const effectOf = (action: Action) => JSON.stringify({ ...action, reason: '' });

/** What a run would do of a plan: without what waits for an approval. */
const doable = ({ plan }: PlanReport) => plan.actions.filter((_, index) => !isRefused(plan, index));

/** Of these actions, those that a person has not seen in the plan. */
function unseenOf(actions: readonly Action[], shown: PlanReport): readonly string[] {
  const seen = new Set(doable(shown).map(effectOf));
  return actions.filter((action) => !seen.has(effectOf(action))).map(actionText);
}

/** @throws CommandError if a run would now do more than what a person has confirmed */
async function refuseUnseen(shown: PlanReport, engine: Engine): Promise<void> {
  const { job } = shown.plan;
  const unseen = unseenOf(doable(await lookAt(job, engine)), shown);
  if (unseen.length === 0) return;
  throw new CommandError(
    `its plan has changed since it was shown, and has now also: ${unseen.join('; ')}. Nothing of it was done; repeat the command and read it again`,
  );
}

/** A run may have seen more than the look right before it. */
function noteUnseen(
  { plan: { job }, outcomes = [] }: PlanReport,
  shown: PlanReport,
  terminal: Terminal,
) {
  const ran = outcomes.filter(({ result }) => !['skipped', 'postponed', 'held'].includes(result));
  const unseen = unseenOf(
    ran.map(({ action }) => action),
    shown,
  );
  if (unseen.length > 0) {
    terminal.note(`${job}: its run found more than the plan that was shown: ${unseen.join('; ')}`);
  }
}

const notBegun = () => new CommandError('its run was not begun; nothing of it was done');

interface Applying {
  readonly engine: Engine;
  readonly terminal: Terminal;
  readonly json: boolean;
  /** A person has confirmed what was shown: more than that is not done. */
  readonly isConfirmed: boolean;
}

/**
 * The runs that the schedules would start, one after the other. One that fails stops no other; after Ctrl-C no other is begun.
 * @throws InterruptedError if no run was begun
 */
async function applyAll(
  looks: readonly PlanReport[],
  { engine, terminal, json, isConfirmed }: Applying,
): Promise<readonly JobResult[]> {
  const ended: JobResult[] = [];
  let isInterrupted = false;
  for (const shown of looks) {
    const { job } = shown.plan;
    try {
      if (isInterrupted) throw notBegun();
      if (isConfirmed) await refuseUnseen(shown, engine);
      const report = readPlanReport(await engine.call(job, {}));
      ended.push({ job, report });
      if (!json) terminal.print(formatApplied(report, terminal.hasPrinted));
      if (isConfirmed) noteUnseen(report, shown, terminal);
    } catch (error) {
      isInterrupted ||= error instanceof InterruptedError;
      if (isInterrupted && !hasBegun()) throw error;
      terminal.note(failureLine({ job, error }));
      ended.push({ job, error });
    }
  }
  return ended;
}

/** Of each job its report, or why there is none. */
const inJson = (each: JobResult) =>
  isFailed(each) ? failureJson(each) : { job: each.job, ...each.report };

const HELP = `
Without --approve it does now what the schedules would do next: it shows the plan of keyturn plan and
asks first. Right before each run it looks again: a job whose plan has got more than you confirmed is not
run. What a limit refuses waits, and the exit code is 4. --yes confirms whatever the runs find.

Examples:
  keyturn apply --job enforce
  keyturn apply --yes
  keyturn plan
  keyturn apply --approve 5f0c9a2e11d0b7aa`;

export const applyCommand = (terminal: Terminal): Command =>
  withCommonOptions(new Command('apply'))
    .summary('do now what keyturn plan shows, or what a plan refused')
    .description(
      'Run rotate, reap and enforce now, as their schedules would. With --approve, apply what a plan refused, if exactly that is still refused, and the rest of that plan with it.',
    )
    .option('--approve <hash>', 'hash of the refusal; the error and keyturn plan show it')
    .option('--yes', 'do not ask for confirmation; for scripts')
    .addOption(
      jobOption('only this job (with --approve: the job that made the plan; default: by the hash)'),
    )
    .addHelpText('after', HELP)
    .action((options: ApplyOptions) =>
      options.approve === undefined
        ? applyPlans(options, terminal)
        : applyApproved(options.approve, options, terminal),
    );

async function applyApproved(approve: string, options: ApplyOptions, terminal: Terminal) {
  const opened = openEngine(options, terminal);
  const report = await approved(approve, jobsOf(options), opened);
  const note = offNote(report.schedule);
  if (note) terminal.note(note);
  if (opened.json) terminal.printJson(report);
  else terminal.print(formatOutcomes(report));
}

async function applyPlans(options: ApplyOptions, terminal: Terminal) {
  const { engine, json, policy, isLocal } = openEngine(options, terminal);
  const jobs = jobsOf(options);
  const looked = await lookAtAll(jobs, engine);
  const unseen = looked.filter(isFailed);
  for (const each of unseen) terminal.note(failureLine(each));
  const looks = reportsOf(looked).filter((each) => !nothingToDo(each));
  const isConfirmed = looks.length > 0 && !options.yes;
  if (isConfirmed) {
    const now = Date.now();
    const approval = advised('keyturn apply', isLocal);
    const shown = looks.map((each) => formatPlan(each, approval, terminal.noteStyle, now));
    terminal.note(shown.join('\n\n'));
    const hint = `. Read what ${advised('keyturn plan', isLocal)} says first`;
    await confirmByTyping(policy.owner, '--yes', terminal, hint);
  }
  const ran = await applyAll(looks, { engine, terminal, json, isConfirmed });
  const all = [...unseen, ...ran].toSorted((a, b) => jobs.indexOf(a.job) - jobs.indexOf(b.job));
  if (json) terminal.printJson(all.map(inJson));
  else if (all.length === 0) terminal.print(NOTHING);
  refuseUnfinished(all);
}

/** @throws CommandError that names every job that failed */
function refuseUnfinished(all: readonly JobResult[]): void {
  const failures = all.filter(isFailed);
  if (failures.length === 0) return;
  const isAllRefused = failures.every(({ error }) => kindOf(error) === 'PlanRefusedError');
  const names = failures.map(({ job }) => job).join(', ');
  const others = failures.length < all.length ? '; the other runs did their work' : '';
  throw new CommandError(
    `not everything was done (${names}): what it says above tells why${others}`,
    { exitCode: isAllRefused ? EXIT.refused : EXIT.failed },
  );
}

const formatApplied = (report: PlanReport, isAfterOthers: boolean): string =>
  [`${isAfterOthers ? '\n' : ''}${report.plan.job}:`, ...formatOutcomes(report).split('\n')].join(
    '\n  ',
  );
