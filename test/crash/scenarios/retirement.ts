import { DAY, HOUR } from '../../world/policy.ts';
import { acts, hold } from '../acts.ts';
import type { Laboratory } from '../laboratory.ts';
import { GRANTS, tidying } from '../policy.ts';
import {
  dieRenewing,
  forced,
  issue,
  reap,
  renew,
  retire,
  rotateFully,
  type Scenario,
} from './scenario.ts';

const step = (name: string, steps: number): Scenario => ({
  name,
  run: reap,
  async prepare(laboratory) {
    await renew(laboratory);
    await retire(laboratory, steps);
  },
});

/** So many tokens of a team expire, and one that is there already. */
async function expireOthers(laboratory: Laboratory, count: number): Promise<void> {
  const { world } = laboratory;
  await issue(laboratory);
  const expiresAt = `${new Date(world.clock.now() + HOUR).toISOString().slice(0, 19)}Z`;
  for (let made = 0; made < count; made += 1) {
    await world.people.mint({ description: 'of a team', permissions: GRANTS, expiresAt });
  }
  laboratory.deploy(tidying);
  await world.wait(2 * HOUR);
}

export const retirement: readonly Scenario[] = [
  {
    name: 'marking',
    run: reap,
    async prepare(laboratory) {
      await dieRenewing(laboratory, 'UpdateSecretVersionStage');
      await laboratory.world.wait(2 * HOUR);
    },
  },
  step('fencing', 0),
  step('quarantine', 1),
  step('deletion', 2),
  {
    name: 'marking an orphan',
    run: reap,
    async prepare(laboratory) {
      await dieRenewing(laboratory, 'POST /tokens');
      await rotateFully(laboratory);
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
      await rotateFully(laboratory);
      await laboratory.world.wait(4 * HOUR);
    },
  },
  {
    name: 'the first hour after a saved secret was rotated by name',
    run: reap,
    async prepare(laboratory) {
      await issue(laboratory);
      await acts['saves the secret as it is']?.(laboratory.world);
      await retire(laboratory, 3);
      await laboratory.invoke(forced);
      await laboratory.world.wait(HOUR / 2);
    },
  },
  {
    name: 'expired tokens of others',
    run: reap,
    prepare: (laboratory) => expireOthers(laboratory, 0),
  },
  {
    name: 'more expired tokens of others than the limit',
    run: reap,
    isRefused: true,
    prepare: (laboratory) => expireOthers(laboratory, 5),
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
