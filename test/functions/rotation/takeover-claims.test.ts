import { expect, test } from 'vitest';
import { openWorldForTest } from '../../world/open-world.ts';
import { DAY, HOUR, policyWith, TELEGRAF, writer } from '../../world/policy.ts';
import type { Deployment, World } from '../../world/world.ts';

const policy = policyWith({ telegraf: writer });
const ASK = { tokens: ['telegraf'], takeOver: { by: 'ada' } };

/** Another ARN, as a secret has that is promoted from a replica. */
function promote({ aws }: World) {
  const state = aws.snapshot();
  const secret = state.secrets[TELEGRAF];
  if (!secret) throw new Error('there is no secret');
  const arn = secret.arn.replace(/:secretsmanager:[^:]+:/, ':secretsmanager:eu-north-1:');
  aws.restore({ ...state, secrets: { ...state.secrets, [TELEGRAF]: { ...secret, arn } } });
}

/** Secrets Manager drops versions without a label, one day. */
function dropVersions({ aws }: World, tokens: readonly string[]) {
  const state = aws.snapshot();
  const secret = state.secrets[TELEGRAF];
  if (!secret) throw new Error('there is no secret');
  const kept = Object.entries(secret.versions).filter(
    ([id]) => !tokens.some((token) => id === `keyturn-${token}`),
  );
  const versions = Object.fromEntries(kept);
  aws.restore({ ...state, secrets: { ...state.secrets, [TELEGRAF]: { ...secret, versions } } });
}

const rotateByName = async (deployed: Deployment, world: World, times: number) => {
  for (let n = 0; n < times; n += 1) {
    await deployed.rotate({ tokens: ['telegraf'], force: true });
    await world.wait(4 * HOUR);
  }
};

/** A secret with so many tokens, which has moved since, and where so many were minted after that. */
async function openMoved(before: number, after: number) {
  const world = await openWorldForTest(policy);
  await world.rotate();
  await world.wait(4 * HOUR);
  await rotateByName(world, world, before - 1);
  const old = world.tokens().map(({ id }) => id);
  promote(world);
  const moved = world.deploy(policy);
  await rotateByName(moved, world, after);
  return { world, moved, old };
}

/** Made anew by its value alone, with tags that a person puts. */
async function madeAnew(world: World, tags: Readonly<Record<string, string>>) {
  const value = world.value(TELEGRAF);
  await world.people.deleteSecret(TELEGRAF, 'for good');
  await world.people.createSecret(TELEGRAF, value, tags);
  await world.wait(HOUR);
}

const findings = async (deployed: Deployment): Promise<readonly string[]> => {
  const { plan } = (await deployed.rotate(ASK)).result;
  return plan.findings.map(
    ({ kind, message }: { readonly kind: string; readonly message: string }) =>
      `${kind} ${message}`,
  );
};

test.each([
  [400, 'AccessDeniedException'],
  [500, 'InternalServiceError'],
])('nothing is said to be ours where the value could not be read (%i)', async (status, __type) => {
  const world = await openWorldForTest(policy);
  await world.rotate();
  await madeAnew(world, world.tags(TELEGRAF));
  world.intercept(async (call, effect) =>
    call.operation === 'GetSecretValue' && call.subject === TELEGRAF
      ? { status, body: JSON.stringify({ __type, Message: 'not now' }) }
      : effect(),
  );
  const said = await findings(world);
  expect(said.join('\n')).toMatch(/CannotTakeOver the value under AWSCURRENT cannot be read/);
  expect(said.join('\n')).not.toMatch(/NothingToTakeOver|keyturn revoke/);
  world.intercept();
  await world.rotate(ASK);
  expect(await findings(world)).toEqual(['NothingToTakeOver the secret and its tokens are ours']);
});

test.each([{}, { 'keyturn:owner': 'next' }])(
  'whose token consumers have is said where the former owner was not named (tags %j)',
  async (tags) => {
    const world = await openWorldForTest(policy);
    await world.rotate();
    await madeAnew(world, tags);
    const entry = { ...writer, secret: TELEGRAF };
    const next = world.deploy({ ...policyWith({ telegraf: entry }), owner: 'next' });
    const said = (await findings(next)).join('\n');
    expect(said).toContain('keyturn takeover telegraf --from prod --confirm');
    expect(said).not.toContain('NothingToTakeOver');
  },
);

test('a run that failed behind the only proof is finished by a repetition', async () => {
  const { world, moved, old } = await openMoved(3, 2);
  dropVersions(world, old.slice(0, 2));
  let patches = 0;
  world.intercept(async (call, effect) => {
    if (call.operation === 'PATCH /tokens/{id}') patches += 1;
    return patches > 2 ? { status: 503, body: '' } : await effect();
  });
  expect(await moved.rotate(ASK)).toHaveProperty('error');
  world.intercept();
  await moved.rotate(ASK);
  const homes = new Set(world.tokens().map(({ marker }) => marker?.home));
  expect(homes.size).toBe(1);
});

test('tokens of this secret’s name that nothing proves are left, and said to be', async () => {
  const { world, moved, old } = await openMoved(2, 3);
  dropVersions(world, old);
  const before = world.tokens();
  const said = await findings(moved);
  for (const id of old) {
    expect(said).toContainEqual(
      expect.stringMatching(`^LeftToOthers .*end it: keyturn revoke --token-id ${id}$`),
    );
  }
  expect(world.tokens()).toEqual(before);
});

test('the id of a version alone proves no token of another deployment, and reap ends none of them', async () => {
  const world = await openWorldForTest(policy);
  await world.rotate();
  await world.wait(4 * HOUR);
  const theirs = world.string(TELEGRAF);
  const working = world.holders(TELEGRAF).AWSCURRENT;
  // Theirs dies right behind what it minted.
  world.intercept(async (call, effect) => {
    const reply = await effect();
    if (call.operation === 'POST /tokens') await world.kill(call);
    return reply;
  });
  await world.rotate({ tokens: ['telegraf'], force: true });
  world.intercept();
  const inert = world.tokens().find(({ id }) => id !== working)?.id;
  // From here on it is in another account.
  await world.people.deleteSecret(TELEGRAF, 'for good');
  await world.wait(HOUR);
  const ours = world.deploy(policy);
  await ours.rotate();
  await world.people.putVersion(TELEGRAF, `keyturn-${inert}`, '{"x":"y"}', 'mine');
  const { plan } = (await ours.rotate(ASK)).result;
  expect(plan.actions).toEqual([]);
  for (let day = 0; day < 10; day += 1) {
    await world.wait(DAY);
    await ours.rotate();
    await ours.reap();
  }
  expect(world.accepts(theirs)).toBe(true);
});

test('a cut listing, which may lack tokens that no version names, stops it until it is whole', async () => {
  const { world, moved, old } = await openMoved(3, 1);
  const [oldest = '', ...others] = old;
  dropVersions(world, [oldest]);
  world.intercept(async (call, effect) => {
    const reply = await effect();
    if (call.operation !== 'GET /tokens') return reply;
    const listed: readonly { readonly id: string }[] = JSON.parse(reply.body);
    return { ...reply, body: JSON.stringify(listed.filter(({ id }) => !old.includes(id))) };
  });
  const said = (await findings(moved)).join('\n');
  expect(said).toMatch(/^CannotTakeOver cannot be taken over: GET \/tokens does not show /);
  expect(others.some((id) => said.includes(id))).toBe(true);
  world.intercept();
  await moved.rotate(ASK);
  expect(await findings(moved)).toEqual(['NothingToTakeOver the secret and its tokens are ours']);
});

test('a token of the former owner that no entry takes over is named, because nobody will retire it', async () => {
  const world = await openWorldForTest(policyWith({ telegraf: writer, grafana: writer }));
  await world.rotate();
  const { id: left } = world.tokens('keyturn/prod/grafana')[0] ?? {};
  const entry = { ...writer, secret: TELEGRAF };
  const next = world.deploy({ ...policyWith({ telegraf: entry }), owner: 'next' });
  for (let times = 0; times < 2; times += 1) {
    const ask = { tokens: ['telegraf'], takeOver: { by: 'ada', from: 'prod' } };
    const { findings } = (await next.rotate(ask)).result.plan;
    expect(findings).toContainEqual({
      kind: 'LeftToOthers',
      tokenId: left,
      message: expect.stringMatching(/for the secret keyturn\/prod\/grafana, which no entry/),
    });
  }
});

test('an entry whose secret is gone is none to take over, unless tokens name it', async () => {
  const world = await openWorldForTest(policy);
  await world.rotate();
  const [{ id } = { id: '' }] = world.tokens();
  await world.people.deleteSecret(TELEGRAF, 'for good');
  expect((await findings(world)).join()).toMatch(
    new RegExp(`^CannotTakeOver .* though a token names it: .*keyturn revoke --token-id ${id}`),
  );
  await world.people.deleteToken(id);
  expect((await findings(world)).join()).toMatch(/^NothingToTakeOver no secret has its name/);
});

test('what anybody wrote as an owner into a tag stands in no command to copy', async () => {
  const world = await openWorldForTest(policy);
  await world.rotate();
  await world.people.tag(TELEGRAF, { 'keyturn:owner': 'x; rm -rf /' });
  const said = (await findings(world)).join();
  expect(said).toContain('"x; rm -rf /", which is no owner');
  expect(said).not.toContain('keyturn takeover');
});
