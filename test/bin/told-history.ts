import { DAY, MINUTE } from '../world/policy.ts';
import type { World } from '../world/world.ts';
import { type Operator, openDeployed } from './operator.ts';

interface Step {
  readonly step: string;
  readonly at?: string;
  readonly sources: readonly string[];
  readonly note?: string;
}

export interface Told {
  readonly complete: boolean;
  readonly entries: readonly {
    readonly at: string;
    readonly what: string;
    readonly token?: string;
    readonly tokenId?: string;
    readonly by?: string;
    readonly why?: string;
    readonly sources: readonly string[];
    readonly count: number;
  }[];
  readonly rotations?: readonly {
    readonly tokenId: string;
    readonly formerId?: string;
    readonly by?: string;
    readonly why?: string;
    readonly steps: readonly Step[];
  }[];
  readonly sources: readonly {
    readonly source: string;
    readonly isWhole: boolean;
    readonly found: string;
  }[];
}

/** What the schedule of `rotate` says. */
export const fired = ({ clock }: World) => ({
  scheduled: {
    at: new Date(clock.now()).toISOString(),
    nextInSeconds: 1_800,
    thirdInSeconds: 5_400,
  },
});

export async function tell(run: Operator, ...words: readonly string[]) {
  const { code, stdout, stderr } = await run(['history', ...words, '--json']);
  return { code, stderr, told: JSON.parse(stdout) as Told };
}

export const notesOf = ({ rotations = [] }: Told) =>
  rotations.map(({ steps }) =>
    steps.map(({ at, note }) => (at ? `seen ${note ?? ''}`.trim() : note)),
  );

/** Two tokens, issued by the schedule, and due thirty days later: a first run prepares, a second one promotes. */
export async function openRotated() {
  const opened = await openDeployed();
  const { world } = opened;
  await world.rotate(fired(world));
  await world.wait(30 * DAY);
  await world.rotate(fired(world));
  await world.wait(15 * MINUTE);
  await world.rotate(fired(world));
  return opened;
}

export const denying =
  (group: string): Parameters<World['intercept']>[0] =>
  async (call, effect) =>
    call.server === 'logs' && call.subject === group
      ? {
          status: 400,
          body: JSON.stringify({
            __type: 'AccessDeniedException',
            Message: 'User: somebody is not authorized to perform: logs:FilterLogEvents',
          }),
        }
      : effect();
