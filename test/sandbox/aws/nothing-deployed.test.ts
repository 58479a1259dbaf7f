import { CloudWatch } from '@aws-sdk/client-cloudwatch';
import { Lambda } from '@aws-sdk/client-lambda';
import { expect, onTestFinished, test } from 'vitest';
import { PERSON } from '../../../sandbox/aws/account.ts';
import { refusal, start } from './start.ts';

/** The answers of AWS in an account in which no stack is deployed. */
async function startEmpty(secretAccessKey: string = PERSON.secretAccessKey) {
  const { aws, clock } = await start();
  const config = {
    endpoint: aws.url,
    region: aws.region,
    credentials: { ...PERSON, secretAccessKey },
    maxAttempts: 1,
    systemClockOffset: clock.now() - Date.now(),
  };
  const [lambda, cloudWatch] = [new Lambda(config), new CloudWatch(config)];
  onTestFinished(() => {
    lambda.destroy();
    cloudWatch.destroy();
  });
  return { aws, lambda, cloudWatch };
}

const FunctionName = 'keyturn-prod-rotate';

test('no function is there, whoever asks for which, and the account has room for runs', async () => {
  const { aws, lambda } = await startEmpty();
  const arn = `arn:aws:lambda:${aws.region}:${aws.accountId}:function:${FunctionName}`;
  const missing = `ResourceNotFoundException: Function not found: ${arn}`;
  expect(await refusal(lambda.invoke({ FunctionName, Payload: '{}' }))).toBe(missing);
  expect(await refusal(lambda.invoke({ FunctionName: arn, Payload: '{}' }))).toBe(missing);
  expect(await refusal(lambda.getFunctionConfiguration({ FunctionName }))).toBe(missing);
  expect(await refusal(lambda.getFunction({ FunctionName }))).toBe(missing);
  const { AccountLimit } = await lambda.getAccountSettings({});
  expect(AccountLimit).toMatchObject({ UnreservedConcurrentExecutions: 1_000 });
});

test('no alarm is there', async () => {
  const { cloudWatch } = await startEmpty();
  expect((await cloudWatch.describeAlarms({})).MetricAlarms).toEqual([]);
});

test('who is not known is told that, and not what is missing', async () => {
  const { lambda, cloudWatch } = await startEmpty('another');
  const unknown = /^InvalidSignatureException: /;
  expect(await refusal(lambda.invoke({ FunctionName, Payload: '{}' }))).toMatch(unknown);
  expect(await refusal(lambda.getAccountSettings({}))).toMatch(unknown);
  expect(await refusal(cloudWatch.describeAlarms({}))).toMatch(unknown);
});
