import { describe, expect, test } from 'vitest';
import { outsidersOf, StrangePolicyError } from '../../../functions/tokens/outsiders.ts';

const OURS = '123456789012';
const THEIRS = '444455556666';
const role = (account: string) => `arn:aws:iam::${account}:role/reader`;

const judge = (statements: unknown, trusted: string[] = []) =>
  outsidersOf(JSON.stringify({ Version: '2012-10-17', Statement: statements }), {
    account: OURS,
    trusted,
  });
const allow = (Principal: unknown, Condition?: object) => ({
  Effect: 'Allow',
  Principal,
  Action: 'secretsmanager:GetSecretValue',
  Resource: '*',
  ...(Condition && { Condition }),
});

test.each([
  [{ AWS: role(THEIRS) }, [role(THEIRS)]],
  [{ AWS: THEIRS }, [THEIRS]],
  [{ AWS: [role(OURS), `arn:aws-cn:iam::${THEIRS}:root`] }, [`arn:aws-cn:iam::${THEIRS}:root`]],
  [{ AWS: `arn:aws:sts::${THEIRS}:assumed-role/a/b` }, [`arn:aws:sts::${THEIRS}:assumed-role/a/b`]],
  ['*', ['*']],
  [{ AWS: '*' }, ['*']],
  [{ AWS: ['*', role(OURS)] }, ['*']],
  [{ AWS: 'AROAEXAMPLEEXAMPLE123' }, ['AROAEXAMPLEEXAMPLE123 (a role or user that was deleted)']],
  [{ Federated: 'accounts.google.com' }, ['accounts.google.com']],
  [{ CanonicalUser: '79a59df900b949e5' }, ['79a59df900b949e5']],
  [{ AWS: { strange: true } }, ['{"strange":true}']],
  [undefined, ['']],
  // An account that only ends, or begins, like ours.
  [{ AWS: `arn:aws:iam::9${OURS}:root` }, [`arn:aws:iam::9${OURS}:root`]],
])('finds whom %j lets in from outside', (principal, found) => {
  expect(judge([allow(principal)])).toEqual(found);
});

test.each([
  { AWS: role(OURS) },
  { AWS: OURS },
  { AWS: `arn:aws:sts::${OURS}:assumed-role/a/b` },
  { Service: 'logs.eu-west-1.amazonaws.com' },
  { Federated: `arn:aws:iam::${OURS}:saml-provider/corp` },
])('finds nobody outside in %j', (principal) => {
  expect(judge([allow(principal)])).toEqual([]);
  expect(judge(allow(principal))).toEqual([]);
});

describe('a service', () => {
  const service = { Service: 'appsync.amazonaws.com' };
  const sourceAccount = (value: unknown) => ({ StringEquals: { 'aws:SourceAccount': value } });

  test.each([
    sourceAccount(THEIRS),
    sourceAccount([OURS, THEIRS]),
    { StringLike: { 'AWS:SourceAccount': '*' } },
  ])('is outside where it acts for accounts outside: %j', (condition) => {
    expect(judge([allow(service, condition)])).toEqual([
      'appsync.amazonaws.com for another account',
    ]);
  });

  test.each([
    sourceAccount(OURS),
    {
      ...sourceAccount([OURS, THEIRS]),
      ArnLike: { 'aws:SourceArn': `arn:aws:sns:eu-west-1:${OURS}:*` },
    },
    { ArnLike: { 'aws:SourceArn': 'arn:aws:s3:::a-bucket-names-no-account' } },
  ])('is inside where it acts for ours, or no account is named: %j', (condition) => {
    expect(judge([allow(service, condition)])).toEqual([]);
  });

  test('is inside where it acts for an account that is trusted', () => {
    expect(judge([allow(service, sourceAccount(THEIRS))], [THEIRS])).toEqual([]);
  });
});

describe('everybody', () => {
  test.each([
    { StringEquals: { 'aws:PrincipalAccount': OURS } },
    { StringEquals: { 'AWS:principalaccount': [OURS] } },
    { StringEquals: { 'kms:CallerAccount': OURS, 'kms:ViaService': 'secretsmanager' } },
    { StringEquals: { 'aws:PrincipalOrgID': 'o-abcdefghij' } },
    { 'ForAnyValue:StringLike': { 'aws:PrincipalOrgPaths': 'o-abcdefghij/r-ab12/*' } },
    { ArnLike: { 'aws:PrincipalArn': `arn:aws:iam::${OURS}:role/*` } },
  ])('is nobody outside where %j demands an account or an organisation', (condition) => {
    expect(judge([allow('*', condition)])).toEqual([]);
    expect(judge([{ ...allow(undefined, condition), NotPrincipal: { AWS: role(OURS) } }])).toEqual(
      [],
    );
  });

  test.each([
    { StringEquals: { 'aws:PrincipalAccount': [OURS, THEIRS] } },
    { StringLike: { 'aws:PrincipalAccount': '*' } },
    { StringEqualsIfExists: { 'aws:PrincipalAccount': OURS } },
    { 'ForAllValues:StringEquals': { 'aws:PrincipalAccount': OURS } },
    { StringNotEquals: { 'aws:PrincipalAccount': THEIRS } },
    { StringLike: { 'aws:PrincipalOrgID': 'o-*' } },
    { StringEquals: { 'aws:PrincipalOrgID': [] } },
    { ArnLike: { 'aws:PrincipalArn': 'arn:aws:iam::*:role/reader' } },
    { StringLike: { 'aws:SourceArn': `*arn:aws:sns:eu-west-1:${OURS}:topic` } },
    { IpAddress: { 'aws:SourceIp': '10.0.0.0/8' } },
    { StringEquals: { 'kms:ViaService': 'secretsmanager.eu-west-1.amazonaws.com' } },
  ])('stays everybody where %j demands neither', (condition) => {
    expect(judge([allow('*', condition)])).toEqual(['*']);
  });

  test('but some is everybody', () => {
    expect(judge([{ ...allow(undefined), NotPrincipal: { AWS: role(OURS) } }])).toEqual([
      'everybody but some (NotPrincipal)',
    ]);
  });
});

test('what denies lets nobody in', () => {
  expect(judge([{ ...allow('*'), Effect: 'Deny' }])).toEqual([]);
});

test('an account that the policy file trusts is inside', () => {
  expect(judge([allow({ AWS: role(THEIRS) })], [THEIRS])).toEqual([]);
  expect(
    judge([allow('*', { StringEquals: { 'aws:PrincipalAccount': THEIRS } })], [THEIRS]),
  ).toEqual([]);
});

test.each(['', 'no JSON', '[]', '{}', '{"Statement":["x"]}'])(
  'a policy that cannot be read as one is refused, not taken for empty: %j',
  (text) => {
    expect(() => outsidersOf(text, { account: OURS, trusted: [] })).toThrow(StrangePolicyError);
  },
);
