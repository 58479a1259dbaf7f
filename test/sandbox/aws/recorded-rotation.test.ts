import { CreateSecretCommand, RotateSecretCommand } from '@aws-sdk/client-secrets-manager';
import { test } from 'vitest';
import { replay } from './replay.ts';
import { LAMBDA_ARN, rotateByTemplate } from './rotation-function.ts';

async function replayRotation(name: string) {
  const secret = await replay(name);
  secret.aws.rotationInvoker = (_arn, event) => rotateByTemplate(secret.client, event);
  const create = { Name: secret.secretId, Description: 'testing rotation of secrets' };
  const created = await secret.client.send(
    new CreateSecretCommand({ ...create, SecretString: 'original' }),
  );
  secret.know(created.VersionId ?? '');
  return {
    ...secret,
    async rotate(key: string, config: Partial<RotateSecretCommand['input']>) {
      const rotation = new RotateSecretCommand({ SecretId: secret.secretId, ...config });
      secret.match(key, await secret.client.send(rotation));
      await secret.aws.settled();
    },
  };
}

const config = { RotationLambdaARN: LAMBDA_ARN, RotationRules: { AutomaticallyAfterDays: 1 } };

test.each([true, undefined])('rotates as AWS did with RotateImmediately=%s', async (now) => {
  const key = now ? 'True' : 'None';
  const secret = await replayRotation(`test_rotate_secret_with_lambda_success[${key}]`);
  await secret.rotate('rotate_secret_immediately', { ...config, RotateImmediately: now });
  await secret.describe('describe_secret_rotated');
  await secret.list('list_secret_versions_rotated_1');
});

test('rotates twice as AWS did, the second time with what it remembered', async () => {
  const secret = await replayRotation('test_rotate_secret_multiple_times_with_lambda_success');
  await secret.rotate('rotate_secret_immediately_1', { ...config, RotateImmediately: true });
  await secret.describe('describe_secret_rotated_1');
  await secret.list('list_secret_versions_rotated_1_1');
  await secret.rotate('rotate_secret_immediately_2', {});
  await secret.describe('describe_secret_rotated_2');
  await secret.list('list_secret_versions_rotated_1_2');
});
