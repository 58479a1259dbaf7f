import { afterAll, beforeEach } from 'vitest';
import { openWorld } from '../../world/open-world.ts';
import { HOUR } from '../../world/policy.ts';
import type { World } from '../../world/world.ts';

export const GRAFANA = 'keyturn/prod/grafana';

/** How long the cluster takes to hear of tokens and of their end. */
const DELAY = 20_000;

const policy = {
  owner: 'prod',
  databases: [{ name: 'metrics' }, { name: 'logs' }],
  defaults: { gracePeriod: '24h', quarantine: '7d' },
  tokens: {
    telegraf: { permissions: { write: ['metrics'] } },
    // May do all that telegraf may: each shows that a refusal of the other one is its death.
    grafana: { permissions: { read: ['logs', 'metrics'], write: ['logs'] } },
  },
};

/** A cluster that hears late of everything, with two tokens issued. */
export async function openIssued(): Promise<World> {
  const world = await openWorld(policy, {
    databases: ['metrics', 'logs'],
    activationDelayMs: DELAY,
    revocationDelayMs: DELAY,
  });
  await world.rotate();
  await world.wait(2 * HOUR);
  return world;
}

/** One such world for all tests of a file; each test finds it as it was issued. */
export async function issuedForEachTest(): Promise<World> {
  const world = await openIssued();
  const issued = world.save();
  beforeEach(() => world.restore(issued));
  afterAll(() => world.close());
  return world;
}
