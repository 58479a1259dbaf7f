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

test('asks nobody else for comparison where the cluster accepts a token made by hand', async () => {
  const world = await openWorldForTest(policy, { databases });
  await world.rotate();
  await world.wait(HOUR);
  const permissions = [{ action: 'write' as const, resource: 'db0' }];
  const hand = await world.people.mint({ description: 'by hand', permissions });
  await world.people.saveValue(TELEGRAF, hand.accessToken);
  await world.wait(2 * HOUR);
  const asked = { hand: 0, other: 0 };
  const other = world.string('keyturn/prod/other');
  world.watch((call, effect) => {
    if (call.authorization?.includes(hand.accessToken)) asked.hand += 1;
    if (call.authorization?.includes(other)) asked.other += 1;
    return effect();
  });
  await world.rotate();
  expect(asked).toEqual({ hand: expect.any(Number), other: 0 });
  expect(asked.hand).toBeGreaterThan(0);
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

test.each([
  ['every router', 1],
  ['one router of many', 7],
])(
  'a token that works no more, and that was asked for comparison, is not called working where %s refuses it',
  async (_who, every) => {
    const world = await openWorldForTest(policy, { databases });
    await world.rotate();
    await world.people.saveValue(TELEGRAF, 'CHANGE_ME');
    await world.wait(2 * HOUR);
    const other = world.string('keyturn/prod/other');
    let probes = 0;
    world.intercept((call, effect) => {
      const isOther = call.authorization?.includes(other) === true;
      if (isOther) probes += 1;
      const isRefused = isOther && probes % every === 0;
      return Promise.resolve(isRefused ? { status: 401, body: '' } : effect());
    });
    const state = async () => {
      const { result } = await world.rotate();
      return result.entries.find(({ token }: { readonly token: string }) => token === 'other');
    };
    expect((await state()).condition).toBe('refused');
    expect(world.metrics().at(-1)).toMatchObject({ 'Owner=prod UnusableTokens': 2 });
    // Nobody asks for comparison any more, and what was seen is not forgotten.
    await world.people.saveValue(TELEGRAF, other);
    await world.rotate({ tokens: ['telegraf'], force: true });
    expect((await state()).condition).toBe('refused');
    world.intercept();
    expect((await state()).condition).toBe('works');
  },
);

test('a token that the cluster refused, and accepts again within the same run, is an outage that a metric tells', async () => {
  const world = await openWorldForTest(policy, { databases });
  await world.rotate();
  await world.people.saveValue(TELEGRAF, 'CHANGE_ME');
  await world.wait(2 * HOUR);
  const other = world.string('keyturn/prod/other');
  const until = world.clock.now() + 3_000;
  let refused = 0;
  world.intercept((call, effect) => {
    const isRefused = call.authorization?.includes(other) === true && world.clock.now() < until;
    if (isRefused) refused += 1;
    return Promise.resolve(isRefused ? { status: 401, body: '' } : effect());
  });
  const { result } = await world.rotate();
  expect(refused).toBeGreaterThan(0);
  expect(result.entries).toContainEqual(
    expect.objectContaining({ token: 'other', condition: 'works' }),
  );
  const measured = world.metrics().findLast((each) => 'Owner=prod UnusableTokens' in each);
  expect(measured).toMatchObject({ 'Owner=prod MendedOutages': 1 });
});

test('a token that works no more, and that was asked for comparison before another one, is not forgotten once that is accepted', async () => {
  const third = { permissions: { write: ['db1'] } };
  const world = await openWorldForTest(
    { ...policy, tokens: { ...policy.tokens, third } },
    { databases },
  );
  await world.rotate();
  await world.people.saveValue(TELEGRAF, 'CHANGE_ME');
  await world.wait(2 * HOUR);
  const names = ['other', 'third'];
  const strings = new Map(names.map((name) => [world.string(`keyturn/prod/${name}`), name]));
  let broken: string | undefined;
  let isOtherAccepted = false;
  world.intercept((call, effect) => {
    const asked = [...strings].find(([string]) => call.authorization?.includes(string))?.[1];
    broken ??= asked;
    isOtherAccepted ||= asked !== undefined && asked !== broken;
    const isRefused = asked !== undefined && asked === broken;
    return Promise.resolve(isRefused ? { status: 401, body: '' } : effect());
  });
  const { result } = await world.rotate();
  const conditions = Object.fromEntries(
    result.entries.map((each: { readonly token: string; readonly condition: string }) => [
      each.token,
      each.condition,
    ]),
  );
  expect(isOtherAccepted).toBe(true);
  expect(names.map((name) => conditions[name]).sort()).toEqual(['refused', 'works']);
  expect(conditions[broken ?? '']).toBe('refused');
  expect(conditions.telegraf).toBe('works');
});
