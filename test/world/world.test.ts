import { expect, test } from 'vitest';
import { besideRun, type Disturbance, disturb, faults } from './faults.ts';
import { openWorldForTest } from './open-world.ts';
import { DAY, policyWith, TELEGRAF, writer } from './policy.ts';

const policy = policyWith({ telegraf: writer });
const storing: Omit<Disturbance, 'meet'> = {
  counts: ({ operation }) => operation === 'PutSecretValue' || operation === 'CreateSecret',
};

test('a run that is killed ends there, with or without the effect of its call', async () => {
  const world = await openWorldForTest(policy);
  for (const when of ['before', 'after'] as const) {
    const meet = faults[`killed ${when} the effect`];
    const { answer, calls } = await disturb(world, world.rotate, 1, { ...storing, meet });
    expect(answer.error?.errorType).toBe('Runtime.ExitError');
    expect(calls).toBe(1);
    expect(TELEGRAF in world.aws.state.secrets).toBe(when === 'after');
  }
});

test('a fault leaves later calls alone, unless all are to be met', async () => {
  const world = await openWorldForTest(policy);
  const meet = faults['a 500 before the effect'];
  const once = await disturb(world, world.rotate, 1, { ...storing, meet });
  expect(once.answer.error).toBeUndefined();
  expect(once.calls).toBeGreaterThan(1);
  const force = () => world.rotate({ tokens: ['telegraf'], force: true });
  const always = await disturb(world, force, 1, { ...storing, meet, later: 'alike' });
  expect(always.answer.error?.errorType).toBe('ApplyError');
});

test('a run beside another one is over before the call goes on', async () => {
  const world = await openWorldForTest(policy);
  let current: string | undefined;
  const other = async () => {
    await world.rotate();
    current = world.holders(TELEGRAF).AWSCURRENT;
  };
  const { answer } = await disturb(world, world.rotate, 1, {
    counts: ({ operation }) => operation === 'POST /tokens',
    meet: besideRun(other).before,
  });
  expect(answer.error).toBeUndefined();
  expect(world.tokens().map(({ id }) => id)).toEqual([current, expect.any(String)]);
});

test('a watcher sees what takes effect, and which function of which policy asked', async () => {
  const world = await openWorldForTest(policyWith({}));
  const deployed = world.deploy(policy);
  const seen = new Set<unknown>();
  world.watch((call, effect) => {
    seen.add(world.origin(call)?.policy);
    return effect();
  });
  await deployed.rotate({ dryRun: true });
  expect([...seen]).toEqual([deployed.policy]);
  await world.people.createSecret('by/hand');
  expect([...seen]).toEqual([deployed.policy, undefined]);
});

test('a version is told by the string it holds, whoever put it, and whatever its id', async () => {
  const world = await openWorldForTest(policy);
  await world.rotate();
  const [first] = world.tokens();
  expect(world.holders(TELEGRAF).AWSCURRENT).toBe(first?.id);
  const { id, accessToken } = await world.people.mint({ description: 'by hand', permissions: [] });
  for (const text of [accessToken, `${accessToken}\n`, JSON.stringify({ db: [accessToken] })]) {
    await world.people.saveValue(TELEGRAF, text);
    expect(world.holders(TELEGRAF).AWSCURRENT).toBe(id);
  }
  await world.people.deleteToken(id);
  await world.people.saveValue(TELEGRAF, 'CHANGE_ME');
  expect(world.holders(TELEGRAF)).toEqual({ AWSPREVIOUS: id });
});

test('a saved state comes back later, with every instant as far away as it was', async () => {
  const world = await openWorldForTest(policy);
  await world.rotate();
  const saved = world.save();
  const ago = (instant: string | number = '') => world.clock.now() - new Date(instant).getTime();
  const tokens = () =>
    world.tokens().map(({ marker, ...token }) => ({
      ...token,
      marker: { ...marker, armed: ago(marker?.armed), promoted: ago(marker?.promoted) },
      age: ago(world.cluster.state.tokens[0]?.createdAt),
    }));
  const before = tokens();
  await world.wait(40 * DAY);
  await world.rotate();
  expect(world.tokens()).toHaveLength(2);
  await world.restore(saved);
  expect(tokens()).toEqual(before);
  expect((await world.rotate()).result.plan.actions).toEqual([]);
});
