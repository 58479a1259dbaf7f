import { expect, test } from 'vitest';
import { openWorldForTest } from '../../world/open-world.ts';
import { DAY, HOUR, MINUTE, policyWith, TELEGRAF, writer } from '../../world/policy.ts';
import type { World } from '../../world/world.ts';

const former = 'GET /tokens/{id} of the former';

/** What a run asks about one token, in its order, beside its listings, the management token and its probes. */
async function askedBy(world: World, run: () => Promise<unknown>): Promise<string[]> {
  const id = world.holders(TELEGRAF).AWSCURRENT;
  const asked: string[] = [];
  world.intercept(({ server, operation, subject }, effect) => {
    const isAbout =
      (server === 'management-api' && operation !== 'GET /tokens') ||
      (server === 'secrets-manager' && subject === TELEGRAF);
    const suffix = subject === id ? ' of the former' : '';
    if (isAbout) asked.push(`${operation}${suffix}`);
    return Promise.resolve(effect());
  });
  await run();
  world.intercept();
  return asked;
}

async function openDue(options: Parameters<typeof openWorldForTest>[1] = {}) {
  const world = await openWorldForTest(policyWith({ telegraf: writer }), options);
  await world.rotate();
  await world.wait(31 * DAY);
  return world;
}

// docs/performance.md says which rule needs each of them.
test('a rotation that is due asks eight times of the cluster and nine times of Secrets Manager, and nothing twice but what may have changed', async () => {
  const world = await openDue();
  expect(await askedBy(world, () => world.rotate())).toEqual([
    'GetSecretValue',
    'DescribeSecret',
    'POST /tokens',
    'PutSecretValue',
    'GET /tokens/{id}',
    'PATCH /tokens/{id}',
    'DescribeSecret',
  ]);
  await world.wait(HOUR / 2);
  expect(await askedBy(world, () => world.rotate())).toEqual([
    'DescribeSecret',
    'GetSecretValue',
    'GetSecretValue',
    'GET /tokens/{id}',
    'DescribeSecret',
    'UpdateSecretVersionStage',
    former,
    'PATCH /tokens/{id} of the former',
    'GET /tokens/{id}',
    'PATCH /tokens/{id}',
  ]);
});

test('whose listing is minutes old when its token is accepted looks at the former one before it replaces it', async () => {
  const world = await openDue({ activationDelayMs: 2 * MINUTE });
  const force = { tokens: ['telegraf'], force: true };
  const asked = await askedBy(world, () => world.rotate(force));
  expect(asked.filter((each) => each === former)).toHaveLength(2);
});

test('a token that came back by a roll back since the listing gets its grace period from the promotion on', async () => {
  const world = await openDue();
  await world.rotate();
  await world.wait(HOUR / 2);
  const { AWSCURRENT: id = '' } = world.holders(TELEGRAF);
  const token = world.cluster.state.tokens.find((each) => each.id === id);
  const before = new Date(world.clock.now() - 10 * MINUTE).toISOString().replace(/\.\d+/, '');
  world.intercept(async (call, effect) => {
    if (call.operation === 'UpdateSecretVersionStage' && token) {
      await world.beside(call, () =>
        world.people.changeToken(id, {
          description: token.description.replace(/\]$/, ` superseded=${before} grace=3600]`),
        }),
      );
    }
    return effect();
  });
  await world.rotate();
  world.intercept();
  expect(world.holders(TELEGRAF).AWSCURRENT).not.toBe(id);
  const now = world.cluster.state.tokens.find((each) => each.id === id)?.description;
  expect(now).toContain('superseded=');
  expect(now).not.toContain(`superseded=${before}`);
});
