import { expect, test } from 'vitest';
import { openWorldForTest } from '../../world/open-world.ts';
import { DAY, HOUR, MINUTE, policyWith, TELEGRAF, writer } from '../../world/policy.ts';
import type { Deployment, World } from '../../world/world.ts';

const databases = ['telemetry', 'quality', 'other'];
const declared = { databases: databases.map((name) => ({ name })) };
const policyOf = (write: readonly string[], more: object = {}) =>
  policyWith({ telegraf: { permissions: { write }, ...more } }, declared);
const writes = (...names: string[]) =>
  names.map((resource) => ({ action: 'write' as const, resource }));
const open = () => openWorldForTest(policyWith({ telegraf: writer }, declared), { databases });

/** What its string can write, of the three databases. */
const writable = (world: World, string = world.string(TELEGRAF)) =>
  databases.filter((name) => world.accepts(string, 'write', name));

const setPermissions = (world: World, ...names: string[]) =>
  world.people.changeToken(world.holders(TELEGRAF).AWSCURRENT, { permissions: writes(...names) });

/** The greatest value of a metric in all runs until now. */
const most = (deployed: Deployment, name: string) =>
  Math.max(...deployed.metrics().map((each) => Number(each[`Owner=prod ${name}`] ?? 0)));

const look = async (deployed: Deployment) => {
  const { result } = await deployed.rotate();
  const [{ condition }] = result.entries;
  const kinds = [...result.plan.actions, ...result.plan.findings].map(({ kind }) => kind);
  return [condition, ...kinds];
};

test.each([
  ['adds it and another', ['telemetry', 'quality', 'other']],
  ['adds another', ['telemetry', 'other']],
  ['goes to another', ['other']],
])(
  'a token to which a person added a database lacks nothing when the policy %s, and gets that',
  async (_what, wanted) => {
    const world = await open();
    await world.rotate();
    await world.wait(DAY);
    const string = world.string(TELEGRAF);
    await setPermissions(world, 'telemetry', 'quality');
    const deployed = world.deploy(policyOf(wanted));
    expect(await look(deployed)).toEqual(['works', 'widen']);
    expect(writable(world, string)).toEqual(databases);
    await world.wait(HOUR);
    const isFollowed = wanted.length === databases.length;
    expect(await look(deployed)).toEqual(['works', ...(isFollowed ? [] : ['PermissionsChanged'])]);
    expect(writable(world)).toEqual(databases);
    // A person's addition ends with the next rotation, and nobody is told of an outage.
    await deployed.rotate({ tokens: ['telegraf'], force: true });
    await world.wait(HOUR);
    expect(await look(deployed)).toEqual(['works']);
    expect(writable(world)).toEqual(databases.filter((name) => wanted.includes(name)));
    expect(writable(world, string)).toEqual(databases);
    expect([most(deployed, 'UnusableTokens'), most(deployed, 'MendedOutages')]).toEqual([0, 0]);
  },
);

test.each([
  ['what it had at first', ['quality', 'other']],
  ['what the policy added since', ['telemetry', 'quality']],
])('a token to which a person added, and then took %s, lacks permissions', async (_what, left) => {
  const world = await open();
  await world.rotate();
  await setPermissions(world, 'telemetry', 'quality');
  const deployed = world.deploy(policyOf(['telemetry', 'other']));
  await deployed.rotate();
  await world.wait(HOUR);
  await setPermissions(world, ...left);
  expect(await look(deployed)).toEqual(['stripped', 'PermissionsChanged']);
  expect(most(deployed, 'UnusableTokens')).toBe(1);
});

test('a run that ended between what it gave and its marker is carried on, and a person who takes that is told of', async () => {
  const world = await open();
  await world.rotate();
  await setPermissions(world, 'telemetry', 'quality');
  const deployed = world.deploy(policyOf(['telemetry', 'other']));
  // Its permissions go first, by themselves.
  let patches = 0;
  world.intercept(async (call, effect) => {
    if (call.operation === 'PATCH /tokens/{id}') patches += 1;
    return patches > 1 ? { status: 503, body: '{}' } : await effect();
  });
  await deployed.rotate();
  world.intercept();
  expect(writable(world)).toEqual(databases);
  await world.wait(HOUR);
  expect(await look(deployed)).toEqual(['works', 'widen']);
  await world.wait(HOUR);
  expect(await look(deployed)).toEqual(['works', 'PermissionsChanged']);
  await setPermissions(world, 'telemetry', 'quality');
  expect(await look(deployed)).toEqual(['stripped', 'PermissionsChanged']);
});

test('what the policy took over of a person is missed when a person takes it again', async () => {
  const world = await open();
  await world.rotate();
  await setPermissions(world, 'telemetry', 'quality', 'other');
  const deployed = world.deploy(policyOf(['telemetry', 'quality']));
  await deployed.rotate();
  await world.wait(HOUR);
  await setPermissions(world, 'telemetry', 'other');
  expect(await look(deployed)).toEqual(['stripped', 'PermissionsChanged']);
});

test('a replaced token to which a person had added is not cut short by what the policy adds', async () => {
  const world = await open();
  await world.rotate();
  await world.wait(DAY);
  const former = world.string(TELEGRAF);
  await setPermissions(world, 'telemetry', 'quality');
  await world.rotate({ tokens: ['telegraf'], force: true });
  await world.wait(HOUR);
  const deployed = world.deploy(policyOf(['telemetry', 'other']));
  expect((await look(deployed))[0]).toBe('works');
  await world.wait(HOUR);
  expect(await look(deployed)).toEqual(['works']);
  expect(writable(world, former)).toEqual(['telemetry', 'quality']);
  // What it was given is missed.
  const { AWSPREVIOUS } = world.holders(TELEGRAF);
  await world.people.changeToken(AWSPREVIOUS, { permissions: writes('quality') });
  expect(await look(deployed)).toEqual(['cut-short']);
});

/** Somebody edits the current token in the console, so that its marker is lost. */
const loseMarker = (world: World, change: object = {}) =>
  world.people.changeToken(world.holders(TELEGRAF).AWSCURRENT, {
    description: 'hall 1',
    ...change,
  });

test('a token whose marker is lost is replaced when the policy adds a database, and people are told that it may have had that', async () => {
  const world = await open();
  await world.rotate();
  await world.wait(DAY);
  const former = world.string(TELEGRAF);
  await loseMarker(world);
  expect(await look(world)).toEqual(['works', 'LostMarker']);
  const deployed = world.deploy(policyOf(['telemetry', 'other']));
  expect(await look(deployed)).toEqual(['stripped', 'mint', 'LostMarker']);
  await world.wait(20 * MINUTE);
  expect(await look(deployed)).toEqual(['works', 'resume', 'LostMarker']);
  expect(writable(world)).toEqual(['telemetry', 'other']);
  expect(writable(world, former)).toEqual(['telemetry']);
  await world.wait(20 * MINUTE);
  // Consumers may still have it, for its grace period.
  expect(await look(deployed)).toEqual(['cut-short']);
  await world.wait(DAY);
  expect(await look(deployed)).toEqual(['works']);
  expect(most(deployed, 'MendedOutages')).toBe(1);
});

test.each([
  ['the next runs replace it', 1, false],
  ['it is replaced by name', 1, true],
  ['it is near its expiry, and one run replaces it', 29 * 24 + 12, false],
])(
  'who takes a permission and the marker in one go refuses consumers, and the alarm of an outage that was mended tells it, where %s',
  async (_what, hours, force) => {
    const world = await open();
    const deployed = world.deploy(policyOf(['telemetry', 'quality']));
    await deployed.rotate();
    await world.wait(hours * HOUR);
    await loseMarker(world, { permissions: writes('telemetry') });
    for (let run = 0; run < 3; run += 1) {
      await deployed.rotate(force ? { tokens: ['telegraf'], force } : {});
      await world.wait(20 * MINUTE);
    }
    expect(writable(world)).toEqual(['telemetry', 'quality']);
    // The alarm of what lasts looks at the least of an hour's runs, and these were mended before that.
    expect(most(deployed, 'MendedOutages')).toBe(1);
  },
);

test('a token whose marker is lost lacks nothing where the policy names a database that does not exist', async () => {
  const world = await open();
  await world.rotate();
  await loseMarker(world);
  const permissions = { write: ['telemetry', 'qualty'] };
  const deployed = world.deploy(policyWith({ telegraf: { permissions } }));
  for (let run = 0; run < 2; run += 1) {
    expect(await look(deployed)).toEqual(['works', 'UnknownDatabase', 'LostMarker']);
    await world.wait(HOUR);
  }
  expect(most(deployed, 'UnusableTokens')).toBe(0);
});

test('a token that lost its marker and all permissions is told to be stripped in every run, until it is replaced by name', async () => {
  const world = await open();
  await world.rotate();
  await loseMarker(world, { permissions: [] });
  for (let run = 0; run < 2; run += 1) {
    expect(await look(world)).toEqual(['stripped', 'LostMarker']);
    await world.wait(HOUR);
  }
  await world.rotate({ tokens: ['telegraf'], force: true });
  expect(writable(world)).toEqual(['telemetry']);
});

test('who takes a permission from a token cannot hide that behind a policy whose database is misspelt', async () => {
  const world = await open();
  const first = world.deploy(policyOf(['telemetry', 'quality']));
  await first.rotate();
  await world.wait(HOUR);
  const permissions = { write: ['telemetry', 'qualty'] };
  const deployed = world.deploy(policyWith({ telegraf: { permissions } }));
  await setPermissions(world, 'telemetry');
  for (let run = 0; run < 3; run += 1) {
    expect(await look(deployed)).toEqual(['stripped', 'PermissionsChanged', 'UnknownDatabase']);
    await world.wait(HOUR);
  }
});

test.each([
  ['its marker as well', 'prod', { description: 'hall 1' }],
  ['nothing else, after the owner was renamed', 'plant', {}],
])(
  'who takes a permission from a replaced token that is not ours any more, and %s, is told of',
  async (_what, owner, change) => {
    const world = await open();
    const policy = policyOf(['telemetry', 'quality'], { secret: TELEGRAF });
    await world.deploy(policy).rotate();
    await world.wait(HOUR);
    const former = world.holders(TELEGRAF).AWSCURRENT;
    await world.people.tag(TELEGRAF, { 'keyturn:owner': owner });
    const deployed = world.deploy({ ...policy, owner });
    await deployed.rotate({ tokens: ['telegraf'], force: true });
    await world.wait(20 * MINUTE);
    await deployed.rotate();
    expect(world.holders(TELEGRAF).AWSPREVIOUS).toBe(former);
    expect((await look(deployed))[0]).toBe('works');
    await world.people.changeToken(former, { permissions: writes('telemetry'), ...change });
    await world.wait(HOUR);
    expect((await look(deployed))[0]).toBe('cut-short');
    await world.wait(DAY);
    expect((await look(deployed))[0]).toBe('works');
  },
);

test('Secrets Manager’s own rotation tells that it ended an outage, and of none where there was none', async () => {
  const world = await open();
  await world.rotate();
  await world.wait(HOUR);
  await world.rotateSecret(TELEGRAF);
  expect(most(world, 'MendedOutages')).toBe(0);
  await world.wait(2 * HOUR);
  await world.people.deleteToken(world.holders(TELEGRAF).AWSCURRENT);
  await world.rotateSecret(TELEGRAF);
  expect(writable(world)).toEqual(['telemetry']);
  expect(most(world, 'MendedOutages')).toBe(1);
});
