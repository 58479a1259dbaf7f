import { expect, test } from 'vitest';
import { openWorldForTest } from '../../world/open-world.ts';
import { DAY, HOUR, policyWith, writer } from '../../world/policy.ts';
import type { Deployment, World } from '../../world/world.ts';

const NAME = 'legacy/telegraf';
const PERMISSIONS = { write: ['telemetry', 'quality'] };
const declared = { databases: PERMISSIONS.write.map((name) => ({ name })) };
const writes = (...names: string[]) =>
  names.map((resource) => ({ action: 'write' as const, resource }));

/** A token by hand, taken over by an entry that keeps its `adopt`. */
async function openAdopted(minted: object = {}) {
  const world = await openWorldForTest(policyWith({ other: writer }), {
    databases: PERMISSIONS.write,
  });
  const { id, accessToken } = await world.people.mint({
    description: 'by hand',
    permissions: writes('telemetry', 'quality'),
    ...minted,
  });
  await world.people.createSecret(NAME, accessToken);
  const entry = { permissions: PERMISSIONS, secret: NAME, adopt: { tokenId: id } };
  const keyturn = world.deploy(policyWith({ telegraf: entry }, declared));
  await keyturn.rotate();
  return { world, keyturn, id };
}

/** A tool that declares the token as it was before Keyturn, perhaps without a permission. */
const reset = (world: World, id: string, ...names: string[]) =>
  world.people.changeToken(id, { description: 'by hand', permissions: writes(...names) });

/** The greatest value of a metric in all runs until now. */
const most = (deployed: Deployment, name: string) =>
  Math.max(...deployed.metrics().map((each) => Number(each[`Owner=prod ${name}`] ?? 0)));

const look = async (deployed: Deployment) => {
  const { entries, plan } = (await deployed.rotate()).result;
  const actions: readonly { readonly kind: string; readonly reason: string }[] = plan.actions;
  return [entries[0].condition, ...actions.map(({ kind, reason }) => `${kind} ${reason}`)];
};

const canWrite = (world: World) =>
  PERMISSIONS.write.every((name) => world.accepts(world.string(NAME), 'write', name));

test('an adopted token that loses marker and permission in one go is told of, and replaced by one that has it', async () => {
  const { world, keyturn, id } = await openAdopted();
  await world.wait(DAY);
  await reset(world, id, 'telemetry');
  expect(await look(keyturn)).toEqual(['stripped', 'mint PermissionsWidened']);
  expect(most(keyturn, 'UnusableTokens')).toBe(1);
  await world.wait(HOUR);
  expect(await look(keyturn)).toEqual(['works', 'resume PermissionsWidened']);
  expect(canWrite(world)).toBe(true);
});

test('an adopted token that loses its marker every week is taken back each time, and replaced when it is due', async () => {
  const { world, keyturn, id } = await openAdopted();
  const done: string[] = [];
  for (let week = 0; week < 5; week += 1) {
    await world.wait(7 * DAY);
    await reset(world, id, 'telemetry', 'quality');
    for (let run = 0; run < 2; run += 1) {
      done.push(...(await look(keyturn)).slice(1));
      await world.wait(HOUR);
    }
  }
  expect(done).toEqual([...Array(3).fill('adopt Adopted'), 'mint Due', 'resume Due']);
  expect(world.holders(NAME).AWSCURRENT).not.toBe(id);
  expect(most(keyturn, 'OverdueTokens')).toBe(0);
});

test('what an adopted token lacks since it lost its marker does not count as given when its entry grants it no more', async () => {
  const { world, keyturn, id } = await openAdopted();
  await world.wait(DAY);
  await reset(world, id, 'telemetry');
  const narrower = world.deploy(
    policyWith(
      { telegraf: { permissions: { write: ['telemetry'] }, secret: NAME, adopt: { tokenId: id } } },
      declared,
    ),
  );
  expect(await look(narrower)).toEqual(['works', 'adopt Adopted']);
  expect(most(keyturn, 'UnusableTokens')).toBe(0);
});

test('a string that a person pasted since the adoption is not taken for that of the adopted token', async () => {
  const { world, keyturn, id } = await openAdopted();
  await world.wait(DAY);
  await reset(world, id, 'telemetry');
  await world.people.saveValue(NAME, 'apiv1_another');
  const { error } = await keyturn.rotate();
  expect(error?.errorMessage).toContain('AdoptionError: the cluster does not accept the string');
  expect(most(keyturn, 'UnusableTokens')).toBe(1);
  expect(world.tokens()).toMatchObject([{ id, text: 'by hand' }]);
});
