import { expect, test } from 'vitest';
import type { Interceptor } from '../../../sandbox/interception.ts';
import { answering } from '../../world/faults.ts';
import { openWorldForTest } from '../../world/open-world.ts';
import { DAY, HOUR, policyWith, TELEGRAF, writer } from '../../world/policy.ts';
import type { Deployment, World } from '../../world/world.ts';

const entries = { telegraf: writer };
const force = { tokens: ['telegraf'], force: true };

/** What an alarm looks at: the last value of a metric. */
const measured = (deployed: Deployment, name: string): unknown =>
  deployed.metrics().findLast((each) => `Owner=prod ${name}` in each)?.[`Owner=prod ${name}`];

/** A world whose first token was replaced by force. */
async function openReplaced(policy: object): Promise<{ world: World; old: string }> {
  const world = await openWorldForTest(policy);
  await world.rotate();
  const old = world.string(TELEGRAF);
  await world.rotate(force);
  return { world, old };
}

test('a policy that is shortened takes from nobody the grace period that was promised', async () => {
  const promised = policyWith({ telegraf: { ...writer, gracePeriod: '2d' } });
  const { world, old } = await openReplaced(promised);
  const shortened = world.deploy(
    policyWith({ telegraf: { ...writer, gracePeriod: '1h', quarantine: '0s' } }),
  );
  for (let hours = 0; hours < 48; hours += 4) {
    await world.wait(4 * HOUR);
    await shortened.reap();
    expect(world.accepts(old)).toBe(true);
  }
  for (let days = 0; days < 4; days += 1) {
    await world.wait(DAY);
    await shortened.reap();
  }
  expect(world.accepts(old)).toBe(false);
});

test('a secret that is scheduled for deletion alarms until it is restored', async () => {
  const world = await openWorldForTest(policyWith(entries));
  await world.rotate();
  expect(measured(world, 'DeletedSecrets')).toBe(0);
  await world.people.deleteSecret(TELEGRAF);
  const { result } = await world.rotate();
  expect(result).toMatchObject({
    plan: { actions: [], findings: [{ kind: 'SecretDeleted' }] },
    entries: [{ condition: 'deleted' }],
  });
  expect(measured(world, 'DeletedSecrets')).toBe(1);
  await world.people.restoreSecret(TELEGRAF);
  await world.rotate();
  expect(measured(world, 'DeletedSecrets')).toBe(0);
});

test('the token of a secret that was deleted for good alarms for as long as it works', async () => {
  const world = await openWorldForTest(policyWith(entries));
  await world.rotate();
  const [old, string] = [world.holders(TELEGRAF).AWSCURRENT, world.string(TELEGRAF)];
  await world.wait(2 * HOUR);
  await world.people.deleteSecret(TELEGRAF, 'for good');
  await world.rotate();
  await world.reap();
  expect([world.accepts(string), measured(world, 'WorkingStrays')]).toEqual([true, 1]);
  await world.people.deleteToken(old);
  await world.reap();
  expect(measured(world, 'WorkingStrays')).toBe(0);
});

test('retires tokens though the databases cannot be listed, in a process that is new or warm', async () => {
  const { world } = await openReplaced(policyWith(entries));
  world.intercept(answering('GET /databases', { status: 503, body: 'away' }));
  for (const mark of ['fenced', 'quarantined']) {
    await world.wait(DAY + HOUR);
    const { result, error } = await world.reap();
    expect(error).toBeUndefined();
    expect(result.plan.findings).toContainEqual(
      expect.objectContaining({ kind: 'DatabasesUnknown' }),
    );
    expect(world.tokens(TELEGRAF)[0]?.marker).toHaveProperty(mark);
  }
});

test('a mark that is to be written again after minutes never overwrites a freeze of those minutes', async () => {
  const { world } = await openReplaced(policyWith(entries));
  await world.wait(DAY + HOUR);
  const [{ id } = { id: '' }] = world.tokens(TELEGRAF);
  const frozen = '2026-03-03T13:00:00Z';
  const busy: Interceptor = async (call, effect) => {
    if (call.operation !== 'PATCH /tokens/{id}' || call.caller === undefined) return effect();
    world.intercept();
    const { description = '' } = world.cluster.state.tokens.find((each) => each.id === id) ?? {};
    await world.people.changeToken(id, {
      description: description.replace(/\]$/, ` frozen=${frozen}]`),
    });
    return { status: 429, headers: { 'retry-after': '300' }, body: '{"code": 429, "message": ""}' };
  };
  world.intercept(busy);
  await world.reap();
  expect(world.tokens(TELEGRAF)[0]?.marker).toHaveProperty('frozen', frozen);
  await world.reap();
  expect(world.tokens(TELEGRAF)[0]?.marker).toHaveProperty('frozen', frozen);
});

test.each([60, 100, 130, 150, 160, 170, 180, 190, 200, 220, 255])(
  'on a server that takes %i characters of description, a token lives its whole life or is not minted',
  async (longestDescription) => {
    const world = await openWorldForTest(policyWith({ telegraf: writer }));
    world.cluster.manners = { longestDescription };
    const { error } = await world.rotate();
    if (error) {
      expect(error.errorMessage).toMatch(
        /nothing was minted for keyturn\/prod\/telegraf: .* \d+ characters \(.*description must be at most/,
      );
      expect(world.tokens()).toEqual([]);
      return;
    }
    const old = world.holders(TELEGRAF).AWSCURRENT;
    await world.rotate(force);
    for (let day = 0; day < 20; day += 1) {
      await world.wait(DAY);
      expect((await world.reap()).error).toBeUndefined();
    }
    expect(world.tokens(TELEGRAF).map(({ id }) => id)).toEqual([
      world.holders(TELEGRAF).AWSCURRENT,
    ]);
    expect(world.holders(TELEGRAF).AWSCURRENT).not.toBe(old);
    expect(world.tokens(TELEGRAF)[0]?.marker).not.toHaveProperty('room');
  },
);

test('a token of 150 databases is retired on a server that takes 255 characters of description', async () => {
  const databases = Array.from({ length: 150 }, (_, number) => `measurements_of_plant_${number}`);
  const policy = policyWith(
    { telegraf: { permissions: { write: databases } } },
    { databases: databases.map((name) => ({ name })) },
  );
  const world = await openWorldForTest(policy, { databases });
  world.cluster.manners = { longestDescription: 255 };
  await world.rotate();
  const version = world.labels(TELEGRAF).AWSCURRENT;
  const [old, string] = [world.holders(TELEGRAF).AWSCURRENT, world.string(TELEGRAF)];
  await world.rotate(force);
  const retire = async (days: number) => {
    for (let day = 0; day < days; day += 1) {
      await world.wait(DAY);
      expect((await world.reap()).error).toBeUndefined();
    }
  };
  await retire(3);
  expect(world.accepts(string)).toBe(false);
  // Somebody rolls back: what it may do is the policy's, because its description had no room.
  await world.people.makeCurrent(TELEGRAF, version);
  await world.rotate();
  expect(world.accepts(world.string(TELEGRAF))).toBe(true);
  expect(world.holders(TELEGRAF).AWSCURRENT).toBe(old);
  await world.wait(HOUR);
  await world.rotate(force);
  await retire(14);
  expect(world.tokens(TELEGRAF).map(({ id }) => id)).toEqual([world.holders(TELEGRAF).AWSCURRENT]);
});
