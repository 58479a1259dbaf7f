import { expect, test } from 'vitest';
import { fromDescription, fromListing } from '../../../functions/secrets-manager/secret-record.ts';

const ARN = 'arn:aws:secretsmanager:eu-west-1:123456789012:secret:s-AbCdEf';
const bare = { Name: 's', ARN };
const record = { name: 's', arn: ARN, labels: {}, tags: {}, changedAt: 0, replica: false };

test('turns versions and their labels into labels and their version', () => {
  const stages = { v1: ['AWSPREVIOUS'], v2: ['AWSCURRENT', 'AWSPENDING'], v3: [] };
  const labels = { AWSPREVIOUS: 'v1', AWSCURRENT: 'v2', AWSPENDING: 'v2' };
  expect(fromListing({ ...bare, SecretVersionsToStages: stages })).toEqual({ ...record, labels });
  expect(fromDescription({ ...bare, VersionIdsToStages: stages })).toEqual({ ...record, labels });
  expect(fromListing(bare)).toEqual(record);
});

test('knows a replica by its primary Region', () => {
  expect(fromListing({ ...bare, PrimaryRegion: 'us-east-1' })).toEqual({
    ...record,
    replica: true,
  });
  expect(fromListing({ ...bare, PrimaryRegion: 'eu-west-1' })).toEqual(record);
});

test('knows when a secret was last changed, or, if it never was, made', () => {
  const CreatedDate = new Date(5_000);
  expect(fromListing({ ...bare, CreatedDate })).toEqual({ ...record, changedAt: 5_000 });
  const LastChangedDate = new Date(7_000);
  const changed = { ...record, changedAt: 7_000 };
  expect(fromListing({ ...bare, CreatedDate, LastChangedDate })).toEqual(changed);
  expect(fromDescription({ ...bare, CreatedDate, LastChangedDate })).toEqual(changed);
});

test('keeps tags and the date of deletion', () => {
  const Tags = [{ Key: 'keyturn:owner', Value: 'prod' }, { Key: 'empty' }];
  expect(fromListing({ ...bare, Tags, DeletedDate: new Date(5_000) })).toEqual({
    ...record,
    tags: { 'keyturn:owner': 'prod', empty: '' },
    deletedAt: 5_000,
  });
});

test('refuses a secret without a name or an ARN', () => {
  for (const odd of [{ ARN }, { Name: 's' }]) expect(() => fromListing(odd)).toThrow('name or ARN');
});
