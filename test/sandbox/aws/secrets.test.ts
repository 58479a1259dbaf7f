import { describe, expect, test } from 'vitest';
import { DAY_MS, id, refusal, start } from './start.ts';

const SecretId = 'fleet/telegraf';

const gone = "ResourceNotFoundException: Secrets Manager can't find the specified secret.";
const marked =
  "InvalidRequestException: You can't perform this operation on the secret because it was marked for deletion.";

async function startWithSecret() {
  const started = await start();
  const created = await started.client.createSecret({
    Name: SecretId,
    SecretString: 'value',
    ClientRequestToken: id(1),
    Tags: [{ Key: 'owner', Value: 'prod' }],
  });
  return { ...started, arn: created.ARN ?? '' };
}

test('creating a secret again with the same token and value is a retry', async () => {
  const { client, arn } = await startWithSecret();
  const create = (SecretString: string, seed: number) =>
    client.createSecret({ Name: SecretId, SecretString, ClientRequestToken: id(seed) });
  expect(await create('value', 1)).toMatchObject({ ARN: arn, VersionId: id(1) });
  expect(await refusal(create('other', 1))).toMatch(/^ResourceExistsException: You can't use/);
  expect(await refusal(create('value', 2))).toMatch(/^ResourceExistsException: The operation/);
});

test('an ARN ends in a hyphen and six characters, and a secret made anew has other ones', async () => {
  const { client, arn } = await startWithSecret();
  expect(arn).toMatch(
    /^arn:aws:secretsmanager:eu-west-1:123456789012:secret:fleet\/telegraf-\w{6}$/,
  );
  await client.deleteSecret({ SecretId, ForceDeleteWithoutRecovery: true });
  const again = await client.createSecret({ Name: SecretId });
  expect(again.ARN).not.toBe(arn);
});

test('a secret answers to its name, its ARN, and its ARN without the suffix', async () => {
  const { client, arn } = await startWithSecret();
  for (const by of [SecretId, arn, arn.slice(0, -7)])
    expect((await client.describeSecret({ SecretId: by })).Name).toBe(SecretId);
  const Name = 'fleet/telegraf-sensor';
  const { ARN = '' } = await client.createSecret({ Name });
  expect((await client.describeSecret({ SecretId: ARN })).Name).toBe(Name);
  expect(await refusal(client.describeSecret({ SecretId: ARN.slice(0, -7) }))).toBe(gone);
  for (const by of [`${arn.slice(0, -6)}zzzzzz`, 'fleet', arn.replace('eu-west-1', 'us-east-1')])
    expect(await refusal(client.describeSecret({ SecretId: by }))).toBe(gone);
});

test.each(['Inv Name', ' Inv*Name? ', 'tab\t', ''])('the name %j is refused', async (Name) => {
  const { client } = await start();
  expect(await refusal(client.createSecret({ Name }))).toMatch(/^ValidationException/);
});

test('a name has at most 512 characters', async () => {
  const { client } = await start();
  expect(await refusal(client.createSecret({ Name: 'n'.repeat(512) }))).toBe('no error');
  expect(await refusal(client.createSecret({ Name: 'n'.repeat(513) }))).toBe(
    `ValidationException: 1 validation error detected: Value '${'n'.repeat(513)}' at 'name' failed to satisfy constraint: Member must have length less than or equal to 512`,
  );
});

test('tags are added, replaced and removed, up to fifty', async () => {
  const { aws, client } = await startWithSecret();
  await client.tagResource({ SecretId, Tags: [{ Key: 'owner', Value: 'dev' }] });
  await client.tagResource({ SecretId, Tags: [{ Key: 'hold', Value: 'frozen' }] });
  await client.untagResource({ SecretId, TagKeys: ['owner'] });
  expect(aws.state.secrets[SecretId]?.tags).toEqual({ hold: 'frozen' });
  const Tags = Array.from({ length: 50 }, (_, n) => ({ Key: `k${n}`, Value: '' }));
  expect(await refusal(client.tagResource({ SecretId, Tags }))).toMatch(
    /^InvalidParameterException/,
  );
});

test('a secret without a tag has no list of them, and one that lost its last has an empty one', async () => {
  const { client } = await startWithSecret();
  await client.createSecret({ Name: 'untagged' });
  expect(await client.describeSecret({ SecretId: 'untagged' })).not.toHaveProperty('Tags');
  await client.untagResource({ SecretId, TagKeys: ['owner'] });
  expect((await client.describeSecret({ SecretId })).Tags).toEqual([]);
});

test('an empty description is none', async () => {
  const { client } = await startWithSecret();
  await client.updateSecret({ SecretId, Description: 'old' });
  await client.updateSecret({ SecretId, Description: '' });
  expect(await client.describeSecret({ SecretId })).not.toHaveProperty('Description');
});

test('messages quote the refused value, unless it is a secret one', async () => {
  const { client } = await start();
  const Filters = [{ Key: 'invalid' as 'name', Values: ['foo'] }];
  expect(await refusal(client.listSecrets({ Filters }))).toMatch(
    "1 validation error detected: Value 'invalid' at 'filters.1.member.key' failed to satisfy constraint: Member must satisfy enum value set: [",
  );
  const SecretString = 's'.repeat(65_537);
  expect(await refusal(client.putSecretValue({ SecretId, SecretString }))).toBe(
    "ValidationException: 1 validation error detected: Value at 'secretString' failed to satisfy constraint: Member must have length less than or equal to 65536",
  );
});

test('DescribeSecret shows the tags, and when the secret was read to the day only', async () => {
  const { client } = await startWithSecret();
  await client.getSecretValue({ SecretId });
  const described = await client.describeSecret({ SecretId });
  expect(described.Tags).toEqual([{ Key: 'owner', Value: 'prod' }]);
  expect(described.LastAccessedDate).toEqual(new Date('2026-01-15T00:00:00Z'));
  expect(described.CreatedDate).toEqual(new Date('2026-01-15T12:00:00Z'));
});

test('a resource policy is kept and shown', async () => {
  const { client } = await startWithSecret();
  const ResourcePolicy = '{"Version":"2012-10-17","Statement":[]}';
  await client.putResourcePolicy({ SecretId, ResourcePolicy });
  expect((await client.getResourcePolicy({ SecretId })).ResourcePolicy).toBe(ResourcePolicy);
  await client.deleteResourcePolicy({ SecretId });
  expect((await client.getResourcePolicy({ SecretId })).ResourcePolicy).toBeUndefined();
});

const everybody = (Condition?: object) =>
  JSON.stringify({
    Version: '2012-10-17',
    Statement: [
      {
        ...{ Effect: 'Allow', Principal: { AWS: '*' }, Resource: '*' },
        ...{ Action: 'secretsmanager:GetSecretValue', Condition },
      },
    ],
  });

test('a resource policy that lets everybody in does not pass, and is refused where asked', async () => {
  const { client } = await startWithSecret();
  const condition = { StringEquals: { 'aws:PrincipalOrgID': 'o-1' } };
  const passes = async (ResourcePolicy: string) =>
    (await client.validateResourcePolicy({ SecretId, ResourcePolicy })).PolicyValidationPassed;
  expect(await passes(everybody())).toBe(false);
  expect(await passes(everybody(condition))).toBe(true);
  const put = (BlockPublicPolicy: boolean) =>
    client.putResourcePolicy({ SecretId, ResourcePolicy: everybody(), BlockPublicPolicy });
  expect(await refusal(put(true))).toMatch(/^PublicPolicyException/);
  expect(await refusal(put(false))).toBe('no error');
  expect(await refusal(client.validateResourcePolicy({ ResourcePolicy: '{' }))).toMatch(
    /^MalformedPolicyDocumentException/,
  );
});

describe('a secret scheduled for deletion', () => {
  async function startDeleted(RecoveryWindowInDays?: number) {
    const started = await startWithSecret();
    const deleted = await started.client.deleteSecret({ SecretId, RecoveryWindowInDays });
    return { ...started, deleted };
  }

  test('is neither read nor written', async () => {
    const { client } = await startDeleted();
    const VersionId = id(1);
    const calls = [
      client.getSecretValue({ SecretId }),
      client.getSecretValue({ SecretId, VersionId }),
      client.putSecretValue({ SecretId, SecretString: 'v' }),
      client.updateSecret({ SecretId, Description: 'd' }),
      client.updateSecretVersionStage({ SecretId, VersionStage: 'S', MoveToVersionId: VersionId }),
      client.deleteSecret({ SecretId }),
      client.rotateSecret({ SecretId }),
    ];
    for (const call of calls) expect(await refusal(call)).toBe(marked);
  });

  test('is described with its date, and unlisted unless asked for', async () => {
    const { client, deleted } = await startDeleted(7);
    expect(deleted.DeletionDate).toEqual(new Date('2026-01-22T12:00:00Z'));
    const described = await client.describeSecret({ SecretId });
    expect(described.DeletedDate).toEqual(deleted.DeletionDate);
    expect((await client.listSecrets({})).SecretList).toEqual([]);
    const planned = await client.listSecrets({ IncludePlannedDeletion: true });
    expect(planned.SecretList).toHaveLength(1);
  });

  test('holds its name until the window ends, thirty days if not said otherwise', async () => {
    const { client, clock } = await startDeleted();
    clock.advance(30 * DAY_MS - 1);
    expect(await refusal(client.createSecret({ Name: SecretId }))).toBe(
      "InvalidRequestException: You can't create this secret because a secret with this name is already scheduled for deletion.",
    );
    clock.advance(1);
    expect(await refusal(client.describeSecret({ SecretId }))).toBe(gone);
    expect(await refusal(client.createSecret({ Name: SecretId }))).toBe('no error');
  });

  test('comes back whole', async () => {
    const { client } = await startDeleted();
    await client.restoreSecret({ SecretId });
    expect((await client.getSecretValue({ SecretId })).SecretString).toBe('value');
    expect((await client.describeSecret({ SecretId })).DeletedDate).toBeUndefined();
  });

  test.each([6, 31])('cannot have a window of %i days', async (RecoveryWindowInDays) => {
    const { client } = await startWithSecret();
    expect(await refusal(client.deleteSecret({ SecretId, RecoveryWindowInDays }))).toBe(
      'InvalidParameterException: The RecoveryWindowInDays value must be between 7 and 30 days (inclusive).',
    );
  });
});

test('deleting without recovery takes effect at once, and may be repeated', async () => {
  const { client } = await startWithSecret();
  const remove = () => client.deleteSecret({ SecretId, ForceDeleteWithoutRecovery: true });
  await remove();
  expect(await refusal(client.describeSecret({ SecretId }))).toBe(gone);
  expect(await refusal(remove())).toBe('no error');
});
