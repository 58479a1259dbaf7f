import { expect, test } from 'vitest';
import { isAllowed, type Statement, takeApart } from './evaluate.ts';

const own = 'arn:aws:secretsmanager:eu-west-1:1:secret:keyturn/prod/*';
const read: Statement = {
  Effect: 'Allow',
  Action: ['secretsmanager:GetSecretValue', 'secretsmanager:Describe*'],
  Resource: own,
};
const secret = own.replace('*', 'telegraf-AbCdEf');
const get = { action: 'secretsmanager:GetSecretValue', resource: secret };

test('allows what one statement allows, and nothing by silence', () => {
  expect(isAllowed([read], get)).toBe(true);
  expect(isAllowed([read], { ...get, action: 'secretsmanager:DescribeSecret' })).toBe(true);
  expect(isAllowed([read], { ...get, action: 'secretsmanager:DeleteSecret' })).toBe(false);
  expect(isAllowed([read], { ...get, resource: secret.replace('prod', 'test') })).toBe(false);
  expect(isAllowed([], get)).toBe(false);
});

test('a question mark stands for one character, so that a longer name does not match', () => {
  const named = { ...read, Resource: 'arn:aws:secretsmanager:eu-west-1:1:secret:a-??????' };
  const at = (name: string) => ({
    ...get,
    resource: `arn:aws:secretsmanager:eu-west-1:1:secret:${name}`,
  });
  expect(isAllowed([named], at('a-AbCdEf'))).toBe(true);
  expect(isAllowed([named], at('a'))).toBe(false);
  expect(isAllowed([named], at('a-b-AbCdEf'))).toBe(false);
});

test('a deny outranks an allow', () => {
  expect(isAllowed([read, { ...read, Effect: 'Deny' }], get)).toBe(false);
});

test('a condition wants its key, and one of many values is enough where it says so', () => {
  const Condition = {
    StringEquals: { 'kms:ViaService': 'secretsmanager' },
    'ForAnyValue:StringEquals': { 'kms:ResourceAliases': 'alias/b' },
  };
  const statement = { ...read, Condition };
  const context = {
    'kms:ViaService': 'secretsmanager',
    'kms:ResourceAliases': ['alias/a', 'alias/b'],
  };
  expect(isAllowed([statement], { ...get, context })).toBe(true);
  expect(isAllowed([statement], get)).toBe(false);
  expect(
    isAllowed([statement], { ...get, context: { ...context, 'kms:ResourceAliases': ['alias/a'] } }),
  ).toBe(false);
  const strange = { ...read, Condition: { IpAddress: { 'aws:SourceIp': '10.0.0.0/8' } } };
  expect(() => isAllowed([strange], get)).toThrow('the evaluator knows no IpAddress');
});

test('takes statements apart', () => {
  expect(takeApart([{ ...read, Resource: ['a', 'b'] }])).toHaveLength(4);
});
