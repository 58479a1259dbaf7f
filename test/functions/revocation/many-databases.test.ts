import { expect, test } from 'vitest';
import { openWorldForTest } from '../../world/open-world.ts';
import { DAY, HOUR, policyWith, TELEGRAF } from '../../world/policy.ts';
import type { World } from '../../world/world.ts';

/** One for each customer, with names as long as people's are. */
const names = Array.from(
  { length: 150 },
  (_, number) => `customer-${String(number).padStart(4, '0')}-telemetry-production`,
);
const policy = policyWith(
  { telegraf: { permissions: { read: names } } },
  { databases: names.map((name) => ({ name })) },
);
const order = { reason: 'a drill', by: 'ada' };
const force = { tokens: ['telegraf'], force: true };

/** No description that any server must take is longer. */
const LONGEST = 4_096;

async function opened() {
  const world = await openWorldForTest(policy, { databases: names });
  let longest = 0;
  world.watch((_call, effect) => {
    const reply = effect();
    const lengths = world.cluster.state.tokens.map(({ description }) => description.length);
    longest = Math.max(longest, ...lengths);
    return reply;
  });
  await world.rotate();
  return { world, longest: () => longest };
}

const permissionsOf = (world: World, id: string | undefined) =>
  world.tokens().find((each) => each.id === id)?.permissions ?? [];

test.each([{ token: 'telegraf' }, { all: true }])(
  'a token of 150 databases is frozen without another word, and gets what the policy says of it back: %j',
  async (selector) => {
    const { world, longest } = await opened();
    const confirm = 'all' in selector && { confirm: new URL(world.cluster.url).hostname };
    const id = world.holders(TELEGRAF).AWSCURRENT;
    const frozen = await world.revoke({ ...order, ...selector, ...confirm, way: 'freeze' });
    expect(frozen.error).toBeUndefined();
    expect(permissionsOf(world, id)).toEqual([]);
    expect(world.accepts(world.string(TELEGRAF), 'read', names[0])).toBe(false);
    const undone = await world.revoke({ ...order, ...selector, ...confirm, way: 'unfreeze' });
    expect(undone.error).toBeUndefined();
    expect(permissionsOf(world, id)).toHaveLength(150);
    expect(longest()).toBeLessThanOrEqual(LONGEST);
  },
);

test('nor is its description longer than servers must take when it is quarantined', async () => {
  const { world, longest } = await opened();
  const version = world.labels(TELEGRAF).AWSCURRENT;
  const id = world.holders(TELEGRAF).AWSCURRENT;
  await world.wait(HOUR);
  await world.rotate(force);
  for (let day = 0; day < 3; day += 1) {
    await world.wait(DAY);
    expect((await world.reap()).error).toBeUndefined();
  }
  expect(permissionsOf(world, id)).toEqual([]);
  await world.people.makeCurrent(TELEGRAF, version);
  await world.rotate();
  expect(permissionsOf(world, id)).toHaveLength(150);
  expect(longest()).toBeLessThanOrEqual(LONGEST);
});

test.each(['lives', 'has expired'])(
  'nor is it refused where the policy has taken a database away since, and the token %s',
  async (how) => {
    const { world } = await opened();
    const id = world.holders(TELEGRAF).AWSCURRENT;
    const databases = names.map((name) => ({ name }));
    const narrowed = world.deploy(
      policyWith({ telegraf: { permissions: { read: names.slice(1) } } }, { databases }),
    );
    if (how !== 'lives') await world.wait(100 * DAY);
    const frozen = await narrowed.revoke({ ...order, token: 'telegraf', way: 'freeze' });
    expect(frozen.error).toBeUndefined();
    expect(permissionsOf(world, id)).toEqual([]);
    await narrowed.revoke({ ...order, token: 'telegraf', way: 'unfreeze' });
    if (how === 'lives') expect(permissionsOf(world, id)).toHaveLength(149);
  },
);

/** A token made by hand, of all these databases, whose entry says one of them. */
async function openAdopted(count: number) {
  const { world } = await opened();
  const permissions = names.slice(0, count).map((resource) => ({ action: 'read', resource }));
  const { id, accessToken } = await world.people.mint({ description: 'by hand', permissions });
  await world.people.createSecret('app/legacy', accessToken);
  await world.wait(HOUR);
  const databases = names.map((name) => ({ name }));
  const read = names.slice(0, 1);
  const legacy = { permissions: { read }, secret: 'app/legacy', adopt: { tokenId: id } };
  const adopting = world.deploy(policyWith({ legacy }, { databases }));
  expect((await adopting.rotate()).error).toBeUndefined();
  await world.wait(HOUR);
  return { world, adopting, id };
}
const legacy = { ...order, token: 'legacy' };
const NOT_KEPT = expect.stringContaining('what it might do before was not kept');

test('of an adopted one that may do more than its entry ever said, it is told before what would not come back, and undoing is not confirmed', async () => {
  const { world, adopting, id } = await openAdopted(150);
  const shown = await adopting.revoke({ ...legacy, way: 'freeze', dryRun: true });
  expect(shown.result?.plan.warnings).toContainEqual(
    expect.stringMatching(new RegExp(`${id} has no room for its 150 .*: 149 of them would not`)),
  );
  expect((await adopting.revoke({ ...legacy, way: 'freeze' })).error).toBeUndefined();
  const { result } = await adopting.revoke({ ...legacy, way: 'unfreeze' });
  expect(result).toMatchObject({ done: true, confirmed: false });
  expect(result?.tokens).toContainEqual(expect.objectContaining({ unconfirmed: NOT_KEPT }));
  expect(permissionsOf(world, id)).toHaveLength(1);
});

test.each([
  ['a server that takes no description as long', { longestDescription: 1_024 }, 31],
  ['a hold that a person set, and reap obeyed', undefined, 150],
])('nor is it where nobody asked before what is lost: %s', async (_why, manners, count) => {
  const { world, adopting, id } = await openAdopted(count);
  if (manners) {
    world.cluster.manners = manners;
    await adopting.revoke({ ...legacy, way: 'freeze' });
  } else {
    await world.people.hold('app/legacy', 'frozen');
    await adopting.reap();
  }
  expect(permissionsOf(world, id)).toEqual([]);
  const { result } = await adopting.revoke({ ...legacy, way: 'unfreeze' });
  expect(result).toMatchObject({ confirmed: false });
  expect(result?.tokens).toContainEqual(expect.objectContaining({ unconfirmed: NOT_KEPT }));
});

test('nor is it when a hold took back what was given for it, and undoing is ordered again', async () => {
  const { world, adopting, id } = await openAdopted(150);
  await adopting.revoke({ ...legacy, way: 'freeze' });
  world.intercept(async (call, effect) => {
    const reply = await effect();
    if (call.operation === 'PATCH /tokens/{id}') {
      world.intercept();
      await world.people.hold('app/legacy', 'frozen');
    }
    return reply;
  });
  await adopting.revoke({ ...legacy, way: 'unfreeze' });
  expect(permissionsOf(world, id)).toEqual([]);
  const { result } = await adopting.revoke({ ...legacy, way: 'unfreeze' });
  expect(permissionsOf(world, id)).toHaveLength(1);
  expect(result).toMatchObject({ confirmed: false });
  expect(result?.tokens).toContainEqual(expect.objectContaining({ unconfirmed: NOT_KEPT }));
});

test('nor is it when undoing is ordered again, as long as it may do less than it was given', async () => {
  const { adopting } = await openAdopted(150);
  await adopting.revoke({ ...legacy, way: 'freeze' });
  for (const word of ['what it might do before was not kept', 'it lacks some of what was taken']) {
    const { result } = await adopting.revoke({ ...legacy, way: 'unfreeze' });
    expect(result).toMatchObject({ done: true, confirmed: false });
    expect(result?.tokens).toContainEqual(
      expect.objectContaining({ unconfirmed: expect.stringContaining(word) }),
    );
  }
});

const some = names.slice(0, 10).map((resource) => ({ action: 'read' as const, resource }));

test.each([{ token: 'telegraf' }, 'the token by its id'])(
  'what a person gave back in part under a freeze is no reason to leave out the rest: %j',
  async (selector) => {
    const { world } = await opened();
    const id = world.holders(TELEGRAF).AWSCURRENT ?? '';
    const about = typeof selector === 'string' ? { tokenId: id } : selector;
    await world.revoke({ ...order, token: 'telegraf', way: 'freeze' });
    await world.people.changeToken(id, { permissions: some });
    await world.revoke({ ...order, token: 'telegraf', way: 'unfreeze' });
    expect(permissionsOf(world, id)).toHaveLength(150);
    const { result } = await world.revoke({ ...order, ...about, way: 'unfreeze' });
    expect(result).toMatchObject({ done: true, confirmed: true });
  },
);

test.each(['restore', 'a roll back'])('nor in its quarantine: %s', async (how) => {
  const { world } = await opened();
  const version = world.labels(TELEGRAF).AWSCURRENT;
  const id = world.holders(TELEGRAF).AWSCURRENT ?? '';
  await world.rotate(force);
  for (let day = 0; day < 3; day += 1) {
    await world.wait(DAY);
    await world.reap();
  }
  await world.people.changeToken(id, { permissions: some });
  if (how === 'restore') {
    const { result } = await world.revoke({ ...order, tokenId: id, way: 'restore' });
    expect(result).toMatchObject({ done: true, confirmed: true });
  } else {
    await world.people.makeCurrent(TELEGRAF, version);
    expect((await world.rotate()).error).toBeUndefined();
  }
  expect(permissionsOf(world, id)).toHaveLength(150);
});

test('and it says that, too, if what it has now is not accepted', async () => {
  const { world, adopting } = await openAdopted(150);
  await adopting.revoke({ ...legacy, way: 'freeze' });
  world.cluster.activationDelayMs = 20 * HOUR;
  const { result } = await adopting.revoke({ ...legacy, way: 'unfreeze' });
  const told = result?.tokens.map(({ unconfirmed }) => unconfirmed).join();
  expect(told).toContain('what it might do before was not kept');
  expect(told).toContain('it was not seen accepted in time');
});

test('a rotation that goes back to such a one after its quarantine tells it, too', async () => {
  const { world, adopting, id } = await openAdopted(150);
  const version = world.labels('app/legacy').AWSCURRENT;
  await adopting.rotate({ tokens: ['legacy'], force: true });
  for (let day = 0; day < 3; day += 1) {
    await world.wait(DAY);
    expect((await adopting.reap()).error).toBeUndefined();
  }
  expect(permissionsOf(world, id)).toEqual([]);
  await world.people.makeCurrent('app/legacy', version);
  const { error } = await adopting.rotate();
  expect(error?.errorMessage).toContain('what it might do before was not kept');
  expect(permissionsOf(world, id)).toHaveLength(1);
  expect(world.accepts(world.string('app/legacy'), 'read', names[0])).toBe(true);
  expect((await adopting.rotate()).error).toBeUndefined();
});

test('what the policy added meanwhile is no loss: undoing is confirmed', async () => {
  const { world } = await opened();
  const databases = names.map((name) => ({ name }));
  const narrow = world.deploy(
    policyWith({ telegraf: { permissions: { read: names.slice(1) } } }, { databases }),
  );
  await narrow.rotate(force);
  await world.wait(HOUR);
  const id = world.holders(TELEGRAF).AWSCURRENT;
  expect(permissionsOf(world, id)).toHaveLength(149);
  expect((await world.revoke({ ...order, tokenId: id, way: 'freeze' })).error).toBeUndefined();
  const { result } = await world.revoke({ ...order, token: 'telegraf', way: 'unfreeze' });
  expect(permissionsOf(world, id)).toHaveLength(150);
  const row = result?.tokens.find(({ tokenId }) => tokenId === id);
  expect(row).not.toHaveProperty('unconfirmed');
});

test('undoing that stops between its two requests is no more confirmed when it is given again', async () => {
  const { world, adopting } = await openAdopted(150);
  await adopting.revoke({ ...legacy, way: 'freeze' });
  let patches = 0;
  world.intercept(async (call, effect) => {
    const isPatch = call.operation === 'PATCH /tokens/{id}';
    if (isPatch) patches += 1;
    return isPatch && patches === 2 ? { status: 500, body: '{"message":"no"}' } : await effect();
  });
  const first = await adopting.revoke({ ...legacy, way: 'unfreeze' });
  world.intercept();
  expect(first.result?.confirmed ?? false).toBe(false);
  const again = await adopting.revoke({ ...legacy, way: 'unfreeze' });
  expect(patches).toBeGreaterThan(1);
  expect(JSON.stringify([first, again])).toContain('what it might do before was not kept');
});

test('of one that no entry of the policy says, freezing is refused, since nothing could give its permissions back', async () => {
  const { world } = await opened();
  const id = world.holders(TELEGRAF).AWSCURRENT;
  const without = world.deploy(policyWith({}, { databases: names.map((name) => ({ name })) }));
  const freeze = { ...order, tokenId: id, way: 'freeze' };
  const { error } = await without.revoke(freeze);
  expect(error?.errorMessage).toContain(`no room for the permissions of ${id}`);
  expect(permissionsOf(world, id)).toHaveLength(150);
  expect((await without.revoke({ ...freeze, noUndo: true })).error).toBeUndefined();
  expect(permissionsOf(world, id)).toEqual([]);
});

const reading = (from: number, to: number) =>
  names.slice(from, to).map((resource) => ({ action: 'read' as const, resource }));

/** A token of these first databases, of which a person gave it more. */
async function openAdded(own: number, all: number) {
  const databases = names.map((name) => ({ name }));
  const world = await openWorldForTest(
    policyWith({ telegraf: { permissions: { read: names.slice(0, own) } } }, { databases }),
    { databases: names },
  );
  await world.rotate();
  await world.wait(HOUR);
  const id = world.holders(TELEGRAF).AWSCURRENT ?? '';
  const version = world.labels(TELEGRAF).AWSCURRENT;
  await world.people.changeToken(id, { permissions: reading(0, all) });
  await world.wait(HOUR);
  return { world, id, version };
}

const all = { ...order, token: 'telegraf' };

test.each(['an order', 'a hold by hand'])(
  'what a person added, and no description keeps, is no less told of: frozen by %s',
  async (how) => {
    const { world, id } = await openAdded(60, 150);
    if (how === 'an order') await world.revoke({ ...all, way: 'freeze' });
    else {
      await world.people.hold(TELEGRAF, 'frozen');
      await world.reap();
    }
    for (let time = 0; time < 2; time += 1) {
      const { result } = await world.revoke({ ...all, way: 'unfreeze' });
      expect(permissionsOf(world, id)).toHaveLength(60);
      expect(result).toMatchObject({ done: true, confirmed: false });
    }
    await world.people.changeToken(id, { permissions: reading(0, 150) });
    const { result } = await world.revoke({ ...all, way: 'unfreeze' });
    expect(result).toMatchObject({ done: true, confirmed: true });
  },
);

test.each(['restore', 'a roll back'])('nor behind its quarantine: %s', async (how) => {
  const { world, id, version } = await openAdded(60, 150);
  await world.rotate(force);
  for (let day = 0; day < 3; day += 1) {
    await world.wait(DAY);
    await world.reap();
  }
  expect(permissionsOf(world, id)).toEqual([]);
  if (how === 'restore') {
    const { result } = await world.revoke({ ...order, tokenId: id, way: 'restore' });
    expect(result).toMatchObject({ done: true, confirmed: false });
  } else {
    await world.people.makeCurrent(TELEGRAF, version);
    const { error } = await world.rotate();
    expect(error?.errorMessage).toContain('what it might do before was not kept');
  }
  expect(permissionsOf(world, id)).toHaveLength(60);
});

test('where it has room for all, all comes back', async () => {
  const { world, id } = await openAdded(30, 60);
  await world.revoke({ ...all, way: 'freeze' });
  const { result } = await world.revoke({ ...all, way: 'unfreeze' });
  expect(result).toMatchObject({ done: true, confirmed: true });
  expect(permissionsOf(world, id)).toHaveLength(60);
});

test('what was kept once is kept on, beside more than has room, and what is lost is told before', async () => {
  const { world, id } = await openAdded(40, 80);
  await world.revoke({ ...all, way: 'freeze' });
  await world.people.changeToken(id, { permissions: reading(80, 150) });
  const shown = await world.revoke({ ...all, way: 'freeze', dryRun: true });
  expect(shown.result?.plan.warnings).toContainEqual(expect.stringMatching(/: 70 of them would/));
  await world.revoke({ ...all, way: 'freeze' });
  const { result } = await world.revoke({ ...all, way: 'unfreeze' });
  expect(permissionsOf(world, id)).toHaveLength(80);
  expect(result).toMatchObject({ done: true, confirmed: false });
});

test('a server that takes no long description loses what a person added no more silently', async () => {
  const { world, id } = await openAdded(20, 40);
  world.cluster.manners = { longestDescription: 1_024 };
  await world.revoke({ ...all, way: 'freeze' });
  const { result } = await world.revoke({ ...all, way: 'unfreeze' });
  expect(permissionsOf(world, id)).toHaveLength(20);
  expect(result).toMatchObject({ done: true, confirmed: false });
});

test('what a person takes once it was all given back stays taken through another freeze, and its undoing', async () => {
  const { world, id } = await openAdded(150, 150);
  await world.revoke({ ...all, way: 'freeze' });
  expect((await world.revoke({ ...all, way: 'unfreeze' })).result?.confirmed).toBe(true);
  await world.people.changeToken(id, { permissions: reading(0, 20) });
  await world.revoke({ ...all, way: 'freeze' });
  const { result } = await world.revoke({ ...all, way: 'unfreeze' });
  expect(permissionsOf(world, id)).toHaveLength(20);
  expect(result).toMatchObject({ confirmed: true });
});

test('and through its quarantine, from which a person goes back to it', async () => {
  const { world, id, version } = await openAdded(150, 150);
  await world.revoke({ ...all, way: 'freeze' });
  await world.revoke({ ...all, way: 'unfreeze' });
  await world.people.changeToken(id, { permissions: reading(0, 20) });
  await world.rotate(force);
  for (let day = 0; day < 3; day += 1) {
    await world.wait(DAY);
    await world.reap();
  }
  expect(permissionsOf(world, id)).toEqual([]);
  await world.people.makeCurrent(TELEGRAF, version);
  expect((await world.rotate()).error).toBeUndefined();
  expect(permissionsOf(world, id)).toHaveLength(20);
});

test('once a person has decided what it may do, the loss of before is over', async () => {
  const { world, adopting, id } = await openAdopted(150);
  await adopting.revoke({ ...legacy, way: 'freeze' });
  await adopting.revoke({ ...legacy, way: 'unfreeze' });
  await world.people.changeToken(id, { permissions: reading(0, 5) });
  await adopting.revoke({ ...legacy, way: 'freeze' });
  const { result } = await adopting.revoke({ ...legacy, way: 'unfreeze' });
  expect(permissionsOf(world, id)).toHaveLength(5);
  expect(result).toMatchObject({ confirmed: true });
});

test.each([1, 2, 3])('a policy that gives %i more since is no loss', async (more) => {
  const { world, id } = await openAdded(140, 140);
  const wider = world.deploy(
    policyWith(
      { telegraf: { permissions: { read: names.slice(0, 140 + more) } } },
      { databases: names.map((name) => ({ name })) },
    ),
  );
  await world.revoke({ ...all, way: 'freeze' });
  for (let time = 0; time < 2; time += 1) {
    const { result } = await wider.revoke({ ...all, way: 'unfreeze' });
    expect(result).toMatchObject({ confirmed: true });
  }
  expect(permissionsOf(world, id)).toHaveLength(140 + more);
});

test('what a person added to a token that nobody froze makes no undoing doubtful', async () => {
  const { world } = await openAdded(8, 14);
  for (const way of ['unfreeze', 'lift']) {
    const { result } = await world.revoke({ ...all, way });
    expect(result).toMatchObject({ done: true, confirmed: true });
  }
});

test('nor is it forgotten what it had, where a person gave a part back under the hold, and a run took that again', async () => {
  const { world, id } = await openAdded(150, 150);
  await world.revoke({ ...all, way: 'freeze' });
  await world.people.changeToken(id, { permissions: reading(0, 5) });
  await world.reap();
  expect(permissionsOf(world, id)).toEqual([]);
  const { result } = await world.revoke({ ...all, way: 'unfreeze' });
  expect(permissionsOf(world, id)).toHaveLength(150);
  expect(result).toMatchObject({ confirmed: true });
});
