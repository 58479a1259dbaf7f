import { expect, test } from 'vitest';
import { INSTANT } from '../../world/marker.ts';
import { openWorldForTest } from '../../world/open-world.ts';
import { DAY, MINUTE, policyWith, writer } from '../../world/policy.ts';
import type { World } from '../../world/world.ts';

const NAME = 'legacy/telegraf';

async function legacy(world: World, shape: (token: string) => string, grants = writer.permissions) {
  const permissions = grants.write.map((resource) => ({ action: 'write', resource }));
  const made = await world.people.mint({
    description: 'made by hand',
    permissions,
    expiresAt: '2027-03-02T12:00:00Z',
  });
  await world.people.createSecret(NAME, shape(made.accessToken));
  return made;
}

const adopting = (tokenId: string, key?: string) =>
  policyWith({ telegraf: { ...writer, secret: NAME, adopt: { tokenId, ...(key && { key }) } } });

const empty = policyWith({ other: writer });

test('takes over a secret that is a plain string, and keeps it one', async () => {
  const world = await openWorldForTest(empty);
  const old = await legacy(world, (token) => token);
  const keyturn = world.deploy(adopting(old.id));
  expect(await keyturn.rotate()).toMatchObject({
    result: { outcomes: [{ action: { reason: 'Adopted', tokenId: old.id }, result: 'done' }] },
  });
  const labels = world.labels(NAME);
  expect(world.tokens()).toEqual([
    {
      id: old.id,
      text: 'made by hand',
      permissions: [{ action: 'write', resource: 'telemetry' }],
      marker: expect.objectContaining({ owner: 'prod', secret: NAME, version: labels.AWSCURRENT }),
    },
  ]);
  expect((await keyturn.rotate()).result.plan.actions).toEqual([]);
  await keyturn.reap();
  expect(world.tokens()).toHaveLength(1);
  expect(world.value(NAME)).toBe(old.accessToken);

  await keyturn.rotate({ tokens: ['telegraf'], force: true });
  const next = world.value(NAME);
  expect(next).toMatch(/^apiv1_/);
  expect(world.accepts(next)).toBe(true);
  expect(world.labels(NAME).AWSPREVIOUS).toBe(labels.AWSCURRENT);
  expect(world.tokens().find(({ id }) => id === old.id)?.marker?.superseded).toMatch(INSTANT);
});

test('changes the named key alone of a secret that is JSON', async () => {
  const world = await openWorldForTest(empty);
  const old = await legacy(world, (token) =>
    JSON.stringify({ host: 'influx', port: 8181, credentials: token, extra: { a: [1] } }),
  );
  const keyturn = world.deploy(adopting(old.id, 'credentials'));
  await keyturn.rotate();
  expect(world.tokens()).toHaveLength(1);
  await world.wait(31 * DAY);
  const { result } = await keyturn.rotate();
  expect(result.outcomes).toMatchObject([{ action: { reason: 'Due' }, result: 'done' }]);
  await world.wait(15 * MINUTE);
  await keyturn.rotate();
  const value = JSON.parse(world.value(NAME));
  expect(value).toEqual({
    host: 'influx',
    port: 8181,
    credentials: expect.stringMatching(/^apiv1_/),
    extra: { a: [1] },
  });
  expect(value.credentials).not.toBe(old.accessToken);
  expect(world.accepts(value.credentials)).toBe(true);
});

test('takes over a token of any age without a rotation before rotateEvery has passed', async () => {
  const world = await openWorldForTest(empty);
  const old = await legacy(world, (token) => token);
  await world.wait(200 * DAY);
  const keyturn = world.deploy(adopting(old.id));
  await keyturn.rotate();
  await world.wait(26 * DAY);
  expect((await keyturn.rotate()).result.plan.actions).toEqual([]);
  await world.wait(4 * DAY);
  expect((await keyturn.rotate()).result.outcomes).toMatchObject([
    { action: { reason: 'Due' }, result: 'done' },
  ]);
});

test('retires what it adopted as anything else', async () => {
  const world = await openWorldForTest(empty);
  const old = await legacy(world, (token) => token);
  const keyturn = world.deploy(adopting(old.id));
  await keyturn.rotate();
  await keyturn.rotate({ tokens: ['telegraf'], force: true });
  const seen = new Set<string>();
  for (let day = 0; day < 12; day += 1) {
    await world.wait(DAY);
    const { result } = await keyturn.reap();
    for (const { action } of result.outcomes) seen.add(action.kind);
  }
  expect([...seen]).toEqual(['fence', 'quarantine', 'delete']);
  expect(world.tokens().map(({ id }) => id)).toEqual([
    world.labels(NAME).AWSCURRENT?.replace('keyturn-', ''),
  ]);
});

const metric = ({ metrics }: Pick<World, 'metrics'>, name: string) =>
  metrics().findLast((each) => `Owner=prod ${name}` in each)?.[`Owner=prod ${name}`];
const unusable = (keyturn: Pick<World, 'metrics'>) => metric(keyturn, 'UnusableTokens');
const NOBODY = '11111111-2222-4333-8444-555555555555';

test('takes over a secret that a person tagged as ours, however old its string is', async () => {
  const world = await openWorldForTest(empty);
  const old = await legacy(world, (token) => `${token}\n`);
  await world.people.tag(NAME, { 'keyturn:owner': 'prod' });
  await world.wait(40 * DAY);
  const keyturn = world.deploy(adopting(old.id));
  expect((await keyturn.rotate()).result.outcomes).toMatchObject([
    { action: { kind: 'adopt', tokenId: old.id }, result: 'done' },
  ]);
  expect(unusable(keyturn)).toBe(0);
  expect(world.value(NAME)).toBe(`${old.accessToken}\n`);
  expect((await keyturn.rotate()).result.plan).toMatchObject({ actions: [], findings: [] });
});

test('takes back a token of ours whose marker a person removed, if the entry names it', async () => {
  const world = await openWorldForTest(policyWith({ telegraf: { ...writer, secret: NAME } }));
  await world.rotate();
  const id = world.holders(NAME).AWSCURRENT ?? '';
  await world.people.changeToken(id, { description: 'renamed by hand' });
  const keyturn = world.deploy(adopting(id, 'token'));
  expect((await keyturn.rotate()).result.outcomes).toMatchObject([
    { action: { kind: 'adopt', tokenId: id }, result: 'done' },
  ]);
  expect((await keyturn.rotate()).result.plan).toMatchObject({ actions: [], findings: [] });
});

test('an id that does not exist is a finding, fails each run, and is not called consumers without a token', async () => {
  const world = await openWorldForTest(empty);
  await legacy(world, (token) => token);
  const keyturn = world.deploy(adopting(NOBODY));
  const { result } = await keyturn.rotate({ dryRun: true });
  expect(result.plan).toMatchObject({ actions: [], findings: [{ kind: 'CannotAdopt' }] });
  expect(result.entries).toMatchObject([{ condition: 'unadopted' }]);
  expect((await keyturn.rotate()).error?.errorMessage).toContain(`no token has the id ${NOBODY}`);
  expect([unusable(keyturn), metric(keyturn, 'FailedActions')]).toEqual([0, 1]);
});

test.each([
  ['refuses', (world: World) => world.people.createSecret(NAME, 'apiv1_somethingElse')],
  ['cannot read', () => Promise.resolve()],
])('a string that the cluster or its consumers %s alarms as such', async (_what, store) => {
  const world = await openWorldForTest(empty);
  const { id } = await world.people.mint({
    description: 'x',
    permissions: [{ action: 'write', resource: 'telemetry' }],
  });
  await store(world);
  const keyturn = world.deploy(adopting(id));
  expect((await keyturn.rotate()).error?.errorType).toBe('ApplyError');
  expect([unusable(keyturn), metric(keyturn, 'FailedActions')]).toEqual([1, 1]);
});

test.each([
  ['the string is not the token that the entry names', (_: string) => 'apiv1_somethingElse'],
  ['the secret is no JSON object', (token: string) => token],
  ['the JSON has no such key', (token: string) => JSON.stringify({ other: token })],
])('adopts nothing where %s', async (what, shape) => {
  const world = await openWorldForTest(empty);
  const old = await legacy(world, shape);
  const key = what.includes('JSON') ? 'credentials' : undefined;
  const { error } = await world.deploy(adopting(old.id, key)).rotate();
  expect(error?.errorType).toBe('ApplyError');
  expect(error?.errorMessage).toMatch(/adopt telegraf|AdoptionError|SecretShapeError/);
  expect(JSON.stringify(error)).not.toContain(world.value(NAME));
  expect(world.tokens()).toMatchObject([{ text: 'made by hand', marker: undefined }]);
});

test('a hold on what is still to be adopted alarms after a week, a day before its token expires, and once it has', async () => {
  const world = await openWorldForTest(empty);
  const { id, accessToken } = await world.people.mint({
    description: 'x',
    permissions: [{ action: 'write', resource: 'telemetry' }],
    expiresAt: new Date(world.clock.now() + 20 * DAY).toISOString(),
  });
  await world.people.createSecret(NAME, accessToken, { 'keyturn:hold': 'frozen' });
  const keyturn = world.deploy(adopting(id));
  const start = world.clock.now();
  const alarmsOn = async (day: number) => {
    await world.wait(start + day * DAY - world.clock.now());
    await keyturn.rotate();
    return [metric(keyturn, 'LongHolds'), unusable(keyturn), world.accepts(accessToken)];
  };
  expect(await alarmsOn(1)).toEqual([0, 0, true]);
  expect(await alarmsOn(8)).toEqual([1, 0, true]);
  expect(await alarmsOn(19.5)).toEqual([1, 1, true]);
  expect((await alarmsOn(21)).slice(1)).toEqual([1, false]);
});

test('an adopted secret that is deleted for good is made anew once adopt is out of its entry, as the error says', async () => {
  const world = await openWorldForTest(empty);
  const { id } = await legacy(world, (token) => token);
  const keyturn = world.deploy(adopting(id));
  await keyturn.rotate();
  await world.people.deleteSecret(NAME, 'for good');
  await world.wait(10 * MINUTE);
  const { error } = await keyturn.rotate();
  expect(error?.errorMessage).toMatch(
    /no secret has the name .* take adopt out of the entry, and the next run makes it/,
  );
  const without = world.deploy(policyWith({ legacy: { ...writer, secret: NAME } }));
  expect((await without.rotate()).error).toBeUndefined();
  expect(world.accepts(world.string(NAME))).toBe(true);
});
