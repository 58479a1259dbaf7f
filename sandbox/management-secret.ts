import { CreateSecretCommand, SecretsManagerClient } from '@aws-sdk/client-secrets-manager';

/** Puts the token there as an administrator would before deploying: the string alone. */
export async function createManagementSecret(
  aws: { readonly url: string; readonly region: string },
  name: string,
  managementToken: string,
): Promise<void> {
  const client = new SecretsManagerClient({
    endpoint: aws.url,
    region: aws.region,
    credentials: { accessKeyId: 'sandbox', secretAccessKey: 'sandbox' },
  });
  await client.send(new CreateSecretCommand({ Name: name, SecretString: managementToken }));
  client.destroy();
}
