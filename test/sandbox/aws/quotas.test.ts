import { expect, test } from 'vitest';
import { createClient, refusal, start } from './start.ts';

const SecretId = 'fleet';
const THROTTLED = 'ThrottlingException: Rate exceeded';

test('fifty writes a second share a quota, and what is above it has no effect', async () => {
  const { aws, client, clock } = await start({ isThrottling: true });
  await client.createSecret({ Name: SecretId, SecretString: '0' });
  const put = () => client.putSecretValue({ SecretId, SecretString: 'v', VersionStages: ['mine'] });
  for (let n = 0; n < 49; n += 1) await put();
  await client.updateSecret({ SecretId, Description: 'the fiftieth' });
  expect(await refusal(put())).toBe(THROTTLED);
  expect(await refusal(client.updateSecret({ SecretId, Description: 'late' }))).toBe(THROTTLED);
  expect(aws.state.secrets[SecretId]?.description).toBe('the fiftieth');
  expect(Object.keys(aws.state.secrets[SecretId]?.versions ?? {})).toHaveLength(50);
  // Others have quotas of their own.
  await client.tagResource({ SecretId, Tags: [{ Key: 'k', Value: 'v' }] });
  await client.getSecretValue({ SecretId });

  clock.advance(20);
  expect(await refusal(put())).toBe('no error');
  expect(await refusal(put())).toBe(THROTTLED);
});

test('nothing is throttled unless that was asked for', async () => {
  const { client } = await start();
  for (let n = 0; n < 60; n += 1) await client.listSecrets({});
});

test("the SDK's retries meet the quota again once time has passed", async () => {
  const { aws, clock } = await start({ isThrottling: true });
  const client = createClient(aws, 3);
  const list = () => client.listSecrets({});
  for (let n = 0; n < 50; n += 1) await list();
  const passing = setInterval(() => clock.advance(1_000), 10);
  expect(await refusal(list())).toBe('no error');
  clearInterval(passing);
  client.destroy();
});
