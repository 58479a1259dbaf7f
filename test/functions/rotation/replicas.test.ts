import { expect, test } from 'vitest';
import type { Interceptor } from '../../../sandbox/interception.ts';
import { denied } from '../../world/faults.ts';
import { openWorldForTest } from '../../world/open-world.ts';
import { DAY, HOUR, policyWith, TELEGRAF, writer } from '../../world/policy.ts';

const FRANKFURT = 'eu-central-1';
const STOCKHOLM = 'eu-north-1';

const entries = { telegraf: writer };
const replicatedTo = (...replicaRegions: (string | object)[]) =>
  policyWith(entries, { deployment: { replicaRegions } });

const DESCRIBE_DENIED = {
  status: 400,
  headers: { 'x-amzn-errortype': 'AccessDeniedException' },
  body: '{"Message":"not authorized to perform secretsmanager:DescribeSecret"}',
};

/** A world in a Region of an account that has others. */
async function openIn(policy: object) {
  const world = await openWorldForTest(policy);
  const { account } = world;
  const copyIn = (region: string) => account.region(region).findByName(TELEGRAF);
  const replicas = () => world.aws.state.secrets[TELEGRAF]?.replicas;
  return { account, world, copyIn, replicas };
}

const kinds = (report: {
  readonly outcomes: readonly { action: { kind: string }; result: string }[];
}) => report.outcomes.map(({ action, result }) => `${action.kind} ${result}`);

test('a secret is made with the replicas that the policy names, under their keys', async () => {
  const policy = replicatedTo(FRANKFURT, { region: STOCKHOLM, encryptionKey: 'alias/tokens' });
  const { world, copyIn, replicas } = await openIn(policy);
  const { result } = await world.rotate();
  expect(kinds(result)).toEqual(['rotate done']);
  expect(replicas()).toEqual({
    [FRANKFURT]: { kmsKeyId: undefined },
    [STOCKHOLM]: { kmsKeyId: 'alias/tokens' },
  });
  expect(copyIn(FRANKFURT)?.versions).toEqual(world.aws.state.secrets[TELEGRAF]?.versions);
  await world.wait(HOUR);
  expect((await world.rotate()).result.plan.actions).toEqual([]);
});

test('a secret that lacks a replica gets it by an action that the plan shows', async () => {
  const { world, replicas } = await openIn(policyWith(entries));
  await world.rotate();
  expect(replicas()).toEqual({});
  const later = world.deploy(replicatedTo(FRANKFURT));
  const action = { kind: 'replicate', reason: 'ReplicaMissing', regions: [FRANKFURT] };
  const { result: shown } = await later.rotate({ dryRun: true });
  expect(shown.plan.actions).toEqual([expect.objectContaining(action)]);
  expect(replicas()).toEqual({});
  expect(kinds((await later.rotate()).result)).toEqual(['replicate done']);
  expect(Object.keys(replicas() ?? {})).toEqual([FRANKFURT]);
});

test('a stranger of the same name is never overwritten: the run fails, and says so, until it is gone', async () => {
  const { account, world, copyIn, replicas } = await openIn(policyWith(entries));
  await world.rotate();
  const own = world.aws.state.secrets[TELEGRAF];
  if (!own) throw new Error('nothing was made');
  const stranger = { ...own, arn: own.arn.replace('eu-west-1', FRANKFURT), description: 'theirs' };
  account.region(FRANKFURT).save(stranger);

  const later = world.deploy(replicatedTo(FRANKFURT));
  for (const reason of ['ReplicaMissing', 'ReplicaFailed']) {
    const { result } = await later.rotate({ dryRun: true });
    expect(result.plan.actions).toMatchObject([{ kind: 'replicate', reason }]);
    const { error } = await later.rotate();
    expect(error?.errorMessage).toMatch(
      /^1 of 1 action failed:\nreplicate telegraf: replicas of keyturn\/prod\/telegraf are not in sync \(eu-central-1: Failed, .*already exists in region eu-central-1/,
    );
    expect(copyIn(FRANKFURT)?.description).toBe('theirs');
  }
  account.region(FRANKFURT).remove(stranger);
  expect(kinds((await later.rotate()).result)).toEqual(['replicate done']);
  expect(replicas()?.[FRANKFURT]?.failure).toBeUndefined();
  expect(copyIn(FRANKFURT)?.primaryRegion).toBe('eu-west-1');
});

/** Secrets Manager shows every replica as under way, as long as `isSlow` says so. */
const underWay =
  (isSlow: () => boolean): Interceptor =>
  (_call, effect) => {
    const reply = effect();
    const body = String(reply.body).replace('"Status":"InSync"', '"Status":"InProgress"');
    return Promise.resolve(isSlow() ? { ...reply, body } : reply);
  };

test('a replica that takes its time is let be, and fails the run an hour later until it is in sync', async () => {
  const { world } = await openIn(policyWith(entries));
  await world.rotate();
  const later = world.deploy(replicatedTo(FRANKFURT));
  let isSlow = true;
  world.intercept(underWay(() => isSlow));
  expect(kinds((await later.rotate()).result)).toEqual(['replicate done']);
  expect((await later.rotate()).result.plan).toMatchObject({ actions: [], findings: [] });
  await world.wait(HOUR);
  const { error } = await later.rotate();
  expect(error?.errorMessage).toMatch(
    /^1 of 1 action failed:\ncheck-replicas telegraf: .* \(eu-central-1: InProgress\)/,
  );
  isSlow = false;
  expect((await later.rotate()).result.plan.actions).toEqual([]);
});

test('a secret whose description is refused is told, and all else goes on', async () => {
  const { world } = await openIn(replicatedTo(FRANKFURT));
  await world.rotate();
  world.intercept(denied(TELEGRAF));
  const { result } = await world.rotate({ dryRun: true });
  expect(result.plan.findings).toMatchObject([{ kind: 'ReplicasUnknown', secret: TELEGRAF }]);
  const { error } = await world.rotate();
  expect(error?.errorMessage).toMatch(/check-replicas telegraf: nobody knows/);
});

test('nobody asks for descriptions where the policy names no Regions', async () => {
  const { world } = await openIn(policyWith(entries));
  await world.rotate();
  await world.wait(HOUR);
  const asked: string[] = [];
  world.watch(({ operation }, effect) => {
    asked.push(operation);
    return effect();
  });
  await world.rotate();
  expect(asked).toContain('ListSecrets');
  expect(asked).not.toContain('DescribeSecret');
});

test('the secret of a removed entry stays as long as it has replicas, and its reap does not fail', async () => {
  const { world, copyIn, replicas } = await openIn(replicatedTo(FRANKFURT));
  await world.rotate();
  const removed = world.deploy(policyWith({ grafana: writer }, { onRemoval: 'retire' }));
  let findings: readonly { kind: string; message: string }[] = [];
  for (let days = 0; days < 14; days += 1) {
    await world.wait(DAY);
    const { error, result } = await removed.reap();
    expect(error).toBeUndefined();
    const planned = result.plan.actions.map(({ kind }: { kind: string }) => kind);
    expect(planned).not.toContain('delete-secret');
    findings = result.plan.findings;
  }
  expect(world.tokens()).toEqual([]);
  expect(world.aws.state.secrets[TELEGRAF]?.deletedAt).toBeUndefined();
  expect(copyIn(FRANKFURT)).toBeDefined();
  expect(findings).toContainEqual({
    kind: 'SecretReplicated',
    secret: TELEGRAF,
    message: expect.stringMatching(
      /replicas in eu-central-1.*--remove-replica-regions eu-central-1; /,
    ),
  });

  const { state } = world.aws;
  const secret = { ...state.secrets[TELEGRAF], replicas: {} } as never;
  world.aws.restore({ ...state, secrets: { ...state.secrets, [TELEGRAF]: secret } });
  expect(replicas()).toEqual({});
  expect(kinds((await removed.reap()).result)).toEqual(['delete-secret done']);
});

test.each([
  ['with replicas', replicatedTo(FRANKFURT), true],
  ['without', policyWith(entries), false],
])(
  'the secret of a removed entry stays while it cannot be described, which is told, and is judged once it can: %s',
  async (_which, policy, isKept) => {
    const { world } = await openIn(policy);
    await world.rotate();
    const removed = world.deploy(policyWith({ grafana: writer }, { onRemoval: 'retire' }));
    const isThere = () => world.aws.state.secrets[TELEGRAF]?.deletedAt === undefined;
    for (let days = 0; days < 13; days += 1) {
      await world.wait(DAY);
      world.intercept(async (call, effect) =>
        call.operation === 'DescribeSecret' ? DESCRIBE_DENIED : await effect(),
      );
      const { plan } = (await removed.reap({ dryRun: true })).result;
      expect(plan.actions).not.toContainEqual(expect.objectContaining({ kind: 'delete-secret' }));
      if (world.tokens().length === 0 && isThere()) {
        expect(plan.findings).toContainEqual({
          kind: 'ReplicasUnknown',
          secret: TELEGRAF,
          message: expect.stringMatching(/nobody knows whether it has replicas.*DescribeSecret/),
        });
        const { error } = await removed.reap();
        expect(error?.errorMessage).toMatch(/delete-secret .*nobody knows whether it has replicas/);
      }
      world.intercept(async (_call, effect) => await effect());
      await removed.reap();
    }
    expect(world.tokens()).toEqual([]);
    expect(isThere()).toBe(isKept);
  },
);

test('a secret whose creation is refused with replicas is made without them, and the next run asks for those', async () => {
  const { world, replicas } = await openIn(replicatedTo(FRANKFURT));
  let calls = 0;
  world.intercept(async (call, effect) => {
    if (call.operation !== 'CreateSecret') return await effect();
    calls += 1;
    const body = JSON.stringify({ __type: 'InvalidParameterException', Message: 'no such Region' });
    return calls === 1 ? { status: 400, body } : await effect();
  });
  await world.rotate();
  expect(world.accepts(world.string(TELEGRAF))).toBe(true);
  expect(replicas()).toEqual({});
  await world.wait(HOUR);
  expect(kinds((await world.rotate()).result)).toEqual(['replicate done']);
});

test('after a takeover with its name kept, a secret’s replicas are still watched, and one that fails fails the run', async () => {
  const { world } = await openIn(replicatedTo(FRANKFURT));
  await world.rotate();
  const kept = policyWith(
    { telegraf: { ...writer, secret: TELEGRAF } },
    { deployment: { replicaRegions: [FRANKFURT] } },
  );
  const next = world.deploy({ ...kept, owner: 'next' });
  await next.rotate({ tokens: ['telegraf'], takeOver: { by: 'ada', from: 'prod' } });
  await world.wait(2 * HOUR);
  const well = await next.rotate();
  expect(well.error).toBeUndefined();
  expect(well.result.plan.findings).toEqual([]);
  const state = world.aws.snapshot();
  const replicas = { [FRANKFURT]: { failure: 'the key is disabled' } };
  const secret = { ...state.secrets[TELEGRAF], replicas } as never;
  world.aws.restore({ ...state, secrets: { ...state.secrets, [TELEGRAF]: secret } });
  await world.wait(2 * HOUR);
  expect(JSON.stringify((await next.rotate()).error)).toMatch(/ReplicaError|not in sync/);
  expect(world.aws.state.secrets[TELEGRAF]?.replicas).toEqual(replicas);
});
