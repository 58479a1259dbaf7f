import { expect, test } from 'vitest';
import { openWorldForTest } from '../../world/open-world.ts';
import { DAY, HOUR, policyWith, TELEGRAF, writer } from '../../world/policy.ts';
import type { World } from '../../world/world.ts';

const conditions = async (world: World): Promise<string[]> => {
  const { result } = await world.rotate();
  return result.entries.map(({ condition }: { readonly condition: string }) => condition);
};

test.each(['somebody edits another key', 'another rotation'])(
  'a replaced token that somebody strips within its grace period is told of after %s, too',
  async (what) => {
    const world = await openWorldForTest(policyWith({ telegraf: writer }));
    await world.rotate();
    const { AWSCURRENT: former = '' } = world.holders(TELEGRAF);
    const string = world.string(TELEGRAF);
    await world.wait(2 * HOUR);
    await world.rotate({ tokens: ['telegraf'], force: true });
    await world.wait(HOUR);
    if (what === 'another rotation') await world.rotate({ tokens: ['telegraf'], force: true });
    else {
      const edited = { ...JSON.parse(world.value(TELEGRAF)), note: 'edited' };
      await world.people.saveValue(TELEGRAF, JSON.stringify(edited));
    }
    await world.wait(HOUR);
    expect(await conditions(world)).toEqual(['works']);
    await world.people.changeToken(former, { permissions: [] });
    expect(world.accepts(string)).toBe(false);
    await world.wait(HOUR);
    expect(await conditions(world)).toEqual(['cut-short']);
    await world.wait(DAY);
    expect(await conditions(world)).toEqual(['works']);
  },
);

test('a replaced token that somebody takes one of its permissions from is told of, too', async () => {
  const permissions = { read: ['telemetry'], write: ['telemetry'] };
  const world = await openWorldForTest(policyWith({ telegraf: { permissions } }));
  await world.rotate();
  await world.wait(2 * HOUR);
  await world.rotate({ tokens: ['telegraf'], force: true });
  await world.wait(HOUR);
  expect(await conditions(world)).toEqual(['works']);
  const left = [{ action: 'read', resource: 'telemetry' }];
  await world.people.changeToken(world.holders(TELEGRAF).AWSPREVIOUS, { permissions: left });
  expect(await conditions(world)).toEqual(['cut-short']);
  await world.wait(DAY);
  expect(await conditions(world)).toEqual(['works']);
});

test('a token that somebody strips is told of as such, whatever becomes of the one before it', async () => {
  const world = await openWorldForTest(policyWith({ telegraf: writer }));
  await world.rotate();
  await world.wait(2 * HOUR);
  await world.rotate({ tokens: ['telegraf'], force: true });
  await world.wait(HOUR);
  const { AWSCURRENT, AWSPREVIOUS } = world.holders(TELEGRAF);
  await world.people.changeToken(AWSPREVIOUS, { permissions: [] });
  expect(await conditions(world)).toEqual(['cut-short']);
  await world.people.changeToken(AWSCURRENT, { permissions: [] });
  expect(await conditions(world)).toEqual(['stripped']);
});

test('a replaced token that somebody deletes is told of, though the tag of the cluster was lost meanwhile', async () => {
  const world = await openWorldForTest(policyWith({ telegraf: writer }));
  await world.rotate();
  await world.wait(2 * HOUR);
  await world.rotate({ tokens: ['telegraf'], force: true });
  await world.wait(HOUR);
  await world.people.untag(TELEGRAF, ['keyturn:cluster']);
  await world.people.deleteToken(world.holders(TELEGRAF).AWSPREVIOUS);
  expect(await conditions(world)).toEqual(['cut-short']);
  expect(world.tags(TELEGRAF)).toHaveProperty('keyturn:cluster');
  await world.wait(HOUR);
  expect(await conditions(world)).toEqual(['cut-short']);
});

test('tokens that are deleted after a move back count against the limit', async () => {
  const names = ['a', 'b', 'c', 'd', 'e', 'f', 'g', 'h'];
  const secretOf = (name: string) => `keyturn/prod/${name}`;
  const entries = Object.fromEntries(names.map((name) => [name, writer]));
  const world = await openWorldForTest(policyWith(entries));
  const { people, cluster, labels, holders } = world;
  const moveFrom = async (
    url: string,
    tokens: readonly (typeof cluster.state.tokens)[number][],
  ) => {
    cluster.state.tokens.splice(0, Number.POSITIVE_INFINITY, ...tokens);
    for (const name of names) await people.tag(secretOf(name), { 'keyturn:cluster': url });
    const { result } = await world.rotate({ dryRun: true });
    await world.rotate({ approve: result.plan.refusals[0].hash });
  };
  await world.rotate();
  await world.wait(2 * HOUR);
  const first = new Map(names.map((name) => [name, labels(secretOf(name)).AWSCURRENT ?? '']));
  const before = structuredClone(cluster.state.tokens);
  await moveFrom('https://old.example.com', []);
  await world.wait(2 * HOUR);
  for (const [name, version] of first) await people.makeCurrent(secretOf(name), version);
  await moveFrom('https://between.example.com', before);
  await world.wait(6 * HOUR);
  const ids = names.map((name) => holders(secretOf(name)).AWSCURRENT ?? '');
  for (const id of ids) await people.deleteToken(id);
  await world.wait(HOUR);
  const { error } = await world.rotate();
  expect(error?.errorMessage).toContain('8 tokens would be replaced because they are gone');
  expect(names.map((name) => holders(secretOf(name)).AWSCURRENT)).toEqual(ids);
});
