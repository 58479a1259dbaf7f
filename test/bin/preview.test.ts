import { expect, it } from 'vitest';
import { writeTemporary } from './cli.ts';
import { openDeployed } from './operator.ts';

const previewOf = async (more: object) => {
  const { world, run } = await openDeployed();
  const env = { KEYTURN_POLICY: writeTemporary('edited.yaml', { ...world.policy, ...more }) };
  return (...words: readonly string[]) => run(['plan', ...words], undefined, env);
};

it('refuses with --local what cdk deploy would refuse: what is in another account or Region', async () => {
  const plan = await previewOf({
    encryptionKey: 'arn:aws:kms:us-east-1:111122223333:alias/tokens',
    deployment: {
      alarms: { topic: 'arn:aws:sns:us-east-1:111122223333:on-call' },
      permissionsBoundary: 'arn:aws:iam::999999999999:policy/boundary',
      logs: {
        key: 'arn:aws:kms:eu-west-1:999999999999:key/01234567-0123-0123-0123-0123456789ab',
      },
      replicaRegions: [
        'eu-west-1',
        'cn-north-1',
        {
          region: 'eu-central-1',
          encryptionKey: 'arn:aws:kms:eu-central-1:999999999999:alias/tokens',
        },
      ],
    },
  });
  const refused = await plan('--local', '--markdown');
  expect([refused.code, refused.stdout]).toEqual([1, expect.stringContaining('has no plan')]);
  for (const key of [
    'encryptionKey',
    'deployment.alarms.topic',
    'deployment.permissionsBoundary',
    'deployment.replicaRegions[0]',
    'deployment.logs.key',
    'deployment.replicaRegions[1]',
    'deployment.replicaRegions[2].encryptionKey',
  ]) {
    for (const told of [refused.stdout, refused.stderr]) {
      expect(told).toMatch(
        new RegExp(`/edited\\.yaml: ${key.replaceAll(/[[\].]/g, '\\$&')}: found "`),
      );
    }
  }
  expect((await plan()).code).toBe(2);
});

it('prints with --local the warnings that validate prints, and has them in the comment', async () => {
  const windows = ['Mon 02:00-04:00'];
  const plan = await previewOf({ defaults: { rotateEvery: '7d', windows } });
  const warning = /warning: .*rotateEvery/;
  const shown = await plan('--local', '--markdown');
  expect(shown.code).toBe(2);
  for (const each of [shown.stderr, shown.stdout]) expect(each).toMatch(warning);
  const deployed = await plan('--markdown');
  expect(deployed.stdout + deployed.stderr).not.toMatch(warning);
});

it('has in the comment that the functions were deployed with another policy, whose plan it is', async () => {
  const plan = await previewOf({ activationTimeout: '9m' });
  const told = 'they differ in activationTimeout';
  expect((await plan('--markdown')).stdout).toContain(
    `rotate was deployed with another policy than the file: ${told}`,
  );
  expect((await plan('--local', '--markdown')).stdout).not.toContain(told);
});
