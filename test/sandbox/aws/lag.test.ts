import { expect, test } from 'vitest';
import { id, refusal, start } from './start.ts';

const SecretId = 'fleet/telegraf';
const MINUTE_MS = 60_000;

test('ListSecrets shows a new secret, a change and a deletion only after its lag', async () => {
  const { aws, client, clock } = await start({ listLagMs: 5 * MINUTE_MS });
  const listed = async () =>
    (await client.listSecrets({})).SecretList?.map((secret) => secret.Description);
  await client.createSecret({ Name: SecretId, Description: 'old' });
  expect(await listed()).toEqual([]);
  clock.advance(5 * MINUTE_MS - 1);
  expect(await listed()).toEqual([]);
  clock.advance(1);
  expect(await listed()).toEqual(['old']);

  await client.updateSecret({ SecretId, Description: 'new' });
  expect(await listed()).toEqual(['old']);
  clock.advance(5 * MINUTE_MS);
  expect(await listed()).toEqual(['new']);

  await client.deleteSecret({ SecretId, ForceDeleteWithoutRecovery: true });
  expect(await listed()).toEqual(['new']);
  clock.advance(5 * MINUTE_MS);
  expect(await listed()).toEqual([]);
  expect(aws.listLagMs).toBe(5 * MINUTE_MS);
});

test('reads lag on their own, while writes see the present', async () => {
  const { aws, client, clock } = await start();
  await client.createSecret({ Name: SecretId, SecretString: '1', ClientRequestToken: id(1) });
  clock.advance(MINUTE_MS);
  aws.readLagMs = 1000;
  await client.putSecretValue({ SecretId, SecretString: '2', ClientRequestToken: id(2) });

  expect((await client.getSecretValue({ SecretId })).SecretString).toBe('1');
  expect((await client.describeSecret({ SecretId })).VersionIdsToStages).toEqual({
    [id(1)]: ['AWSCURRENT'],
  });
  expect(await refusal(client.getSecretValue({ SecretId, VersionId: id(2) }))).toMatch(
    /^ResourceNotFoundException/,
  );
  expect((await client.listSecretVersionIds({ SecretId })).Versions).toHaveLength(1);
  expect((await client.listSecrets({})).SecretList?.[0]?.SecretVersionsToStages).toHaveProperty(
    id(2),
  );
  const move = { SecretId, VersionStage: 'AWSCURRENT', MoveToVersionId: id(1) };
  const stale = client.updateSecretVersionStage({ ...move, RemoveFromVersionId: id(1) });
  expect(await refusal(stale)).toMatch(/^InvalidParameterException/);

  clock.advance(1000);
  expect((await client.getSecretValue({ SecretId })).SecretString).toBe('2');
});

test('a secret that lags behind its creation is not found, though its name is taken', async () => {
  const { client } = await start({ readLagMs: 1000 });
  await client.createSecret({ Name: SecretId });
  expect(await refusal(client.describeSecret({ SecretId }))).toMatch(/^ResourceNotFoundException/);
  expect(await refusal(client.createSecret({ Name: SecretId }))).toMatch(
    /^ResourceExistsException/,
  );
});

test('a lag set later reaches back over what happened before', async () => {
  const { aws, client, clock } = await start();
  await client.createSecret({ Name: SecretId, Description: 'old' });
  clock.advance(10 * MINUTE_MS);
  await client.updateSecret({ SecretId, Description: 'new' });
  clock.advance(MINUTE_MS);
  aws.listLagMs = 5 * MINUTE_MS;
  expect((await client.listSecrets({})).SecretList?.[0]?.Description).toBe('old');
});

test('history is kept for a quarter of an hour, and not for ever', async () => {
  const { aws, client, clock } = await start();
  await client.createSecret({ Name: SecretId });
  for (let n = 0; n < 60; n += 1) {
    clock.advance(MINUTE_MS);
    await client.updateSecret({ SecretId, Description: String(n) });
  }
  expect(aws.state.history[SecretId]?.length).toBe(16);
});
