import type { SecretsManager } from '@aws-sdk/client-secrets-manager';
import { expect, test } from 'vitest';
import { DAY_MS, id, refusal, start } from './start.ts';

const SecretId = 'fleet/telegraf';

const put = (client: SecretsManager, seed: string, value: string, VersionStages?: string[]) =>
  client.putSecretValue({
    SecretId,
    ClientRequestToken: id(seed),
    SecretString: value,
    VersionStages,
  });

async function startWithSecret() {
  const started = await start();
  const { client } = started;
  await client.createSecret({ Name: SecretId, SecretString: 'one', ClientRequestToken: id(1) });
  const stages = async () => (await client.describeSecret({ SecretId })).VersionIdsToStages;
  return { ...started, stages };
}

test('a put without labels makes its version current and the former one previous', async () => {
  const { client, stages } = await startWithSecret();
  await put(client, '2', 'two');
  expect(await stages()).toEqual({ [id(1)]: ['AWSPREVIOUS'], [id(2)]: ['AWSCURRENT'] });
});

test('repeating a put with the same token and value changes nothing', async () => {
  const { aws, client } = await startWithSecret();
  await put(client, '2', 'two');
  const before = structuredClone(aws.state.secrets);
  expect(await put(client, '2', 'two')).toMatchObject({ VersionId: id(2) });
  expect(aws.state.secrets).toEqual(before);
});

test('repeating a put does not give back a label that was moved away', async () => {
  const { client, stages } = await startWithSecret();
  await put(client, '2', 'two', ['AWSPENDING']);
  await put(client, '3', 'three', ['AWSPENDING']);
  await put(client, '2', 'two', ['AWSPENDING']);
  expect(await stages()).toEqual({ [id(1)]: ['AWSCURRENT'], [id(3)]: ['AWSPENDING'] });
});

test('the token of a version takes no second value', async () => {
  const { aws, client } = await startWithSecret();
  await put(client, '2', 'two');
  const arn = aws.state.secrets[SecretId]?.arn;
  expect(await refusal(put(client, '2', 'other', ['AWSPENDING']))).toBe(
    `ResourceExistsException: You can't use ClientRequestToken ${id(2)} because that value is already in use for a version of secret ${arn}.`,
  );
  expect(aws.state.secrets[SecretId]?.versions[id(2)]?.secretString).toBe('two');
});

test('the first version of an empty secret becomes current though AWSPENDING was asked for', async () => {
  const { client } = await start();
  await client.createSecret({ Name: SecretId });
  const answer = await put(client, '1', 'one', ['AWSPENDING']);
  expect(answer.VersionStages).toEqual(['AWSCURRENT', 'AWSPENDING']);
});

test('a put of AWSPENDING leaves AWSCURRENT and AWSPREVIOUS alone', async () => {
  const { client, stages } = await startWithSecret();
  await put(client, '2', 'two');
  await put(client, '3', 'three', ['AWSPENDING']);
  expect(await stages()).toEqual({
    [id(1)]: ['AWSPREVIOUS'],
    [id(2)]: ['AWSCURRENT'],
    [id(3)]: ['AWSPENDING'],
  });
});

test('a version without labels stays readable by its id', async () => {
  const { client } = await startWithSecret();
  await put(client, '2', 'two');
  await put(client, '3', 'three');
  const read = await client.getSecretValue({ SecretId, VersionId: id(1) });
  expect(read.SecretString).toBe('one');
  expect(read.VersionStages).toBeUndefined();
});

test('UpdateSecret takes AWSCURRENT, and repeats with the same value alone', async () => {
  const { client, stages } = await startWithSecret();
  const update = (SecretString: string) =>
    client.updateSecret({ SecretId, SecretString, ClientRequestToken: id(2) });
  for (let time = 1; time <= 2; time += 1) {
    expect(await update('two')).toMatchObject({ VersionId: id(2) });
    expect(await stages()).toEqual({ [id(1)]: ['AWSPREVIOUS'], [id(2)]: ['AWSCURRENT'] });
  }
  expect(await refusal(update('three'))).toMatch(/^ResourceExistsException/);
});

test('UpdateSecret without a value changes the description and makes no version', async () => {
  const { aws, client } = await startWithSecret();
  const answer = await client.updateSecret({ SecretId, Description: 'writer' });
  expect(answer.VersionId).toBeUndefined();
  expect(aws.state.secrets[SecretId]).toMatchObject({ description: 'writer' });
  expect(Object.keys(aws.state.secrets[SecretId]?.versions ?? {})).toEqual([id(1)]);
});

test('the hundredth young version is the last', async () => {
  const { aws, client } = await startWithSecret();
  for (let n = 2; n <= 100; n += 1) await put(client, String(n), `value ${n}`);
  expect(await refusal(put(client, '101', 'too many'))).toMatch(/^LimitExceededException/);
  expect(Object.keys(aws.state.secrets[SecretId]?.versions ?? {})).toHaveLength(100);
});

test('beyond a hundred, the oldest unlabelled version that is a day old makes room', async () => {
  const { client, clock } = await startWithSecret();
  await client.updateSecretVersionStage({
    SecretId,
    VersionStage: 'KEPT',
    MoveToVersionId: id(1),
  });
  for (let n = 2; n <= 100; n += 1) await put(client, String(n), `value ${n}`);
  clock.advance(DAY_MS);
  await put(client, '101', 'fits');
  const missing = `Secrets Manager can't find the specified secret value for VersionId: ${id(2)}`;
  expect(await refusal(client.getSecretValue({ SecretId, VersionId: id(2) }))).toBe(
    `ResourceNotFoundException: ${missing}`,
  );
  const kept = await client.getSecretValue({ SecretId, VersionStage: 'KEPT' });
  expect(kept.SecretString).toBe('one');
});

test('twenty labels over all versions are the most', async () => {
  const { client } = await startWithSecret();
  const labels = (from: number, to: number) =>
    Array.from({ length: to - from }, (_, n) => `label-${from + n}`);
  await put(client, '2', 'two', labels(0, 10));
  await put(client, '3', 'three', labels(10, 19));
  expect(await refusal(put(client, '4', 'four', ['one-more']))).toMatch(/^LimitExceededException/);
});

test.each([
  ['65,536 bytes fit', 'x'.repeat(65_536), 'no error'],
  ['65,537 bytes do not', 'x'.repeat(65_537), 'ValidationException'],
  ['bytes count, not characters', 'é'.repeat(32_769), 'ValidationException'],
])('of a value, %s', async (_case, value, expected) => {
  const { client } = await startWithSecret();
  expect(await refusal(put(client, '2', value))).toMatch(new RegExp(`^${expected}`));
});

test.each([
  [31, 'InvalidParameterException'],
  [32, 'no error'],
  [64, 'no error'],
  [65, 'InvalidParameterException'],
])('a ClientRequestToken of %i characters: %s', async (length, expected) => {
  const { client } = await startWithSecret();
  const ClientRequestToken = 'a'.repeat(length);
  const call = client.putSecretValue({ SecretId, ClientRequestToken, SecretString: 'v' });
  expect(await refusal(call)).toMatch(new RegExp(`^${expected}`));
});

test('a binary value comes back as it went in', async () => {
  const { client } = await startWithSecret();
  const SecretBinary = new Uint8Array([0, 128, 255]);
  await client.putSecretValue({ SecretId, SecretBinary });
  const read = await client.getSecretValue({ SecretId });
  expect([...(read.SecretBinary ?? [])]).toEqual([0, 128, 255]);
  expect(read.SecretString).toBeUndefined();
});

test('a put needs one value, not none or two', async () => {
  const { client } = await startWithSecret();
  expect(await refusal(client.putSecretValue({ SecretId }))).toBe(
    'InvalidRequestException: You must provide either SecretString or SecretBinary.',
  );
  const two = { SecretString: 'a', SecretBinary: new Uint8Array([1]) };
  expect(await refusal(client.putSecretValue({ SecretId, ...two }))).toMatch(
    /^InvalidParameterException/,
  );
});
