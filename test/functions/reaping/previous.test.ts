import { expect, test } from 'vitest';
import { openMoved } from '../../world/moved.ts';
import { openWorldForTest } from '../../world/open-world.ts';
import { DAY, HOUR, MINUTE, policyWith, TELEGRAF, writer } from '../../world/policy.ts';
import type { World } from '../../world/world.ts';

const named = { tokens: ['telegraf'], force: true };
const DENIED = { status: 400, body: '{"__type":"AccessDeniedException","message":"no"}' };

test('after a move to another cluster AWSPREVIOUS stays on the token of the old one for two grace periods', async () => {
  const world = await openMoved();
  const { AWSPREVIOUS: old } = world.labels(TELEGRAF);
  expect(old).toBeDefined();
  for (let hours = 0; hours < 47; hours += 1) {
    await world.reap();
    expect(world.labels(TELEGRAF).AWSPREVIOUS).toBe(old);
    await world.wait(HOUR);
  }
  await world.wait(2 * HOUR);
  const { result } = await world.reap();
  expect(result.outcomes).toMatchObject([
    { action: { kind: 'detach-previous', reason: 'UnknownVersion' }, result: 'done' },
  ]);
  expect(world.labels(TELEGRAF)).not.toHaveProperty('AWSPREVIOUS');
});

test('what is put after a move to another cluster is missed, and loses AWSPREVIOUS after one grace period, when it is gone', async () => {
  const world = await openMoved();
  await world.wait(HOUR);
  await world.rotate(named);
  await world.people.deleteToken(world.holders(TELEGRAF).AWSPREVIOUS);
  await world.wait(23 * HOUR);
  await world.reap();
  expect((await world.rotate()).result.entries?.[0]?.condition).toBe('cut-short');
  await world.wait(HOUR + MINUTE);
  await world.reap();
  expect((await world.rotate()).result.entries?.[0]?.condition).toBe('works');
  expect(world.labels(TELEGRAF)).not.toHaveProperty('AWSPREVIOUS');
});

test('a secret without the tag of its cluster, which does not have its tokens, keeps its labels', async () => {
  const world = await openWorldForTest(policyWith({ telegraf: writer }));
  await world.rotate();
  await world.rotate(named);
  await world.wait(2 * HOUR);
  await world.people.untag(TELEGRAF, ['keyturn:cluster']);
  world.cluster.state.tokens.length = 0;
  const before = world.labels(TELEGRAF);
  await world.reap();
  expect(world.labels(TELEGRAF)).toEqual(before);
});

test('a secret whose entry was removed is kept while AWSPREVIOUS may have a token of another cluster', async () => {
  const world = await openMoved();
  await world.wait(2 * HOUR);
  await world.people.deleteToken(world.holders(TELEGRAF).AWSCURRENT);
  const retiring = world.deploy(policyWith({ grafana: writer }, { onRemoval: 'retire' }));
  const { result } = await retiring.reap();
  expect(world.aws.state.secrets[TELEGRAF]?.deletedAt).toBeUndefined();
  expect(result.plan.findings).toContainEqual({
    kind: 'SecretKept',
    secret: TELEGRAF,
    message: expect.stringContaining('AWSPREVIOUS'),
  });
});

test('what may be of another cluster keeps AWSPREVIOUS while nobody says when its version was made', async () => {
  const world = await openMoved();
  await world.wait(2 * HOUR);
  const before = world.labels(TELEGRAF);
  world.intercept((call, effect) =>
    Promise.resolve(call.operation === 'ListSecretVersionIds' ? DENIED : effect()),
  );
  await world.reap();
  expect(world.labels(TELEGRAF)).toEqual(before);
});

test('a lost tag of the cluster keeps no label where this cluster has the current token', async () => {
  const world = await openWorldForTest(policyWith({ telegraf: writer }));
  await world.rotate();
  await world.rotate(named);
  await world.wait(2 * HOUR);
  await world.people.untag(TELEGRAF, ['keyturn:cluster']);
  await world.people.deleteToken(world.holders(TELEGRAF).AWSPREVIOUS);
  await world.wait(DAY + HOUR);
  await world.reap();
  expect(world.labels(TELEGRAF)).not.toHaveProperty('AWSPREVIOUS');
});

test('once AWSPREVIOUS is taken off what nobody knows, every token keeps its whole grace period', async () => {
  const world = await openWorldForTest(
    policyWith({ telegraf: writer }, { defaults: { gracePeriod: '1d' } }),
  );
  await world.rotate();
  const first = world.holders(TELEGRAF).AWSCURRENT;
  await world.rotate(named);
  await world.people.saveValue(TELEGRAF, 'apiv1_of_nobody');
  await world.rotate(named);
  for (let hours = 0; hours < 72 && world.labels(TELEGRAF).AWSPREVIOUS; hours += 1) {
    await world.wait(HOUR);
    await world.reap();
  }
  expect(world.labels(TELEGRAF)).not.toHaveProperty('AWSPREVIOUS');
  await world.wait(23 * HOUR);
  await world.reap();
  const marker = world.tokens().find(({ id }) => id === first)?.marker;
  expect(marker).toHaveProperty('superseded');
  expect(marker).not.toHaveProperty('fenced');
});

/** AWSPREVIOUS has a token without permissions, and a person gives them back right after `reap` listed it. */
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
    const reply = effect();
    if (operation === 'GET /tokens' && !given) {
      given = true;
      await world.people.changeToken(id, {
        description: 'mine now',
        permissions: [{ action: 'write', resource: 'telemetry' }],
      });
    }
    return reply;
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
