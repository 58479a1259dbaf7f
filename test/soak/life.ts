import { createHash } from 'node:crypto';
import type { Rising } from '../crash/alarms.ts';
import type { ScheduledJob } from '../world/jobs.ts';
import { openWorld } from '../world/open-world.ts';
import { DAY, HOUR, MINUTE } from '../world/policy.ts';
import type { World } from '../world/world.ts';
import { type Chance, createChance } from './chance.ts';
import { askConsumers } from './consumers.ts';
import { databasesAtFirst } from './databases.ts';
import { createDisturbance } from './disturb.ts';
import { createHappenings, type Stage } from './happen.ts';
import { inherit } from './inherit.ts';
import { mend } from './mend.ts';
import { createOracles } from './oracles.ts';
import { type LifePlan, lengthOf } from './plan.ts';
import { neighbourPolicy, policyOf, UNCHANGED } from './policies.ts';
import { createReplicas } from './replicas.ts';
import type { Trouble } from './trouble.ts';

export interface Lived {
  /** By the virtual clock. */
  readonly startedAt: number;
  readonly violations: readonly { readonly at: number; readonly text: string }[];
  /** The same for the same plan, to the last call before a violation. */
  readonly trace: string;
  readonly calls: number;
  /** Of the policy. */
  readonly tokens: number;
  readonly rotations: number;
  readonly minted: number;
  /** Tokens that consumers never got. */
  readonly inVain: number;
  /** How often consumers were asked for. */
  readonly asked: number;
  readonly runs: number;
  readonly failedRuns: number;
  /** How often each kind of trouble came. */
  readonly met: Readonly<Record<string, number>>;
  /** How many calls met each kind of fault. */
  readonly faults: Readonly<Record<string, number>>;
  /** How often each row of a decision table was taken: an action and its reason. */
  readonly rows: Readonly<Record<string, number>>;
  /** Virtual time. */
  readonly lastedMs: number;
  /** The last of these calls. */
  readonly lastCalls: readonly string[];
}

type Tell = (line: string) => void;

const LAST_CALLS = 40;

/** Everything that took effect until the first violation, and its hash. */
function watchCalls({ watch, clock }: World, isOver: () => boolean) {
  const hash = createHash('sha256');
  let calls = 0;
  let last: string[] = [];
  watch((call, effect) => {
    const reply = effect();
    calls += 1;
    if (isOver()) return reply;
    const { caller, operation } = call;
    hash.update(`${clock.now()} ${caller} ${operation} ${reply.status}\n`);
    const what = [caller ?? 'a person', operation, call.subject, reply.status]
      .filter(Boolean)
      .join(' ');
    // One token is probed a hundred times.
    if (call.server === 'data-plane' && last.at(-1)?.endsWith(what)) return reply;
    last.push(`${new Date(clock.now()).toISOString()} ${what}`);
    if (last.length > 2 * LAST_CALLS) last = last.slice(-LAST_CALLS);
    return reply;
  });
  return {
    count: () => calls,
    trace: () => hash.digest('hex').slice(0, 16),
    last: () => last.slice(-LAST_CALLS),
  };
}

/** The row of a decision table that a line of the log tells of. An order's reason is a person's. */
function rowsIn(line: string): string[] {
  if (!line.includes('"reason":"')) return [];
  const { kind, reason } = JSON.parse(line).details ?? {};
  return kind !== undefined && /^[A-Z]/.test(reason ?? '') ? [`${kind} ${reason}`] : [];
}

/** One firing of a schedule, as well as the trouble of the moment lets it. */
async function fire(
  { world: { clock }, misfires, run }: Stage,
  job: ScheduledJob,
  seconds: number,
  firing: Chance,
): Promise<void> {
  const at = new Date(clock.now()).toISOString();
  const scheduled = { at, nextInSeconds: seconds, thirdInSeconds: 3 * seconds };
  const { share, how: otherwise } = misfires() ?? { share: 0 };
  const how = firing.happens(share) ? otherwise : undefined;
  if (how === 'never') return;
  await clock.sleep(firing.between(0, how === 'late' ? 20 * MINUTE : MINUTE));
  const once = () => run(job, { scheduled });
  const again = how === 'twice' ? clock.spawn(`${job} again`, once) : undefined;
  await once();
  if (again) await clock.waitFor(again);
}

function startSchedules(stage: Stage, { everyMs, databases }: LifePlan, firing: Chance): void {
  const { world, oracles } = stage;
  const schedules: readonly (readonly [ScheduledJob, number])[] = [
    ['rotate', everyMs.rotate],
    ['reap', everyMs.reap],
    ...(databases ? ([['enforce', databases.everyMs]] as const) : []),
  ];
  for (const [job, periodMs] of schedules) {
    world.clock.every(periodMs, job, async () => {
      if (stage.isOver) return;
      oracles.consume();
      await fire(stage, job, periodMs / 1_000, firing);
      oracles.consume();
    });
  }
}

function startTroubles(
  stage: Stage,
  troubles: readonly Trouble[],
  {
    startAt,
    happen,
  }: { readonly startAt: number; readonly happen: (trouble: Trouble) => Promise<void> },
): void {
  const { clock } = stage.world;
  for (const trouble of troubles) {
    clock.at(startAt + trouble.at, () => {
      if (!stage.isOver) clock.spawn('trouble', () => happen(trouble));
    });
  }
}

function startNeighbour(stage: Stage, plan: LifePlan): void {
  const { world } = stage;
  const neighbour = world.deploy(neighbourPolicy(plan));
  for (const job of ['rotate', 'reap'] as const) {
    world.clock.every(plan.everyMs[job], `neighbour's ${job}`, async () => {
      if (stage.isOver) return;
      await neighbour.invoke(job, {});
      neighbour.takeLines();
    });
  }
}

/** People do what the runbook says. */
async function mendAll(stage: Stage, tell: Tell, disinherit: (secret: string) => void) {
  const { world, oracles, replicas } = stage;
  for (const secret of oracles.listed()) await replicas?.mend(secret);
  for (const secret of oracles.inPeoplesHands()) {
    tell(`people mend ${secret}`);
    disinherit(secret);
    const isTroubled = () => oracles.inPeoplesHands().includes(secret);
    for (const each of await mend(world, stage.deployment, oracles, { secret, isTroubled }))
      tell(each);
  }
}

/** A person approves what the limits keep back. */
async function approve({ deployment, run }: Stage, { databases }: LifePlan): Promise<void> {
  const jobs: readonly ScheduledJob[] = databases ? ['reap', 'enforce'] : ['reap'];
  for (const job of jobs) {
    const { result } = await deployment.invoke(job, { dryRun: true });
    deployment.takeLines();
    for (const { hash } of result?.plan.refusals ?? []) await run(job, { approve: hash });
  }
}

/** What is not as it ought to be at the end of a calm time. */
async function judge(
  { oracles, run, deployment, replicas }: Stage,
  calmAt: number,
): Promise<string[]> {
  const held = oracles.inPeoplesHands().map((name) => `D: ${name} is still in people's hands`);
  const found = [
    ...oracles.settle(calmAt),
    ...held,
    ...oracles.databases.unsettled(deployment.policy),
    ...(replicas?.unsettled(oracles.view(), oracles.made()) ?? []),
  ];
  if (found.length > 0 || !oracles.isWell()) return found;
  const rings = [...(await run('rotate', {})), ...(await run('reap', {}))];
  return rings.map((ring) => `K: ${ring} rings, and everything is settled`);
}

interface Living {
  readonly write?: Tell | undefined;
  /** False: each instance of a function is a process that runs the bundle; the same seed has the same troubles then, and not the same calls. */
  readonly isSimulated?: boolean;
}

/** Lives a life from its plan, until its end or the first violation. */
export async function live(
  plan: LifePlan,
  rising: Rising,
  { write = () => {}, isSimulated = true }: Living = {},
): Promise<Lived> {
  const chance = createChance(`processes ${plan.seed}`);
  const { activationDelayMs, revocationDelayMs, routers, manners } = plan;
  const world = await openWorld(policyOf(plan, UNCHANGED), {
    isSimulated,
    databases: databasesAtFirst(plan.databases),
    ...{ activationDelayMs, revocationDelayMs, routers, manners },
    chance: chance.of('processes').next,
  });
  const { clock, aws, account } = world;
  const tell: Tell = (line) => write(`${new Date(clock.now()).toISOString().slice(0, 19)} ${line}`);
  const startAt = clock.now();
  const calmAt = startAt + plan.troubledMs;
  const endAt = calmAt + plan.calmMs;
  const disturbance = createDisturbance(world, chance.of('weather'));
  const oracles = createOracles(world, {
    renewBefore: lengthOf(plan.lives.renewBefore ?? '14d'),
    everyMs: plan.everyMs.rotate,
    windows: plan.windows,
    rising,
  });
  const counts = { runs: 0, failedRuns: 0 };
  const rows: Record<string, number> = {};
  const watched = watchCalls(world, () => oracles.found.length > 0);
  world.intercept(disturbance.intercept);

  const inherited = await inherit(world, oracles, plan);
  const isAsOpened = inherited.size === 0;
  const deployment = isAsOpened ? world : world.deploy(policyOf(plan, UNCHANGED, inherited));
  oracles.use(deployment.policy);
  const replicas = plan.replicas && createReplicas(world, account, plan.replicas);
  const stage: Stage = {
    world,
    replicas,
    oracles,
    disturbance,
    inherited,
    deployment,
    isOver: false,
    misfires: () => undefined,
    async run(job, event) {
      const by = stage.deployment;
      const leave = oracles.enter();
      const undisturbed = disturbance.disturbed();
      const unheld = disturbance.held();
      const judgeHolds = oracles.judgeHolds(job);
      const judgeReplicas = oracles.judgeReplicas(job, event, replicas);
      const judgeDatabases = job === 'enforce' ? oracles.databases.enter(event) : undefined;
      const answer = await by.invoke(job, event);
      const wasAlone = leave();
      const isDisturbed = disturbance.disturbed() > undisturbed;
      const isHeld = disturbance.held() > unheld;
      const about = { job, isStormy: disturbance.isStormy(), isDisturbed, isHeld };
      judgeHolds(answer, wasAlone);
      judgeReplicas(answer, wasAlone && !isDisturbed);
      const lines = by.takeLines();
      for (const row of lines.flatMap(rowsIn)) rows[row] = (rows[row] ?? 0) + 1;
      const rang = oracles.hear(about, answer, lines);
      judgeDatabases?.(answer, { isDisturbed, rang, policy: by.policy });
      counts.runs += 1;
      if (answer.error) counts.failedRuns += 1;
      const said = [answer.error?.errorMessage.slice(0, 200), ...rang].filter(Boolean).join(', ');
      if (said) tell(`${job}: ${said}`);
      return rang;
    },
  };
  const happenings = createHappenings(stage, plan, tell);
  // A process that runs a bundle is the machine's, which freezes none.
  const troubles = plan.troubles.filter(({ kind }) => isSimulated || kind !== 'freeze');
  startTroubles(stage, troubles, { startAt, happen: happenings.happen });
  if (plan.hasNeighbour) startNeighbour(stage, plan);
  if (plan.asking) {
    askConsumers(world, {
      asking: plan.asking,
      chance: chance.of('consumers'),
      gracePeriod: lengthOf(plan.lives.gracePeriod),
      ask: () => stage.isOver || oracles.consume(),
    });
  }
  // A first run by hand, as the README says.
  await stage.run('rotate', {});
  startSchedules(stage, plan, chance.of('firing'));

  /** Until an instant, or the first violation. */
  const goOn = async (until: number) => {
    while (!stage.isOver && clock.now() < until) {
      await clock.runUntil(Math.min(clock.now() + 6 * HOUR, until));
      stage.isOver = oracles.found.length > 0;
    }
  };
  await goOn(calmAt);
  tell('calm');
  stage.misfires = () => undefined;
  disturbance.clear();
  if (plan.troubles.some(({ kind }) => kind === 'version')) happenings.upgrade();
  Object.assign(aws, { readLagMs: 0, listLagMs: 0 });
  world.cluster.manners = plan.manners;
  // What rings again next day, people mend again.
  for (let day = 2; day < 5 && !stage.isOver; day += 1) {
    await goOn(calmAt + day * DAY);
    if (!stage.isOver) await mendAll(stage, tell, happenings.disinherit);
    if (!stage.isOver) await approve(stage, plan);
  }
  // A day before the end, because an alarm speaks of the periods before, too.
  await goOn(endAt - DAY);
  if (!stage.isOver) await approve(stage, plan);
  await goOn(endAt);
  stage.isOver = true;
  const violations = [...oracles.found];
  if (violations.length === 0)
    violations.push(...(await judge(stage, calmAt)).map((text) => ({ at: clock.now(), text })));

  const lived: Lived = {
    startedAt: startAt,
    violations,
    trace: watched.trace(),
    calls: watched.count(),
    ...counts,
    met: happenings.met,
    faults: disturbance.met,
    rotations: world.events('Token Rotated').length,
    asked: oracles.asked,
    tokens: plan.tokens,
    minted: world.cluster.state.tokens.length,
    inVain: oracles.inVain(),
    rows,
    lastedMs: clock.now() - startAt,
    lastCalls: watched.last(),
  };
  await world.close();
  return lived;
}
