import { UpdateSecretCommand } from '@aws-sdk/client-secrets-manager';
import { describe, test } from 'vitest';
import { replay } from './replay.ts';

describe('answers as AWS did when', () => {
  test('versions with custom labels, AWSPENDING, and none in particular were put', async () => {
    const secret = await replay('test_put_secret_value_with_version_stages');
    await secret.create('create_secret_rs_0', 'secret_string_v0');
    await secret.get('get_secret_value_res_0');
    await secret.put('put_secret_value_res_1', 'v1', ['SAMPLESTAGE1', 'SAMPLESTAGE0']);
    await secret.get('get_secret_value_res_1');
    await secret.put('put_secret_value_res_2', 'v2', ['SAMPLESTAGE1', 'SAMPLESTAGE0']);
    await secret.get('get_secret_value_res_2');
    await secret.put('put_secret_value_res_3', 'v3', ['AWSPENDING']);
    await secret.get('get_secret_value_res_3');
    await secret.put('put_secret_value_res_4', 'secret_string_v4');
    await secret.get('get_secret_value_res_4');
    await secret.remove('delete_secret_res_1');
  });

  test('AWSCURRENT was moved to the pending version', async () => {
    const secret = await replay('test_update_secret_version_stages_return_type');
    const first = await secret.create('create_secret_rs_0', 'Something1');
    const second = await secret.put('put_secret_value_res_0', 'Something2', ['AWSPENDING']);
    await secret.move('update_secret_version_stage_res_0', first, second);
    await secret.remove('delete_secret_res_0');
  });

  test('UpdateSecret left AWSPREVIOUS on the former value', async () => {
    const secret = await replay('test_update_secret_version_stages_current_previous');
    await secret.create('create_secret_rs_0', 'secret_string_v0');
    await secret.list('list_secret_version_ids_res_0');
    const update = new UpdateSecretCommand({ SecretId: secret.secretId, SecretString: 'v1' });
    secret.match('update_secret_res_0', await secret.client.send(update));
    await secret.list('list_secret_version_ids_res_1');
    await secret.remove('delete_secret_res_0');
  });

  test('a version was put over a promoted one that still bore AWSPENDING', async () => {
    const secret = await replay('test_update_secret_version_stages_current_pending');
    const first = await secret.create('create_secret_rs_0', 'Something1');
    const second = await secret.put('put_secret_value_res_0', 'Something2', ['AWSPENDING']);
    await secret.list('list_secret_version_ids_res_0');
    await secret.move('update_secret_version_stage_res_0', first, second);
    await secret.list('list_secret_version_ids_res_1');
    await secret.put('put_secret_value_res_1', 'SS3');
    await secret.list('list_secret_version_ids_res_2');
    await secret.remove('delete_secret_res_0');
  });

  test('two pending versions were promoted in turn', async () => {
    const secret = await replay('test_update_secret_version_stages_current_pending_cycle');
    const first = await secret.create('create_secret_rs_0', 'S1');
    const second = await secret.put('put_secret_value_res_0', 'S2', ['AWSPENDING']);
    await secret.list('list_secret_version_ids_res_0');
    await secret.get('get_secret_value_res_0');
    await secret.move('update_secret_version_stage_res_0', first, second);
    await secret.list('list_secret_version_ids_res_1');
    await secret.get('get_secret_value_res_1');
    const third = await secret.put('put_secret_value_res_1', 'S3', ['AWSPENDING']);
    await secret.list('list_secret_version_ids_res_2');
    await secret.get('get_secret_value_res_2');
    await secret.move('put_secret_value_res_2', second, third);
    await secret.list('list_secret_version_ids_res_3');
    await secret.get('get_secret_value_res_3');
    await secret.remove('delete_secret_res_0');
  });

  test('custom labels stayed behind while AWSCURRENT moved on', async () => {
    const secret = await replay(
      'test_update_secret_version_stages_current_pending_cycle_custom_stages_1',
    );
    const first = await secret.create('create_secret_rs_0', 'S1');
    const stages = ['AWSSOMETHING', 'AWSPENDING', 'PUT1'];
    const second = await secret.put('put_secret_value_res_0', 'S2', stages);
    await secret.list('list_secret_version_ids_res_0');
    await secret.get('get_secret_value_res_0');
    await secret.move('update_secret_version_stage_res_0', first, second);
    await secret.list('list_secret_version_ids_res_1');
    await secret.get('get_secret_value_res_1');
    const third = await secret.put('put_secret_value_res_1', 'S3', ['AWSPENDING', 'PUT2']);
    await secret.list('list_secret_version_ids_res_2');
    await secret.get('get_secret_value_res_2');
    await secret.move('update_secret_version_stage_res_1', second, third);
    await secret.list('list_secret_version_ids_res_3');
    await secret.get('get_secret_value_res_3');
    await secret.remove('delete_secret_res_0');
  });

  test('AWSCURRENT was put together with a custom label', async () => {
    const secret = await replay(
      'test_update_secret_version_stages_current_pending_cycle_custom_stages_2',
    );
    await secret.create('create_secret_rs_0', 'SS');
    const first = await secret.put('put_secret_value_res_0', 'S1', ['AWSCURRENT', 'PUT0']);
    await secret.list('list_secret_version_ids_res_0');
    const second = await secret.put('put_secret_value_res_1', 'S2', ['AWSPENDING', 'PUT1']);
    await secret.list('list_secret_version_ids_res_1');
    await secret.get('get_secret_value_res_0');
    await secret.move('update_secret_version_stage_res_0', first, second);
    await secret.list('list_secret_version_ids_res_2');
    await secret.get('get_secret_value_res_1');
    const third = await secret.put('put_secret_value_res_2', 'S3', ['AWSPENDING', 'PUT2']);
    await secret.list('list_secret_version_ids_res_3');
    await secret.get('get_secret_value_res_2');
    await secret.move('update_secret_version_stage_res_1', second, third);
    await secret.list('list_secret_version_ids_res_4');
    await secret.get('get_secret_value_res_3');
    await secret.remove('delete_secret_res_0');
  });

  test('a custom label was taken off and AWSPREVIOUS stayed', async () => {
    const secret = await replay(
      'test_update_secret_version_stages_current_pending_cycle_custom_stages_3',
    );
    const first = await secret.create('create_secret_rs', 'SS');
    const second = await secret.put('put_secret_value_res_0', 'S1', ['PENDING']);
    await secret.list('list_secret_version_ids_rs');
    await secret.get('get_secret_value_v1_rs', first);
    await secret.get('get_secret_value_v2_rs', second);
    await secret.move('update_secret_version_stage_res_1', first, second);
    await secret.get('get_secret_value_v1_rs_1', first);
    await secret.get('get_secret_value_v2_rs_1', second);
    await secret.move('update_secret_version_stage_res_2', second, undefined, 'PENDING');
    await secret.get('get_secret_value_v1_rs_2', first);
    await secret.get('get_secret_value_v2_rs_2', second);
    await secret.remove('delete_secret_res_0');
  });

  test('a put took every label of an older version', async () => {
    const secret = await replay('test_non_versioning_version_stages_replacement');
    await secret.create('create_secret_rs_0', 'S0');
    await secret.put('put_secret_value_res_0', 'S1', ['one', 'two', 'three']);
    await secret.list('list_secret_version_ids_res_0');
    await secret.put('put_secret_value_res_1', 'S2', ['one', 'two', 'three', 'four']);
    await secret.list('list_secret_version_ids_res_1');
    await secret.remove('delete_secret_res_0');
  });

  test('a put took some labels of an older version', async () => {
    const secret = await replay('test_non_versioning_version_stages_no_replacement');
    await secret.create('create_secret_rs_0', 'S0');
    await secret.put('put_secret_value_res_0', 'S1', ['one', 'two', 'three']);
    await secret.list('list_secret_version_ids_res_0');
    await secret.put('put_secret_value_res_1', 'S2', ['one', 'two', 'four']);
    await secret.list('list_secret_version_ids_res_1');
    await secret.remove('delete_secret_res_0');
  });

  test('versions lost their last label and were listed as deprecated', async () => {
    const secret = await replay('test_deprecated_secret_version_stage');
    await secret.create('create_secret', 'original');
    await secret.list('list_secret_version_ids');
    await secret.put('put_secret_value_1', 'update1');
    await secret.list('list_secret_version_ids_1');
    await secret.put('put_secret_value_2', 'update2');
    await secret.list('list_secret_version_ids_2');
    await secret.list('list_secret_version_ids_3', true);
    await secret.put('put_secret_value_3', 'update3');
    await secret.list('list_secret_version_ids_4');
    await secret.list('list_secret_version_ids_5', true);
  });

  test('the first version of an empty secret was put', async () => {
    const secret = await replay('test_create_secret_version_from_empty_secret');
    await secret.create('create-empty-secret');
    await secret.describe('describe-secret');
    await secret.put('put-secret-value', 'first');
  });
});
