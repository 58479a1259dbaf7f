import { faults } from '../../world/faults.ts';
import { DAY, HOUR, MINUTE } from '../../world/policy.ts';
import { mintForeign } from '../acts.ts';
import type { Laboratory, Run } from '../laboratory.ts';

/** A run worth dying in, and what had to happen before it. */
export interface Scenario {
  readonly name: string;
  readonly run: Run;
  /** Its plan is over a limit: runs fail until a person approves it, and nobody does. */
  readonly isRefused?: true;
  /** No schedule does it: the person who asked for it asks again, whatever became of the first run. */
  readonly repeated?: Run;
  prepare(laboratory: Laboratory): Promise<void>;
}

export const rotate: Run = { job: 'rotate' };
export const forced: Run = { job: 'rotate', event: { tokens: ['telegraf'], force: true } };
export const reap: Run = { job: 'reap' };

/** A little longer than an armed token waits for its promotion, and shorter than a grace period. */
export const SETTLED = 11 * MINUTE;

async function die(laboratory: Laboratory, operation: string, run: Run): Promise<number> {
  const { calls } = await laboratory.invokeDisturbed(run, 1, {
    meet: faults['killed after the effect'],
    counts: (call) => call.operation === operation,
  });
  return calls;
}

/** A run that dies right after the first call of an operation took effect; the next run, if the first makes none. */
export async function dieAfter(
  laboratory: Laboratory,
  operation: string,
  run = rotate,
): Promise<void> {
  if ((await die(laboratory, operation, run)) > 0) return;
  await laboratory.world.wait(SETTLED);
  if ((await die(laboratory, operation, run)) === 0) throw new Error(`no run calls ${operation}`);
}

export async function begin({ world }: Laboratory): Promise<void> {
  await mintForeign(world);
  await world.wait(2 * MINUTE);
}

/** A rotation from its beginning to its promotion, be it in one run or in two. */
export async function rotateFully({ invoke, world }: Laboratory): Promise<void> {
  await invoke(rotate);
  await world.wait(SETTLED);
  await invoke(rotate);
}

export async function issue(laboratory: Laboratory): Promise<void> {
  await begin(laboratory);
  await laboratory.invoke(rotate);
}

export async function untilDue(laboratory: Laboratory): Promise<void> {
  await issue(laboratory);
  await laboratory.world.wait(2 * DAY);
}

export async function renew(laboratory: Laboratory): Promise<void> {
  await untilDue(laboratory);
  await rotateFully(laboratory);
}

export async function dieRenewing(laboratory: Laboratory, operation: string): Promise<void> {
  await untilDue(laboratory);
  await dieAfter(laboratory, operation);
}

/** So many steps of retirement, and the time that the next one waits for. */
export async function retire(laboratory: Laboratory, steps: number): Promise<void> {
  for (let step = 0; step <= steps; step += 1) {
    if (step > 0) await laboratory.invoke(reap);
    await laboratory.world.wait(HOUR);
  }
}
