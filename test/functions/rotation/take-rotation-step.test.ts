import { afterEach, beforeEach, expect, test } from 'vitest';
import { parseMarker } from '../../../functions/tokens/marker.ts';
import { MANAGEMENT_SECRET, openStage, type Stage } from '../../permissions/stage.ts';

const SecretId = 'keyturn/prod/telegraf';
const RotationLambdaARN = 'secrets-manager-rotation';
const DAY = 86_400_000;

let stage: Stage;
let run: ReturnType<Stage['deploy']>;
beforeEach(async () => {
  stage = await openStage();
  await stage.manage('POST', '/databases', { name: 'telemetry' });
  run = stage.deploy({
    owner: 'prod',
    cluster: { url: stage.cluster.url, managementToken: MANAGEMENT_SECRET },
    tokens: { telegraf: { permissions: { write: ['telemetry'] } } },
    databases: [{ name: 'telemetry' }],
  });
  await run('rotate');
});
afterEach(() => stage.close());

const labels = () =>
  Object.fromEntries(
    Object.values(stage.aws.state.secrets[SecretId]?.versions ?? {}).flatMap(({ id, stages }) =>
      stages.map((label) => [label, id]),
    ),
  );
const tokens = () =>
  stage.cluster.state.tokens
    .filter(({ revokedAt }) => revokedAt === undefined)
    .map(({ id, description }) => ({ id, ...parseMarker(description)?.marker }));
const current = async () =>
  JSON.parse((await stage.secrets.getSecretValue({ SecretId })).SecretString ?? '');

test('the console rotates a secret: a version of its own id, and a token that says so', async () => {
  const before = labels();
  await stage.rotateBySecretsManager(run, { SecretId, RotationLambdaARN });
  expect(stage.aws.state.secrets[SecretId]?.rotation).toMatchObject({ failure: undefined });
  const after = labels();
  expect(after.AWSPREVIOUS).toBe(before.AWSCURRENT);
  const { token, tokenId } = await current();
  expect(stage.cluster.accepts(token, 'write', 'telemetry')).toBe(true);
  expect(tokenId).not.toBe(after.AWSCURRENT);
  expect(tokens()).toContainEqual(
    expect.objectContaining({ id: tokenId, version: after.AWSCURRENT }),
  );
  expect(tokens().find(({ id }) => id === before.AWSCURRENT)?.superseded).toBeGreaterThan(0);
  expect((await run('rotate')).result.plan.actions).toEqual([]);
});

test('what it replaced is retired, and what it made is kept and rotated again', async () => {
  await stage.rotateBySecretsManager(run, { SecretId, RotationLambdaARN });
  const { tokenId } = await current();
  for (let days = 0; days < 12; days += 1) {
    await stage.wait(DAY);
    await run('reap');
  }
  expect(tokens().map(({ id }) => id)).toEqual([tokenId]);
  await stage.wait(18 * DAY);
  const { result } = await run('rotate');
  expect(result.outcomes).toMatchObject([{ action: { reason: 'Due' }, result: 'done' }]);
});

test('repeats its steps without a second token, wherever it died', async () => {
  let puts = 0;
  const { intercept } = stage.aws;
  stage.aws.intercept = async (call, effect) => {
    const reply = await intercept(call, effect);
    const dies = call.operation === 'PutSecretValue' && puts++ === 0;
    return dies ? { status: 400, body: '{"__type":"InvalidRequestException"}' } : reply;
  };
  await stage.rotateBySecretsManager(run, { SecretId, RotationLambdaARN });
  expect(stage.aws.state.secrets[SecretId]?.rotation).toMatchObject({ failure: undefined });
  expect(tokens()).toHaveLength(2);
  expect(tokens()).toContainEqual(expect.objectContaining({ version: labels().AWSCURRENT }));
});

test('only tests where it is set up without a rotation, and mints nothing', async () => {
  const before = labels();
  await stage.rotateBySecretsManager(run, {
    SecretId,
    RotationLambdaARN,
    RotateImmediately: false,
  });
  expect(labels().AWSCURRENT).toBe(before.AWSCURRENT);
  expect(tokens()).toHaveLength(1);
});

test('rotates nothing that a person holds', async () => {
  await stage.secrets.tagResource({ SecretId, Tags: [{ Key: 'keyturn:hold', Value: 'frozen' }] });
  await stage.rotateBySecretsManager(run, { SecretId, RotationLambdaARN });
  expect(stage.aws.state.secrets[SecretId]?.rotation?.failure).toContain('a person put it on hold');
  expect(tokens()).toHaveLength(1);
});
