import { Key } from 'aws-cdk-lib/aws-kms';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import * as z from 'zod/mini';
import { eventSchemas } from '../../functions/events/events.ts';
import { anotherStack } from '../lib/synthesize.ts';
import { answering } from '../world/faults.ts';
import { JOBS, type Job } from '../world/jobs.ts';
import { openWorld } from '../world/open-world.ts';
import { DAY, policyWith, TELEGRAF, writer } from '../world/policy.ts';
import { MANAGEMENT_SECRET } from '../world/systems.ts';
import type { World } from '../world/world.ts';
import { applies, isAllowed, takeApart } from './evaluate.ts';
import { type Recorded, recordRequests } from './record-requests.ts';
import { ACCOUNT, REGION, type Roles, rolesOf } from './roles.ts';

const KEY = `arn:aws:kms:${REGION}:${ACCOUNT}:key/of-the-tokens`;
const MANAGEMENT_KEY = `arn:aws:kms:${REGION}:${ACCOUNT}:key/of-the-management-token`;
/** Lambda itself does these with a function's role. */
const LAMBDAS_OWN = ['logs:CreateLogStream', 'logs:PutLogEvents', 'sqs:SendMessage'];

const secretArn = (name: string) => `arn:aws:secretsmanager:${REGION}:${ACCOUNT}:secret:${name}`;
const describeRequest = ({ action, resource }: { action: string; resource: string }) =>
  `${action} on ${resource}`;

let world: World;
let recorded: readonly Recorded[];
let base: object;
const roles = new Map<object, Roles>();

/** Tokens with every kind of secret: under the owner's prefix, with a name of its own, adopted. */
const documentOf = (adopted: string, tokens: object = {}, more: object = {}) =>
  policyWith(
    {
      telegraf: writer,
      grafana: { ...writer, secret: 'monitoring/grafana' },
      legacy: { ...writer, secret: 'legacy/telegraf', adopt: { tokenId: adopted } },
      ...tokens,
    },
    {
      encryptionKey: KEY,
      deployment: { tags: { 'cost-center': '0042' } },
      databases: [{ name: 'telemetry', maxTables: 700 }, { name: 'quality' }],
      ...more,
    },
  );

/** Everything that the functions do, on secrets of both kinds. */
async function liveThrough(): Promise<void> {
  const permissions = [{ action: 'write', resource: 'telemetry' }];
  const legacy = await world.people.mint({ description: 'old', permissions });
  await world.people.encrypt(MANAGEMENT_SECRET, MANAGEMENT_KEY);

  const run = world.deploy(documentOf(legacy.id));
  base = run.policy;
  const done = async (job: Job, event: object = {}, deployed = run) => {
    const { error, result } = await deployed.invoke(job, event);
    expect(error).toBeUndefined();
    return result;
  };
  const tokens = ['telegraf', 'grafana', 'legacy'];

  // First issue, which dies before arming, while what is to be adopted is not there; then both.
  expect((await run.revoke({ token: 'telegraf', dryRun: true })).error?.errorType).toBe(
    'SelectionError',
  );
  const refusal = { status: 400, body: '{"code":400,"message":"no"}' };
  world.intercept(answering('PATCH /tokens/{id}', refusal));
  expect((await run.rotate()).error?.errorType).toBe('ApplyError');
  world.intercept();
  await world.people.createSecret('legacy/telegraf', legacy.accessToken);
  // Whoever made it has put it under a key of their own.
  world.people.makeKey({ alias: 'alias/theirs' });
  await world.people.encrypt('legacy/telegraf', 'alias/theirs');
  await done('rotate');
  // Strings that nobody knows, whose age counts from their versions.
  for (const secret of [TELEGRAF, 'monitoring/grafana', 'legacy/telegraf']) {
    await world.people.saveValue(secret, 'CHANGE_ME');
  }
  await done('rotate');
  // Renewal, and widening by the next policy.
  await done('rotate', { tokens, force: true });
  const wider = { permissions: { write: ['telemetry'], read: ['quality'] } };
  const widened = world.deploy(documentOf(legacy.id, { telegraf: wider }));
  await done('rotate', {}, widened);
  // Retirement of what was replaced, step by step.
  for (let days = 0; days < 12; days += 1) {
    await world.wait(DAY);
    await done('reap', {}, widened);
  }
  await done('enforce', { tables: true });
  // A person's hold, orders of every way, and a look for a string that nobody knows.
  await done('revoke', { way: 'whois', fingerprint: '0123456789abcdef' });
  for (const token of tokens) {
    await done('revoke', { token, way: 'freeze', reason: 'drill' });
    await done('reap', {}, widened);
    await done('revoke', { token, way: 'unfreeze', reason: 'drill' });
    await done('revoke', { token, way: 'replace', reason: 'drill' });
    await done('revoke', { token, way: 'delete', reason: 'drill' });
    await done('revoke', { token, way: 'lift', reason: 'drill' });
    // No value of ours is left, so that whoever may read the secret is looked at again.
    await done('revoke', { token, way: 'replace', reason: 'drill' });
    await done('revoke', { token, way: 'delete', reason: 'drill' });
    await done('revoke', { token, way: 'lift', reason: 'drill' });
  }
  await done('rotate', {}, widened);
  // What lost its tags is taken over.
  for (const [token, secret] of [
    ['telegraf', TELEGRAF],
    ['grafana', 'monitoring/grafana'],
  ] as const) {
    await world.people.untag(secret, Object.keys(world.tags(secret)));
    await done('rotate', { tokens: [token], takeOver: { by: 'ada' } }, widened);
    expect(world.tags(secret)).toMatchObject({ 'keyturn:owner': 'prod' });
  }
  // Secrets Manager's own rotation, as its console starts it, after all tokens were lost.
  for (const { id } of world.tokens()) await world.people.deleteToken(id);
  for (const secret of [TELEGRAF, 'monitoring/grafana', 'legacy/telegraf']) {
    await widened.rotateSecret(secret);
  }
  // Removal of two entries: one down to its secret, the other beyond reach of every role.
  const { telegraf, grafana, ...rest } = documentOf(legacy.id).tokens;
  const removed = world.deploy({
    ...documentOf(legacy.id, {}, { onRemoval: 'retire' }),
    tokens: rest,
  });
  for (let days = 0; days < 12; days += 1) {
    await world.wait(DAY);
    const { plan } = await done('reap', {}, removed);
    const found = plan.findings.filter(({ kind }: { kind: string }) => kind === 'OutOfReach');
    expect(found).toMatchObject([{ secret: 'monitoring/grafana' }]);
  }
  expect(world.aws.state.secrets[TELEGRAF]?.deletedAt).toBeDefined();
}

beforeAll(async () => {
  world = await openWorld(policyWith({}));
  recorded = recordRequests(world);
  await liveThrough();
  const stack = anotherStack('/tmp');
  const managementTokenKey = Key.fromKeyArn(stack, 'Key', MANAGEMENT_KEY);
  for (const { policy } of recorded) {
    if (!roles.has(policy)) roles.set(policy, rolesOf(policy, { managementTokenKey }));
  }
}, 300_000);
afterAll(() => world.close());

const roleOf = (job: Job) => roles.get(base)?.get(job) ?? [];

describe.each(JOBS)('%s', (job) => {
  test('may make every call that it makes', () => {
    const own = recorded.filter((each) => each.job === job);
    expect(own.length).toBeGreaterThan(0);
    const refused = own.filter((each) => !isAllowed(roles.get(each.policy)?.get(job) ?? [], each));
    expect([...new Set(refused.map(describeRequest))]).toEqual([]);
  });

  test('holds no grant that nothing uses', () => {
    const own = recorded.filter((each) => each.job === job);
    const unused = takeApart(roleOf(job))
      .filter(({ Action }) => !LAMBDAS_OWN.includes(String(Action)))
      .filter((grant) => !own.some((request) => applies(grant, request)))
      .map(({ Action, Resource }) => `${Action} on ${Resource}`);
    expect(unused).toEqual([]);
  });

  test('is granted nothing on everything that could be named', () => {
    const wide = takeApart(roleOf(job)).filter(({ Resource }) => Resource === '*');
    const actions = wide.map(({ Action }) => Action);
    expect(actions).toEqual(job === 'enforce' ? [] : ['secretsmanager:ListSecrets']);
  });
});

const may = (job: Job, action: string, resource: string) =>
  isAllowed(roleOf(job), { action, resource });
const TOKENS = [
  'keyturn/prod/telegraf-AbCdEf',
  'monitoring/grafana-AbCdEf',
  'legacy/telegraf-AbCdEf',
];

test.each(['reap', 'enforce'] as const)('%s can read no token', (job) => {
  for (const name of TOKENS) {
    expect(may(job, 'secretsmanager:GetSecretValue', secretArn(name))).toBe(false);
    expect(may(job, 'secretsmanager:BatchGetSecretValue', secretArn(name))).toBe(false);
  }
  expect(may(job, 'kms:Decrypt', KEY)).toBe(false);
  expect(may(job, 'kms:GetKeyPolicy', KEY)).toBe(false);
});

test('reap alone deletes a secret, and only under the prefix of its owner', () => {
  const deleters = (name: string) =>
    JOBS.filter((job) => may(job, 'secretsmanager:DeleteSecret', secretArn(name)));
  expect(deleters('keyturn/prod/telegraf-AbCdEf')).toEqual(['reap']);
  expect(deleters('monitoring/grafana-AbCdEf')).toEqual([]);
  expect(deleters(`${MANAGEMENT_SECRET}-AbCdEf`)).toEqual([]);
});

test('nobody writes the management token, or anything of another owner', () => {
  for (const name of [`${MANAGEMENT_SECRET}-AbCdEf`, 'keyturn/production/telegraf-AbCdEf']) {
    for (const verb of ['PutSecretValue', 'UpdateSecretVersionStage', 'TagResource']) {
      const writers = JOBS.filter((job) => may(job, `secretsmanager:${verb}`, secretArn(name)));
      expect(writers).toEqual([]);
    }
  }
});

test('who tags a secret sets the tags that its work needs, and no others', () => {
  const tagging = (verb: string, key: string) =>
    JOBS.filter((job) =>
      isAllowed(roleOf(job), {
        action: `secretsmanager:${verb}`,
        resource: secretArn('keyturn/prod/telegraf-AbCdEf'),
        context: { 'aws:TagKeys': [key] },
      }),
    );
  expect(tagging('TagResource', 'keyturn:owner')).toEqual(['rotate']);
  expect(tagging('CreateSecret', 'keyturn:owner')).toEqual(['rotate']);
  expect(tagging('TagResource', 'keyturn:hold')).toEqual(['revoke']);
  expect(tagging('UntagResource', 'keyturn:hold')).toEqual(['revoke']);
  for (const key of ['team', 'aws:cloudformation:stack-id', 'keyturn:', 'Keyturn:Owner']) {
    expect(tagging('TagResource', key)).toEqual([]);
    expect(tagging('UntagResource', key)).toEqual([]);
    expect(tagging('CreateSecret', key)).toEqual([]);
  }
});

test('what they published on the way fits docs/events.schema.json, key by key', () => {
  const events = world.events();
  expect(new Set(events.map(({ detailType }) => detailType)).size).toBeGreaterThan(6);
  for (const { detailType, detail } of events) {
    const schema = eventSchemas[detailType as keyof typeof eventSchemas];
    expect({ owner: 'prod', ...z.parse(schema, detail) }).toEqual(detail);
  }
});
