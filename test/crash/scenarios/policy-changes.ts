import { HOUR } from '../../world/policy.ts';
import type { Laboratory, Run } from '../laboratory.ts';
import { adopting, GRANTS, policy, removed, SECRET, wider } from '../policy.ts';
import {
  begin,
  dieAfter,
  issue,
  reap,
  renew,
  retire,
  rotate,
  rotateFully,
  type Scenario,
  SETTLED,
  untilDue,
} from './scenario.ts';

/** A token and a secret that people made, and a policy that takes them over. */
export async function inherit(laboratory: Laboratory, key?: string): Promise<void> {
  const { world, history } = laboratory;
  await begin(laboratory);
  const made = await world.people.mint({ description: 'made by hand', permissions: GRANTS });
  delete history.foreign[made.id];
  const shape = { host: 'influx', port: 8181, db: { retries: 3 } };
  const text = key ? JSON.stringify({ ...shape, [key]: made.accessToken }) : made.accessToken;
  await world.people.createSecret(SECRET, text);
  laboratory.deploy(adopting(made.id, key));
  await world.wait(HOUR);
}

const adoption = (name: string, key?: string): Scenario => ({
  name: `adoption of ${name}`,
  run: rotate,
  prepare: (laboratory) => inherit(laboratory, key),
});

const takeover: Run = {
  job: 'rotate',
  event: { tokens: ['telegraf'], takeOver: { by: 'ada' } },
};

/** One that is being retired without a label, one under AWSPREVIOUS, and the current one, in a secret that was made anew. */
async function restore(laboratory: Laboratory): Promise<void> {
  const { world } = laboratory;
  await renew(laboratory);
  await retire(laboratory, 2);
  await world.wait(44 * HOUR);
  await rotateFully(laboratory);
  const { AWSCURRENT = '', AWSPREVIOUS = '' } = world.labels(SECRET);
  const kept = [AWSPREVIOUS, AWSCURRENT].map((id) => [id, world.value(SECRET, id)] as const);
  await world.people.deleteSecret(SECRET, 'for good');
  await world.people.createSecret(SECRET);
  for (const [id, value] of kept) await world.people.putVersion(SECRET, id, value, 'AWSCURRENT');
}

/** The first policy's tokens are two days old, and now there is another policy. */
async function change(laboratory: Laboratory, from: object, to: object): Promise<void> {
  laboratory.deploy(from);
  await issue(laboratory);
  await laboratory.world.wait(3 * HOUR);
  laboratory.deploy(to);
}

async function remove(laboratory: Laboratory): Promise<void> {
  await change(laboratory, policy, removed);
  await laboratory.invoke(rotate);
}

const removal = (name: string, steps: number): Scenario => ({
  name,
  run: reap,
  async prepare(laboratory) {
    await remove(laboratory);
    await retire(laboratory, steps);
  },
});

const after = (run: Run, name: string, steps: Scenario['prepare']): Scenario => ({
  name,
  run,
  prepare: steps,
});

export const policyChanges: readonly Scenario[] = [
  adoption('a plain text'),
  adoption('a JSON key', 'credentials'),
  after(rotate, 'adoption that died half-way', async (laboratory) => {
    await inherit(laboratory, 'credentials');
    await dieAfter(laboratory, 'PATCH /tokens/{id}');
  }),
  after(rotate, 'renewal of an adopted token', async (laboratory) => {
    await inherit(laboratory, 'credentials');
    await rotateFully(laboratory);
    await laboratory.world.wait(48 * HOUR);
  }),
  {
    name: 'takeover of a secret that was made anew',
    run: takeover,
    repeated: takeover,
    prepare: restore,
  },
  after(rotate, 'widening', (laboratory) => change(laboratory, policy, wider)),
  after(rotate, 'widening while a token settles', async (laboratory) => {
    await untilDue(laboratory);
    await laboratory.invoke(rotate);
    laboratory.deploy(wider);
    await laboratory.world.wait(SETTLED);
  }),
  after(rotate, 'narrowing', (laboratory) => change(laboratory, wider, policy)),
  after(rotate, 'removal, and its entry back', async (laboratory) => {
    await remove(laboratory);
    await retire(laboratory, 1);
    laboratory.deploy(policy);
  }),
  removal('marking what was removed', 0),
  removal('fencing what was removed', 1),
  removal('quarantine of what was removed', 2),
  removal('deletion of what was removed', 3),
  after(reap, 'deletion of the secret of what was removed', async (laboratory) => {
    await renew(laboratory);
    laboratory.deploy(removed);
    await laboratory.invoke(rotate);
    await retire(laboratory, 8);
  }),
];
