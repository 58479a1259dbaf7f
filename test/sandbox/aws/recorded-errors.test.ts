import {
  CreateSecretCommand,
  DeleteSecretCommand,
  GetSecretValueCommand,
  RotateSecretCommand,
  TagResourceCommand,
  UntagResourceCommand,
} from '@aws-sdk/client-secrets-manager';
import { describe, expect, test } from 'vitest';
import recorded from './recorded.json' with { type: 'json' };
import { replay } from './replay.ts';
import { post, refusal, start } from './start.ts';

describe('refuses as AWS did', () => {
  test('a name that is taken', async () => {
    const secret = await replay('test_secret_exists_snapshots');
    const create = () => new CreateSecretCommand({ Name: secret.secretId, SecretString: 's' });
    await secret.client.send(create());
    await secret.matchError('ex_log', secret.client.send(create()));
    await secret.remove('delete_secret_res');
  });

  test.each(['CreateSecret', 'UpdateSecret', 'RotateSecret', 'PutSecretValue'] as const)(
    '%s without a ClientRequestToken',
    async (operation) => {
      const { aws } = await start();
      const body = JSON.stringify({
        [operation === 'CreateSecret' ? 'Name' : 'SecretId']: 'missing',
        SecretString: 'thisisthesecret',
        Description: 'My secret string',
      });
      const [status, error] = await post(aws, operation, body);
      const trace = recorded.traces[`test_no_client_request_token[${operation}]`];
      const answer = trace.content['no-client-request-exc'];
      expect(status).toBe(answer.Metadata.StatusCode);
      expect(error).toEqual(answer.Error);
    },
  );

  // Recorded for these ten; LocalStack, test_invalid_secret_name.
  test.each(['Inv Name', ' Inv Name', ' Inv*Name? ', ' Inv *?!]Name\\-'])(
    'the name %j, by whichever operation',
    async (SecretId) => {
      const { client } = await start();
      const Tags = [{ Key: 'k', Value: 'v' }];
      for (const call of [
        client.createSecret({ Name: SecretId, SecretString: 's' }),
        client.deleteSecret({ SecretId, ForceDeleteWithoutRecovery: true }),
        client.describeSecret({ SecretId }),
        client.getSecretValue({ SecretId }),
        client.listSecretVersionIds({ SecretId, IncludeDeprecated: true }),
        client.putSecretValue({ SecretId, SecretString: 's' }),
        client.tagResource({ SecretId, Tags }),
        client.untagResource({ SecretId, TagKeys: ['k'] }),
        client.updateSecret({ SecretId, Description: 'd' }),
        client.validateResourcePolicy({ SecretId, ResourcePolicy: '{}' }),
      ])
        expect(await refusal(call)).toBe(
          'ValidationException: Invalid name. Must be a valid name containing alphanumeric characters, or any of the following: -/_+=.@!',
        );
    },
  );

  test('a label that nobody bears, and a label of another version', async () => {
    const { client, matchError, secretId } = await replay('test_get_secret_value_errors');
    const created = await client.send(
      new CreateSecretCommand({ Name: secretId, SecretString: 'test' }),
    );
    const get = (VersionId?: string) =>
      client.send(
        new GetSecretValueCommand({ SecretId: secretId, VersionId, VersionStage: 'AWSPREVIOUS' }),
      );
    await matchError('error_get_secret_value_non_existing', get());
    await matchError('mismatch_version_id_and_stage', get(created.VersionId));
  });

  test('to read versions of an empty secret', async () => {
    const { client, matchError, secretId } = await replay('test_secret_version_not_found');
    await client.send(new CreateSecretCommand({ Name: secretId }));
    const get = (which: { VersionId?: string; VersionStage?: string }) =>
      client.send(new GetSecretValueCommand({ SecretId: secretId, ...which }));
    await matchError('get_secret_value_no_version_ex', get({}));
    const missing = get({ VersionId: 'x'.repeat(36) });
    await matchError('get_secret_value_version_not_found_ex', missing);
    await matchError('get_secret_value_stage_not_found_ex', get({ VersionStage: 'AWSPENDING' }));
  });

  test('to tag a secret that is scheduled for deletion', async () => {
    const secret = await replay('test_tag_untag_resource_on_deleted_secret');
    const { client, secretId: SecretId } = secret;
    await secret.create('create_secret', 's');
    secret.match('delete_secret', await client.send(new DeleteSecretCommand({ SecretId })));
    const tag = new TagResourceCommand({ SecretId, Tags: [{ Key: 'k', Value: 'v' }] });
    await secret.matchError('tag_deleted_secret_error', client.send(tag));
    const untag = new UntagResourceCommand({ SecretId, TagKeys: ['k'] });
    await secret.matchError('untag_deleted_secret_error', client.send(untag));
  });

  test('to rotate without a function', async () => {
    const secret = await replay('test_first_rotate_secret_with_missing_lambda_arn');
    await secret.create('create_secret', 's');
    const rotate = new RotateSecretCommand({
      SecretId: secret.secretId,
      RotationRules: { AutomaticallyAfterDays: 1 },
    });
    await secret.matchError('rotate_secret_no_arn_exc', secret.client.send(rotate));
    await secret.describe('describe_secret');
  });

  test('to rotate with a function that it cannot invoke', async () => {
    // There are functions, but not this one.
    const options = { rotationInvoker: async () => {}, canInvoke: () => false };
    const secret = await replay('test_rotate_secret_invalid_lambda_arn', options);
    await secret.create('create_secret', 's');
    const rotate = new RotateSecretCommand({
      SecretId: secret.secretId,
      RotationLambdaARN: 'arn:aws:lambda:eu-west-1:123456789012:function:missing',
      RotationRules: { AutomaticallyAfterDays: 1 },
    });
    await secret.matchError('rotate_secret_invalid_arn_exc', secret.client.send(rotate));
    await secret.describe('describe_secret');
  });
});
