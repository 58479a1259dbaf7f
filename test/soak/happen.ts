import { acts, mintForeign } from '../crash/acts.ts';
import type { Deployment, World } from '../world/world.ts';
import type { createDisturbance } from './disturb.ts';
import type { createOracles } from './oracles.ts';
import type { LifePlan, Trouble } from './plan.ts';
import { after, type Inherited, nameOf, policyOf, secretOf, UNCHANGED } from './policies.ts';

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
  run(job: 'rotate' | 'reap', event: object): Promise<readonly string[]>;
}

type Happenings = {
  readonly [Kind in Trouble['kind']]: (trouble: Of<Kind>) => unknown;
};

/** How it is counted. */
function titleOf(trouble: Trouble): string {
  if (trouble.kind === 'hand') return `a person ${trouble.act}`;
  if (trouble.kind === 'order') return `order: ${trouble.way}`;
  if (trouble.kind === 'deploy') return `deploy: ${trouble.change}`;
  return 'how' in trouble ? `${trouble.kind}: ${trouble.how}` : trouble.kind;
}

/** Lets the troubles of a life happen. */
export function createHappenings(stage: Stage, plan: LifePlan, tell: (line: string) => void) {
  const { world, oracles, disturbance } = stage;
  const { clock, aws } = world;
  const met: Record<string, number> = {};
  let changes = UNCHANGED;

  const deploy = () => {
    stage.deployment = world.deploy(policyOf(plan, changes, stage.inherited));
    oracles.use(stage.deployment.policy);
  };

  const happenings: Happenings = {
    weather: (trouble) => disturbance.begin(trouble),
    death: (trouble) => disturbance.die(trouble),
    lag({ readLagMs, listLagMs, lastsMs }) {
      Object.assign(aws, { readLagMs, listLagMs });
      clock.at(clock.now() + lastsMs, () => Object.assign(aws, { readLagMs: 0, listLagMs: 0 }));
    },
    firing(trouble) {
      const until = clock.now() + trouble.lastsMs;
      stage.misfires = () => (clock.now() < until ? trouble : undefined);
    },
    async hand({ act, token, call }) {
      const hands = { ...world, rotateSecret: stage.deployment.rotateSecret };
      const secret = secretOf(token);
      const happen = async () => {
        oracles.noteAct();
        await acts[act]?.(hands, secret);
        // Since when it is on hold may be told by its last change alone.
        if (oracles.isHeld(secret)) oracles.noticed(secret);
      };
      if (call === undefined) await happen();
      else disturbance.meanwhile(call, happen);
    },
    async order({ way, token, immediately = false }) {
      const secret = secretOf(token);
      if (immediately) oracles.endedFirst.add(secret);
      const order = { way, secret, reason: 'soak', immediately };
      const judge = oracles.judgeOrder(secret, way);
      const answer = await stage.deployment.revoke(order);
      judge(answer);
      const { error } = answer;
      oracles.endedFirst.delete(secret);
      oracles.noticed(secret);
      if (error) tell(`order: ${error.errorMessage.slice(0, 200)}`);
    },
    deploy({ change, token }) {
      changes = after(changes, change, token);
      deploy();
    },
    'tokens of others': () => mintForeign(world),
    async 'by hand'({ job, token }) {
      const isNamed = job === 'rotate' && token !== undefined && !changes.removed.has(token);
      await stage.run(job, isNamed ? { tokens: [nameOf(token)], force: true } : {});
    },
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
    async happen(trouble: Trouble): Promise<void> {
      const title = titleOf(trouble);
      met[title] = (met[title] ?? 0) + 1;
      tell(JSON.stringify(trouble));
      await (happenings[trouble.kind] as (trouble: Trouble) => unknown)(trouble);
    },
  };
}
