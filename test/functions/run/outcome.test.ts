import { SecretsManagerServiceException } from '@aws-sdk/client-secrets-manager';
import { expect, test } from 'vitest';
import { failureOf } from '../../../functions/run/outcome.ts';

class OddError extends Error {
  override readonly name = 'OddError';
}

const ofAws = new SecretsManagerServiceException({
  ...{ name: 'AccessDeniedException', message: 'DescribeSecret of x: not you' },
  ...{ $fault: 'client', $metadata: {} },
});

test.each([
  ['of ours, its sentence alone', new OddError('x has no owner'), 'x has no owner'],
  ['of the network, its sentence alone', new TypeError('fetch failed'), 'fetch failed'],
  ['of AWS, the code as well', ofAws, 'AccessDeniedException: DescribeSecret of x: not you'],
  ['without a sentence, its class', new OddError(), 'OddError'],
  ['that is no error, what it is', 'thrown', 'thrown'],
])('people read of an error %s', (_what, error, said) => {
  const action = { kind: 'rotate', token: 'telegraf' };
  const failure = failureOf([{ action, result: 'failed', error }]);
  expect(failure?.message).toBe(`1 of 1 action failed:\nrotate telegraf: ${said}`);
  // Programs and logs tell it by its class.
  expect(failure?.errors).toEqual([error]);
});
