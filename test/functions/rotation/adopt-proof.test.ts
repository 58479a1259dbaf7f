import { expect, test } from 'vitest';
import type { Call } from '../../../sandbox/interception.ts';
import { disturb, faults, meanwhile } from '../../world/faults.ts';
import { INSTANT } from '../../world/marker.ts';
import { openWorldForTest, type WorldOptions } from '../../world/open-world.ts';
import { DAY, HOUR, MINUTE, policyWith, writer } from '../../world/policy.ts';
import type { World } from '../../world/world.ts';

const NAME = 'legacy/telegraf';
const WRITE = { action: 'write', resource: 'telemetry' };
const EVERYTHING = [
  { action: 'read', resource: '*' },
  { action: 'write', resource: '*' },
];
const empty = policyWith({ other: writer });
const adopting = (tokenId: string) =>
  policyWith({ telegraf: { ...writer, secret: NAME, adopt: { tokenId } } });

const mint = (world: World, description: string, permissions: readonly object[] = [WRITE]) =>
  world.people.mint({ description, permissions, expiresAt: '2027-03-02T12:00:00Z' });

/** A secret with a token made by hand, another team's token with the same grants, and who adopts by which id. */
async function legacy(permissions?: readonly object[], options?: WorldOptions) {
  const world = await openWorldForTest(empty, options);
  const mine = await mint(world, 'mine', permissions);
  const theirs = await mint(world, 'theirs', permissions);
  await world.people.createSecret(NAME, mine.accessToken);
  await world.wait(HOUR);
  return { world, mine, theirs, keyturn: world.deploy(adopting(mine.id)) };
}

const tokenOf = (world: World, id: string) => world.tokens().find((each) => each.id === id);
/** As people made it: no marker, and no other permissions. */
const untouched = (id: string, text: string) => ({
  id,
  text,
  marker: undefined,
  permissions: [WRITE],
});
const isPatch = ({ operation }: Call) => operation === 'PATCH /tokens/{id}';
const isProbe = ({ server }: Call) => server === 'data-plane';

test('shows by a permission given for minutes that the string is the token’s, and takes it away', async () => {
  const { world, mine, keyturn } = await legacy(undefined, { activationDelayMs: 90_000 });
  const had: unknown[] = [];
  world.watch((call, effect) => {
    const reply = effect();
    if (isPatch(call)) had.push(tokenOf(world, mine.id));
    return reply;
  });
  const { result } = await keyturn.rotate();
  expect(result.outcomes).toMatchObject([{ action: { kind: 'adopt' }, result: 'done' }]);
  expect(had).toMatchObject([
    {
      permissions: [WRITE, { action: 'read', resource: `keyturn-proof-${mine.id}` }],
      marker: { proving: expect.stringMatching(INSTANT) },
    },
    { permissions: [WRITE] },
  ]);
  const { marker } = tokenOf(world, mine.id) ?? {};
  expect(marker).toMatchObject({
    secret: NAME,
    id: mine.id,
    version: world.labels(NAME).AWSCURRENT,
    adopted: expect.stringMatching(INSTANT),
    proven: expect.stringMatching(INSTANT),
  });
  expect(marker).not.toHaveProperty('proving');
  expect(world.events('Token Adopted')).toMatchObject([{ detail: { tokenId: mine.id } }]);
});

test('another token’s id with the same grants is refused, and nothing is taken from anybody, ever', async () => {
  const { world, mine, theirs } = await legacy();
  const keyturn = world.deploy(adopting(theirs.id));
  const { error } = await keyturn.rotate();
  expect(error?.errorType).toBe('ApplyError');
  expect(error?.errorMessage).toContain('it is another token’s');
  expect(error?.errorMessage).not.toContain(mine.accessToken);
  for (const days of [31, 8]) {
    await world.wait(days * DAY);
    await keyturn.rotate();
    await keyturn.reap();
  }
  expect(world.tokens()).toEqual([untouched(mine.id, 'mine'), untouched(theirs.id, 'theirs')]);
  expect(world.accepts(mine.accessToken)).toBe(true);
  expect(world.accepts(theirs.accessToken)).toBe(true);
  expect(world.value(NAME)).toBe(mine.accessToken);
  expect(world.tags(NAME)).toEqual({});
});

test('a string that may do what the token may not is refused before anything is given', async () => {
  const { world, mine } = await legacy([WRITE, { action: 'read', resource: 'telemetry' }]);
  const narrow = await mint(world, 'narrow');
  let patches = 0;
  world.watch((call, effect) => {
    if (isPatch(call)) patches += 1;
    return effect();
  });
  const { error } = await world.deploy(adopting(narrow.id)).rotate();
  expect(error?.errorMessage).toContain(`may read telemetry, which token ${narrow.id} may not`);
  expect(patches).toBe(0);
  expect(world.accepts(mine.accessToken, 'read')).toBe(true);
});

/** Tokens made by hand with the same grants, and secrets with the strings of the first ones, in the same order. */
async function legacies(secrets: number, options?: WorldOptions) {
  const world = await openWorldForTest(empty, options);
  const made: Awaited<ReturnType<typeof mint>>[] = [];
  for (let number = 0; number <= secrets; number += 1) made.push(await mint(world, `${number}`));
  for (const [number, { accessToken }] of made.slice(0, secrets).entries()) {
    await world.people.createSecret(`legacy/${number}`, accessToken);
  }
  await world.wait(HOUR);
  const entryOf = (number: number, of: number) => ({
    [`entry${number}`]: {
      ...writer,
      secret: `legacy/${number}`,
      adopt: { tokenId: made[of]?.id ?? '' },
    },
  });
  return { world, made, entryOf };
}

const SLOW = { activationDelayMs: 90_000 };
const MANY_ROUTERS = { routers: { count: 12, spreadMs: 240_000 }, activationDelayMs: 0 };
const LISTS = {
  swapped: [1, 0],
  'shifted by one': [1, 2, 3],
  'a ring': [1, 2, 0],
} as const;

test.each([
  ['swapped', SLOW],
  ['swapped', MANY_ROUTERS],
  ['shifted by one', MANY_ROUTERS],
  ['a ring', SLOW],
] as const)(
  'ids that are %s prove nothing of each other in one run, with %j',
  async (list, options) => {
    const ids = LISTS[list];
    const { world, made, entryOf } = await legacies(ids.length, options);
    const entries = ids.map((of, number) => entryOf(number, of));
    const keyturn = world.deploy(policyWith(Object.assign({}, ...entries)));
    for (let runs = 0; runs < 2; runs += 1) {
      const { error } = await keyturn.rotate();
      expect(error?.errorMessage).toContain('it is another token’s');
      await keyturn.reap();
      await world.wait(20 * MINUTE);
    }
    expect(world.tokens()).toEqual(made.map(({ id }, number) => untouched(id, `${number}`)));
    expect(made.map(({ accessToken }) => world.accepts(accessToken))).not.toContain(false);
    expect(world.events('Token Adopted')).toEqual([]);
  },
);

test('ids that two deployments swapped prove nothing of each other at the same time', async () => {
  const { world, made, entryOf } = await legacies(2, SLOW);
  const one = world.deploy({ ...policyWith(entryOf(0, 1)), owner: 'one' });
  const two = world.deploy({ ...policyWith(entryOf(1, 0)), owner: 'two' });
  for (const { error } of await Promise.all([one.rotate(), two.rotate()])) {
    expect(error?.errorMessage).toContain('it is another token’s');
  }
  expect(world.tokens()).toEqual(made.map(({ id }, number) => untouched(id, `${number}`)));
});

test('right ids are all proven in one run', async () => {
  const { world, entryOf } = await legacies(3, SLOW);
  const entries = [0, 1, 2].map((number) => entryOf(number, number));
  const { result } = await world.deploy(policyWith(Object.assign({}, ...entries))).rotate();
  expect(result.outcomes.map((each: { result: string }) => each.result)).toEqual([
    'done',
    'done',
    'done',
  ]);
});

test('a permission that a proof gave to a wrong token lets nobody do anything', async () => {
  const { world, theirs } = await legacy(undefined, SLOW);
  const could: boolean[] = [];
  world.watch((call, effect) => {
    const reply = effect();
    if (isProbe(call)) could.push(world.accepts(theirs.accessToken, 'read'));
    return reply;
  });
  await world.deploy(adopting(theirs.id)).rotate();
  expect(could.length).toBeGreaterThan(20);
  expect(could).not.toContain(true);
});

test.each([
  ['before it gives the permission', isPatch, 1, 'killed before the effect'],
  ['after it gave the permission', isPatch, 1, 'killed after the effect'],
  ['before it takes the permission away', isPatch, 2, 'killed before the effect'],
  ['after it took the permission away', isPatch, 2, 'killed after the effect'],
] as const)(
  'a run that dies %s leaves nothing that the next one does not finish',
  async (_what, counts, number, fault) => {
    const { world, mine, keyturn } = await legacy();
    await disturb(world, () => keyturn.rotate(), number, {
      meet: faults[fault],
      counts,
      later: 'cut off',
    });
    await keyturn.reap();
    await world.wait(5 * MINUTE);
    const { result } = await keyturn.rotate();
    expect(result.outcomes).toMatchObject([{ action: { kind: 'adopt' }, result: 'done' }]);
    expect(tokenOf(world, mine.id)).toMatchObject({
      permissions: [WRITE],
      marker: { proven: expect.stringMatching(INSTANT) },
    });
    expect(tokenOf(world, mine.id)?.marker).not.toHaveProperty('proving');
    expect((await keyturn.rotate()).result.plan.actions).toEqual([]);
  },
);

test('a proof of a string that was replaced meanwhile proves nothing', async () => {
  const { world, theirs, keyturn, mine } = await legacy();
  await disturb(world, () => keyturn.rotate(), 1, {
    meet: faults['killed after the effect'],
    counts: isPatch,
    later: 'cut off',
  });
  // Their string may read telemetry by itself, as the token of the entry may for the proof.
  await world.people.changeToken(theirs.id, {
    permissions: [WRITE, { action: 'read', resource: 'telemetry' }],
  });
  await world.people.saveValue(NAME, theirs.accessToken);
  await keyturn.rotate();
  const { error } = await keyturn.rotate();
  expect(error?.errorMessage).toContain('may read telemetry, which token');
  expect(tokenOf(world, mine.id)).toEqual(untouched(mine.id, 'mine'));
});

test('two runs at the same time adopt once, and leave no permission behind', async () => {
  const { world, mine, keyturn } = await legacy(undefined, { activationDelayMs: 60_000 });
  const other = world.deploy(adopting(mine.id));
  const both = await Promise.all([keyturn.rotate(), other.rotate()]);
  expect(both.map(({ error }) => error)).toEqual([undefined, undefined]);
  expect(tokenOf(world, mine.id)).toMatchObject({
    permissions: [WRITE],
    marker: { proven: expect.stringMatching(INSTANT) },
  });
});

test('a run that begins while another one proves joins its proof', async () => {
  const { world, mine, keyturn } = await legacy(undefined, { activationDelayMs: 60_000 });
  const other = world.deploy(adopting(mine.id));
  let second: ReturnType<typeof other.rotate> | undefined;
  world.watch((call, effect) => {
    const reply = effect();
    if (isPatch(call)) second ??= other.rotate();
    return reply;
  });
  const first = await keyturn.rotate();
  expect([first.error, (await second)?.error]).toEqual([undefined, undefined]);
  expect(tokenOf(world, mine.id)).toMatchObject({
    permissions: [WRITE],
    marker: { proven: expect.stringMatching(INSTANT) },
  });
});

test('a run carries on the proof of a token that lacked a single permission', async () => {
  // The policy names no other databases, so a proof can only give a permission to write.
  const almost = [
    { action: 'read', resource: '*' },
    WRITE,
    { action: 'write', resource: 'quality' },
  ];
  const { world, mine, keyturn } = await legacy(almost);
  await disturb(world, () => keyturn.rotate(), 1, {
    meet: faults['killed after the effect'],
    counts: isPatch,
    later: 'cut off',
  });
  await world.wait(5 * MINUTE);
  expect((await keyturn.rotate()).error).toBeUndefined();
  expect(tokenOf(world, mine.id)).toMatchObject({
    permissions: almost,
    marker: { proven: expect.stringMatching(INSTANT) },
  });
});

test('a cluster that needs longer than activationTimeout adopts nothing, and has nothing left of it', async () => {
  const { world, mine, keyturn } = await legacy(undefined, { activationDelayMs: 20 * MINUTE });
  expect((await keyturn.rotate()).error?.errorMessage).toContain('within 5m');
  expect(tokenOf(world, mine.id)).toEqual(untouched(mine.id, 'mine'));
});

test.each(['description', 'permissions'] as const)(
  'of a change of which the cluster stores the %s alone, nothing is left',
  async (patchesOnly) => {
    const { world, mine, keyturn } = await legacy();
    world.cluster.manners = { patchesOnly };
    expect((await keyturn.rotate()).error?.errorType).toBe('ApplyError');
    expect(tokenOf(world, mine.id)).toEqual(untouched(mine.id, 'mine'));
  },
);

test.each(['mine', 'theirs'] as const)(
  'where the text of people and the marker of a proof do not fit, nothing is written: %s',
  async (whose) => {
    const { world, ...made } = await legacy();
    const text = 'ask Ms Example in hall 7 before you change anything about this token. '.repeat(2);
    await world.people.changeToken(made[whose].id, { description: text });
    world.cluster.manners = { longestDescription: 255 };
    const { error } = await world.deploy(adopting(made[whose].id)).rotate();
    expect(error?.errorMessage).toContain('nothing was changed');
    expect(error?.errorMessage).toContain('keyturn adopt telegraf --confirm');
    expect(tokenOf(world, made[whose].id)).toEqual(untouched(made[whose].id, text));
  },
);

test.each(['description', 'permissions'] as const)(
  'where a cluster stores the %s alone of the end of a proof, a later run takes the permission away',
  async (patchesOnly) => {
    for (const tags of [undefined, { 'keyturn:owner': 'prod' }]) {
      const { world, mine, keyturn } = await legacy();
      if (tags) await world.people.tag(NAME, tags);
      let patches = 0;
      world.intercept((call, effect) => {
        if (isPatch(call)) patches += 1;
        world.cluster.manners = patches > 1 ? { patchesOnly } : {};
        return Promise.resolve(effect());
      });
      await keyturn.rotate();
      world.intercept();
      world.cluster.manners = {};
      for (let runs = 0; runs < 3; runs += 1) {
        await world.wait(6 * MINUTE);
        await keyturn.rotate();
      }
      expect(tokenOf(world, mine.id)).toMatchObject({
        permissions: [WRITE],
        marker: { proven: expect.stringMatching(INSTANT) },
      });
      expect((await keyturn.rotate()).result.plan).toMatchObject({ actions: [], findings: [] });
    }
  },
);

test('a data plane that does not answer is no proof, and takes nothing', async () => {
  const { world, mine, keyturn } = await legacy();
  world.intercept(async (call, effect) =>
    isProbe(call) ? { status: 503, body: 'down' } : effect(),
  );
  const { error } = await keyturn.rotate();
  expect(error?.errorMessage).toContain('did not say whether it accepts the string');
  expect(tokenOf(world, mine.id)).toEqual(untouched(mine.id, 'mine'));
});

test('a string that may do a part of what the token may is told as such, and takes nothing', async () => {
  const { world, mine, keyturn } = await legacy();
  const part = await world.people.mint({ description: 'less', permissions: [WRITE] });
  await world.people.changeToken(mine.id, {
    permissions: [WRITE, { action: 'read', resource: 'telemetry' }],
  });
  await world.wait(HOUR);
  await world.people.saveValue(NAME, part.accessToken);
  const { error } = await keyturn.rotate();
  expect(error?.errorMessage).toContain(`for a part of what token ${mine.id} may do`);
});

test('gives nothing under a hold, and takes it all back if one appears', async () => {
  const { world, mine, keyturn } = await legacy();
  await world.people.tag(NAME, { 'keyturn:hold': 'frozen' });
  expect((await keyturn.rotate()).result.outcomes).toMatchObject([{ result: 'held' }]);
  expect(tokenOf(world, mine.id)).toEqual(untouched(mine.id, 'mine'));

  const later = await legacy(undefined, { activationDelayMs: 60_000 });
  await disturb(later.world, () => later.keyturn.rotate(), 1, {
    meet: meanwhile(({ people }) => people.hold(NAME, 'frozen')),
    counts: isPatch,
  });
  expect(tokenOf(later.world, later.mine.id)).toEqual(untouched(later.mine.id, 'mine'));
  expect(later.world.events('Token Adopted')).toEqual([]);
});

test('a token that may do everything is adopted when a person says whose string it is', async () => {
  const { world, mine, keyturn } = await legacy(EVERYTHING);
  const { error } = await keyturn.rotate();
  expect(error?.errorMessage).toContain('keyturn adopt telegraf --confirm');
  expect(tokenOf(world, mine.id)).toMatchObject({ marker: undefined, permissions: EVERYTHING });

  const event = { tokens: ['telegraf'], confirmAdoption: 'ada@laptop' };
  expect((await keyturn.rotate({ ...event, dryRun: true })).result.plan.actions).toMatchObject([
    { kind: 'adopt', tokenId: mine.id, confirmedBy: 'ada@laptop' },
  ]);
  const { result } = await keyturn.rotate(event);
  expect(result.outcomes).toMatchObject([{ result: 'done' }]);
  expect(tokenOf(world, mine.id)).toMatchObject({
    permissions: EVERYTHING,
    marker: { proven: expect.stringMatching(INSTANT), adopted: expect.stringMatching(INSTANT) },
  });
  expect(world.events('Token Adopted')).toMatchObject([
    { detail: { confirmedBy: 'ada@laptop', confirmedAt: expect.stringMatching(INSTANT) } },
  ]);
  expect((await keyturn.rotate(event)).result.plan.actions).toEqual([]);
});

test('what a person confirms is proven all the same where that is possible', async () => {
  const { world, theirs } = await legacy();
  const { error } = await world
    .deploy(adopting(theirs.id))
    .rotate({ tokens: ['telegraf'], confirmAdoption: 'ada' });
  expect(error?.errorMessage).toContain('it is another token’s');
  expect(tokenOf(world, theirs.id)).toEqual(untouched(theirs.id, 'theirs'));
});

test.each([
  { confirmAdoption: 'ada' },
  { tokens: ['telegraf'], force: true, confirmAdoption: 'ada' },
])('refuses a confirmation that could mean other things: %j', async (event) => {
  const world = await openWorldForTest(empty);
  expect((await world.rotate(event)).error?.errorType).toBe('RequestError');
});
