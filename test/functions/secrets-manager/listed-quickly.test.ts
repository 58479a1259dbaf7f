import { ListSecretsCommand, SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import { expect, onTestFinished, test } from 'vitest';
import { fromListing } from '../../../functions/secrets-manager/secret-record.ts';
import { startOddServer } from '../management-api/odd-server.ts';
import { connect } from './connect.ts';

const ARN = 'arn:aws:secretsmanager:eu-west-1:123456789012:secret:s-a1b2c3';
const OURS = { Key: 'keyturn:owner', Value: 'prod' };
const USUAL = {
  ARN,
  Name: 's',
  Description: 'a token',
  KmsKeyId: 'alias/ours',
  PrimaryRegion: 'eu-west-1',
  CreatedDate: 1_772_452_800.123,
  LastChangedDate: 1_772_452_801.5,
  DeletedDate: 1_772_452_802,
  Tags: [OURS, { Key: 'stage', Value: 'prod' }],
  SecretVersionsToStages: { v1: ['AWSCURRENT', 'AWSPENDING'], v2: ['AWSPREVIOUS'] },
};
type Field = keyof typeof USUAL;

/** What AWS, or something in its place, might say. */
const ODD: readonly unknown[] = [
  undefined,
  null,
  '',
  'text',
  '1772452800.25',
  'NaN',
  0,
  1_772_452_800,
  8.65e12,
  true,
  {},
  { v1: null },
  { v1: 'AWSCURRENT' },
  { v1: [null] },
  [],
  [OURS],
  [null],
  ['a', OURS],
  [OURS, { Key: 'a' }],
  [OURS, { Value: 'a' }],
  [OURS, { Key: null, Value: 1 }],
];

/** What comes of a promise, an error's words included. */
const outcomeOf = (promise: Promise<unknown>) =>
  promise.then(
    (value) => ({ value }),
    (error: Error) => ({ error: error.name }),
  );

/** A listing of ours, and what the SDK reads by itself of the same page. */
async function listBoth(page: unknown) {
  const server = await startOddServer(() => ({ body: page }));
  const client = {
    endpoint: server.url,
    region: 'eu-west-1',
    credentials: { accessKeyId: 'test', secretAccessKey: 'test' },
  };
  const plain = new SecretsManagerClient({ ...client, maxAttempts: 1 });
  onTestFinished(() => plain.destroy());
  const { secrets } = await connect({ client, attempts: 1 });
  const bySdk = plain
    .send(new ListSecretsCommand({}))
    .then(({ SecretList = [] }) =>
      SecretList.map(fromListing).filter(({ tags }) => tags['keyturn:owner'] === 'prod'),
    );
  const [ours, sdk] = await Promise.all([outcomeOf(secrets.list('prod')), outcomeOf(bySdk)]);
  return { ours, sdk };
}

test('of a page as AWS writes it a listing has all that the SDK reads, to the millisecond', async () => {
  const { ours, sdk } = await listBoth({ SecretList: [USUAL, { ...USUAL, Name: 'other' }] });
  expect(ours).toEqual(sdk);
  expect(ours).toMatchObject({
    value: [
      { name: 's', changedAt: 1_772_452_801_500, deletedAt: 1_772_452_802_000 },
      { name: 'other' },
    ],
  });
});

test.each(Object.keys(USUAL) as Field[])(
  'of a page with anything else as %s a listing says what the SDK reads, or fails as it does',
  async (field) => {
    for (const value of ODD) {
      const { ours, sdk } = await listBoth({ SecretList: [USUAL, { ...USUAL, [field]: value }] });
      expect({ value, ...ours }).toEqual({ value, ...sdk });
    }
  },
);

test.each([[[null]], [['text']], [[[USUAL]]], [[1]], [{}], ['text'], ['']])(
  'what is no list of secrets is read as the SDK reads it: %j',
  async (list) => {
    const { ours, sdk } = await listBoth({ SecretList: list });
    expect(ours).toEqual(sdk);
  },
);
