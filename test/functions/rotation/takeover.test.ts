import { expect, test } from 'vitest';
import { openWorldForTest } from '../../world/open-world.ts';
import { DAY, HOUR, policyWith, TELEGRAF, writer } from '../../world/policy.ts';
import type { Deployment, World } from '../../world/world.ts';

const policy = policyWith({ telegraf: writer });
const NEXT = { ...policyWith({ telegraf: { ...writer, secret: TELEGRAF } }), owner: 'next' };

/** A promotion of a replica, as far as it shows: versions, labels and tags stay, the ARN is of another Region. */
function promoteReplica({ aws }: World, name: string) {
  const state = aws.snapshot();
  const { [name]: secret } = state.secrets;
  if (!secret) throw new Error(`there is no secret ${name}`);
  const arn = secret.arn.replace(/:secretsmanager:[^:]+:/, ':secretsmanager:eu-north-1:');
  aws.restore({ ...state, secrets: { ...state.secrets, [name]: { ...secret, arn } } });
}

/** From a backup that has every labelled version with its id, and the tags. */
async function restoreVersions({ people, ...world }: World, name: string) {
  const labels = world.labels(name);
  const tags = world.tags(name);
  const values = Object.entries(labels).map(
    ([label, version]) => [label, version, world.value(name, version)] as const,
  );
  await people.deleteSecret(name, 'for good');
  await people.createSecret(name, undefined, tags);
  const inOrder = values.sort(([a], [b]) =>
    a === 'AWSPREVIOUS' ? -1 : b === 'AWSPREVIOUS' ? 1 : 0,
  );
  for (const [, version, value] of inOrder) {
    await people.putVersion(name, version, value, 'AWSCURRENT');
  }
}

/** From a backup that has the current value alone. */
async function restoreValue({ people, ...world }: World, name: string) {
  const value = world.value(name);
  await people.deleteSecret(name, 'for good');
  await people.createSecret(name, value);
}

interface Moved {
  readonly move: (world: World) => unknown;
  /** What is deployed after it. */
  readonly policy: object;
  readonly from?: string;
}

const moves: Readonly<Record<string, Moved>> = {
  'a replica was promoted': { move: (world) => promoteReplica(world, TELEGRAF), policy },
  'a secret was restored with its versions': {
    move: (world) => restoreVersions(world, TELEGRAF),
    policy,
  },
  'a secret was restored by its value, without tags': {
    move: (world) => restoreValue(world, TELEGRAF),
    policy,
  },
  'the owner changed': { move: () => {}, policy: NEXT, from: 'prod' },
};

/**
 * A token that is being retired without a label, one under AWSPREVIOUS, and the current one; and then their secret, or
 * their deployment, is another one.
 */
async function openMoved({ move, policy: next, from }: Moved) {
  const world = await openWorldForTest(policy);
  const rotate = async () => {
    await world.rotate({ tokens: ['telegraf'], force: true });
    return world.holders(TELEGRAF).AWSCURRENT ?? '';
  };
  await world.rotate();
  const [first] = [world.holders(TELEGRAF).AWSCURRENT ?? ''];
  await world.wait(2 * DAY);
  const second = await rotate();
  await world.wait(DAY + HOUR);
  await world.reap(); // takes AWSPREVIOUS off the first
  const third = await rotate();
  await world.wait(DAY / 2);
  await move(world);
  await world.wait(2 * HOUR);
  const keyturn = world.deploy(next);
  const asked = { tokens: ['telegraf'], takeOver: { by: 'ada', ...(from && { from }) } };
  return { world, keyturn, asked, first, second, third };
}

const kindsOf = ({ result }: Awaited<ReturnType<Deployment['rotate']>>): readonly string[] =>
  result.plan.findings.map(({ kind }: { readonly kind: string }) => kind);

const idsOf = (world: World) => world.tokens(TELEGRAF).map(({ id }) => id);

test.each(Object.entries(moves))(
  'after %s, its tokens are strays until they are taken over, and then are retired in time',
  async (_name, moved) => {
    const { world, keyturn, asked, first, second, third } = await openMoved(moved);
    // Of another owner's tokens nobody says that they are strays.
    const strays = moved.from ? [] : ['WorkingStray'];
    expect(kindsOf(await keyturn.reap({ dryRun: true }))).toEqual(expect.arrayContaining(strays));
    const before = new Map(world.tokens(TELEGRAF).map(({ id, marker }) => [id, marker]));

    const { result } = await keyturn.rotate(asked);
    expect(result.outcomes).toMatchObject([{ result: 'done' }]);
    expect(result.outcomes[0].action.tokenIds.at(-1)).toBe(third);
    expect([...result.outcomes[0].action.tokenIds].sort()).toEqual([first, second, third].sort());
    expect(world.tags(TELEGRAF)).toMatchObject({
      'keyturn:owner': moved.from ? 'next' : 'prod',
      'keyturn:cluster': world.cluster.url,
    });
    // Nothing but whose it is has changed.
    for (const { id, marker } of world.tokens(TELEGRAF)) {
      const { owner: _was, home: _at, ...kept } = before.get(id) ?? {};
      expect(marker).toMatchObject(kept);
    }
    expect(world.events('Secret Taken Over')).toMatchObject([
      { detail: { token: 'telegraf', secret: TELEGRAF, confirmedBy: 'ada' } },
    ]);

    const rotated = await keyturn.rotate();
    expect(rotated.result.entries).toMatchObject([{ condition: 'works', tokenId: third }]);
    expect(kindsOf(rotated)).not.toContain('LostMarker');
    const reaped = await keyturn.reap();
    expect(kindsOf(reaped)).not.toContain('LostMarker');
    expect(kindsOf(reaped)).not.toContain('WorkingStray');

    for (let day = 0; day < 14; day += 1) {
      await world.wait(DAY);
      expect(await keyturn.rotate()).not.toHaveProperty('error');
      expect(await keyturn.reap()).not.toHaveProperty('error');
    }
    expect(idsOf(world)).toEqual([third]);
    expect(world.accepts(world.string(TELEGRAF))).toBe(true);
  },
);

test.each(Object.entries(moves))(
  'after %s, and without a takeover, nobody retires what was there',
  async (_name, moved) => {
    const { world, keyturn, first, second, third } = await openMoved(moved);
    for (let day = 0; day < 14; day += 1) {
      await world.wait(DAY);
      await keyturn.rotate();
      await keyturn.reap();
    }
    expect(idsOf(world)).toEqual(expect.arrayContaining([first, second, third]));
  },
);

/** A secret that was made anew with what it had, and a deployment of the same policy. */
async function openRestored() {
  const opened = await openMoved({ move: (world) => restoreVersions(world, TELEGRAF), policy });
  const takeOver = async () => (await opened.keyturn.rotate(opened.asked)).result;
  return { ...opened, takeOver };
}

/** What a takeover must not touch: all tokens, and who owns the secret. */
const stateOf = (world: World) => ({ tokens: world.tokens(), tags: world.tags(TELEGRAF) });

const said = (message: string) => ({
  kind: 'CannotTakeOver',
  message: expect.stringContaining(message),
});

test.each<[string, (world: World) => unknown, string]>([
  [
    'that has the tag of another owner',
    ({ people }) => people.tag(TELEGRAF, { 'keyturn:owner': 'staging' }),
    'belongs to the deployment "staging"; if that is paused or destroyed: keyturn takeover telegraf --from staging --confirm',
  ],
  [
    'that is scheduled for deletion',
    ({ people }) => people.deleteSecret(TELEGRAF),
    'it is scheduled for deletion',
  ],
  [
    'of another cluster that has its tokens',
    async ({ people, holders }) => {
      await people.tag(TELEGRAF, { 'keyturn:cluster': 'https://other.example.com' });
      await people.deleteToken(holders(TELEGRAF).AWSCURRENT);
    },
    'its tokens are of the cluster https://other.example.com',
  ],
  [
    'that another account may read',
    ({ people }) =>
      people.share(TELEGRAF, {
        Version: '2012-10-17',
        Statement: [
          {
            Effect: 'Allow',
            Principal: { AWS: 'arn:aws:iam::999999999999:root' },
            Action: 'secretsmanager:GetSecretValue',
            Resource: '*',
          },
        ],
      }),
    'outside account',
  ],
  [
    'without an owner whose strings are nobody’s',
    async ({ people }) => {
      await people.deleteSecret(TELEGRAF, 'for good');
      await people.createSecret(TELEGRAF, 'apiv1_of_another_program');
    },
    'it has no owner, and no version of it has the string',
  ],
])('does not take over a secret %s', async (_case, spoil, why) => {
  const { world, takeOver } = await openRestored();
  await spoil(world);
  const before = stateOf(world);
  const { plan, outcomes } = await takeOver();
  expect(plan.actions).toEqual([]);
  // Tokens that are left to others are named besides.
  const refused = plan.findings.filter(
    ({ kind }: { readonly kind: string }) => kind !== 'LeftToOthers',
  );
  expect(refused).toMatchObject([said(why)]);
  expect(outcomes).toEqual([]);
  expect(stateOf(world)).toEqual(before);
});

test('does not write a replica', async () => {
  const { world, takeOver } = await openRestored();
  const state = world.aws.snapshot();
  const secret = { ...state.secrets[TELEGRAF], primaryRegion: 'eu-north-1' };
  world.aws.restore({ ...state, secrets: { ...state.secrets, [TELEGRAF]: secret as never } });
  const before = stateOf(world);
  expect((await takeOver()).plan).toMatchObject({ findings: [said('it is a replica')] });
  expect(stateOf(world)).toEqual(before);
});

const described = (world: World, id: string) =>
  world.cluster.state.tokens.find((token) => token.id === id)?.description ?? '';

test('a version under the id of a token whose string it does not have makes that token nobody’s', async () => {
  const { world, takeOver, first, second, third } = await openRestored();
  // The marker of another deployment’s token may name a secret of the same name.
  const description = described(world, first).replace(/home=\S+/, 'home=00000000');
  const { id } = await world.people.mint({
    description: description.replace(/ id=\S+/, '').replace(/fp=\S+/, 'fp=0123456789abcdef'),
    permissions: [{ action: 'write', resource: 'telemetry' }],
  });
  const version = `keyturn-${id}`;
  await world.people.putVersion(TELEGRAF, version, world.string(TELEGRAF), 'mine');
  const { plan } = await takeOver();
  expect(plan.findings).toMatchObject([
    { ...said(`no version of ${TELEGRAF} has its string`), tokenId: id },
  ]);
  expect([...plan.actions[0].tokenIds].sort()).toEqual([first, second, third].sort());
  expect(world.tokens(TELEGRAF).find((token) => token.id === id)?.marker?.home).toBe('00000000');
});

test.each<[string, (description: string) => string, string]>([
  ['no marker', () => 'by hand', 'it has no marker'],
  [
    'the marker of another owner',
    (text) => text.replace('owner=prod', 'owner=staging'),
    'keyturn takeover telegraf --from staging --confirm',
  ],
  [
    'the marker of another secret',
    (text) => text.replace(`secret=${TELEGRAF}`, 'secret=keyturn/prod/grafana'),
    'it is a token of the secret keyturn/prod/grafana',
  ],
  ['a marker with text behind it', (text) => `${text} edited`, 'its marker cannot be read'],
])('leaves a token with %s to others, and takes over the rest', async (_case, edit, why) => {
  const { world, takeOver, first, second, third } = await openRestored();
  const description = edit(described(world, second));
  await world.people.changeToken(second, { description });
  const { plan, outcomes } = await takeOver();
  expect(plan.findings).toMatchObject([{ ...said(why), tokenId: second }]);
  expect(outcomes).toMatchObject([{ result: 'done' }]);
  expect(described(world, second)).toBe(description);
  expect([...plan.actions[0].tokenIds].sort()).toEqual([first, third].sort());
});

test('what the former secret’s deployment minted since stays with it', async () => {
  const { world, takeOver, third } = await openRestored();
  const { id } = await world.people.mint({
    description: described(world, third).replace(/ (id|fp)=\S+/g, ''),
    permissions: [{ action: 'write', resource: 'telemetry' }],
  });
  const { plan } = await takeOver();
  expect(plan.actions[0].tokenIds).not.toContain(id);
  expect(plan.actions[0].tokenIds).toContain(third);
});

test('a frozen token stays frozen under its hold, until it is unfrozen', async () => {
  const world = await openWorldForTest(policy);
  await world.rotate();
  await world.revoke({ token: 'telegraf', way: 'freeze', reason: 'odd writes' });
  await world.revoke({ token: 'telegraf', way: 'freeze', reason: 'odd writes' });
  const keyturn = world.deploy(NEXT);
  const frozen = world.tokens(TELEGRAF)[0]?.marker?.frozen;
  const asked = { tokens: ['telegraf'], takeOver: { by: 'ada', from: 'prod' } };
  const { result } = await keyturn.rotate(asked);
  expect(result.outcomes).toMatchObject([{ result: 'done' }]);
  expect(result.plan.findings).toMatchObject([{ kind: 'Held' }]);
  expect(world.hold(TELEGRAF)).toContain('frozen');
  expect(world.tokens(TELEGRAF)).toMatchObject([
    { permissions: [], marker: { owner: 'next', frozen } },
  ]);
  await world.wait(2 * HOUR);
  await keyturn.reap();
  await keyturn.revoke({ token: 'telegraf', way: 'unfreeze', reason: 'it was a test' });
  expect(world.accepts(world.string(TELEGRAF))).toBe(true);
  expect((await keyturn.rotate()).result.entries).toMatchObject([{ condition: 'works' }]);
});

test('a dry run shows what would be ours, and changes nothing', async () => {
  const { world, keyturn, asked, third } = await openRestored();
  const before = stateOf(world);
  const { result } = await keyturn.rotate({ ...asked, dryRun: true });
  expect(result.plan.actions).toMatchObject([{ kind: 'take-over', secret: TELEGRAF }]);
  expect(result.plan.actions[0].tokenIds.at(-1)).toBe(third);
  expect(result).not.toHaveProperty('outcomes');
  expect(stateOf(world)).toEqual(before);
});

test.each([
  [{ takeOver: { by: 'ada' } }],
  [{ takeOver: { by: 'ada' }, tokens: ['telegraf'], force: true }],
  [{ takeOver: { by: 'ada' }, tokens: ['telegraf'], confirmAdoption: 'ada' }],
])('takes nothing over with an event that asks for something else, too: %j', async (event) => {
  const world = await openWorldForTest(policy);
  expect((await world.rotate(event)).error).toMatchObject({
    errorType: 'RequestError',
    errorMessage: expect.stringContaining('takeOver requires the tokens to be named'),
  });
});

test('takes nothing over for a name that is not in the policy', async () => {
  const world = await openWorldForTest(policy);
  const { error } = await world.rotate({ tokens: ['telgraf'], takeOver: { by: 'ada' } });
  expect(error?.errorMessage).toContain('the policy has no token telgraf');
});

/** What a person does right before the first call of a run that carries out an operation of its actions. */
function once(world: World, operation: string, act: () => Promise<unknown>): void {
  world.intercept(async (call, effect) => {
    if (call.operation === operation && call.caller !== undefined) {
      world.intercept();
      await act();
    }
    return effect();
  });
}

test('a token that a person gives another marker right before it is taken over keeps that', async () => {
  const { world, takeOver, first } = await openRestored();
  const theirs = described(world, first).replace('owner=prod', 'owner=staging');
  once(world, 'GET /tokens/{id}', () => world.people.changeToken(first, { description: theirs }));
  expect((await takeOver()).outcomes).toMatchObject([{ result: 'skipped' }]);
  expect(described(world, first)).toBe(theirs);
});

test('a secret that gets a third owner meanwhile keeps that', async () => {
  const { world, keyturn, asked } = await openMoved({ move: () => {}, policy: NEXT, from: 'prod' });
  once(world, 'PATCH /tokens/{id}', () =>
    world.people.tag(TELEGRAF, { 'keyturn:owner': 'staging' }),
  );
  const { result } = await keyturn.rotate(asked);
  expect(result.outcomes).toMatchObject([{ result: 'skipped' }]);
  expect(world.tags(TELEGRAF)['keyturn:owner']).toBe('staging');
});

test('what a version names and the listing lacks is asked for by its id, and the whole waits for a listing that has it', async () => {
  const { world, keyturn, asked, second, third } = await openMoved({
    move: () => {},
    policy: NEXT,
    from: 'prod',
  });
  world.cluster.manners = { longestListing: 1 };
  const { plan } = (await keyturn.rotate(asked)).result;
  expect(plan.actions).toEqual([]);
  expect(plan.findings).toMatchObject([
    { kind: 'CannotTakeOver', message: expect.stringContaining(`GET /tokens/${second} does`) },
  ]);
  world.cluster.manners = {};
  const { result } = await keyturn.rotate(asked);
  expect(result.outcomes[0].action.tokenIds.slice(-2)).toEqual([second, third]);
});

test('a marker that was copied to another token makes that nobody’s', async () => {
  const { world, takeOver, third } = await openRestored();
  const { id } = await world.people.mint({ description: described(world, third), permissions: [] });
  expect((await takeOver()).plan.actions[0].tokenIds).not.toContain(id);
});
