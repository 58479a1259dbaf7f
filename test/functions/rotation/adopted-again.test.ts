import { expect, test } from 'vitest';
import { TokenValue } from '../../../functions/token-value.ts';
import type { Reply } from '../../../sandbox/interception.ts';
import { openWorldForTest } from '../../world/open-world.ts';
import { DAY, HOUR, MINUTE, policyWith, writer } from '../../world/policy.ts';
import type { Deployment, World } from '../../world/world.ts';

const NAME = 'legacy/telegraf';
const PERMISSIONS = { write: ['telemetry', 'quality'] };
const declared = { databases: PERMISSIONS.write.map((name) => ({ name })) };
const writes = (...names: string[]) =>
  names.map((resource) => ({ action: 'write' as const, resource }));

const entryOf = (tokenId: string) => ({
  permissions: PERMISSIONS,
  secret: NAME,
  adopt: { tokenId },
});

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
  const keyturn = world.deploy(policyWith({ telegraf: entryOf(id) }, declared));
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

test('an adopted token that is deleted is replaced at once, though a tool saves its string every hour', async () => {
  const { world, keyturn, id } = await openAdopted();
  await world.wait(2 * DAY);
  world.cluster.manners = { hidesRevoked: true };
  const string = world.string(NAME);
  await reset(world, id, 'telemetry', 'quality');
  await world.people.deleteToken(id);
  await world.people.saveValue(NAME, string);
  await world.wait(30 * MINUTE);
  expect((await look(keyturn)).slice(1)).toEqual(['rotate CurrentGone']);
  expect(canWrite(world)).toBe(true);
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
  expect(error?.errorMessage).toContain(': the cluster does not accept the string');
  expect(most(keyturn, 'UnusableTokens')).toBe(1);
  expect(world.tokens()).toMatchObject([{ id, text: 'by hand' }]);
});

test('what an adopted token loses is told of also after the secret was saved, and after a tool took the tag off', async () => {
  const { world, keyturn, id } = await openAdopted();
  await world.wait(DAY);
  await world.people.untag(NAME, ['keyturn:adopted']);
  expect((await look(keyturn)).slice(1)).toEqual(['note-adoption Adopted']);
  await world.wait(DAY);
  await world.people.saveValue(NAME, world.value(NAME));
  await reset(world, id, 'telemetry');
  expect(await look(keyturn)).toEqual(['stripped', 'mint PermissionsWidened']);
  await world.wait(HOUR);
  expect(await look(keyturn)).toEqual(['works', 'resume PermissionsWidened']);
  expect(canWrite(world)).toBe(true);
  expect(most(keyturn, 'MendedOutages')).toBe(1);
});

test('a tool that saves the secret and takes the marker before every run puts no rotation off', async () => {
  const { world, id } = await openAdopted();
  const keyturn = world.deploy(policyWith({ telegraf: entryOf(id) }, declared));
  await world.wait(31 * DAY);
  const done: string[] = [];
  for (let run = 0; run < 3; run += 1) {
    await world.people.saveValue(NAME, world.value(NAME));
    await reset(world, id, 'telemetry', 'quality');
    done.push(...(await look(keyturn)).slice(1));
    await world.wait(HOUR);
  }
  expect(done.slice(0, 2)).toEqual(['mint Due', 'resume Due']);
  expect(world.holders(NAME).AWSCURRENT).not.toBe(id);
});

test('a successor that waits for its window is kept, and the token that it replaces is not taken back without what it lacks', async () => {
  const { world, id } = await openAdopted();
  const keyturn = world.deploy(
    policyWith({ telegraf: { ...entryOf(id), windows: ['Sun 02:00-06:00'] } }, declared),
  );
  await world.wait(DAY);
  await reset(world, id, 'telemetry');
  expect(await look(keyturn)).toEqual(['stripped', 'mint PermissionsWidened']);
  for (let run = 0; run < 3; run += 1) {
    await world.wait(HOUR);
    expect(await look(keyturn)).toEqual(['stripped']);
  }
  expect(most(keyturn, 'MendedOutages')).toBe(0);
});

test('an instant in the tag that lies ahead counts from when somebody wrote it', async () => {
  const { world, keyturn, id } = await openAdopted();
  const [, fp] = world.tags(NAME)['keyturn:adopted']?.split(' ') ?? [];
  await world.people.tag(NAME, { 'keyturn:adopted': `${id} ${fp} 2062-01-01T00:00:00Z` });
  await reset(world, id, 'telemetry', 'quality');
  expect((await look(keyturn)).slice(1)).toEqual(['adopt Adopted']);
  await world.wait(31 * DAY);
  expect((await look(keyturn)).slice(1)).toEqual(['mint Due']);
});

test.each(['its id', 'its string'])(
  'an order by %s replaces an adopted token that lost its marker, and its consumers have a successor',
  async (what) => {
    const { world, keyturn, id } = await openAdopted();
    await world.wait(DAY);
    await reset(world, id, 'telemetry', 'quality');
    const string = world.string(NAME);
    const named =
      what === 'its id' ? { tokenId: id } : { fingerprint: new TokenValue(string).fingerprint() };
    const { result } = await keyturn.revoke({ ...named, way: 'replace', reason: 'leaked' });
    expect(result).toMatchObject({ done: true });
    expect([world.accepts(string), canWrite(world)]).toEqual([false, true]);
  },
);

test('a secret that was made anew with the string of its adopted token is taken over by the command that the run names', async () => {
  const { world, keyturn, id } = await openAdopted();
  await world.wait(DAY);
  const string = world.string(NAME);
  await world.people.deleteSecret(NAME, 'for good');
  await world.people.createSecret(NAME, string);
  const { error } = await keyturn.rotate();
  expect(error?.errorMessage).toContain('keyturn takeover telegraf --confirm');
  await world.people.tag(NAME, { 'keyturn:owner': 'prod' });
  const { plan } = (await keyturn.rotate({ dryRun: true })).result;
  expect(plan.findings).toMatchObject([
    {
      kind: 'CannotAdopt',
      tokenId: id,
      message: expect.stringContaining('keyturn takeover telegraf --confirm'),
    },
    {},
  ]);
  await keyturn.rotate({ tokens: ['telegraf'], takeOver: { by: 'alice' } });
  expect(await keyturn.rotate()).not.toHaveProperty('error');
  expect((await look(keyturn))[0]).toBe('works');
  expect([world.string(NAME), canWrite(world)]).toEqual([string, true]);
});

test('an adopted token that a tool resets and then deletes is known to be gone, and replaced', async () => {
  const { world, keyturn, id } = await openAdopted();
  await world.wait(DAY);
  await reset(world, id, 'telemetry', 'quality');
  await world.people.deleteToken(id);
  expect(await look(keyturn)).toEqual(['works', 'rotate CurrentGone']);
  expect(most(keyturn, 'MendedOutages')).toBe(1);
  expect(canWrite(world)).toBe(true);
});

test('so it is where its successor waits already', async () => {
  const { world, keyturn, id } = await openAdopted();
  await world.wait(31 * DAY);
  await keyturn.rotate();
  await reset(world, id, 'telemetry', 'quality');
  await world.people.deleteToken(id);
  await world.wait(HOUR);
  await keyturn.rotate();
  expect(canWrite(world)).toBe(true);
  expect(most(keyturn, 'MendedOutages')).toBe(1);
});

test('an adopted token that was replaced, and that a tool resets and then deletes within its grace period, is told of', async () => {
  const { world, keyturn, id } = await openAdopted();
  await world.wait(DAY);
  await keyturn.rotate({ tokens: ['telegraf'], force: true });
  await world.wait(HOUR);
  await reset(world, id, 'telemetry', 'quality');
  expect((await look(keyturn))[0]).toBe('works');
  await world.people.deleteToken(id);
  expect((await look(keyturn))[0]).toBe('cut-short');
});

test('an order about a secret whose adopted token is gone names that token, and takes it for none that was minted here', async () => {
  const { world, keyturn, id } = await openAdopted();
  await world.wait(DAY);
  await reset(world, id, 'telemetry', 'quality');
  await world.people.deleteToken(id);
  const order = { token: 'telegraf', way: 'delete', reason: 'leaked' };
  const { result } = await keyturn.revoke(order);
  // It may have read, and no string of this deployment can: that reads are refused shows nothing.
  expect(result?.tokens).toMatchObject([
    { tokenId: id, result: 'gone', unconfirmed: expect.stringContaining('no other string') },
  ]);
});

/** From now on the Management API answers as if it had not heard of a token yet. */
function notShowing(world: World, id: string) {
  const notFound = { status: 404, body: JSON.stringify({ code: 404, message: 'not found' }) };
  const answer = (operation: string, reply: Reply): Reply => {
    if (operation === 'GET /tokens/{id}') return reply.body.includes(id) ? notFound : reply;
    if (operation !== 'GET /tokens') return reply;
    const all: { readonly id: string }[] = JSON.parse(reply.body);
    return { ...reply, body: JSON.stringify(all.filter((each) => each.id !== id)) };
  };
  world.intercept(({ operation }, effect) => Promise.resolve(answer(operation, effect())));
}

test('an adopted token that the API does not show yet is not replaced, and is once it can be late no more', async () => {
  const { world, keyturn, id } = await openAdopted();
  await world.wait(10 * MINUTE);
  notShowing(world, id);
  expect(await look(keyturn)).toEqual(['unknown']);
  expect(world.holders(NAME)).toEqual({ AWSCURRENT: id });
  world.intercept();
  expect(await look(keyturn)).toEqual(['works']);
  await reset(world, id, 'telemetry', 'quality');
  await world.people.deleteToken(id);
  world.cluster.manners = { hidesRevoked: true };
  expect((await look(keyturn))[0]).toBe('unknown');
  await world.wait(HOUR);
  expect(await look(keyturn)).toEqual(['works', 'rotate CurrentGone']);
  expect(canWrite(world)).toBe(true);
});

/** A tool that declares the secret as it was before Keyturn. */
const untagAll = (world: World) => world.people.untag(NAME, Object.keys(world.tags(NAME)));

test('a token that a person put since is not taken for the adopted one while the secret has no tag, nor once it has it again', async () => {
  const { world, keyturn, id } = await openAdopted();
  await world.wait(DAY);
  const byHand = await world.people.mint({
    description: 'by hand in the night',
    permissions: writes('telemetry', 'quality'),
    expiresAt: `${new Date(world.clock.now() + 12 * DAY).toISOString().slice(0, 19)}Z`,
  });
  await world.people.saveValue(NAME, byHand.accessToken);
  await untagAll(world);
  const before = world.tokens().find((each) => each.id === id);
  const { error } = await keyturn.rotate();
  expect(error?.errorMessage).toMatch(/: the string in \S+ is not that of token/);
  expect(world.tokens().find((each) => each.id === id)).toEqual(before);
  await world.people.tag(NAME, { 'keyturn:owner': 'prod' });
  expect(await look(keyturn)).toEqual(['unknown']);
  expect(most(keyturn, 'UnusableTokens')).toBe(1);
});

test.each([
  ['as it was', ': legacy/telegraf has no owner'],
  ['saved', 'is not that of token'],
])(
  'what Secrets Manager’s own rotation put under another version id is not taken for the adopted token’s, though all tags are lost: %s',
  async (how, words) => {
    const { world, keyturn } = await openAdopted();
    await world.wait(DAY);
    await keyturn.rotateSecret(NAME);
    await world.wait(DAY);
    await keyturn.rotate();
    if (how === 'saved') await world.people.saveValue(NAME, world.value(NAME));
    await untagAll(world);
    const before = world.tokens();
    const { error } = await keyturn.rotate();
    expect(error?.errorMessage).toContain(words);
    expect(world.tokens()).toEqual(before);
    await world.people.tag(NAME, { 'keyturn:owner': 'prod' });
    expect((await look(keyturn))[0]).toBe('works');
  },
);

test.each(['before', 'after'])(
  'an adopted token that loses its permissions %s the secret loses its tags is told of while it cannot be adopted again',
  async (when) => {
    const { world, keyturn, id } = await openAdopted();
    await world.wait(DAY);
    const acts = [() => world.people.changeToken(id, { permissions: [] }), () => untagAll(world)];
    for (const act of when === 'before' ? acts : acts.reverse()) await act();
    const { entries } = (await keyturn.rotate({ dryRun: true })).result;
    expect(entries[0].condition).toBe('stripped');
    await keyturn.rotate();
    expect(most(keyturn, 'UnusableTokens')).toBe(1);
  },
);

test.each(['a placeholder', 'a token that has expired'])(
  '%s in a secret without tags is told of, also where the adopted token is known to have another string',
  async (what) => {
    const { world, keyturn } = await openAdopted();
    const byHand = await world.people.mint({
      description: 'by hand',
      permissions: writes('telemetry', 'quality'),
      expiresAt: `${new Date(world.clock.now() + DAY).toISOString().slice(0, 19)}Z`,
    });
    await untagAll(world);
    await world.people.saveValue(NAME, what === 'a placeholder' ? 'CHANGE_ME' : byHand.accessToken);
    await world.wait(2 * DAY);
    const { result, error } = await keyturn.rotate();
    expect(error?.errorMessage).toContain('the cluster does not accept the string');
    expect(result).toBeUndefined();
    expect(most(keyturn, 'UnusableTokens')).toBe(1);
  },
);

test('a token that Keyturn has retired is not called the one that consumers lack', async () => {
  const { world, keyturn } = await openAdopted();
  await world.wait(DAY);
  await keyturn.rotateSecret(NAME);
  for (let day = 0; day < 8; day += 1) {
    await world.wait(DAY);
    await keyturn.rotate();
    await keyturn.reap();
  }
  // Twice, so that no label is on a version of Keyturn's any more.
  for (let n = 0; n < 2; n += 1) await world.people.saveValue(NAME, world.value(NAME));
  await untagAll(world);
  await keyturn.rotate();
  expect(canWrite(world)).toBe(true);
  expect(most(keyturn, 'UnusableTokens')).toBe(0);
});

test('a proof that fails leaves a token that an earlier version adopted the version that it had', async () => {
  const { world, keyturn, id } = await openAdopted();
  const described = () =>
    world.cluster.state.tokens.find((each) => each.id === id)?.description ?? '';
  await world.people.changeToken(id, { description: described().replace(/ proven=[^ \]]+/, '') });
  const before = described();
  const byHand = await world.people.mint({
    description: 'by hand in the night',
    permissions: writes('telemetry', 'quality'),
  });
  await world.people.saveValue(NAME, byHand.accessToken);
  await world.wait(HOUR);
  const { error } = await keyturn.rotate();
  expect(error?.errorMessage).toMatch(/: token \S+ got the permission .* for a proof/);
  expect(described()).toBe(before);
});

const conditionOf = async (deployed: Deployment, request: object) => {
  const { entries } = (await deployed.rotate(request)).result;
  const states: readonly { readonly token: string; readonly condition: string }[] = entries;
  return states.find(({ token }) => token === 'telegraf')?.condition;
};

test('a rotation of another entry by name says of a secret that lost its tags alone what its token’s marker shows', async () => {
  const { world, id } = await openAdopted();
  const both = world.deploy(policyWith({ other: writer, telegraf: entryOf(id) }, declared));
  await untagAll(world);
  expect(await conditionOf(both, { tokens: ['other'] })).toBe('works');
  await world.people.changeToken(id, { permissions: writes('telemetry') });
  await world.wait(MINUTE);
  expect(await conditionOf(both, { tokens: ['other'] })).toBe('stripped');
  expect(most(both, 'UnusableTokens')).toBe(1);
});

test('a rotation of another entry by name claims nothing of a string by hand in a secret whose tags are lost, and at which it did not look', async () => {
  const { world, id } = await openAdopted();
  const both = world.deploy(policyWith({ other: writer, telegraf: entryOf(id) }, declared));
  await untagAll(world);
  const { accessToken } = await world.people.mint({
    description: 'by hand',
    permissions: writes('telemetry'),
  });
  await world.people.saveValue(NAME, accessToken);
  expect(await conditionOf(both, { tokens: ['other'] })).toBe('unadopted');
  // A zero would end an alarm that a scheduled run has raised.
  const measured = both.metrics().flatMap((each) => Object.keys(each));
  expect(measured).toContain('Owner=prod DeletedSecrets');
  expect(measured).not.toContain('Owner=prod UnusableTokens');
  expect(measured).not.toContain('Owner=prod LongHolds');
});

test('a rotation of another entry by name raises no alarm about a secret with our tag whose adoption waits for a person', async () => {
  const { world } = await openAdopted();
  const admin = await world.people.mint({
    description: 'by hand',
    permissions: [
      { action: 'write', resource: '*' },
      { action: 'read', resource: '*' },
    ],
  });
  await world.people.saveValue(NAME, admin.accessToken);
  const both = world.deploy(policyWith({ other: writer, telegraf: entryOf(admin.id) }, declared));
  expect((await both.rotate()).error?.errorMessage).toContain('keyturn adopt telegraf --confirm');
  expect(both.metrics()).toContainEqual(
    expect.objectContaining({ 'Owner=prod UnusableTokens': 0 }),
  );
  await world.wait(MINUTE);
  expect(await conditionOf(both, { tokens: ['other'] })).toBe('unadopted');
  expect(most(both, 'UnusableTokens')).toBe(0);
});

test('a token by hand is adopted once its id is in the entry, as the error says', async () => {
  const { world, keyturn } = await openAdopted();
  await world.wait(DAY);
  const byHand = await world.people.mint({
    description: 'by hand in the night',
    permissions: writes('telemetry', 'quality'),
  });
  await world.people.saveValue(NAME, byHand.accessToken);
  await untagAll(world);
  await keyturn.rotate();
  const corrected = world.deploy(policyWith({ telegraf: entryOf(byHand.id) }, declared));
  expect((await corrected.rotate()).error).toBeUndefined();
  const { entries } = (await corrected.rotate({ dryRun: true })).result;
  expect(entries).toMatchObject([{ condition: 'works', tokenId: byHand.id }]);
});

test.each(['Keyturn', 'Secrets Manager'])(
  'a token by hand is adopted once its id is in the entry, though %s rotated the secret before',
  async (who) => {
    const { world, keyturn } = await openAdopted();
    await world.wait(DAY);
    if (who === 'Secrets Manager') await keyturn.rotateSecret(NAME);
    else await keyturn.rotate({ tokens: ['telegraf'], force: true });
    await world.wait(HOUR);
    await keyturn.rotate();
    const byHand = await world.people.mint({
      description: 'by hand in the night',
      permissions: writes('telemetry', 'quality'),
    });
    await world.people.saveValue(NAME, byHand.accessToken);
    await untagAll(world);
    await world.wait(HOUR);
    const corrected = world.deploy(policyWith({ telegraf: entryOf(byHand.id) }, declared));
    expect((await corrected.rotate()).error).toBeUndefined();
    const { entries } = (await corrected.rotate({ dryRun: true })).result;
    expect(entries).toMatchObject([{ condition: 'works', tokenId: byHand.id }]);
  },
);

test('the adopted token is taken back while its successor waits, though all tags are lost', async () => {
  const { world, keyturn, id } = await openAdopted();
  await world.wait(31 * DAY);
  await keyturn.rotate();
  expect(world.labels(NAME).AWSPENDING).toBeDefined();
  await untagAll(world);
  const { error, result } = await keyturn.rotate();
  expect(error).toBeUndefined();
  expect(result.entries).toMatchObject([{ condition: 'works' }]);
  expect(world.tokens().map((each) => each.id)).toContain(id);
  expect(canWrite(world)).toBe(true);
  expect(most(keyturn, 'UnusableTokens')).toBe(0);
});

/** Something takes all tags of the secret before each daily run. */
async function passDays(world: World, keyturn: Deployment, days: number) {
  const seen: string[][] = [];
  for (let day = 0; day < days; day += 1) {
    await world.wait(DAY);
    await untagAll(world);
    seen.push(await look(keyturn));
  }
  return seen;
}

test('an adopted token whose secret loses all tags before every run is rotated when it is due', async () => {
  const { world, keyturn, id } = await openAdopted();
  const days = await passDays(world, keyturn, 29);
  expect(days.slice(0, 27)).toEqual(Array(27).fill(['works', 'adopt Adopted']));
  expect(days.flat()).toContain('mint Due');
  await world.wait(HOUR);
  await keyturn.rotate();
  expect(world.holders(NAME).AWSCURRENT).not.toBe(id);
  expect(most(keyturn, 'OverdueTokens')).toBe(0);
});

test('an adopted token that loses a permission while its secret loses all tags is told of in that run', async () => {
  const { world, keyturn, id } = await openAdopted();
  await world.wait(DAY);
  await world.people.changeToken(id, { permissions: writes('telemetry') });
  await untagAll(world);
  expect(await look(keyturn)).toEqual(['stripped', 'adopt Adopted']);
  expect(most(keyturn, 'UnusableTokens')).toBe(1);
});

test('so it is where a person has saved its string again, under a version that no marker names', async () => {
  const { world, keyturn, id } = await openAdopted();
  await world.wait(DAY);
  await untagAll(world);
  await world.people.saveValue(NAME, world.string(NAME));
  const days = await passDays(world, keyturn, 28);
  expect(days[0]).toEqual(['works', 'adopt Adopted']);
  expect(days.flat()).toContain('mint Due');
  await world.wait(HOUR);
  await keyturn.rotate();
  expect(world.holders(NAME).AWSCURRENT).not.toBe(id);
});

test('a description without the tags that a run has just put back is read again', async () => {
  const { world, keyturn, id } = await openAdopted();
  await world.wait(29 * DAY);
  await untagAll(world);
  let stale = 0;
  world.watch((call, effect) => {
    const reply = effect();
    if (call.operation === 'TagResource') stale = 2;
    else if (call.operation === 'DescribeSecret' && stale > 0) {
      stale -= 1;
      const { Tags: _, ...body } = JSON.parse(reply.body);
      return { ...reply, body: JSON.stringify(body) };
    }
    return reply;
  });
  expect(await look(keyturn)).toEqual(['works', 'adopt Adopted', 'mint Due']);
  await world.wait(HOUR);
  await keyturn.rotate();
  expect(world.holders(NAME).AWSCURRENT).not.toBe(id);
});

test('a listing without a secret that was just taken back and rotated leaves its entry as it is', async () => {
  const { world, keyturn, id } = await openAdopted();
  await world.wait(DAY);
  await untagAll(world);
  await world.wait(10 * MINUTE);
  await keyturn.rotate({ tokens: ['telegraf'], force: true });
  expect(world.holders(NAME).AWSCURRENT).not.toBe(id);
  world.aws.listLagMs = 5 * MINUTE;
  await world.wait(MINUTE);
  expect(await look(keyturn)).toEqual(['works']);
  expect(most(keyturn, 'UnusableTokens')).toBe(0);
});

test('a secret that is scheduled for deletion and has lost all tags is told as such', async () => {
  const { world, keyturn } = await openAdopted();
  await untagAll(world);
  await world.people.deleteSecret(NAME);
  const { error } = await keyturn.rotate();
  expect(error?.errorMessage).toContain('scheduled for deletion; restore it');
  expect(error?.errorMessage).not.toContain('takeover');
  expect(most(keyturn, 'DeletedSecrets')).toBe(1);
});

test('an expired token whose secret has lost all tags is replaced, and not refused an adoption for ever', async () => {
  const { world, keyturn } = await openAdopted({ expiresAt: '2027-01-01T00:00:00Z' });
  await untagAll(world);
  await world.wait(400 * DAY);
  expect(await look(keyturn)).toEqual(['works', 'adopt Adopted', 'rotate Expired']);
  expect(canWrite(world)).toBe(true);
  expect(most(keyturn, 'MendedOutages')).toBe(1);
});

test('a token that people put back after it was quarantined gets its permissions back, also where all tags of its secret are lost', async () => {
  const { world, keyturn, id } = await openAdopted();
  const old = world.labels(NAME).AWSCURRENT ?? '';
  await keyturn.rotate({ tokens: ['telegraf'], force: true });
  await world.wait(HOUR);
  await keyturn.rotate();
  for (let day = 0; day < 3; day += 1) {
    await world.wait(DAY + HOUR);
    await keyturn.reap();
  }
  expect(world.tokens(NAME).find((each) => each.id === id)?.permissions).toEqual([]);
  await world.people.makeCurrent(NAME, old);
  await untagAll(world);
  expect((await look(keyturn)).slice(1)).toContain('give-back RolledBack');
  await world.wait(10 * MINUTE);
  expect(canWrite(world)).toBe(true);
});

test('a frozen token whose secret has lost all tags is told of in every run, with what puts them back', async () => {
  const { world, keyturn, id } = await openAdopted();
  await keyturn.revoke({ tokenId: id, way: 'freeze', reason: 'leaked' });
  await world.wait(HOUR);
  await world.people.untag(NAME, ['keyturn:owner', 'keyturn:cluster']);
  const { error } = await keyturn.rotate();
  expect(error?.errorMessage).toContain(
    'it has lost our tag, too, which keyturn takeover telegraf',
  );
});

test('a listing without a secret whose tags a run has put back leaves its entry as it is', async () => {
  const { world, keyturn, id } = await openAdopted();
  await world.people.changeToken(id, { permissions: writes('telemetry') });
  await untagAll(world);
  await keyturn.rotate();
  world.aws.listLagMs = 5 * MINUTE;
  await world.wait(MINUTE);
  expect(await look(keyturn)).toEqual(['stripped']);
});

test('a rotation by name of an adopted token whose secret has lost all tags rotates it', async () => {
  const { world, keyturn, id } = await openAdopted();
  await world.wait(DAY);
  await untagAll(world);
  await keyturn.rotate({ tokens: ['telegraf'], force: true });
  await world.wait(HOUR);
  await keyturn.rotate();
  expect(world.holders(NAME).AWSCURRENT).not.toBe(id);
});
