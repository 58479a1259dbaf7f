import {
  GetSecretValueCommand,
  ListSecretVersionIdsCommand,
  PutSecretValueCommand,
  type SecretsManagerClient,
  UpdateSecretVersionStageCommand,
} from '@aws-sdk/client-secrets-manager';
import type { RotationEvent } from '../../../sandbox/aws/rotation.ts';

export const LAMBDA_ARN = 'arn:aws:lambda:eu-west-1:123456789012:function:rotate';

/** AWS's generic rotation template, as far as its steps touch Secrets Manager. */
export async function rotateByTemplate(client: SecretsManagerClient, event: RotationEvent) {
  const { SecretId, ClientRequestToken } = event;
  if (event.Step === 'createSecret') {
    await client.send(new GetSecretValueCommand({ SecretId, VersionStage: 'AWSCURRENT' }));
    const put = { SecretId, ClientRequestToken, VersionStages: ['AWSPENDING'] };
    await client.send(new PutSecretValueCommand({ ...put, SecretString: 'rotated' }));
  }
  if (event.Step === 'finishSecret') {
    const { Versions = [] } = await client.send(new ListSecretVersionIdsCommand({ SecretId }));
    const current = Versions.find((version) => version.VersionStages?.includes('AWSCURRENT'));
    await client.send(
      new UpdateSecretVersionStageCommand({
        SecretId,
        VersionStage: 'AWSCURRENT',
        MoveToVersionId: ClientRequestToken,
        RemoveFromVersionId: current?.VersionId,
      }),
    );
  }
}
