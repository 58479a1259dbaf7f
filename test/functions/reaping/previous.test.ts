import { expect, test } from 'vitest';
import { openWorldForTest } from '../../world/open-world.ts';
import { HOUR, MINUTE, policyWith, TELEGRAF, writer } from '../../world/policy.ts';
import type { World } from '../../world/world.ts';

const named = { tokens: ['telegraf'], force: true };

/** AWSPREVIOUS has a token without permissions, and a person gives them back right before `reap` looks again. */
async function reactivated(description: (before: string) => string): Promise<World> {
  const world = await openWorldForTest(policyWith({ telegraf: writer }));
  await world.rotate();
  await world.rotate(named);
  await world.wait(2 * HOUR);
  const { AWSPREVIOUS: id } = world.holders(TELEGRAF);
  const token = world.cluster.state.tokens.find((each) => each.id === id);
  await world.people.changeToken(id, {
    description: description(token?.description ?? ''),
    permissions: [],
  });
  let given = false;
  world.intercept(async ({ operation }, effect) => {
    if (operation === 'DescribeSecret' && !given) {
      given = true;
      await world.people.changeToken(id, {
        description: 'mine now',
        permissions: [{ action: 'write', resource: 'telemetry' }],
      });
    }
    return effect();
  });
  await world.reap();
  expect(given).toBe(true);
  expect(world.accepts(world.string(TELEGRAF, world.labels(TELEGRAF).AWSPREVIOUS))).toBe(true);
  return world;
}

test.each([
  ['a token of nobody', () => 'of nobody'],
  ['a token of ours', (before: string) => before],
])(
  'AWSPREVIOUS stays on %s that a person gave its permissions back meanwhile',
  async (_whose, description) => {
    const world = await reactivated(description);
    expect(world.labels(TELEGRAF)).toHaveProperty('AWSPREVIOUS');
    await world.wait(MINUTE);
    await world.reap();
    expect(world.labels(TELEGRAF)).toHaveProperty('AWSPREVIOUS');
  },
);
