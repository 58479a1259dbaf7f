import { expect, test } from 'vitest';
import { createAccount } from '../../../sandbox/aws/account.ts';
import { refusal, start } from './start.ts';

const clock = { now: () => Date.UTC(2026, 0, 15, 12) };
const REPLICA =
  "InvalidParameterException: Operation not permitted on a replica secret. Call must be made in primary secret's region.";

/** Two Regions of one account; the secret is in Ireland, and its replica in Frankfurt. */
async function startReplicated() {
  const account = createAccount(clock);
  const ireland = await start({ clock, account, region: 'eu-west-1' });
  const frankfurt = await start({ clock, account, region: 'eu-central-1' });
  const created = await ireland.client.createSecret({
    Name: 'fleet',
    SecretString: 'first',
    AddReplicaRegions: [{ Region: 'eu-central-1', KmsKeyId: 'alias/frankfurt' }],
  });
  const arn = created.ARN ?? '';
  return { ireland, frankfurt, created, arn, copy: arn.replace('eu-west-1', 'eu-central-1') };
}

test('a replica has the ARN of its Region, and the values, labels and tags of its primary', async () => {
  const { ireland, frankfurt, created, arn, copy } = await startReplicated();
  const status = [{ Region: 'eu-central-1', KmsKeyId: 'alias/frankfurt', Status: 'InSync' }];
  expect(created.ReplicationStatus).toEqual(status);
  await ireland.client.putSecretValue({ SecretId: 'fleet', SecretString: 'second' });
  await ireland.client.tagResource({ SecretId: 'fleet', Tags: [{ Key: 'k', Value: 'v' }] });

  const primary = await ireland.client.describeSecret({ SecretId: arn });
  expect(primary).toMatchObject({ PrimaryRegion: 'eu-west-1', ReplicationStatus: status });
  const described = await frankfurt.client.describeSecret({ SecretId: copy });
  expect(described).toMatchObject({
    ...{ ARN: copy, PrimaryRegion: 'eu-west-1', KmsKeyId: 'alias/frankfurt' },
    ...{ Tags: [{ Key: 'k', Value: 'v' }], VersionIdsToStages: primary.VersionIdsToStages },
  });
  expect(described.ReplicationStatus).toBeUndefined();
  const { SecretString } = await frankfurt.client.getSecretValue({ SecretId: 'fleet' });
  expect(SecretString).toBe('second');
});

test('nothing is written to a replica', async () => {
  const { frankfurt } = await startReplicated();
  const { client } = frankfurt;
  const SecretId = 'fleet';
  const RemoveReplicaRegions = ['eu-west-2'];
  for (const call of [
    client.putSecretValue({ SecretId, SecretString: 'mine' }),
    client.updateSecret({ SecretId, Description: 'mine' }),
    client.tagResource({ SecretId, Tags: [{ Key: 'k', Value: 'v' }] }),
    client.untagResource({ SecretId, TagKeys: ['k'] }),
    client.putResourcePolicy({ SecretId, ResourcePolicy: '{}' }),
    client.getResourcePolicy({ SecretId }),
    client.deleteResourcePolicy({ SecretId }),
    client.deleteSecret({ SecretId }),
    client.deleteSecret({ SecretId, ForceDeleteWithoutRecovery: true }),
    client.restoreSecret({ SecretId }),
    client.rotateSecret({ SecretId }),
    client.cancelRotateSecret({ SecretId }),
    client.replicateSecretToRegions({ SecretId, AddReplicaRegions: [{ Region: 'eu-west-2' }] }),
    client.removeRegionsFromReplication({ SecretId, RemoveReplicaRegions }),
  ])
    expect(await refusal(call)).toBe(REPLICA);
});

test('a promoted replica is a secret of its own, which its former primary changes no more', async () => {
  const { ireland, frankfurt, copy } = await startReplicated();
  await frankfurt.client.stopReplicationToReplica({ SecretId: copy });
  await ireland.client.putSecretValue({ SecretId: 'fleet', SecretString: 'second' });
  await frankfurt.client.tagResource({ SecretId: copy, Tags: [{ Key: 'k', Value: 'v' }] });

  const promoted = await frankfurt.client.getSecretValue({ SecretId: copy });
  expect(promoted.SecretString).toBe('first');
  const primary = await ireland.client.describeSecret({ SecretId: 'fleet' });
  expect(primary.ReplicationStatus).toBeUndefined();
  await ireland.client.deleteSecret({ SecretId: 'fleet' });
  await frankfurt.client.deleteSecret({ SecretId: copy });
});

test('a secret with replicas is not deleted; one whose copies were removed is', async () => {
  const { ireland, frankfurt, arn } = await startReplicated();
  const { client } = ireland;
  expect(await refusal(client.deleteSecret({ SecretId: arn }))).toBe(
    `InvalidParameterException: You can't delete secret ${arn} that still has replica regions [eu-central-1]`,
  );
  const remove = () =>
    client.removeRegionsFromReplication({ SecretId: arn, RemoveReplicaRegions: ['eu-central-1'] });
  expect((await remove()).ReplicationStatus).toEqual([]);
  expect((await remove()).ReplicationStatus).toEqual([]);
  expect((await frankfurt.client.listSecrets({})).SecretList).toEqual([]);
  expect(await refusal(client.deleteSecret({ SecretId: arn }))).toBe('no error');
});

test('a secret of the same name is overwritten on demand alone', async () => {
  const account = createAccount(clock);
  const ireland = await start({ clock, account, region: 'eu-west-1' });
  const frankfurt = await start({ clock, account, region: 'eu-central-1' });
  await ireland.client.createSecret({ Name: 'fleet', SecretString: 'Irish' });
  await frankfurt.client.createSecret({ Name: 'fleet', SecretString: 'German' });
  const replicate = (ForceOverwriteReplicaSecret: boolean) =>
    ireland.client.replicateSecretToRegions({
      ...{ SecretId: 'fleet', ForceOverwriteReplicaSecret },
      AddReplicaRegions: [{ Region: 'eu-central-1' }],
    });
  const value = async () =>
    (await frankfurt.client.getSecretValue({ SecretId: 'fleet' })).SecretString;

  expect((await replicate(false)).ReplicationStatus).toEqual([
    {
      Region: 'eu-central-1',
      Status: 'Failed',
      StatusMessage: 'Replication failed: Secret name fleet already exists in region eu-central-1.',
    },
  ]);
  expect((await replicate(false)).ReplicationStatus).toMatchObject([{ Status: 'Failed' }]);
  expect(await value()).toBe('German');
  // Neither is the stranger's secret removed with a replica that never was.
  await ireland.client.removeRegionsFromReplication({
    ...{ SecretId: 'fleet', RemoveReplicaRegions: ['eu-central-1'] },
  });
  expect(await value()).toBe('German');
  expect((await replicate(true)).ReplicationStatus).toMatchObject([{ Status: 'InSync' }]);
  expect(await value()).toBe('Irish');
});

test('its own Region is no Region for a replica', async () => {
  const { ireland } = await startReplicated();
  const AddReplicaRegions = [{ Region: 'eu-west-1' }];
  for (const call of [
    ireland.client.createSecret({ Name: 'other', AddReplicaRegions }),
    ireland.client.replicateSecretToRegions({ SecretId: 'fleet', AddReplicaRegions }),
  ])
    expect(await refusal(call)).toBe('InvalidParameterException: Invalid replica region.');
});

test('secrets are listed by the Region of their primary', async () => {
  const { ireland, frankfurt } = await startReplicated();
  await ireland.client.createSecret({ Name: 'alone' });
  const listed = async ({ client }: typeof ireland, Region: string) => {
    const Filters = [{ Key: 'primary-region' as const, Values: [Region] }];
    return (await client.listSecrets({ Filters })).SecretList?.map(({ Name }) => Name);
  };
  expect(await listed(ireland, 'eu-west-1')).toEqual(['fleet']);
  expect(await listed(ireland, 'eu-central-1')).toEqual([]);
  expect(await listed(frankfurt, 'eu-west-1')).toEqual(['fleet']);
});
