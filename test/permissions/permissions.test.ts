import { Key } from 'aws-cdk-lib/aws-kms';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import * as z from 'zod/mini';
import { eventSchemas } from '../../functions/events/events.ts';
import { passThrough } from '../../sandbox/interception.ts';
import { anotherStack } from '../lib/synthesize.ts';
import { applies, isAllowed, takeApart } from './evaluate.ts';
import { ACCOUNT, JOBS, type Job, REGION, type Roles, rolesOf } from './roles.ts';
import { MANAGEMENT_SECRET, openStage, type Stage } from './stage.ts';

const DAY = 86_400_000;
const KEY = `arn:aws:kms:${REGION}:${ACCOUNT}:key/of-the-tokens`;
const MANAGEMENT_KEY = `arn:aws:kms:${REGION}:${ACCOUNT}:key/of-the-management-token`;
/** Lambda itself does these with a function's role. */
const LAMBDAS_OWN = ['logs:CreateLogStream', 'logs:PutLogEvents', 'sqs:SendMessage'];

const secretArn = (name: string) => `arn:aws:secretsmanager:${REGION}:${ACCOUNT}:secret:${name}`;
const describeRequest = ({ action, resource }: { action: string; resource: string }) =>
  `${action} on ${resource}`;

let stage: Stage;
let base: object;
const roles = new Map<object, Roles>();

/** Two tokens of every kind of secret: under the owner's prefix, and with a name of its own. */
function documentOf(adopted: string, tokens: object = {}, more: object = {}) {
  const writer = { permissions: { write: ['telemetry'] } };
  return {
    owner: 'prod',
    cluster: { url: stage.cluster.url, managementToken: MANAGEMENT_SECRET },
    encryptionKey: KEY,
    tokens: {
      telegraf: writer,
      grafana: { ...writer, secret: 'monitoring/grafana' },
      legacy: { ...writer, secret: 'legacy/telegraf', adopt: { tokenId: adopted } },
      ...tokens,
    },
    databases: [{ name: 'telemetry', maxTables: 700 }, { name: 'quality' }],
    ...more,
  };
}

/** Everything that the functions do, on secrets of both kinds. */
async function liveThrough(): Promise<void> {
  for (const name of ['telemetry', 'quality']) await stage.manage('POST', '/databases', { name });
  const permissions = [{ action: 'write', resource: 'telemetry' }];
  const legacy = await stage.manage('POST', '/tokens', { description: 'old', permissions });
  const SecretId = MANAGEMENT_SECRET;
  await stage.secrets.updateSecret({ SecretId, KmsKeyId: MANAGEMENT_KEY });

  base = documentOf(legacy.id);
  const run = stage.deploy(base);
  const done = async (job: Job, event: object = {}, deployed = run) => {
    const { error, result } = await deployed(job, event);
    expect(error).toBeUndefined();
    return result;
  };
  const tokens = ['telegraf', 'grafana', 'legacy'];

  // First issue, which dies before arming, while what is to be adopted is not there; then both.
  expect((await run('revoke', { token: 'telegraf', dryRun: true })).error?.errorType).toBe(
    'SelectionError',
  );
  stage.cluster.intercept = (call, effect) =>
    call.operation === 'PATCH /tokens/{id}'
      ? Promise.resolve({ status: 400, body: '{"code":400,"message":"no"}' })
      : passThrough(call, effect);
  expect((await run('rotate')).error?.errorType).toBe('ApplyError');
  stage.cluster.intercept = passThrough;
  await stage.secrets.createSecret({ Name: 'legacy/telegraf', SecretString: legacy.accessToken });
  await done('rotate');
  // Renewal, and widening by the next policy.
  await done('rotate', { tokens, force: true });
  const wider = { permissions: { write: ['telemetry'], read: ['quality'] } };
  const widened = stage.deploy(documentOf(legacy.id, { telegraf: wider }));
  await done('rotate', {}, widened);
  // Retirement of what was replaced, step by step.
  for (let days = 0; days < 12; days += 1) {
    await stage.wait(DAY);
    await done('reap', {}, widened);
  }
  await done('enforce', { tables: true });
  // A person's hold, and orders of every way.
  for (const token of tokens) {
    await done('revoke', { token, way: 'freeze', reason: 'drill' });
    await done('reap', {}, widened);
    await done('revoke', { token, way: 'unfreeze', reason: 'drill' });
    await done('revoke', { token, way: 'replace', reason: 'drill' });
    await done('revoke', { token, way: 'delete', reason: 'drill' });
    await done('revoke', { token, way: 'lift', reason: 'drill' });
  }
  await done('rotate', {}, widened);
  // Secrets Manager's own rotation, as its console starts it.
  for (const name of ['keyturn/prod/telegraf', 'monitoring/grafana', 'legacy/telegraf']) {
    const RotationLambdaARN = 'secrets-manager-rotation';
    await stage.rotateBySecretsManager(widened, { SecretId: name, RotationLambdaARN });
  }
  // Removal of two entries: one down to its secret, the other beyond reach of every role.
  const { telegraf, grafana, ...rest } = documentOf(legacy.id).tokens;
  const removed = stage.deploy({
    ...documentOf(legacy.id, {}, { onRemoval: 'retire' }),
    tokens: rest,
  });
  for (let days = 0; days < 12; days += 1) {
    await stage.wait(DAY);
    const { plan } = await done('reap', {}, removed);
    const found = plan.findings.filter(({ kind }: { kind: string }) => kind === 'OutOfReach');
    expect(found).toMatchObject([{ secret: 'monitoring/grafana' }]);
  }
  expect(stage.aws.state.secrets['keyturn/prod/telegraf']?.deletedAt).toBeDefined();
}

beforeAll(async () => {
  stage = await openStage();
  await liveThrough();
  const stack = anotherStack('/tmp');
  const managementTokenKey = Key.fromKeyArn(stack, 'Key', MANAGEMENT_KEY);
  for (const { document } of stage.recorded) {
    if (!roles.has(document)) roles.set(document, rolesOf(document, { managementTokenKey }));
  }
}, 120_000);
afterAll(() => stage.close());

const roleOf = (job: Job) => roles.get(base)?.get(job) ?? [];

describe.each(JOBS)('%s', (job) => {
  test('may make every call that it makes', () => {
    const own = stage.recorded.filter((each) => each.job === job);
    expect(own.length).toBeGreaterThan(0);
    const refused = own.filter(
      (each) => !isAllowed(roles.get(each.document)?.get(job) ?? [], each),
    );
    expect([...new Set(refused.map(describeRequest))]).toEqual([]);
  });

  test('holds no grant that nothing uses', () => {
    const own = stage.recorded.filter((each) => each.job === job);
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

test('what they published on the way fits docs/events.schema.json, key by key', () => {
  const { events } = stage.aws.state;
  expect(new Set(events.map(({ detailType }) => detailType)).size).toBeGreaterThan(6);
  for (const { detailType, detail } of events) {
    const schema = eventSchemas[detailType as keyof typeof eventSchemas];
    expect(z.parse(schema, detail)).toEqual(detail);
  }
});
