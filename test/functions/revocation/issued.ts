import { afterAll, beforeEach } from 'vitest';
import { type Interceptor, passThrough } from '../../../sandbox/interception.ts';
import { openWorld } from '../../world/open-world.ts';
import { HOUR, MINUTE } from '../../world/policy.ts';
import type { Answered, World } from '../../world/world.ts';

export const GRAFANA = 'keyturn/prod/grafana';

/** How long the cluster takes to hear of tokens and of their end. */
const DELAY = 20_000;

export const policy = {
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
  beforeEach(() => {
    world.intercept();
    world.cluster.manners = {};
    return world.restore(issued);
  });
  afterAll(() => world.close());
  return world;
}

/** A token made by hand, whose version has an id of the console's, and which a run has taken over. */
export async function adopt(world: World) {
  const [secret, permissions] = ['legacy/db', [{ action: 'write', resource: 'metrics' }]];
  const { id, accessToken } = await world.people.mint({ description: 'legacy', permissions });
  await world.people.createSecret(secret, accessToken);
  await world.wait(MINUTE);
  const legacy = { permissions: { write: ['metrics'] }, secret, adopt: { tokenId: id } };
  const deployed = world.deploy({ ...policy, tokens: { ...policy.tokens, legacy } });
  await deployed.rotate();
  return { deployed, secret, id };
}

/** These operations get that reply, and have no effect. */
export const answer =
  (operations: readonly string[], reply: Awaited<ReturnType<Interceptor>>): Interceptor =>
  (call, effect) =>
    operations.includes(call.operation) ? Promise.resolve(reply) : passThrough(call, effect);

/** The report, also of an order that was not done whole. */
export function reportOf({ result, error }: Answered<object>): Record<string, unknown> {
  return { ...(result ?? JSON.parse(error?.errorMessage.split('\n').at(-1) ?? '{}')) };
}
