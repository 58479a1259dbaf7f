import { expect, test } from 'vitest';
import { openWorldForTest } from '../../world/open-world.ts';
import { HOUR, TELEGRAF } from '../../world/policy.ts';

const databases = Array.from({ length: 20 }, (_, index) => `db${index}`);
const policy = {
  owner: 'prod',
  databases: databases.map((name) => ({ name })),
  tokens: {
    telegraf: { permissions: { write: databases } },
    other: { permissions: { write: ['db0'] } },
  },
};

test.each([
  ['that the cluster accepts for one of twenty grants is left alone', ['db3'], []],
  ['that the cluster refuses for every grant is replaced', [], ['Missing']],
])('a token made by hand %s', async (_what, accepted, reasons) => {
  const world = await openWorldForTest(policy, { databases });
  await world.rotate();
  await world.wait(HOUR);
  const permissions = accepted.map((resource) => ({ action: 'write', resource }));
  const hand = await world.people.mint({ description: 'by hand', permissions });
  const text = JSON.parse(world.value(TELEGRAF));
  await world.people.saveValue(TELEGRAF, JSON.stringify({ ...text, token: hand.accessToken }));
  await world.wait(2 * HOUR);
  const { result } = await world.rotate();
  const { actions }: { readonly actions: readonly { readonly reason: string }[] } = result.plan;
  expect(actions.filter(({ reason }) => reason === 'Missing').map(({ reason }) => reason)).toEqual(
    reasons,
  );
  const isHand = world.string(TELEGRAF) === hand.accessToken;
  expect(isHand).toBe(accepted.length > 0);
});

test('a token that works and that a person saves between the plan and its application is not replaced', async () => {
  const world = await openWorldForTest(policy, { databases });
  await world.rotate();
  await world.people.saveValue(TELEGRAF, 'CHANGE_ME');
  await world.wait(2 * HOUR);
  const permissions = [{ action: 'write' as const, resource: 'db0' }];
  const hand = await world.people.mint({ description: 'by hand', permissions });
  // The run has asked the cluster of the placeholder, and describes the secret before it acts.
  let isSaved = false;
  world.intercept(async (call, effect) => {
    if (call.operation === 'DescribeSecret' && call.caller !== undefined && !isSaved) {
      isSaved = true;
      await world.people.saveValue(TELEGRAF, hand.accessToken);
    }
    return effect();
  });
  const { result } = await world.rotate();
  expect(result.plan.actions).toContainEqual(expect.objectContaining({ reason: 'Missing' }));
  expect([isSaved, world.string(TELEGRAF)]).toEqual([true, hand.accessToken]);
});
