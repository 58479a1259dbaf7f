import { imprint } from './invariants.ts';
import type { FunctionName, Laboratory, Obstacle } from './laboratory.ts';
import { deleteToken, hold, makeCurrent, mintForeign } from './person.ts';

/** A run worth dying in, and what had to happen before it. */
export interface Scenario {
  readonly name: string;
  readonly run: FunctionName;
  readonly event?: object;
  /** Tried whenever tests run; the others only on demand. */
  readonly representative?: true;
  prepare(laboratory: Laboratory): Promise<void>;
}

const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;
const DAY_MS = 24 * HOUR_MS;
const SECRET = 'keyturn/demo/telegraf';

/** Kills the run behind the first call of an operation. */
const dieBehind =
  (laboratory: Laboratory, operation: string): Obstacle =>
  async (call, _number, effect) => {
    const reply = effect();
    if (call.operation === operation) await laboratory.host.kill(call.caller ?? '');
    return reply;
  };

async function begin(laboratory: Laboratory): Promise<void> {
  await mintForeign(laboratory);
  for (const token of laboratory.view().tokens.values()) {
    laboratory.history.foreign[token.id] = imprint(token);
  }
  await laboratory.pass(2 * MINUTE_MS);
}

async function issue(laboratory: Laboratory): Promise<void> {
  await begin(laboratory);
  await laboratory.invoke('rotate');
}

async function untilDue(laboratory: Laboratory): Promise<void> {
  await issue(laboratory);
  await laboratory.pass(2 * DAY_MS);
}

async function renew(laboratory: Laboratory): Promise<void> {
  await untilDue(laboratory);
  await laboratory.invoke('rotate');
}

async function dieRenewing(laboratory: Laboratory, operation: string): Promise<void> {
  await untilDue(laboratory);
  await laboratory.invokeAgainst(dieBehind(laboratory, operation), 'rotate', {});
}

/** So many steps of retirement behind a renewal, and the time that the next one waits for. */
async function retire(laboratory: Laboratory, steps: number): Promise<void> {
  await renew(laboratory);
  await laboratory.pass(HOUR_MS);
  for (let step = 0; step < steps; step += 1) {
    await laboratory.invoke('reap');
    await laboratory.pass(HOUR_MS);
  }
}

const former = ({ history }: Laboratory) => history.first[SECRET];

export const scenarios: readonly Scenario[] = [
  { name: 'first issue', representative: true, run: 'rotate', prepare: begin },
  { name: 'renewal', representative: true, run: 'rotate', prepare: untilDue },
  {
    name: 'a forced rotation',
    run: 'rotate',
    event: { tokens: ['telegraf'], force: true },
    async prepare(laboratory) {
      await issue(laboratory);
      await laboratory.pass(3 * HOUR_MS);
    },
  },
  {
    name: 'a first version that was never armed',
    run: 'rotate',
    async prepare(laboratory) {
      await begin(laboratory);
      await laboratory.invokeAgainst(dieBehind(laboratory, 'PutSecretValue'), 'rotate', {});
    },
  },
  {
    name: 'resuming a pending token, inert',
    representative: true,
    run: 'rotate',
    prepare: (laboratory) => dieRenewing(laboratory, 'PutSecretValue'),
  },
  {
    name: 'resuming a pending token, armed',
    run: 'rotate',
    prepare: (laboratory) => dieRenewing(laboratory, 'PATCH /tokens/{id}'),
  },
  {
    name: 'a pending token that is due no more',
    run: 'rotate',
    async prepare(laboratory) {
      await dieRenewing(laboratory, 'PATCH /tokens/{id}');
      const { AWSPENDING } = laboratory.view().secrets.get(SECRET)?.labels ?? {};
      await laboratory.invoke('rotate');
      await laboratory.pass(2 * HOUR_MS);
      await laboratory.invokeAgainst(dieBehind(laboratory, 'PATCH /tokens/{id}'), 'rotate', {
        tokens: ['telegraf'],
        force: true,
      });
      await makeCurrent(laboratory, AWSPENDING);
    },
  },
  {
    name: 'a current token that is gone',
    run: 'rotate',
    async prepare(laboratory) {
      await issue(laboratory);
      await laboratory.pass(3 * HOUR_MS);
      await deleteToken('AWSCURRENT')(laboratory);
    },
  },
  {
    name: 'renewal behind a rollback',
    representative: true,
    run: 'rotate',
    async prepare(laboratory) {
      await retire(laboratory, 1);
      await makeCurrent(laboratory, former(laboratory));
      await laboratory.pass(HOUR_MS);
    },
  },
  {
    name: 'a rollback to a quarantined token',
    run: 'rotate',
    async prepare(laboratory) {
      await retire(laboratory, 2);
      await makeCurrent(laboratory, former(laboratory));
    },
  },
  {
    name: 'marking',
    representative: true,
    run: 'reap',
    async prepare(laboratory) {
      await dieRenewing(laboratory, 'UpdateSecretVersionStage');
      await laboratory.pass(2 * HOUR_MS);
    },
  },
  {
    name: 'fencing',
    representative: true,
    run: 'reap',
    prepare: (laboratory) => retire(laboratory, 0),
  },
  {
    name: 'quarantine',
    representative: true,
    run: 'reap',
    prepare: (laboratory) => retire(laboratory, 1),
  },
  { name: 'deletion', run: 'reap', prepare: (laboratory) => retire(laboratory, 2) },
  {
    name: 'marking an orphan',
    run: 'reap',
    async prepare(laboratory) {
      await dieRenewing(laboratory, 'POST /tokens');
      await laboratory.invoke('rotate');
      await laboratory.pass(HOUR_MS);
    },
  },
  {
    name: 'deleting an orphan',
    run: 'reap',
    async prepare(laboratory) {
      await dieRenewing(laboratory, 'POST /tokens');
      await laboratory.pass(HOUR_MS);
      await laboratory.invoke('reap');
      await laboratory.pass(HOUR_MS);
    },
  },
  {
    name: 'an expired token',
    run: 'reap',
    async prepare(laboratory) {
      await renew(laboratory);
      await laboratory.pass(2 * DAY_MS - 3 * HOUR_MS);
      await laboratory.invoke('rotate');
      await laboratory.pass(4 * HOUR_MS);
    },
  },
  ...(['frozen', 'deleted'] as const).map(
    (kind): Scenario => ({
      name: `a secret on hold, ${kind}`,
      run: 'reap',
      async prepare(laboratory) {
        await renew(laboratory);
        await hold(kind)(laboratory);
      },
    }),
  ),
];
