import { faults } from '../world/faults.ts';
import { DAY, HOUR, MINUTE } from '../world/policy.ts';
import { deleteToken, hold, mintForeign } from './acts.ts';
import { imprint } from './invariants.ts';
import type { Laboratory, Run } from './laboratory.ts';
import { SECRET } from './policy.ts';

/** A run worth dying in, and what had to happen before it. */
export interface Scenario {
  readonly name: string;
  readonly run: Run;
  /** Tried whenever tests run; the others only on demand. */
  readonly representative?: true;
  prepare(laboratory: Laboratory): Promise<void>;
}

const rotate: Run = { job: 'rotate' };
const forced: Run = { job: 'rotate', event: { tokens: ['telegraf'], force: true } };
const reap: Run = { job: 'reap' };

/** A run that dies right after the first call of an operation took effect. */
const dieAfter = (laboratory: Laboratory, operation: string, run = rotate) =>
  laboratory.invokeDisturbed(run, 1, {
    meet: faults['killed after the effect'],
    counts: (call) => call.operation === operation,
  });

async function begin(laboratory: Laboratory): Promise<void> {
  await mintForeign(laboratory.world);
  for (const token of laboratory.view().tokens.values()) {
    laboratory.history.foreign[token.id] = imprint(token);
  }
  await laboratory.world.wait(2 * MINUTE);
}

async function issue(laboratory: Laboratory): Promise<void> {
  await begin(laboratory);
  await laboratory.invoke(rotate);
}

async function untilDue(laboratory: Laboratory): Promise<void> {
  await issue(laboratory);
  await laboratory.world.wait(2 * DAY);
}

async function renew(laboratory: Laboratory): Promise<void> {
  await untilDue(laboratory);
  await laboratory.invoke(rotate);
}

async function dieRenewing(laboratory: Laboratory, operation: string): Promise<void> {
  await untilDue(laboratory);
  await dieAfter(laboratory, operation);
}

/** So many steps of retirement after a renewal, and the time that the next one waits for. */
async function retire(laboratory: Laboratory, steps: number): Promise<void> {
  await renew(laboratory);
  await laboratory.world.wait(HOUR);
  for (let step = 0; step < steps; step += 1) {
    await laboratory.invoke(reap);
    await laboratory.world.wait(HOUR);
  }
}

const former = ({ history }: Laboratory) => history.first[SECRET];

export const scenarios: readonly Scenario[] = [
  { name: 'first issue', representative: true, run: rotate, prepare: begin },
  { name: 'renewal', representative: true, run: rotate, prepare: untilDue },
  {
    name: 'a forced rotation',
    run: forced,
    async prepare(laboratory) {
      await issue(laboratory);
      await laboratory.world.wait(3 * HOUR);
    },
  },
  {
    name: 'a first version that was never armed',
    run: rotate,
    async prepare(laboratory) {
      await begin(laboratory);
      await dieAfter(laboratory, 'PutSecretValue');
    },
  },
  {
    name: 'resuming a pending token, inert',
    representative: true,
    run: rotate,
    prepare: (laboratory) => dieRenewing(laboratory, 'PutSecretValue'),
  },
  {
    name: 'resuming a pending token, armed',
    run: rotate,
    prepare: (laboratory) => dieRenewing(laboratory, 'PATCH /tokens/{id}'),
  },
  {
    name: 'a pending token that is due no more',
    run: rotate,
    async prepare(laboratory) {
      await dieRenewing(laboratory, 'PATCH /tokens/{id}');
      const { AWSPENDING } = laboratory.world.labels(SECRET);
      await laboratory.invoke(rotate);
      await laboratory.world.wait(2 * HOUR);
      await dieAfter(laboratory, 'PATCH /tokens/{id}', forced);
      await laboratory.world.people.makeCurrent(SECRET, AWSPENDING);
    },
  },
  {
    name: 'a current token that is gone',
    run: rotate,
    async prepare(laboratory) {
      await issue(laboratory);
      await laboratory.world.wait(3 * HOUR);
      await deleteToken('AWSCURRENT')(laboratory.world);
    },
  },
  {
    name: 'renewal after a rollback',
    representative: true,
    run: rotate,
    async prepare(laboratory) {
      await retire(laboratory, 1);
      await laboratory.world.people.makeCurrent(SECRET, former(laboratory));
      await laboratory.world.wait(HOUR);
    },
  },
  {
    name: 'a rollback to a quarantined token',
    run: rotate,
    async prepare(laboratory) {
      await retire(laboratory, 2);
      await laboratory.world.people.makeCurrent(SECRET, former(laboratory));
    },
  },
  {
    name: 'marking',
    representative: true,
    run: reap,
    async prepare(laboratory) {
      await dieRenewing(laboratory, 'UpdateSecretVersionStage');
      await laboratory.world.wait(2 * HOUR);
    },
  },
  {
    name: 'fencing',
    representative: true,
    run: reap,
    prepare: (laboratory) => retire(laboratory, 0),
  },
  {
    name: 'quarantine',
    representative: true,
    run: reap,
    prepare: (laboratory) => retire(laboratory, 1),
  },
  { name: 'deletion', run: reap, prepare: (laboratory) => retire(laboratory, 2) },
  {
    name: 'marking an orphan',
    run: reap,
    async prepare(laboratory) {
      await dieRenewing(laboratory, 'POST /tokens');
      await laboratory.invoke(rotate);
      await laboratory.world.wait(HOUR);
    },
  },
  {
    name: 'deleting an orphan',
    run: reap,
    async prepare(laboratory) {
      await dieRenewing(laboratory, 'POST /tokens');
      await laboratory.world.wait(HOUR);
      await laboratory.invoke(reap);
      await laboratory.world.wait(HOUR);
    },
  },
  {
    name: 'an expired token',
    run: reap,
    async prepare(laboratory) {
      await renew(laboratory);
      await laboratory.world.wait(2 * DAY - 3 * HOUR);
      await laboratory.invoke(rotate);
      await laboratory.world.wait(4 * HOUR);
    },
  },
  ...(['frozen', 'deleted'] as const).map(
    (kind): Scenario => ({
      name: `a secret on hold, ${kind}`,
      run: reap,
      async prepare(laboratory) {
        await renew(laboratory);
        await hold(kind)(laboratory.world);
      },
    }),
  ),
];
