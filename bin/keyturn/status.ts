import { Command } from 'commander';
import { SCHEDULED, scheduleName } from '../../functions/environment.ts';
import type { Policy } from '../../functions/policy/policy.ts';
import { createScheduleReader } from '../../functions/schedules/reader.ts';
import type { ScheduleStatus } from '../../functions/schedules/schedule-status.ts';
import { warningOf } from '../../functions/schedules/schedule-text.ts';
import { formatInstant } from '../../functions/time.ts';
import {
  type Action,
  type Entry,
  isRefused,
  type PlanReport,
  readPlanReport,
  readRotation,
} from './answers.ts';
import { type CommonOptions, openEngine, withCommonOptions } from './common-options.ts';
import { formatCondition, formatPending, fromNow } from './entry-text.ts';
import { formatTable } from './table.ts';
import type { Terminal } from './terminal.ts';

/** An entry as the function sees it, and what its plan and findings say of it. */
interface Status {
  readonly entry: Entry;
  /** For people: `now`, `in 23d4h`, `promotes 1a2b3c4d in 8m`. Absent: none is to come. */
  readonly nextRotation?: string;
  readonly problem?: string;
}

type Plan = PlanReport['plan'];

/** These actions are a rotation, or a part of one. */
const ROTATING = ['rotate', 'mint', 'arm', 'resume', 'adopt'];
/** Nothing changes these entries until a person does; nor one whose token a person stripped (finding `Held`). */
const STOPPED = ['held', 'deleted', 'replica'];

function nextRotation(
  { token, condition, pending, dueAt }: Entry,
  plan: Plan,
  now: number,
): string | undefined {
  const isHeld = plan.findings.some((each) => each.token === token && each.kind === 'Held');
  if (isHeld || STOPPED.includes(condition)) return undefined;
  const isRotating = (action: Action) => action.token === token && ROTATING.includes(action.kind);
  const found = plan.actions.findIndex(isRotating);
  if (found >= 0) return isRefused(plan, found) ? 'refused' : 'now';
  if (pending) return formatPending(pending, now);
  if (dueAt === undefined) return undefined;
  // Due but not planned: it waits for its window.
  return dueAt > now ? fromNow(dueAt, now) : 'later';
}

function statusOf(entry: Entry, [rotation, reaping]: readonly [Plan, Plan], now: number): Status {
  const findings = [...rotation.findings, ...reaping.findings];
  const problem = findings.find(({ secret }) => secret === entry.secret)?.message;
  const next = nextRotation(entry, rotation, now);
  return {
    entry,
    ...(next !== undefined && { nextRotation: next }),
    ...(problem !== undefined && { problem }),
  };
}

const INSTANTS = ['expiresAt', 'dueAt', 'promotedFrom', 'heldSince'];

/** With instants as texts. */
const asJson = ({ entry, ...rest }: Status): unknown =>
  JSON.parse(JSON.stringify({ ...entry, ...rest }), (key, value) =>
    INSTANTS.includes(key) ? formatInstant(value) : value,
  );

const HEADINGS = ['TOKEN', 'STATE', 'ID', 'NEXT ROTATION', 'EXPIRES', 'SECRET', 'PROBLEM'];

function rowOf({ entry, nextRotation: next = '', problem = '' }: Status, now: number) {
  const { token, tokenId, expiresAt, secret } = entry;
  const expires = expiresAt === undefined ? 'never' : fromNow(expiresAt, now);
  return [
    token,
    formatCondition(entry),
    tokenId?.slice(0, 8) ?? '',
    next,
    tokenId === undefined ? '' : expires,
    secret,
    problem,
  ];
}

/** What concerns no entry, and plans that wait for an approval. */
function summaryOf({ tokens }: Policy, plans: readonly [Plan, Plan]): string {
  const entries = new Set(tokens.map(({ secret }) => secret));
  const isOfEntry = ({ secret = '' }: Plan['findings'][number]) => entries.has(secret);
  const refused = plans.flatMap(({ job, refusals }) =>
    refusals.map(({ message, hash }) => `${job}: ${message}; keyturn apply --approve ${hash}`),
  );
  const [, { findings }] = plans;
  const others = findings.filter((each) => !isOfEntry(each));
  return [
    ...refused,
    ...others.map(({ secret, message }) =>
      secret === undefined ? message : `${secret}: ${message}`,
    ),
  ].join('\n');
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

export const statusCommand = (terminal: Terminal): Command =>
  withCommonOptions(new Command('status'))
    .summary('show the state and the next rotation of every token')
    .description('Show the state, next rotation, expiry and problems of every token in the policy.')
    .addHelpText('after', '\nExamples:\n  keyturn status\n  keyturn status --local --json')
    .action(async (options: CommonOptions) => {
      const { engine, policy, json } = openEngine(options, terminal);
      const [rotated, reaped] = await Promise.all([
        engine.call('rotate', { dryRun: true }),
        engine.call('reap', { dryRun: true }),
      ]);
      const rotation = readRotation(rotated);
      const { plan, entries } = rotation;
      const reaping = readPlanReport(reaped);
      const plans = [plan, reaping.plan] as const;
      const warnings = (await scheduleStates(policy, [rotation, reaping])).flatMap(
        (each) => warningOf(each) ?? [],
      );
      const now = Date.now();
      const statuses = entries.map((entry) => statusOf(entry, plans, now));
      for (const each of warnings) terminal.note(each);
      if (json) return terminal.printJson(statuses.map(asJson));
      const rows = statuses.map((each) => rowOf(each, now));
      terminal.print(formatTable(HEADINGS, rows, terminal.style));
      terminal.note(`\n${summaryOf(policy, plans)}`);
    });
