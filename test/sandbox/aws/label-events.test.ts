import { expect, test } from 'vitest';
import { id, start } from './start.ts';

const FIRST = id(1);
const SECOND = id(2);

async function startSecret() {
  const { aws, client } = await start();
  const SecretId = 'fleet/telegraf';
  await client.createSecret({ Name: SecretId });
  const put = (ClientRequestToken: string, ...VersionStages: string[]) =>
    client.putSecretValue({
      SecretId,
      ClientRequestToken,
      SecretString: ClientRequestToken,
      VersionStages,
    });
  const move = (VersionStage: string, from?: string, to?: string) =>
    client.updateSecretVersionStage({
      SecretId,
      VersionStage,
      RemoveFromVersionId: from,
      MoveToVersionId: to,
    });
  /** What was published since the last look, as `label version`. */
  let seen = 0;
  const news = () => {
    const fresh = aws.state.events.slice(seen);
    seen = aws.state.events.length;
    return fresh.map(({ detail }) => {
      const { labelUpdated, versionId } = detail as Readonly<Record<string, string>>;
      return `${labelUpdated} ${versionId}`;
    });
  };
  return { aws, client, SecretId, put, move, news };
}

test('Secrets Manager says on the default bus that AWSCURRENT moved, and to which version', async () => {
  const { aws, SecretId, put, move } = await startSecret();
  await put(FIRST, 'AWSCURRENT');
  await put(SECOND, 'AWSPENDING');
  await move('AWSCURRENT', FIRST, SECOND);

  expect(aws.state.events.at(-1)).toEqual({
    id: expect.any(String),
    bus: 'default',
    source: 'aws.secretsmanager',
    detailType: 'Secret Label Updated',
    detail: { name: SecretId, labelUpdated: 'AWSCURRENT', versionId: SECOND },
    resources: [aws.state.secrets[SecretId]?.arn],
    time: aws.state.secrets[SecretId]?.changedAt,
  });
});

test('it says nothing of AWSPENDING and AWSPREVIOUS, and all of other labels', async () => {
  const { put, move, news } = await startSecret();
  await put(FIRST, 'AWSPENDING');
  expect(news()).toEqual([`AWSCURRENT ${FIRST}`]);
  await put(SECOND, 'AWSPENDING');
  expect(news()).toEqual([]);
  await move('AWSCURRENT', FIRST, SECOND);
  expect(news()).toEqual([`AWSCURRENT ${SECOND}`]);
  await move('mine', undefined, FIRST);
  expect(news()).toEqual([`mine ${FIRST}`]);
});

test('it says nothing where no label moved to a version', async () => {
  const { client, SecretId, put, move, news } = await startSecret();
  await put(FIRST, 'AWSCURRENT', 'mine');
  expect(news()).toEqual([`AWSCURRENT ${FIRST}`, `mine ${FIRST}`]);
  await put(FIRST, 'AWSCURRENT', 'mine');
  await move('mine', FIRST);
  await client.tagResource({ SecretId, Tags: [{ Key: 'team', Value: 'plant' }] });
  await client.getSecretValue({ SecretId });
  expect(news()).toEqual([]);
});

test('a secret that was deleted for good and made again begins anew', async () => {
  const { client, SecretId, put, news } = await startSecret();
  await put(FIRST, 'AWSCURRENT');
  await client.deleteSecret({ SecretId, ForceDeleteWithoutRecovery: true });
  await client.createSecret({ Name: SecretId });
  await put(FIRST, 'AWSCURRENT');
  expect(news()).toEqual([`AWSCURRENT ${FIRST}`, `AWSCURRENT ${FIRST}`]);
});

test('whoever listens receives every event, at once', async () => {
  const { aws, put } = await startSecret();
  const received: string[] = [];
  aws.onEvent = ({ detailType }) => received.push(detailType);
  await put(FIRST, 'AWSCURRENT');
  expect(received).toEqual(['Secret Label Updated']);
});
