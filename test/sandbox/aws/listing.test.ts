import type { Filter, SecretsManager } from '@aws-sdk/client-secrets-manager';
import { paginateListSecrets } from '@aws-sdk/client-secrets-manager';
import { expect, test } from 'vitest';
import { id, refusal, start } from './start.ts';

async function createSecrets(client: SecretsManager, count: number) {
  for (let n = 0; n < count; n += 1)
    await client.createSecret({ Name: `secret-${String(n).padStart(3, '0')}`, SecretString: 's' });
}

const named = async (client: SecretsManager, ...Filters: Filter[]) => {
  const { SecretList = [] } = await client.listSecrets({ Filters, SortOrder: 'asc' });
  return SecretList.map((secret) => secret.Name);
};

test("pages come to an end, with every secret once, through the SDK's paginator", async () => {
  const { client } = await start();
  await createSecrets(client, 23);
  const pages: string[][] = [];
  for await (const { SecretList = [] } of paginateListSecrets(
    { client, pageSize: 10 },
    { SortOrder: 'asc' },
  ))
    pages.push(SecretList.map((secret) => secret.Name ?? ''));
  expect(pages.map((page) => page.length)).toEqual([10, 10, 3]);
  expect(new Set(pages.flat()).size).toBe(23);
});

test('a full last page has no token behind it', async () => {
  const { client } = await start();
  await createSecrets(client, 4);
  const first = await client.listSecrets({ MaxResults: 2 });
  const second = await client.listSecrets({ MaxResults: 2, NextToken: first.NextToken });
  expect(second.SecretList).toHaveLength(2);
  expect(second.NextToken).toBeUndefined();
});

test('a secret deleted between two pages makes no other one go missing', async () => {
  const { client } = await start();
  await createSecrets(client, 4);
  const first = await client.listSecrets({ MaxResults: 2, SortOrder: 'asc' });
  await client.deleteSecret({ SecretId: 'secret-001', ForceDeleteWithoutRecovery: true });
  const { NextToken } = first;
  const second = await client.listSecrets({ MaxResults: 2, SortOrder: 'asc', NextToken });
  expect(second.SecretList?.map((secret) => secret.Name)).toEqual(['secret-002', 'secret-003']);
});

test('a token that it did not give is refused', async () => {
  const { client } = await start();
  expect(await refusal(client.listSecrets({ NextToken: 'made-up' }))).toMatch(
    /^InvalidNextTokenException/,
  );
});

test.each([0, 101])('pages of %i are refused', async (MaxResults) => {
  const { client } = await start();
  expect(await refusal(client.listSecrets({ MaxResults }))).toMatch(
    new RegExp(
      `^ValidationException: 1 validation error detected: Value '${MaxResults}' at 'maxResults'`,
    ),
  );
});

test('an entry maps labelled versions to their labels, and holds no value', async () => {
  const { client } = await start();
  await client.createSecret({ Name: 'a', SecretString: 'hidden', ClientRequestToken: id(1) });
  for (const seed of [2, 3])
    await client.putSecretValue({
      SecretId: 'a',
      SecretString: 'hidden',
      ClientRequestToken: id(seed),
    });
  const { SecretList } = await client.listSecrets({});
  expect(SecretList?.[0]?.SecretVersionsToStages).toEqual({
    [id(2)]: ['AWSPREVIOUS'],
    [id(3)]: ['AWSCURRENT'],
  });
  expect(JSON.stringify(SecretList)).not.toContain('hidden');
});

test('secrets are listed by name or date, either way', async () => {
  const { client, clock } = await start();
  for (const Name of ['b', 'a', 'c']) {
    await client.createSecret({ Name });
    clock.advance(1000);
  }
  const order = async (SortBy: 'name' | 'created-date', SortOrder: 'asc' | 'desc') =>
    (await client.listSecrets({ SortBy, SortOrder })).SecretList?.map(({ Name }) => Name).join('');
  const unordered = (await client.listSecrets({})).SecretList?.map(({ Name }) => Name);
  expect(unordered?.join('')).toBe('bac');
  expect(await order('created-date', 'asc')).toBe('bac');
  expect(await order('created-date', 'desc')).toBe('cab');
  expect(await order('name', 'asc')).toBe('abc');
});

/** The cases of LocalStack's test_list_secrets_filtering, validated against AWS. */
test('names and descriptions are filtered as AWS did', async () => {
  const { client } = await start();
  const secrets = { 'testing1/one': 'a secret', '/testing2/two': 'an secret' };
  const others = { 'testing3/three': 'asecret', '/testing4/four': 'thesecret' };
  const [one, two, three, four] = Object.keys({ ...secrets, ...others });
  for (const [Name, Description] of Object.entries({ ...secrets, ...others }))
    await client.createSecret({ Name, Description });
  const by = async (Key: Filter['Key'], value: string) =>
    new Set(await named(client, { Key, Values: [value] }));
  expect(await by('name', '/')).toEqual(new Set([two, four]));
  expect(await by('name', '!/')).toEqual(new Set([one, three]));
  expect(await by('name', 'testing1 one')).toEqual(new Set());
  expect(await by('description', 'a')).toEqual(new Set([one, two, three]));
  expect(await by('description', '!a')).toEqual(new Set([four]));
  expect(await by('description', 'a secret')).toEqual(new Set([one, two]));
  expect(await by('description', '!c')).toEqual(new Set([one, two, three, four]));
  const both: Filter[] = [
    { Key: 'description', Values: ['a'] },
    { Key: 'name', Values: ['an'] },
  ];
  expect(await named(client, ...both)).toEqual([]);
});

test('tags filter by prefix and case, values of one filter by "or"', async () => {
  const { client } = await start();
  for (const owner of ['prod', 'dev', 'test'])
    await client.createSecret({ Name: owner, Tags: [{ Key: 'keyturn:owner', Value: owner }] });
  await client.createSecret({ Name: 'untagged' });
  expect(await named(client, { Key: 'tag-key', Values: ['keyturn:'] })).toHaveLength(3);
  expect(await named(client, { Key: 'tag-key', Values: ['Keyturn:'] })).toEqual([]);
  expect(await named(client, { Key: 'tag-key', Values: ['!keyturn:'] })).toEqual(['untagged']);
  const either: Filter = { Key: 'tag-value', Values: ['prod', 'dev'] };
  expect((await named(client, either)).toSorted()).toEqual(['dev', 'prod']);
  expect(await named(client, { Key: 'all', Values: ['PROD'] })).toEqual(['prod']);
});

test('the filter "all" looks for the words of names in camel case', async () => {
  const { client } = await start();
  for (const Name of ['fleetTelegraf', 'fleetgrafana']) await client.createSecret({ Name });
  const all = (value: string) => named(client, { Key: 'all', Values: [value] });
  expect(await all('telegraf')).toEqual(['fleetTelegraf']);
  expect(await all('grafana')).toEqual([]);
  expect(await all('TelegrafFleet')).toEqual(['fleetTelegraf']);
});

test('deprecated versions are listed on request, in pages', async () => {
  const { client } = await start();
  await client.createSecret({ Name: 'a', SecretString: '1', ClientRequestToken: id(1) });
  for (const seed of [2, 3, 4])
    await client.putSecretValue({
      SecretId: 'a',
      SecretString: 's',
      ClientRequestToken: id(seed),
    });
  const list = (NextToken?: string) =>
    client.listSecretVersionIds({
      SecretId: 'a',
      IncludeDeprecated: true,
      MaxResults: 3,
      NextToken,
    });
  const first = await list();
  const second = await list(first.NextToken);
  expect([first.Versions?.length, second.Versions?.length]).toEqual([3, 1]);
  expect(first.Versions?.[0]).not.toHaveProperty('VersionStages');
  expect((await client.listSecretVersionIds({ SecretId: 'a' })).Versions).toHaveLength(2);
});

test('a batch answers what it can, and says what failed and why', async () => {
  const { client } = await start();
  await client.createSecret({ Name: 'full', SecretString: 'value' });
  await client.createSecret({ Name: 'empty' });
  const batch = await client.batchGetSecretValue({ SecretIdList: ['full', 'empty', 'missing'] });
  expect(batch.SecretValues?.map((secret) => secret.SecretString)).toEqual(['value']);
  expect(batch.Errors?.map((error) => [error.SecretId, error.ErrorCode])).toEqual([
    ['empty', 'ResourceNotFoundException'],
    ['missing', 'ResourceNotFoundException'],
  ]);
  const Filters: Filter[] = [{ Key: 'name', Values: ['f'] }];
  expect((await client.batchGetSecretValue({ Filters })).SecretValues).toHaveLength(1);
  expect(await refusal(client.batchGetSecretValue({}))).toMatch(/^InvalidParameterException/);
});
