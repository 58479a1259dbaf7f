import { describe, expect, test } from 'vitest';
import { answering } from '../../world/faults.ts';
import { openWorldForTest } from '../../world/open-world.ts';
import { policyWith, TELEGRAF, writer } from '../../world/policy.ts';
import type { World } from '../../world/world.ts';

const THEIRS = '444455556666';
const OUTSIDER = `arn:aws:iam::${THEIRS}:root`;
const lets = (Principal: unknown, Condition?: object) => ({
  Version: '2012-10-17',
  Statement: [
    {
      Effect: 'Allow',
      Principal,
      Action: 'secretsmanager:GetSecretValue',
      Resource: '*',
      ...(Condition && { Condition }),
    },
  ],
});

const POLICY = policyWith({ telegraf: writer, grafana: writer });

/** A secret under our prefix that somebody made beforehand, tagged as ours. */
async function premade(world: World): Promise<void> {
  const tags = { 'keyturn:owner': 'prod', 'keyturn:cluster': world.cluster.url };
  await world.people.createSecret(TELEGRAF, 'CHANGE_ME', tags);
}

const ofTelegraf = (world: World) =>
  world.tokens().filter(({ marker }) => marker?.secret === TELEGRAF);

/** The string that stands in it stays, nothing is minted for it, and the other entry gets its token. */
async function refuses(world: World, run = world.deploy(POLICY)): Promise<string> {
  const { error } = await run.rotate({ tokens: ['telegraf', 'grafana'], force: true });
  expect(world.value(TELEGRAF)).toBe('CHANGE_ME');
  expect(Object.keys(world.aws.state.secrets[TELEGRAF]?.versions ?? {})).toHaveLength(1);
  expect(ofTelegraf(world)).toEqual([]);
  expect(world.accepts(JSON.parse(world.value('keyturn/prod/grafana')).token)).toBe(true);
  expect(error?.errorType).toBe('ApplyError');
  return String(error?.errorMessage);
}

async function accepts(world: World, run = world.deploy(POLICY)): Promise<void> {
  const { error } = await run.rotate({ tokens: ['telegraf', 'grafana'], force: true });
  expect(error).toBeUndefined();
  expect(ofTelegraf(world)).toHaveLength(1);
}

describe('a secret that somebody made beforehand gets no token if', () => {
  test.each([
    [{ AWS: OUTSIDER }, undefined, OUTSIDER],
    ['*', undefined, '*'],
    [{ AWS: '*' }, { IpAddress: { 'aws:SourceIp': '10.0.0.0/8' } }, '*'],
  ])('its resource policy lets %j in (%j)', async (principal, condition, found) => {
    const world = await openWorldForTest(POLICY);
    await premade(world);
    await world.people.share(TELEGRAF, lets(principal, condition));
    const message = await refuses(world);
    expect(message).toContain(
      `${TELEGRAF} gets no token: its resource policy allows ${found}, which is outside account 123456789012`,
    );
    expect(message).toContain(
      `take that statement out (aws secretsmanager get-resource-policy --secret-id ${TELEGRAF})`,
    );
  });

  test.each(['ARN', 'alias'])('the policy of its key lets an account in, by its %s', async (by) => {
    const world = await openWorldForTest(POLICY);
    await premade(world);
    const arn = world.people.makeKey({ policy: lets({ AWS: OUTSIDER }), alias: 'alias/theirs' });
    await world.people.encrypt(TELEGRAF, by === 'ARN' ? arn : 'alias/theirs');
    const message = await refuses(world);
    expect(message).toMatch(
      /gets no token: the policy of its key .* allows arn:aws:iam::444455556666:root/,
    );
    expect(message).toContain(`trustedAccounts: ["${THEIRS}"]`);
  });

  test('so does that of a key whose alias only ends like the one that the policy file names', async () => {
    const world = await openWorldForTest(POLICY);
    await premade(world);
    world.people.makeKey({ policy: lets({ AWS: OUTSIDER }), alias: 'alias/their-tokens' });
    await world.people.encrypt(TELEGRAF, 'alias/their-tokens');
    world.people.makeKey({ alias: 'alias/tokens' });
    const own = world.deploy({ ...POLICY, encryptionKey: 'alias/tokens' });
    expect(await refuses(world, own)).toMatch(/gets no token: the policy of its key .* allows/);
  });

  test('its key belongs to another account', async () => {
    const world = await openWorldForTest(POLICY);
    await premade(world);
    await world.people.encrypt(TELEGRAF, `arn:aws:kms:eu-west-1:${THEIRS}:key/theirs`);
    expect(await refuses(world)).toMatch(/belongs to account 444455556666, outside account/);
  });

  test.each(['GetResourcePolicy', 'GetKeyPolicy', 'DescribeKey'])(
    'nobody may read its policy (%s), because that is not the same as having none',
    async (operation) => {
      const world = await openWorldForTest(POLICY);
      await premade(world);
      world.people.makeKey({ alias: 'alias/theirs' });
      await world.people.encrypt(TELEGRAF, 'alias/theirs');
      const denied = {
        status: 400,
        body: JSON.stringify({ __type: 'AccessDeniedException', message: 'not you' }),
      };
      world.intercept(answering(operation, denied));
      expect(await refuses(world)).toMatch(
        /gets no token: .* could not be read, so nobody knows who else may read the secret \(AccessDeniedException: .*not you\)/,
      );
    },
  );

  test('a version is named like one of ours, though no token of ours has it', async () => {
    const world = await openWorldForTest(POLICY);
    await premade(world);
    const id = '11111111-1111-4111-8111-111111111111';
    await world.people.putVersion(TELEGRAF, `keyturn-${id}`, 'CHANGE_ME', 'AWSCURRENT');
    await world.people.share(TELEGRAF, lets({ AWS: OUTSIDER }));
    const { error } = await world.deploy(POLICY).rotate({ tokens: ['telegraf'], force: true });
    expect(String(error?.errorMessage)).toContain('gets no token');
    expect(ofTelegraf(world)).toEqual([]);
  });
});

describe('it gets one if', () => {
  test.each(['GetKeyPolicy', 'DescribeKey'])('%s is throttled at first', async (operation) => {
    const world = await openWorldForTest(POLICY);
    await premade(world);
    world.people.makeKey({ alias: 'alias/own' });
    await world.people.encrypt(TELEGRAF, 'alias/own');
    let asked = 0;
    const throttled = { status: 400, body: '{"__type":"ThrottlingException"}' };
    world.intercept((call, effect) => {
      if (call.operation === operation) asked += 1;
      return Promise.resolve(call.operation === operation && asked === 1 ? throttled : effect());
    });
    await accepts(world);
    // Again after the throttle; and once more right before it is minted.
    expect(asked).toBe(3);
  });

  test.each([
    [undefined],
    [lets({ AWS: 'arn:aws:iam::123456789012:role/reader' })],
    [lets('*', { StringEquals: { 'aws:PrincipalOrgID': 'o-abcdefghij' } })],
  ])('its resource policy is %j', async (policy) => {
    const world = await openWorldForTest(POLICY);
    await premade(world);
    await world.people.encrypt(TELEGRAF, world.people.makeKey());
    if (policy) await world.people.share(TELEGRAF, policy);
    await accepts(world);
  });

  test('the policy file trusts the account', async () => {
    const world = await openWorldForTest(POLICY);
    await premade(world);
    await world.people.share(TELEGRAF, lets({ AWS: OUTSIDER }));
    await accepts(world, world.deploy({ ...POLICY, trustedAccounts: [THEIRS] }));
  });

  const ALIAS = 'alias/tokens';
  test.each([
    ['by its ARN, as in the file', undefined, undefined],
    ['by an alias, as in the file', ALIAS, ALIAS],
    // Secrets Manager shows what it was told.
    ['by the ARN of the alias in the file', ALIAS, `arn:aws:kms:eu-west-1:123456789012:${ALIAS}`],
  ])(
    'its key is the one that the policy file names, %s, whoever may use that',
    async (_how, named, shown) => {
      const world = await openWorldForTest(POLICY);
      await premade(world);
      const arn = world.people.makeKey({ policy: lets({ AWS: OUTSIDER }), alias: ALIAS });
      await world.people.encrypt(TELEGRAF, shown ?? arn);
      await accepts(world, world.deploy({ ...POLICY, encryptionKey: named ?? arn }));
    },
  );
});

test('a secret that has a token of ours is rotated on, whomever people let in later', async () => {
  const world = await openWorldForTest(POLICY);
  const run = world.deploy(POLICY);
  await run.rotate();
  const first = world.value(TELEGRAF);
  await world.people.share(TELEGRAF, lets({ AWS: OUTSIDER }));
  expect((await run.rotate({ tokens: ['telegraf'], force: true })).error).toBeUndefined();
  expect(world.value(TELEGRAF)).not.toBe(first);
});

test('so is one that people have saved in the console again and again', async () => {
  const world = await openWorldForTest(POLICY);
  const run = world.deploy(POLICY);
  await run.rotate();
  const first = world.value(TELEGRAF);
  await world.people.share(TELEGRAF, lets({ AWS: OUTSIDER }));
  for (const _time of [1, 2]) await world.people.saveValue(TELEGRAF, first);
  expect((await run.rotate({ tokens: ['telegraf'], force: true })).error).toBeUndefined();
  expect(world.value(TELEGRAF)).not.toBe(first);
});

const LEGACY = 'legacy/telegraf';

/** An entry that adopts a token which people made, in a world that has it. */
async function adopting() {
  const world = await openWorldForTest(POLICY);
  const permissions = [{ action: 'write', resource: 'telemetry' }];
  const old = await world.people.mint({ description: 'old', permissions });
  await world.people.createSecret(LEGACY, old.accessToken);
  const adopt = { tokenId: old.id };
  const run = world.deploy(policyWith({ telegraf: { ...writer, secret: LEGACY, adopt } }));
  return { world, old, run };
}

/** What a dry run says of the entry: what it would do, and what keeps it from that. */
async function planned(run: ReturnType<World['deploy']>, asked = {}) {
  const { result } = await run.rotate({ dryRun: true, ...asked });
  const { actions, findings } = result.plan;
  return {
    actions: actions.map(({ kind }: { kind: string }) => kind),
    findings: findings.map(
      ({ kind, message }: { kind: string; message: string }) => `${kind}: ${message}`,
    ),
  };
}

test('a secret that would get no token is not adopted, and the plan says so before', async () => {
  const { world, old, run } = await adopting();
  await world.people.share(LEGACY, lets({ AWS: OUTSIDER }));
  const before = structuredClone(world.tokens());
  expect(await planned(run)).toEqual({
    actions: [],
    findings: [
      expect.stringMatching(/^CannotAdopt: cannot be adopted: .* its resource policy allows/),
    ],
  });
  const { error } = await run.rotate();
  expect(String(error?.errorMessage)).toContain('its resource policy allows');
  expect(world.tokens()).toEqual(before);
  expect(world.aws.state.secrets[LEGACY]?.tags).toEqual({});
  expect(world.accepts(old.accessToken)).toBe(true);

  await world.people.share(LEGACY, lets({ AWS: 'arn:aws:iam::123456789012:root' }));
  expect((await run.rotate()).error).toBeUndefined();
  expect(await planned(run)).toEqual({ actions: [], findings: [] });
});

test('nor is it while nobody can tell, because its policies could not be looked at', async () => {
  const { world, run } = await adopting();
  const broken = { status: 400, body: '{"__type":"InvalidRequestException"}' };
  world.intercept(answering('GetResourcePolicy', broken));
  expect((await run.rotate()).error).toBeDefined();
  expect(world.aws.state.secrets[LEGACY]?.tags).toEqual({});
});

test('one that may not be looked at is not called one that cannot be adopted, and nobody is told to delete what consumers read', async () => {
  const { run, world } = await adopting();
  const denied = { status: 400, body: '{"__type":"AccessDeniedException","message":"not you"}' };
  world.intercept(answering('GetResourcePolicy', denied));
  const { actions, findings } = await planned(run);
  expect(actions).toEqual([]);
  expect(findings).toEqual([
    expect.stringMatching(
      /^CannotAdopt: nobody knows whether it can be adopted: .* could not be read, .*not you.*; let whoever runs this read it/,
    ),
  ]);
  expect(findings.join()).not.toMatch(/delete/);
  expect(String((await run.rotate()).error?.errorMessage)).not.toMatch(/delete/);
});

test('an adopted secret whose readers changed since keeps its string, and the plan says why', async () => {
  const { world, old, run } = await adopting();
  expect((await run.rotate()).error).toBeUndefined();
  await world.people.share(LEGACY, lets({ AWS: OUTSIDER }));
  const named = { tokens: ['telegraf'], force: true };
  expect(await planned(run, named)).toEqual({
    actions: [],
    findings: [expect.stringMatching(/^OutsideReader: legacy\/telegraf gets no token/)],
  });
  const { error } = await run.rotate(named);
  expect(String(error?.errorMessage)).toContain(
    ': legacy/telegraf gets no token: its resource policy allows',
  );
  expect(world.value(LEGACY)).toBe(old.accessToken);
  expect(world.accepts(old.accessToken)).toBe(true);
});

test('an idle run looks at no policy', async () => {
  const { world, run } = await adopting();
  await run.rotate();
  let looks = 0;
  world.intercept((call, effect) => {
    if (/Get(Resource|Key)Policy/.test(call.operation)) looks += 1;
    return Promise.resolve(effect());
  });
  expect((await run.rotate()).error).toBeUndefined();
  expect(looks).toBe(0);
});

test("Secrets Manager's own rotation and an order to replace are refused alike", async () => {
  const world = await openWorldForTest(POLICY);
  await premade(world);
  await world.people.share(TELEGRAF, lets({ AWS: OUTSIDER }));
  const run = world.deploy(POLICY);
  await run.rotateSecret(TELEGRAF);
  expect(ofTelegraf(world)).toEqual([]);
  const order = { token: 'telegraf', way: 'replace', reason: 'drill' };
  expect(JSON.stringify(await run.revoke(order))).toContain('gets no token');
  expect(ofTelegraf(world)).toEqual([]);
  expect(world.value(TELEGRAF)).toBe('CHANGE_ME');
});
