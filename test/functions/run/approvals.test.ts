import { expect, test } from 'vitest';
import type { Interceptor } from '../../../sandbox/interception.ts';
import { disturb, faults, meanwhile } from '../../world/faults.ts';
import { openWorldForTest } from '../../world/open-world.ts';
import { DAY, HOUR, MINUTE, policyWith, writer } from '../../world/policy.ts';
import type { Answered, World } from '../../world/world.ts';

const secretOf = (name: string) => `keyturn/prod/${name}`;
const entriesOf = (names: readonly string[]) =>
  Object.fromEntries(names.map((name) => [name, writer]));

const TEAM_A = ['a1', 'a2', 'a3', 'a4', 'a5'];
const TEAM_B = ['b1', 'b2', 'b3', 'b4', 'b5'];
const OLD = 'https://old.example.com';

const currentOf = (world: World, names: readonly string[]) =>
  names.map((name) => world.holders(secretOf(name)).AWSCURRENT);
const clustersOf = (world: World, names: readonly string[]) =>
  names.map((name) => world.tags(secretOf(name))['keyturn:cluster']);

/** The hash of the first refusal, as the error of the invocation says it. */
function hashIn({ error }: Answered): string {
  expect(error?.errorType).toBe('PlanRefusedError');
  const [, hash] = /\{"approve": "(\w{16})"\}/.exec(error?.errorMessage ?? '') ?? [];
  if (hash === undefined) throw new Error(`no hash in ${error?.errorMessage}`);
  return hash;
}

/** A rotation that is due may be armed by one run, and promoted by a later one. */
async function rotateTwice(world: World): Promise<Answered> {
  await world.rotate();
  await world.wait(15 * MINUTE);
  return world.rotate();
}

async function losing(names: readonly string[], of: readonly string[]): Promise<World> {
  const world = await openWorldForTest(policyWith(entriesOf(of)));
  await world.rotate();
  await world.wait(30 * DAY);
  for (const id of currentOf(world, names)) await world.people.deleteToken(id);
  return world;
}

async function moved(names: readonly string[], of: readonly string[] = names): Promise<World> {
  const world = await openWorldForTest(policyWith(entriesOf(of)));
  await world.rotate();
  for (const name of names) await world.people.tag(secretOf(name), { 'keyturn:cluster': OLD });
  return world;
}

test("one team's five gone tokens, over the limit, do not stop the rotation of the others", async () => {
  const world = await losing(TEAM_A, [...TEAM_A, ...TEAM_B]);
  const before = { a: currentOf(world, TEAM_A), b: currentOf(world, TEAM_B) };
  const refused = await rotateTwice(world);
  expect(currentOf(world, TEAM_A)).toEqual(before.a);
  for (const version of currentOf(world, TEAM_B)) expect(before.b).not.toContain(version);

  // What was applied beside them has not changed the hash of what waits.
  expect(await world.rotate({ approve: hashIn(refused) })).not.toHaveProperty('error');
  for (const version of currentOf(world, TEAM_A)) expect(before.a).not.toContain(version);
});

test('an error of what was applied beside a refused part is told together with the refusal', async () => {
  const world = await losing(TEAM_A, TEAM_A);
  await world.people.createSecret(secretOf('late'));
  const { rotate, metrics } = world.deploy(policyWith(entriesOf([...TEAM_A, 'late'])));
  const refused = await rotate();
  hashIn(refused);
  expect(refused.error?.errorMessage).toContain('5 tokens would be replaced because they are gone');
  expect(refused.error?.errorMessage).toContain(`rotate late: ${secretOf('late')}`);
  expect(metrics().at(-1)).toMatchObject({
    'Owner=prod RefusedPlans': 1,
    'Owner=prod FailedActions': 1,
  });
});

/** A Management API that shows the first so many foreign tokens as expired. */
function showingExpired(world: World, count: number): Interceptor {
  const shown = new Set(
    world
      .tokens()
      .filter(({ marker }) => marker === undefined)
      .slice(0, count)
      .map(({ id }) => id),
  );
  const expired = (token: { id: string }) =>
    shown.has(token.id) ? { ...token, expiresAt: '2026-01-01T00:00:00Z' } : token;
  return (call, effect) => {
    const reply = effect();
    if (!/^GET \/tokens/.test(call.operation)) return Promise.resolve(reply);
    const body = JSON.parse(reply.body);
    const changed = Array.isArray(body) ? body.map(expired) : expired(body);
    return Promise.resolve({ ...reply, body: JSON.stringify(changed) });
  };
}

test('a server that shows 200 foreign tokens as expired loses none of them, and 3 if only 3 are', async () => {
  const policy = policyWith(entriesOf(['telegraf']), { expiredForeignTokens: 'delete' });
  const world = await openWorldForTest(policy);
  await world.rotate();
  for (let n = 0; n < 200; n += 1) await world.people.mint({ description: `of others ${n}` });
  await world.wait(DAY);

  world.intercept(showingExpired(world, 200));
  hashIn(await world.reap());
  expect(world.tokens()).toHaveLength(201);

  world.intercept(showingExpired(world, 3));
  expect(await world.reap()).not.toHaveProperty('error');
  expect(world.tokens()).toHaveLength(198);
});

test('one approval moves every secret to another cluster, and goes on after a crash', async () => {
  const world = await moved(TEAM_A);
  const approve = hashIn(await world.rotate());
  expect(clustersOf(world, TEAM_A)).toEqual(TEAM_A.map(() => OLD));

  const isTagging = ({ operation }: { readonly operation: string }) => operation === 'TagResource';
  await disturb(world, () => world.rotate({ approve }), 3, {
    meet: faults['killed after the effect'],
    counts: isTagging,
  });
  const tagged = clustersOf(world, TEAM_A).filter((each) => each === world.cluster.url);
  expect(tagged.length).toBeGreaterThan(0);
  expect(tagged.length).toBeLessThan(TEAM_A.length);
  await world.wait(5 * MINUTE);

  expect(hashIn(await world.rotate())).toBe(approve);
  expect(await world.rotate({ approve })).not.toHaveProperty('error');
  expect(clustersOf(world, TEAM_A)).toEqual(TEAM_A.map(() => world.cluster.url));
  expect(await world.rotate()).toMatchObject({ result: { plan: { actions: [], refusals: [] } } });
});

test('one approval moves secrets to a cluster without their tokens, and goes on after a crash', async () => {
  const world = await moved([...TEAM_A, ...TEAM_B]);
  const all = [...TEAM_A, ...TEAM_B];
  await world.wait(DAY);
  const gone = new Set(currentOf(world, all));
  world.cluster.state.tokens.splice(
    0,
    Infinity,
    ...world.cluster.state.tokens.filter(({ id }) => !gone.has(id)),
  );
  const approve = hashIn(await world.rotate());
  await disturb(world, () => world.rotate({ approve }), 3, {
    meet: faults['killed after the effect'],
    counts: ({ operation }) => operation === 'PutSecretValue',
  });
  await world.wait(15 * MINUTE);
  expect(await world.rotate({ approve })).not.toHaveProperty('error');
  for (const name of all) expect(world.accepts(world.string(secretOf(name)))).toBe(true);
});

test('going back to the tokens of the cluster before a move is no part of its approval, and is counted', async () => {
  const names = [...TEAM_A, ...TEAM_B];
  const world = await moved(names);
  await world.wait(2 * HOUR);
  world.cluster.state.tokens.length = 0;
  await world.rotate({ approve: hashIn(await world.rotate()) });
  await world.wait(5 * HOUR);
  for (const name of names) {
    const secret = secretOf(name);
    await world.people.makeCurrent(secret, world.labels(secret).AWSPREVIOUS);
  }
  const before = currentOf(world, names);
  expect((await world.rotate()).error?.errorMessage).toMatch(/10 tokens .* because they are gone/);
  expect(currentOf(world, names)).toEqual(before);
});

test('a cluster tag that people took off is put back, and its lack is no consent to a move', async () => {
  const world = await openWorldForTest(policyWith(entriesOf(['telegraf'])));
  await world.rotate();
  const secret = secretOf('telegraf');
  await world.people.untag(secret, ['keyturn:cluster']);
  await world.rotate();
  expect(world.tags(secret)['keyturn:cluster']).toBe(world.cluster.url);
  expect(world.tags(secret)).not.toHaveProperty('keyturn:moved');

  await world.people.untag(secret, ['keyturn:cluster']);
  await world.wait(DAY);
  world.cluster.state.tokens.length = 0; // as in another cluster
  const before = world.labels(secret);
  const approve = hashIn(await world.rotate());
  expect(world.labels(secret)).toEqual(before);
  await world.rotate({ approve });
  expect(world.accepts(world.string(secret))).toBe(true);
});

test('a moved secret waits with all its actions, in reap as well, and holds up nobody else', async () => {
  const world = await moved(TEAM_A, [...TEAM_A, ...TEAM_B]);
  await world.wait(30 * DAY);
  const before = { a: currentOf(world, TEAM_A), b: currentOf(world, TEAM_B) };
  const refused = await rotateTwice(world);
  expect(currentOf(world, TEAM_A)).toEqual(before.a);
  for (const version of currentOf(world, TEAM_B)) expect(before.b).not.toContain(version);

  await world.wait(70 * DAY);
  const { result, error } = await world.reap();
  expect(error).toBeUndefined();
  const waiting = result.plan.findings.filter(
    ({ kind }: { kind: string }) => kind === 'OtherCluster',
  );
  expect(waiting.map(({ secret }: { secret: string }) => secret)).toEqual(TEAM_A.map(secretOf));
  expect(world.tokens().map(({ id }) => id)).toEqual(expect.arrayContaining(before.a));

  // Approved, it is tagged before anything else is done to it.
  const whenPut: (string | undefined)[] = [];
  world.watch(({ operation, subject = '' }, effect) => {
    if (operation === 'PutSecretValue' && TEAM_A.map(secretOf).includes(subject)) {
      whenPut.push(world.tags(subject)['keyturn:cluster']);
    }
    return effect();
  });
  await world.rotate({ approve: hashIn(refused) });
  expect(whenPut).toEqual(TEAM_A.map(() => world.cluster.url));
  for (const version of currentOf(world, TEAM_A)) expect(before.a).not.toContain(version);
});

test('a secret of another cluster that no entry names refuses nothing, and reap leaves it alone', async () => {
  const world = await moved(['removed'], ['removed', 'telegraf']);
  const tokens = entriesOf(['telegraf', 'new']);
  const deployment = world.deploy(policyWith(tokens, { onRemoval: 'retire' }));
  expect(await deployment.rotate()).not.toHaveProperty('error');
  expect(world.labels(secretOf('new'))).toHaveProperty('AWSCURRENT');
  await world.wait(DAY);
  const { result } = await deployment.reap();
  expect(result.plan.actions).toEqual([]);
  expect(result.plan.findings).toContainEqual(
    expect.objectContaining({ kind: 'OtherCluster', secret: secretOf('removed') }),
  );
});

test.each([
  ['rotate', { tokens: ['telegraf'], force: true }],
  ['reap', {}],
] as const)('%s looks at the cluster again right before it acts', async (job, event) => {
  const world = await openWorldForTest(policyWith(entriesOf(['telegraf'])));
  await world.rotate();
  await world.wait(30 * DAY);
  await rotateTwice(world);
  await world.wait(2 * DAY);
  const secret = secretOf('telegraf');
  const before = { tokens: world.tokens(), labels: world.labels(secret) };
  const { answer } = await disturb(world, () => world.invoke(job, event), 1, {
    meet: meanwhile(({ people }) => people.tag(secret, { 'keyturn:cluster': OLD })),
    counts: ({ operation }) => operation === 'DescribeSecret',
  });
  expect(answer.error?.errorMessage).toContain(`${secret} has tokens of the cluster ${OLD}`);
  expect({ tokens: world.tokens(), labels: world.labels(secret) }).toEqual(before);
});

test('an approval moves no secret that meanwhile is of yet another cluster', async () => {
  const world = await moved(['telegraf']);
  const approve = hashIn(await world.rotate());
  const secret = secretOf('telegraf');
  const third = 'https://third.example.com';
  await disturb(world, () => world.rotate({ approve }), 1, {
    meet: meanwhile(({ people }) => people.tag(secret, { 'keyturn:cluster': third })),
    counts: ({ operation }) => operation === 'DescribeSecret',
  });
  expect(clustersOf(world, ['telegraf'])).toEqual([third]);
});
