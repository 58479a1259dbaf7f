import type { Call } from '../../sandbox/interception.ts';
import { acts, mintForeign } from '../crash/acts.ts';
import type { ScheduledJob } from '../world/jobs.ts';
import type { LaterField } from '../world/older-version.ts';
import { MINUTE } from '../world/policy.ts';
import type { Deployment, World } from '../world/world.ts';
import { actOn } from './database-acts.ts';
import type { createDisturbance } from './disturb.ts';
import type { createOracles } from './oracles.ts';
import type { LifePlan } from './plan.ts';
import {
  after,
  type Inherited,
  nameOf,
  policyOf,
  ruledBy,
  secretOf,
  UNCHANGED,
} from './policies.ts';
import type { Replicas } from './replicas.ts';
import type { Trouble } from './trouble.ts';
import { isRead, writesOf } from './writes.ts';

type Of<Kind extends Trouble['kind']> = Extract<Trouble, { readonly kind: Kind }>;

/** A life while it is lived. */
export interface Stage {
  readonly world: World;
  readonly oracles: ReturnType<typeof createOracles>;
  readonly disturbance: ReturnType<typeof createDisturbance>;
  inherited: Inherited;
  /** Whose schedules fire. */
  deployment: Deployment;
  isOver: boolean;
  /** How the schedules fire now, if not as they should. */
  misfires: () => Of<'firing'> | undefined;
  /** One run of a job. Returns the metrics that sound alarms. */
  run(job: ScheduledJob, event: object): Promise<readonly string[]>;
  /** Absent: no secret has copies in other Regions. */
  readonly replicas?: Replicas | undefined;
}

type Happenings = {
  readonly [Kind in Trouble['kind']]: (trouble: Of<Kind>) => unknown;
};

/** How it is counted. */
function titleOf(trouble: Trouble): string {
  if (trouble.kind === 'hand') return `a person ${trouble.act}`;
  if (trouble.kind === 'order') return `order: ${trouble.way}`;
  if (trouble.kind === 'version')
    return trouble.lacks ? `version without ${trouble.lacks}` : 'the present version';
  if (trouble.kind === 'deploy') return `deploy: ${trouble.change}`;
  if (trouble.kind === 'replica') return `a person ${trouble.act}: a replica`;
  if (trouble.kind === 'database') return `a person ${trouble.act} a database`;
  return 'how' in trouble ? `${trouble.kind}: ${trouble.how}` : trouble.kind;
}

/** For a call of a function: it may never come. */
const waits = ({ call, write }: Of<'hand'>) => call !== undefined || write !== undefined;

const isDatabaseWrite = (call: Call) => call.operation.includes('/databases') && !isRead(call);

/** Those that come when they come. */
const COUNT_THEMSELVES: readonly Trouble['kind'][] = ['hand', 'death', 'freeze', 'database'];

/** Lets the troubles of a life happen. */
export function createHappenings(stage: Stage, plan: LifePlan, tell: (line: string) => void) {
  const { world, oracles, disturbance } = stage;
  const { clock, aws } = world;
  const met: Record<string, number> = {};
  let changes = UNCHANGED;
  const count = (trouble: Trouble) => {
    const title = titleOf(trouble);
    met[title] = (met[title] ?? 0) + 1;
  };

  const deploy = (lacks?: LaterField) => {
    stage.deployment = world.deploy(policyOf(plan, changes, stage.inherited), lacks);
    oracles.use(stage.deployment.policy);
  };

  /** The one act that starts a function. */
  const rotateSecret: World['rotateSecret'] = async (...asked) => {
    const leave = oracles.enter();
    await stage.deployment.rotateSecret(...asked).finally(leave);
  };

  const rotateByHand = (token: number | undefined) => {
    if (token === undefined || changes.removed.has(token)) return stage.run('rotate', {});
    const event = { tokens: [nameOf(token)], force: true };
    return oracles.asksFor(secretOf(token), () => stage.run('rotate', event));
  };

  const happenings: Happenings = {
    weather: (trouble) => disturbance.begin(trouble),
    death: (trouble) => disturbance.die(trouble, () => count(trouble)),
    freeze: (trouble) => disturbance.freeze(trouble, () => count(trouble)),
    lag({ readLagMs, listLagMs, lastsMs }) {
      Object.assign(aws, { readLagMs, listLagMs });
      clock.at(clock.now() + lastsMs, () => Object.assign(aws, { readLagMs: 0, listLagMs: 0 }));
    },
    'cut listings'({ longestListing, lastsMs }) {
      const { cluster } = world;
      cluster.manners = { ...cluster.manners, longestListing };
      clock.at(clock.now() + lastsMs, () => {
        const { longestListing: _, ...manners } = cluster.manners;
        cluster.manners = manners;
      });
    },
    firing(trouble) {
      const until = clock.now() + trouble.lastsMs;
      stage.misfires = () => (clock.now() < until ? trouble : undefined);
    },
    async hand(trouble) {
      const { act, token, call, write, forces } = trouble;
      const hands = { ...world, rotateSecret };
      const secret = secretOf(token);
      const happen = async () => {
        count(trouble);
        if (waits(trouble)) tell(`a person ${act}: ${secret}`);
        oracles.noteAct();
        await acts[act]?.(hands, secret);
        // Since when it is on hold may be told by its last change alone.
        if (oracles.isHeld(secret)) oracles.noticed(secret);
      };
      if (write !== undefined)
        disturbance.meanwhile(write, happen, writesOf(world, oracles.view, secret));
      else if (call !== undefined) disturbance.meanwhile(call, happen);
      else await happen();
      if (forces) await rotateByHand(token);
    },
    async order({ way, token, immediately = false }) {
      const secret = secretOf(token);
      if (immediately) oracles.endedFirst.add(secret);
      const order = { way, secret, reason: 'soak', immediately };
      const judge = oracles.judgeOrder(secret, way);
      const leave = oracles.enter();
      const unheld = disturbance.held();
      const answer = await stage.deployment.revoke(order);
      const wasAlone = leave();
      oracles.judgeEnd(`the order to ${way}`, answer, disturbance.held() > unheld);
      judge(answer, wasAlone);
      const { error } = answer;
      // What a process that died had sent already takes effect behind its end.
      clock.at(clock.now() + MINUTE, () => oracles.endedFirst.delete(secret));
      oracles.noticed(secret);
      if (error) tell(`order: ${error.errorMessage.slice(0, 200)}`);
    },
    deploy({ change, token }) {
      changes = after(changes, change, token);
      deploy();
    },
    version: ({ lacks }) => deploy(lacks),
    rule({ rule }) {
      changes = ruledBy(changes, plan, rule);
      deploy();
    },
    async database(trouble) {
      const happen = async () => {
        count(trouble);
        await actOn(world, trouble);
      };
      if (trouble.write === undefined) return happen();
      disturbance.meanwhile(trouble.write, happen, isDatabaseWrite);
      await stage.run('enforce', {});
    },
    replica: ({ act, token, region }) => stage.replicas?.act(act, secretOf(token), region),
    'tokens of others': () => mintForeign(world),
    'by hand': ({ job, token }) => (job === 'rotate' ? rotateByHand(token) : stage.run(job, {})),
  };

  return {
    met,
    /** A person takes `adopt` out of an entry: what it names was taken over long ago, or is gone. */
    disinherit(secret: string): void {
      const left = [...stage.inherited].filter(([token]) => secretOf(token) !== secret);
      if (left.length === stage.inherited.size) return;
      stage.inherited = new Map(left);
      deploy();
    },
    /** Whatever version there is, the present one comes back. */
    upgrade: () => deploy(),
    async happen(trouble: Trouble): Promise<void> {
      if (!COUNT_THEMSELVES.includes(trouble.kind)) count(trouble);
      tell(JSON.stringify(trouble));
      await (happenings[trouble.kind] as (trouble: Trouble) => unknown)(trouble);
    },
  };
}
